'use strict';
'require view';
'require form';
'require poll';
'require uci';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.fields as fields';
'require pptp-gateway.named-section as namedSection';
'require pptp-gateway.notices as notices';
'require pptp-gateway.radius-dialog as radiusDialog';
'require pptp-gateway.words as words';

const SECONDS = 5;

/* A file or a folder: no way back to somewhere else. */
const FILE = /^\/[^\u0000\n]+$/;
const FOLDER = /^(?:\/(?!\.{1,2}(?:\/|$))[^\s/:]+)+$/;
const ADDRESS = /^\d{1,3}(\.\d{1,3}){3}$|:/;

const roles = { auth: _('decides on logins'), acct: _('takes accounting records') };
const transports = { udp: _('UDP (plain RADIUS)'), tls: _('TLS (RadSec)') };

/* In the table: the titles of what is chosen. */
function inWords(titles) {
	return function (sectionId) {
		const chosen = L.toArray(this.cfgvalue(sectionId) ?? this.default);
		return E('span', {}, [chosen.map((value) => titles[value] ?? value).join(', ')]);
	};
}

/* What the daemon calls the section. */
function nameOf(sectionId) {
	const sections = uci.sections('pptp_radius', 'radius');
	const index = sections.findIndex(({ '.name': name }) => name == sectionId);
	return sections[index]?.['.anonymous'] ? `@radius[${index}]` : sectionId;
}

/* What the form says now of another option of the section. */
function sibling(option, name, sectionId) {
	return option.map.lookupOption(name, sectionId)?.[0]?.formvalue(sectionId);
}

function validateFile(sectionId, value) {
	return !value || FILE.test(value) ? true : _('Expected a file such as /etc/pptp-gateway/ca.pem.');
}

/* A certificate is of no use without its key, nor the key without it. */
function validatePair(other) {
	return function (sectionId, value) {
		if (!value && sibling(this, other, sectionId)) return _('Certificate and key belong together.');
		return validateFile(sectionId, value);
	};
}

function addNumber(section, name, title, description, [low, high], placeholder) {
	const option = section.taboption('advanced', form.Value, name, title, description);
	option.datatype = `and(uinteger,range(${low},${high}))`;
	option.placeholder = placeholder;
	option.modalonly = true;
	return option;
}

return view.extend({
	load() {
		return Promise.all([uci.load(['pptp_radius', 'network']), notices.box('radius'), bus.statusOrProblem()]);
	},

	render([, notice, status]) {
		this.states = new Map();
		this.status = status;
		poll.add(async () => {
			this.status = await bus.statusOrProblem();
			for (const [sectionId, node] of this.states) this.showState(sectionId, node);
		}, SECONDS);
		const map = this.form();
		return map.render().then((node) => E([], [notice, ...this.hints(), node]));
	},

	form() {
		const map = new form.Map(
			'pptp_radius',
			_('RADIUS'),
			_(
				'A RADIUS server keeps the accounts of many routers in one place: it decides on logins, gives callers their addresses, and records who was connected, for how long and with how much traffic. Servers for callers ask it when the page Server says so (Advanced, Logins are decided by).'
			)
		);
		this.servers(map);
		this.router(map);
		return map;
	},

	/* Servers that nobody asks. */
	hints() {
		const asks = uci
			.sections('network', 'interface')
			.some(({ proto, accounts }) => proto == 'pptpserver' && L.toArray(accounts).includes('radius'));
		const enabled = uci.sections('pptp_radius', 'radius').some((section) => section.enabled != '0');
		return enabled && !asks
			? [
					words.warning(
						_(
							'No server for callers asks RADIUS yet: choose it on the page Server, under Advanced, Logins are decided by.'
						)
					)
				]
			: [];
	},

	servers(map) {
		const section = map.section(form.GridSection, 'radius', _('RADIUS servers'));
		section.addremove = true;
		section.anonymous = false;
		section.nodescriptions = true;
		section.addbtntitle = _('Add RADIUS server');
		namedSection.ask(section, _('Name of the RADIUS server:'), 'main');
		/* LuCI takes the title as markup. */
		section.modaltitle = (sectionId) => words.escaped(nameOf(sectionId));
		section.tab('general', _('General'));
		section.tab('advanced', _('Advanced'));
		section.renderRowActions = function (sectionId) {
			const cell = this.super('renderRowActions', [sectionId, _('Edit')]);
			cell.lastChild.prepend(
				E(
					'button',
					{
						class: 'btn cbi-button cbi-button-neutral',
						click: ui.createHandlerFn(radiusDialog, 'open', nameOf(sectionId))
					},
					[_('Test')]
				)
			);
			return cell;
		};
		this.addOptions(section);
	},

	/* How it is, of those that are in force and decide on logins. */
	showState(sectionId, node) {
		const server = (this.status.radius ?? []).find(({ name }) => name == nameOf(sectionId));
		const { colour, word } = server ? words.radiusState(server) : { colour: 'off', word: '-' };
		const details = server ? words.radiusDetails(server) : '';
		if (node.dataset.shown === word + details) return;
		node.dataset.shown = word + details;
		node.replaceChildren(words.dot(colour, word), E('div', { style: 'font-size:90%' }, [details]));
	},

	addOptions(section) {
		let option = section.taboption('general', form.Flag, 'enabled', _('Enabled'));
		option.default = '1';
		option.editable = true;

		option = section.taboption('general', form.Value, 'server', _('Server'), _('Its name or address (IPv4 or IPv6).'));
		option.datatype = 'host';
		option.rmempty = false;
		option.validate = function (sectionId, value) {
			return sibling(this, 'coa', sectionId) != '1' || ADDRESS.test(value)
				? true
				: _('A server that may end and change sessions needs an address here, for a name can be forged.');
		};

		option = section.taboption('general', form.DummyValue, '_state', _('State'));
		option.modalonly = false;
		option.textvalue = (sectionId) => {
			const node = E('span', {}, []);
			this.states.set(sectionId, node);
			this.showState(sectionId, node);
			return node;
		};

		option = section.taboption(
			'general',
			form.Value,
			'secret',
			_('Secret'),
			_(
				'What the server and this router share; a long one, for short ones can be guessed. With TLS it may be left empty.'
			)
		);
		option.modalonly = true;
		option.password = true;
		option.datatype = 'maxlength(255)';
		option.validate = function (sectionId, value) {
			return value || sibling(this, 'transport', sectionId) == 'tls' ? true : _('A secret is needed.');
		};

		option = section.taboption('general', form.MultiValue, 'role', _('What it does'));
		for (const [role, title] of Object.entries(roles)) option.value(role, title);
		option.default = ['auth', 'acct'];
		option.write = fields.writeUnlessDefault;
		option.textvalue = inWords(roles);
		option.validate = (sectionId, value) => (L.toArray(value).length ? true : _('Choose at least one.'));

		option = section.taboption('general', form.ListValue, 'transport', _('Way there'));
		for (const [transport, title] of Object.entries(transports)) option.value(transport, title);
		option.default = 'udp';
		option.write = fields.writeUnlessDefault;
		option.textvalue = inWords(transports);

		option = section.taboption('general', form.DummyValue, '_weak', '');
		option.modalonly = true;
		option.default = _(
			'Plain RADIUS hides what it carries only weakly: who listens on the way sees user names, and may find out passwords and keys. Use it in networks of your own, and TLS everywhere else.'
		);
		option.depends('transport', 'udp');

		this.addTlsOptions(section);
		this.addAdvancedOptions(section);
	},

	addTlsOptions(section) {
		const add = (name, title, description, more) => {
			const option = section.taboption('advanced', form.Value, name, title, description);
			Object.assign(option, { modalonly: true }, more);
			option.depends('transport', 'tls');
		};
		add(
			'ca',
			_('Certificate of the signer'),
			_("File with the certificate that signed the server's; empty: those that the system trusts."),
			{ placeholder: '/etc/pptp-gateway/ca.pem', validate: validateFile }
		);
		add('certificate', _('Own certificate'), _('File with the certificate by which the server knows this router.'), {
			placeholder: '/etc/pptp-gateway/router.pem',
			validate: validatePair('key')
		});
		add('key', _('Private key'), _('File with the key of that certificate.'), {
			placeholder: '/etc/pptp-gateway/router.key',
			validate: validatePair('certificate')
		});
		add(
			'tls_name',
			_('Name in its certificate'),
			_("What the server's certificate must be for; empty: its name or address above."),
			{ datatype: 'host' }
		);
	},

	addAdvancedOptions(section) {
		let option = section.taboption(
			'advanced',
			form.Value,
			'port',
			_('Port for logins'),
			_('With TLS for everything. Empty: 1812, with TLS 2083.')
		);
		option.datatype = 'and(uinteger,range(1,65535))';
		option.modalonly = true;
		option = addNumber(section, 'acct_port', _('Port for accounting'), null, [1, 65535], '1813');
		option.depends('transport', 'udp');
		for (const args of [
			[
				'priority',
				_('Priority'),
				_('Servers with the lowest number are asked first, the others when none of those answers.'),
				[0, 1000],
				'0'
			],
			['weight', _('Weight'), _('Its share of the logins, among servers of one priority.'), [1, 1000], '1'],
			['timeout', _('Time to answer'), _('Seconds until it is asked again.'), [1, 10], '2'],
			['tries', _('Tries'), _('How often it is asked before another server is.'), [1, 10], '2'],
			[
				'dead_time',
				_('Left in peace for'),
				_('Seconds, after it has not answered; meanwhile it is only asked whether it lives.'),
				[1, 3600],
				'60'
			]
		])
			addNumber(section, ...args);

		option = section.taboption(
			'advanced',
			form.Value,
			'source',
			_('Asked from'),
			_('An address of this router; empty: as the routing table says.')
		);
		option.datatype = 'ipaddr("nomask")';
		option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.ListValue,
			'message_authenticator',
			_('Message-Authenticator in its answers'),
			_('Without it answers can be forged by who stands on the way (CVE-2024-3596, "Blast-RADIUS").')
		);
		option.value('auto', _('required once it has sent one'));
		option.value('always', _('always required'));
		option.value('never', _('not required'));
		option.default = 'auto';
		option.write = fields.writeUnlessDefault;
		option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.Flag,
			'coa',
			_('May end and change sessions'),
			_('Takes its CoA and Disconnect requests (RFC 5176).')
		);
		option.default = '0';
		option.modalonly = true;
	},

	/* `config nas`: there is one. */
	router(map) {
		const name = uci.sections('pptp_radius', 'nas')[0]?.['.name'] ?? uci.add('pptp_radius', 'nas', 'nas');
		const section = map.section(form.NamedSection, name, 'nas', _('This router, as RADIUS servers see it'));
		let option = section.option(
			form.Value,
			'identifier',
			_('Name of this router'),
			_('NAS-Identifier; empty: its host name.')
		);
		option.datatype = 'maxlength(253)';
		option = section.option(
			form.Value,
			'address',
			_('Address of this router'),
			_('NAS-IP-Address; empty: the one that the caller has called.')
		);
		option.datatype = 'ip4addr("nomask")';
		option = section.option(
			form.Value,
			'interim_interval',
			_('Counters sent every'),
			_("Seconds, while a session lasts; 0: never. A RADIUS server's own wish counts more.")
		);
		option.datatype = 'and(uinteger,or(range(60,86400),range(0,0)))';
		option.placeholder = '600';
		option = section.option(
			form.Value,
			'coa_port',
			_('UDP port for CoA and Disconnect'),
			_('Opened only for servers that may end and change sessions.')
		);
		option.datatype = 'and(uinteger,range(1,65535))';
		option.placeholder = '3799';
		option = section.option(
			form.Value,
			'records',
			_('Folder for records'),
			_(
				'Where accounting records wait until a server has taken them; empty: in memory. In force from the next start of the service.'
			)
		);
		option.validate = (sectionId, value) =>
			!value || FOLDER.test(value) ? true : _('Expected a folder such as /srv/pptp-records.');
	}
});
