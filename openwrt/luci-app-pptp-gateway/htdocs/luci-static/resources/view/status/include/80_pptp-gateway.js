'use strict';
'require baseclass';
'require pptp-gateway.bus as bus';
'require pptp-gateway.words as words';

/* PPTP on LuCI's own overview page. */
return baseclass.extend({
	title: _('PPTP'),

	load() {
		return Promise.all([bus.statusOrProblem(), L.resolveDefault(bus.sessions(), [])]);
	},

	render([status, sessions]) {
		if (status.problem != null) return E('p', {}, [E('em', {}, [status.problem])]);
		const callers = sessions.filter(({ server }) => server != null);
		const row = (cells) =>
			E(
				'tr',
				{ class: 'tr' },
				cells.map(([title, content]) => E('td', { class: 'td', 'data-title': title }, [content]))
			);
		return E('table', { class: 'table' }, [
			E(
				'tr',
				{ class: 'tr table-titles' },
				[_('Name'), _('State'), _('Details')].map((title) => E('th', { class: 'th' }, [title]))
			),
			...status.servers.map((server) =>
				row([
					[_('Name'), server.name],
					[_('State'), words.state(words.serverState(server))],
					[
						_('Details'),
						callers
							.filter(({ server: name }) => name == server.name)
							.map(({ username, address }) => `${username} (${address})`)
							.join(', ') || _('Nobody is connected.')
					]
				])
			),
			...status.links.map((link) =>
				row([
					[_('Name'), link.name],
					[_('State'), words.state(link.state)],
					[
						_('Details'),
						link.state == 'up'
							? `${link.server}, ${words.duration(link.session?.uptime ?? 0)}`
							: words.reason(link) || link.server
					]
				])
			),
			...status.relays.map((relay) => {
				const { colour, word } = words.relayState(relay);
				return row([
					[_('Name'), relay.name],
					[_('State'), words.dot(colour, word)],
					[_('Details'), words.relayReason(relay)]
				]);
			}),
			...status.disabled.map(({ name }) =>
				row([
					[_('Name'), name],
					[_('State'), words.state('disabled')],
					[_('Details'), '']
				])
			),
			...(['servers', 'links', 'relays', 'disabled'].every((kind) => status[kind].length == 0)
				? [
						E('tr', { class: 'tr placeholder' }, [
							E('td', { class: 'td' }, [
								E('em', {}, [_('Nothing is set up yet.')]),
								' ',
								E('a', { href: L.url('admin/vpn/pptp') }, [_('Set it up')])
							])
						])
					]
				: [])
		]);
	}
});
