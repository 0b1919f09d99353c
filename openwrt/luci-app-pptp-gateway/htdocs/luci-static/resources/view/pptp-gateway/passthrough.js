'use strict';
'require view';
'require form';
'require poll';
'require uci';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.faults as faults';
'require pptp-gateway.fields as fields';
'require pptp-gateway.live-table as liveTable';
'require pptp-gateway.named-section as namedSection';
'require pptp-gateway.notices as notices';
'require pptp-gateway.rates as rates';
'require pptp-gateway.words as words';

const SECONDS = 3;

function direction({ direction: value, src, dest }) {
	const way = value == 'inbound' ? _('from outside to a server inside') : _('from inside to servers outside');
	return `${way} (${src} \u2192 ${dest})`;
}

return view.extend({
	load() {
		return Promise.all([
			bus.statusOrProblem(),
			L.resolveDefault(bus.interfaces(), []),
			bus.mayConfigure(),
			notices.box('passthrough')
		]);
	},

	render([status, interfaces, mayConfigure, notice]) {
		this.rates = new rates.Rates();
		this.relays = new liveTable.LiveTable(
			[
				{ title: _('Name'), text: ({ name }) => name },
				{ title: _('Direction'), text: direction },
				{
					title: _('State'),
					build: (kept) => this.stateCell(kept),
					value: (relay) => words.relayState(relay).word
				},
				{ title: _('Details'), text: (relay) => words.relayReason(relay) },
				{
					title: _('Connections'),
					text: ({ connections }) => String(connections ?? 0),
					value: ({ connections }) => connections ?? 0
				}
			],
			{ key: ({ name }) => name, placeholder: _('No passthrough is configured.') }
		);
		this.calls = new liveTable.LiveTable(
			[
				{ title: _('Client'), text: ({ client }) => client },
				{ title: _('Server'), text: ({ server }) => server },
				{ title: _('Passthrough'), text: ({ relay }) => relay },
				{ title: _('Since'), text: ({ since }) => words.moment(since), value: ({ since }) => since },
				{ title: _('Received'), text: ({ rx_bytes }) => words.octets(rx_bytes), value: ({ rx_bytes }) => rx_bytes },
				{ title: _('Sent'), text: ({ tx_bytes }) => words.octets(tx_bytes), value: ({ tx_bytes }) => tx_bytes },
				{
					title: _('Rate'),
					text: ({ key }) => words.rates(this.rates.current(key))
				},
				{ title: '', buttons: true, build: (kept) => [this.disconnectButton(kept)] }
			],
			{ key: ({ key }) => key, placeholder: _('Nobody uses it at the moment.') }
		);
		poll.add(() => bus.statusOrProblem().then((document) => this.show(document)), SECONDS);

		const map = this.form(interfaces);
		if (!mayConfigure) map.readonly = true;
		return map.render().then((node) => {
			this.show(status); /* the form has loaded the file */
			return E(
				[],
				[
					E('h2', {}, [_('PPTP passthrough')]),
					E('div', { class: 'cbi-map-descr' }, [
						_(
							'Lets PPTP of other machines through this router: of clients inside that call servers outside, or of callers outside to a server on the LAN. Their encryption stays end to end.'
						)
					]),
					notice,
					E('div', { class: 'cbi-section' }, [this.relays.node]),
					E('div', { class: 'cbi-section' }, [E('h3', {}, [_('Who uses it')]), this.calls.node]),
					node
				]
			);
		});
	},

	form(interfaces) {
		const map = new form.Map('pptp');
		const section = map.section(form.TypedSection, 'relay', _('Settings'));
		section.addremove = true;
		section.anonymous = false;
		section.addbtntitle = _('Add passthrough');
		namedSection.ask(section, _('Name of the passthrough:'), 'branch_office');
		const names = interfaces.map(({ interface: name }) => name).filter((name) => name != 'loopback');
		const add = (type, name, title, description, more) =>
			Object.assign(section.option(type, name, title, description), more);
		add(form.Flag, 'enabled', _('Enabled'), _('Without it nobody passes through; the settings stay.'), {
			default: '1'
		});
		let option = section.option(form.ListValue, 'direction', _('Direction'));
		option.value('outbound', _('from inside to servers outside'));
		option.value('inbound', _('from outside to a server inside'));
		option.default = 'outbound';
		/* Clients and servers change sides. */
		option.onchange = function (ev, sectionId) {
			const field = (name) => this.map.lookupOption(name, sectionId)?.[0]?.getUIElement(sectionId);
			const [src, dest] = ['src', 'dest'].map((name) => L.toArray(field(name).getValue()));
			field('src').setValue(dest);
			field('dest').setValue(src);
		};
		for (const [name, byDefault, title, description] of [
			['src', 'lan', _('From'), _('Firewall zones or networks of the clients: lan for outbound, wan for inbound.')],
			['dest', 'wan', _('To'), _('Firewall zones or networks of the servers: wan for outbound, lan for inbound.')]
		]) {
			option = add(form.DynamicList, name, title, description, {
				default: byDefault,
				rmempty: false,
				datatype: 'maxlength(15)'
			});
			for (const network of names) option.value(network);
		}
		option = add(form.Value, 'dest_ip', _('Server inside'), _('Address of the PPTP server on the LAN.'), {
			datatype: 'ip4addr("nomask")',
			rmempty: false
		});
		option.depends('direction', 'inbound');
		option = section.option(
			form.ListValue,
			'backend',
			_('Done by'),
			_(
				'The relay serves any number of clients and needs no kernel module; the helper lets the server see the address of the caller.'
			)
		);
		option.value('auto', _('automatic'));
		option.value('ebpf', words.backend('ebpf'));
		option.value('relay', words.backend('relay'));
		option.value('helper', words.backend('helper'));
		option.default = 'auto';
		add(form.DynamicList, 'client', _('Clients'), _('Networks of the clients; none: all.'), {
			datatype: fields.NETWORK
		});
		option = add(form.DynamicList, 'server', _('Servers'), _('Networks of servers that may be called; none: all.'), {
			datatype: fields.NETWORK
		});
		option.depends('direction', 'outbound');
		for (const [name, title, low, high, byDefault] of [
			['max_connections', _('Connections in all'), 1, 4096, '64'],
			['max_per_client', _('Connections of one client'), 1, 4096, '8'],
			['max_half_open', _('Connections not answered yet'), 1, 4096, '16'],
			['idle_timeout', _('Idle time-out in seconds; 0: never'), 0, 604800, '600']
		]) {
			option = add(form.Value, name, title, _('Only for the relay.'), {
				datatype: `and(uinteger,range(${low},${high}))`,
				placeholder: byDefault
			});
			option.depends('backend', 'auto');
			option.depends('backend', 'ebpf');
			option.depends('backend', 'relay');
		}
		return map;
	},

	stateCell(kept) {
		const node = E('div', {}, []);
		kept.refresh = (relay) => {
			const { colour, word } = words.relayState(relay);
			if (kept.stateShown === word) return;
			kept.stateShown = word;
			node.replaceChildren(words.dot(colour, word));
		};
		kept.refresh(kept.row);
		return node;
	},

	disconnectButton(kept) {
		return E(
			'button',
			{
				class: 'btn cbi-button cbi-button-negative',
				disabled: L.hasViewPermission() && kept.row.id != null ? null : 'disabled',
				click: ui.createHandlerFn(this, async () => {
					try {
						await bus.disconnect(kept.row.id);
					} catch (error) {
						ui.addNotification(null, E('p', {}, [_('Could not disconnect: %s').format(bus.problem(error))]), 'danger');
					}
				})
			},
			[_('Disconnect')]
		);
	},

	/* What is saved, or about to be, and the daemon does not do. */
	notRunning({ relays, problems }) {
		const running = new Set((relays ?? []).map(({ name }) => name));
		return uci
			.sections('pptp', 'relay')
			.filter((section) => !running.has(section['.name']))
			.map((section) => {
				const name = section['.name'];
				const fault = (problems ?? []).find((problem) => problem.file == 'pptp' && problem.section == name);
				return {
					name,
					direction: section.direction ?? 'outbound',
					src: L.toArray(section.src).join(' '),
					dest: L.toArray(section.dest).join(' '),
					backend: 'none',
					...(section.enabled == '0' ? { state: 'disabled' } : {}),
					reason: fault ? faults.reason(fault.message) : section.enabled == '0' ? '' : _('Save & Apply makes it valid.')
				};
			});
	},

	show(status) {
		const { relays } = status;
		const calls = (relays ?? []).flatMap(({ name, calls: own }) =>
			(own ?? []).map((call, index) => ({
				...call,
				relay: name,
				key: call.id ?? `${name} ${call.client} ${call.server} ${index}`
			}))
		);
		this.relays.update([...(relays ?? []), ...this.notRunning(status)]);
		for (const kept of this.relays.kept.values()) kept.refresh(kept.row);
		this.rates.update(
			calls.map(({ key, rx_bytes, tx_bytes }) => ({ id: key, rx_bytes, tx_bytes })),
			performance.now()
		);
		this.calls.update(calls);
	}
});
