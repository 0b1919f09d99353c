'use strict';
'require baseclass';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.live-table as liveTable';
'require pptp-gateway.words as words';

/* Addresses that are locked out after failed logins, and the way back in. */

function unbanButton(kept, changed) {
	return E(
		'button',
		{
			class: 'btn cbi-button cbi-button-action',
			disabled: L.hasViewPermission() ? null : 'disabled',
			click: ui.createHandlerFn(null, async () => {
				try {
					await bus.unban(kept.row.address);
					await changed();
				} catch (error) {
					ui.addNotification(null, E('p', {}, [_('Could not unban: %s').format(bus.problem(error))]), 'danger');
				}
			})
		},
		[_('Unban')]
	);
}

return baseclass.extend({
	/* changed: called when one was let in again */
	create(changed) {
		return new liveTable.LiveTable(
			[
				{ title: _('Address'), text: ({ address }) => address },
				{ title: _('Server'), text: ({ server }) => server },
				{ title: _('Failed logins'), text: ({ tries }) => String(tries), value: ({ tries }) => tries },
				/* Text from outside. */
				{ title: _('Last as'), text: ({ username }) => words.shortened(username ?? '') },
				{ title: _('Since'), text: ({ since }) => words.moment(since), value: ({ since }) => since },
				{
					title: _('Let in again in'),
					text: ({ seconds_left }) => words.duration(seconds_left),
					value: ({ seconds_left }) => seconds_left
				},
				{ title: '', buttons: true, build: (kept) => [unbanButton(kept, changed)] }
			],
			{ key: ({ address, server }) => `${address} ${server}`, placeholder: _('Nobody is locked out.') }
		);
	}
});
