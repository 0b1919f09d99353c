'use strict';
'require view';
'require poll';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.check-dialog as checkDialog';
'require pptp-gateway.link-forms as linkForms';
'require pptp-gateway.live-table as liveTable';
'require pptp-gateway.notices as notices';
'require pptp-gateway.rates as rates';
'require pptp-gateway.words as words';

const SECONDS = 3;

/*
 * Links of the daemon, also switched off, links that netifd knows and the daemon does not yet, and links of the stock
 * client. Where that is not installed the daemon serves its sections, which can be converted nevertheless.
 */
function rowsOf({ links, disabled }, interfaces) {
	const own = new Set(links.map(({ name }) => name));
	const stock = new Set(interfaces.filter(({ proto }) => proto == 'pptp').map((entry) => entry.interface));
	const others = interfaces.filter(
		({ interface: name, proto }) => ['pptpgw', 'pptp'].includes(proto) && !own.has(name)
	);
	return [
		...links.map((link) => ({ ...link, kind: stock.has(link.name) ? 'adopted' : 'own' })),
		...disabled
			.filter(({ kind }) => kind == 'link')
			.map(({ name }) => ({ name, kind: 'disabled', server: '', state: 'disabled' })),
		...others.map((entry) => ({
			name: entry.interface,
			kind: entry.proto == 'pptp' ? 'stock' : 'own',
			server: '',
			state: entry.up ? 'up' : entry.pending ? 'pending' : 'down',
			cause: entry.errors?.length ? { code: entry.errors[0].code } : undefined
		}))
	];
}

function serverOf({ server, kind }) {
	if (kind == 'stock') return _('stock client (pppd)');
	return kind == 'adopted' ? _('%s (section of the stock client)').format(server) : server;
}

return view.extend({
	load() {
		return Promise.all([...this.state(), bus.mayConfigure(), notices.box('office-link')]);
	},

	state() {
		return [bus.statusOrProblem(), L.resolveDefault(bus.interfaces(), []), L.resolveDefault(bus.protocols(), null)];
	},

	render([status, interfaces, protocols, mayConfigure, notice]) {
		this.mayConfigure = mayConfigure;
		this.rates = new rates.Rates();
		this.table = new liveTable.LiveTable(
			[
				{ title: _('Name'), text: ({ name }) => name },
				{ title: _('Server'), text: serverOf },
				{ title: _('State'), build: (kept) => this.stateCell(kept), value: ({ state }) => state },
				{ title: _('Address'), text: ({ session }) => session?.local_address ?? '' },
				{
					title: _('Since'),
					text: ({ session }) => (session ? words.duration(session.uptime) : ''),
					value: ({ session }) => session?.uptime ?? 0
				},
				{
					title: _('Rate'),
					text: ({ session }) => (session ? words.rates(this.rates.current(session.id)) : '')
				},
				{ title: '', buttons: true, build: (kept) => this.actions(kept) }
			],
			{ key: ({ name, kind }) => `${kind} ${name}`, placeholder: _('There is no link yet.') }
		);
		this.show([status, interfaces, protocols]);
		/* The way from the Overview. */
		if (window.location.hash == '#add' && mayConfigure) window.setTimeout(() => linkForms.add(), 0);
		poll.add(() => Promise.all(this.state()).then((data) => this.show(data)), SECONDS);

		return E(
			[],
			[
				E('h2', {}, [_('Office links')]),
				E('div', { class: 'cbi-map-descr' }, [
					_(
						'This router dials these servers. Connect and Disconnect act once; whether a link comes up with the router is set under Edit.'
					)
				]),
				notice,
				E('div', { class: 'cbi-section' }, [
					this.table.node,
					E('p', {}, [
						E(
							'button',
							{
								class: 'btn cbi-button cbi-button-add',
								disabled: mayConfigure ? null : 'disabled',
								click: ui.createHandlerFn(linkForms, 'add')
							},
							[_('Add link')]
						)
					])
				])
			]
		);
	},

	/* State and reason; changes with the row. */
	stateCell(kept) {
		const node = E('div', {}, []);
		kept.refresh = (row) => {
			const reason = words.reason(row, this.isProtocolMissing);
			const key = `${row.state} ${reason}`;
			if (kept.stateShown === key) return;
			kept.stateShown = key;
			node.replaceChildren(
				words.state(row.state),
				...(reason
					? [E('div', { style: 'white-space:normal' }, [E('span', { style: 'font-size:90%' }, [reason])])]
					: [])
			);
		};
		kept.refresh(kept.row);
		return node;
	},

	actions(kept) {
		const button = (style, text, allowed, handler) =>
			E(
				'button',
				{
					class: `btn cbi-button ${style}`,
					disabled: allowed ? null : 'disabled',
					click: ui.createHandlerFn(this, async () => {
						try {
							await handler(kept.row);
						} catch (error) {
							ui.addNotification(null, E('p', {}, [bus.problem(error)]), 'danger');
						}
					})
				},
				[text]
			);
		const { kind } = kept.row;
		const stock = kind == 'stock';
		/* netifd takes any interface down for who may ask it. */
		const mayAct = stock ? this.mayConfigure : L.hasViewPermission();
		const connect = button('cbi-button-action', _('Connect'), mayAct, ({ name }) =>
			stock ? bus.interfaceUp(name) : bus.dial(name)
		);
		const disconnect = button('cbi-button-negative', _('Disconnect'), mayAct, ({ name }) =>
			stock ? bus.interfaceDown(name) : bus.hangup(name)
		);
		const before = kept.refresh;
		/* One of the two, or none: what is up or on its way there can be ended, everything else begun. */
		kept.refresh = (row) => {
			before(row);
			const isOn = ['up', 'connecting', 'waiting', 'pending', 'stopping'].includes(row.state);
			connect.style.display = isOn || row.state == 'disabled' ? 'none' : '';
			disconnect.style.display = isOn ? '' : 'none';
			disconnect.textContent = row.state == 'up' || row.state == 'stopping' ? _('Disconnect') : _('Stop trying');
		};
		kept.refresh(kept.row);
		const convert = button('cbi-button-action', _('Convert'), this.mayConfigure, ({ name }) => linkForms.convert(name));
		const check = button('', _('Check'), mayAct, ({ name }) => checkDialog.open(name));
		const change = [
			button('cbi-button-edit', _('Edit'), this.mayConfigure, ({ name }) => linkForms.edit(name)),
			button('cbi-button-remove', _('Delete'), this.mayConfigure, ({ name }) => linkForms.remove(name))
		];
		const others = {
			stock: [convert],
			adopted: [check, convert, ...change],
			own: [check, ...change],
			disabled: change
		};
		return [connect, disconnect, ...others[kind]];
	},

	show([status, interfaces, protocols]) {
		this.isProtocolMissing = bus.isProtocolMissing(protocols);
		const rows = rowsOf(status, interfaces);
		this.rates.update(
			rows.filter(({ session }) => session).map(({ session }) => session),
			performance.now()
		);
		this.table.update(rows);
		for (const kept of this.table.kept.values()) kept.refresh(kept.row);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
