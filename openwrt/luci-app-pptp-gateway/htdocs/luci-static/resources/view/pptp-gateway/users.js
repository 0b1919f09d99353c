'use strict';
'require view';
'require form';
'require poll';
'require uci';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.date-field as dateField';
'require pptp-gateway.fields as fields';
'require pptp-gateway.networks6 as networks6';
'require pptp-gateway.notices as notices';
'require pptp-gateway.password-field as passwordField';
'require pptp-gateway.server-form as serverForm';
'require pptp-gateway.setup-dialog as setupDialog';
'require pptp-gateway.subnets as subnets';
'require pptp-gateway.usage as usage';
'require pptp-gateway.user-list as userList';
'require pptp-gateway.words as words';
'require pptp-gateway.zones as zones';

const SECONDS = 5;
const USAGE_SECONDS = 30;

const servers = () => uci.sections('network', 'interface').filter(({ proto }) => proto == 'pptpserver');

/* Is another user's value the same? */
function taken(option, sectionId, value) {
	return uci.sections('pptp_users', 'user').some((user) => user['.name'] != sectionId && user[option] === value);
}

return view.extend({
	load() {
		return Promise.all([
			L.resolveDefault(bus.sessions(), []),
			L.resolveDefault(bus.interfaces(), []),
			uci.load(['pptp_users', 'network', 'firewall']),
			L.resolveDefault(uci.load('pptpd')),
			notices.box('clients'),
			L.resolveDefault(bus.usage(), null)
		]);
	},

	render([sessions, interfaces, , , notice, used]) {
		this.sessions = sessions;
		this.upstream = subnets.upstream(interfaces);
		this.online = new Map();
		this.used = new Map();
		this.noteUsage(used);

		const map = new form.Map('pptp_users', _('PPTP users'), _('Who may call the servers of this router.'));
		map.chain('network');
		const section = map.section(form.GridSection, 'user');
		section.anonymous = true;
		section.addremove = true;
		section.nodescriptions = true;
		section.addbtntitle = _('Add user');
		/* LuCI takes the title as markup. */
		section.modaltitle = (sectionId) => words.escaped(uci.get('pptp_users', sectionId, 'username') ?? _('New user'));
		section.tab('general', _('General'));
		section.tab('advanced', _('Advanced'));
		const page = this;
		section.renderRowActions = function (sectionId) {
			const cell = this.super('renderRowActions', [sectionId, _('Edit')]);
			cell.lastChild.prepend(
				E(
					'button',
					{ class: 'btn cbi-button cbi-button-neutral', click: ui.createHandlerFn(page, 'showSetUp', sectionId) },
					[_('Set up a PC')]
				)
			);
			return cell;
		};
		this.addOptions(section);
		this.map = map;

		poll.add(async () => {
			this.sessions = await L.resolveDefault(bus.sessions(), []);
			for (const [sectionId, node] of this.online) this.showOnline(sectionId, node);
		}, SECONDS);

		poll.add(async () => {
			this.noteUsage(await L.resolveDefault(bus.usage(), null));
			for (const [sectionId, node] of this.used) this.showUsage(sectionId, node);
		}, USAGE_SECONDS);

		return map.render().then((node) => E([], [notice, node, this.transfers(map.readonly)]));
	},

	addOptions(section) {
		let option = section.taboption('general', form.Flag, 'enabled', _('Enabled'));
		option.default = '1';
		option.editable = true;

		option = section.taboption('general', form.Value, 'username', _('User name'));
		option.rmempty = false;
		option.datatype = 'maxlength(128)';
		option.validate = (sectionId, value) =>
			taken('username', sectionId, value) ? _('There is a user of this name already.') : true;

		option = section.taboption('general', form.DummyValue, '_online', _('Online'));
		option.modalonly = false;
		option.textvalue = (sectionId) => {
			const node = E('span', {}, []);
			this.online.set(sectionId, node);
			this.showOnline(sectionId, node);
			return node;
		};

		option = section.taboption('general', form.DummyValue, '_usage', _('This month'));
		option.modalonly = false;
		option.textvalue = (sectionId) => {
			const node = E('span', {}, []);
			this.used.set(sectionId, node);
			this.showUsage(sectionId, node);
			return node;
		};

		option = section.taboption(
			'general',
			passwordField.PasswordField,
			'password',
			_('Password'),
			_('Leave it empty when an NT hash is given.')
		);
		option.modalonly = true;
		option.validate = function (sectionId, value) {
			const hash = this.map.lookupOption('nthash', sectionId)?.[0]?.formvalue(sectionId);
			return value || hash ? true : _('A password or an NT hash is needed.');
		};

		option = section.taboption(
			'general',
			form.Value,
			'ipaddr',
			_('Fixed address'),
			_('Always the same address; empty: one of the pool.')
		);
		option.datatype = 'ip4addr("nomask")';
		option.validate = (sectionId, value) =>
			value && taken('ipaddr', sectionId, value) ? _('Another user has this address.') : true;
		option.textvalue = function (sectionId) {
			return this.cfgvalue(sectionId) ?? '-';
		};

		option = section.taboption(
			'general',
			dateField.DateField,
			'expires',
			_('Expires'),
			_('Last day on which the user may log in (UTC); empty: for ever.')
		);
		option.textvalue = function (sectionId) {
			return this.cfgvalue(sectionId) ?? _('never');
		};

		option = section.taboption(
			'advanced',
			form.Flag,
			'must_change',
			_('Must change the password'),
			_(
				'The caller is asked for a new password at the next login (Windows, MS-CHAPv2), and gets in with that only; its hash takes the place of the password here. The daemon must be able to write the file of the users.'
			)
		);
		option.default = '0';
		option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.MultiValue,
			'server',
			_('Servers'),
			_('Servers the user may call; none: every server.')
		);
		option.modalonly = true;
		for (const server of servers()) option.value(server['.name']);
		/* LuCI stumbles over a choice of nothing: there may be users before there is a server. */
		option.transformChoices = function () {
			return this.super('transformChoices', []) ?? {};
		};

		option = section.taboption(
			'advanced',
			form.DynamicList,
			'route',
			_('Networks behind the caller'),
			_('For an office router that dials in: its networks are reached through this user.')
		);
		option.datatype = fields.NETWORK;
		option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.Value,
			'ip6prefix',
			_('Fixed IPv6 network'),
			_('Always the same /64 for the user; empty: one of the server.')
		);
		option.modalonly = true;
		option.validate = (sectionId, value) => {
			if (value && !networks6.isNetwork(value, 64, 64))
				return _('Expected an IPv6 network of 64 bits, such as %s.').format('2001:db8:5:1ff::/64');
			return value && taken('ip6prefix', sectionId, value) ? _('Another user has this network.') : true;
		};

		option = section.taboption(
			'advanced',
			form.DynamicList,
			'ip6route',
			_('IPv6 networks behind the caller'),
			_('Its router gets them by DHCPv6 when it asks; none: out of the networks of the server.')
		);
		option.modalonly = true;
		option.validate = fields.validateNetwork6;

		option = section.taboption(
			'advanced',
			form.DynamicList,
			'client_route',
			_('Networks for the caller'),
			_("What the user reaches through the tunnel; Windows asks for it when it has connected. None: the server's.")
		);
		option.datatype = fields.NETWORK;
		option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.DynamicList,
			'domain',
			_('Domains for the caller'),
			_("What the user's names are completed with; the first is his own. None: the server's.")
		);
		option.datatype = 'hostname';
		option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.Value,
			'max_sessions',
			_('Sessions at the same time'),
			_("Empty: as the server's limit per user.")
		);
		option.datatype = 'and(uinteger,range(1,4096))';
		option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.DynamicList,
			'hours',
			_('Hours'),
			_(
				"When the user may be logged in, in the router's local time, such as Mon-Fri 08:00-18:00; a session ends when its time is over. Empty: always."
			)
		);
		option.modalonly = true;
		option.validate = (sectionId, value) =>
			!value || userList.rules.hours.test(value) ? true : _('Expected days and times such as Mon-Fri 08:00-18:00.');

		option = section.taboption(
			'advanced',
			form.DynamicList,
			'group',
			_('Firewall groups'),
			_(
				'IP sets of the firewall that the address of the user is in while the user is connected: rules with these sets say who reaches what.'
			)
		);
		for (const { name, family } of uci.sections('firewall', 'ipset')) if (name && family != 'ipv6') option.value(name);
		option.modalonly = true;
		option.validate = (sectionId, value) =>
			!value || userList.rules.group.test(value) ? true : _('Expected the name of an IP set of the firewall.');

		fields.userSecurity(section, 'advanced');

		option = section.taboption('general', form.Value, 'note', _('Note'), _('A text of your own.'));
		option.modalonly = true;
		option.validate = (sectionId, value) =>
			!value || userList.rules.note.test(value) ? true : _('Expected at most 256 octets.');

		for (const [name, title, description, range] of [
			[
				'rate_up',
				_('Upload limit'),
				_("What a session of the user may send, in kbit/s; 0: no limit; empty: the server's limit."),
				'and(uinteger,range(0,10000000))'
			],
			[
				'rate_down',
				_('Download limit'),
				_("What a session of the user may get, in kbit/s; 0: no limit; empty: the server's limit."),
				'and(uinteger,range(0,10000000))'
			],
			[
				'rate_burst',
				_('Burst'),
				_(
					"After a pause as much passes at once as the limit allows in so many milliseconds; empty: the server's burst."
				),
				'and(uinteger,range(10,10000))'
			]
		])
			Object.assign(section.taboption('advanced', form.Value, name, title, description), {
				datatype: range,
				modalonly: true
			});

		for (option of fields.quota(
			section,
			'advanced',
			_('What the user may send and get in a month, together, in MB (1000 MB are 1 GB); 0: no quota.')
		))
			option.modalonly = true;

		option = section.taboption(
			'advanced',
			form.Value,
			'nthash',
			_('NT hash'),
			_('32 hexadecimal digits instead of the password (MS-CHAP methods only).')
		);
		option.modalonly = true;
		option.password = true;
		option.validate = (sectionId, value) =>
			!value || userList.rules.nthash.test(value) ? true : _('Expected 32 hexadecimal digits.');
	},

	noteUsage(answer) {
		const entries = answer == null ? [] : usage.entries(answer).filter(({ kind }) => kind == 'user');
		this.usage = new Map(entries.map((entry) => [entry.name, entry]));
	},

	/* What the user has moved this month, both ways, and the quota. */
	showUsage(sectionId, node) {
		const entry = this.usage.get(uci.get('pptp_users', sectionId, 'username'));
		const quota = usage.quota(entry?.quota);
		const text = entry ? words.octets(entry.month) : '-';
		if (node.dataset.shown === text + quota) return;
		node.dataset.shown = text + quota;
		node.replaceChildren(
			entry?.quota?.used_up ? words.dot('bad', text) : text,
			E('div', { style: 'font-size:90%' }, [quota])
		);
	},

	/* Who is on now: address and since when. */
	showOnline(sectionId, node) {
		const name = uci.get('pptp_users', sectionId, 'username');
		const own = this.sessions.filter(({ server, username }) => server != null && username == name);
		const text = own.map(({ address, uptime }) => `${address}, ${words.duration(uptime)}`).join('; ');
		if (node.dataset.shown === text) return;
		node.dataset.shown = text;
		node.replaceChildren(own.length ? words.dot('good', text) : words.dot('off', _('no')));
	},

	/* Ready files for the user's machine. */
	showSetUp(sectionId) {
		const server = servers().find(({ '.name': name }) =>
			serverForm.usersOf(name).some((user) => user['.name'] == sectionId)
		);
		return setupDialog.open({
			username: uci.get('pptp_users', sectionId, 'username'),
			server: server?.['.name'],
			address: this.upstream?.address,
			routes: server ? this.networksThrough(server) : []
		});
	},

	/* None where everything goes through the tunnel. */
	networksThrough(server) {
		const reach = zones.reach(server['.name']);
		if (reach.internet || !reach.lan) return [];
		return L.toArray(zones.lan()?.network)
			.flatMap((name) => {
				const { ipaddr, netmask } = uci.get('network', name) ?? {};
				return L.toArray(ipaddr).map((address) => subnets.parse(address, netmask));
			})
			.filter((network) => network != null && network.length < 32)
			.map(({ first, length }) => `${subnets.address(first)}/${length}`);
	},

	transfers(readonly) {
		const button = (text, handler) =>
			E(
				'button',
				{ class: 'btn cbi-button', disabled: readonly ? 'disabled' : null, click: ui.createHandlerFn(this, handler) },
				[text]
			);
		const logins = uci.sections('pptpd', 'login');
		return E('div', { class: 'cbi-section' }, [
			E('h3', {}, [_('Export and import')]),
			E('p', {}, [
				_('The file contains all passwords: keep it safe. An import adds users and never changes one that is there.')
			]),
			E('p', {}, [
				button(_('Export users'), 'exportUsers'),
				' ',
				button(_('Import users'), 'importFile'),
				' ',
				logins.length ? button(_('Import %d users of the old pptpd').format(logins.length), 'importPptpd') : ''
			])
		]);
	},

	exportUsers() {
		const blob = new Blob([userList.exported(uci.sections('pptp_users', 'user'))], { type: 'application/json' });
		const link = E('a', { href: URL.createObjectURL(blob), download: 'pptp-users.json' }, []);
		link.click();
		URL.revokeObjectURL(link.href);
	},

	importFile() {
		const input = E('input', { type: 'file', accept: '.json,application/json', style: 'display:none' }, []);
		input.addEventListener('change', async () => {
			try {
				await this.adopt(userList.imported(await input.files[0].text()));
			} catch (error) {
				ui.addNotification(null, E('p', {}, [error.message]), 'danger');
			}
		});
		input.click();
	},

	importPptpd() {
		return this.adopt(userList.fromPptpd(uci.sections('pptpd', 'login')));
	},

	/* Saved like any other change: Save & Apply makes them valid. */
	async adopt({ users, refused }) {
		const fresh = userList.without(users, uci.sections('pptp_users', 'user'));
		for (const user of fresh) {
			const sid = uci.add('pptp_users', 'user');
			for (const [option, value] of Object.entries(user)) uci.set('pptp_users', sid, option, value);
		}
		await uci.save();
		await ui.changes.init();
		await this.map.render();
		const parts = [_('%d users were added.').format(fresh.length)];
		if (users.length > fresh.length) parts.push(_('%d were there already.').format(users.length - fresh.length));
		if (refused) parts.push(_('%d had something wrong and were left out.').format(refused));
		if (fresh.length) parts.push(_('Press Save & Apply to make them valid.'));
		ui.addNotification(null, E('p', {}, [parts.join(' ')]), refused ? 'warning' : 'info');
	}
});
