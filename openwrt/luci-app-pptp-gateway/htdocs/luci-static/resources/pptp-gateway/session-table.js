'use strict';
'require baseclass';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.live-table as liveTable';
'require pptp-gateway.words as words';

/* Live sessions, callers' and links', with a button that ends one. */

function disconnectButton(kept) {
	return E(
		'button',
		{
			class: 'btn cbi-button cbi-button-negative',
			disabled: L.hasViewPermission() ? null : 'disabled',
			click: (ev) => {
				ev.stopPropagation();
				return ui.createHandlerFn(null, async () => {
					try {
						await bus.disconnect(kept.row.id);
					} catch (error) {
						ui.addNotification(null, E('p', {}, [_('Could not disconnect: %s').format(bus.problem(error))]), 'danger');
					}
				})(ev);
			}
		},
		[_('Disconnect')]
	);
}

const where = ({ server, link }) => server ?? link ?? '';

/* And the IPv6 networks of a caller: its own, and those behind it. */
const addresses = ({ address, ipv6: networks }) => [address, ...(networks ?? [])].join(' ');

return baseclass.extend({
	/* rates: of pptp-gateway.rates; onSelect(session) */
	create(rates, onSelect) {
		return new liveTable.LiveTable(
			[
				{ title: _('User'), text: (session) => words.user(session) },
				{ title: _('Via'), text: where },
				{ title: _('From'), text: ({ peer }) => peer },
				{ title: _('Address'), text: addresses },
				{ title: _('Since'), text: ({ uptime }) => words.duration(uptime), value: ({ uptime }) => uptime },
				{ title: _('Encryption'), text: words.encryption },
				{ title: _('Received'), text: ({ rx_bytes }) => words.octets(rx_bytes), value: ({ rx_bytes }) => rx_bytes },
				{ title: _('Sent'), text: ({ tx_bytes }) => words.octets(tx_bytes), value: ({ tx_bytes }) => tx_bytes },
				{
					title: _('Rate'),
					text: (session) => `${words.rates(rates.current(session.id))}${words.limits(session)}`,
					value: ({ id }) => rates.current(id).rx + rates.current(id).tx
				},
				{
					title: _('Loss'),
					text: (session) => `${words.loss(session).toFixed(1)}\u00a0%`,
					value: (session) => words.loss(session)
				},
				{ title: '', buttons: true, build: (kept) => [disconnectButton(kept)] }
			],
			{ key: ({ id }) => id, placeholder: _('Nobody is connected.'), onSelect }
		);
	}
});
