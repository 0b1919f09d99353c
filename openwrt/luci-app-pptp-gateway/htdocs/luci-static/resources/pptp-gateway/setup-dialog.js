'use strict';
'require baseclass';
'require pptp-gateway.bus as bus';
'require pptp-gateway.dialog as dialog';

/* Files that set a user's machine up, as the daemon writes them: to copy, or to download. There are no passwords in them. */

const formats = {
	windows: _('Windows (PowerShell)'),
	networkmanager: _('Linux (NetworkManager)'),
	routeros: _('MikroTik (RouterOS 7)')
};
/* The daemon knows what is in force. */
const NOT_FOUND = /ubus code 4\b/;

/* Windows with the mouse. */
function steps({ username, server, address }) {
	return [
		_('Open Settings, Network & internet, VPN, Add VPN.'),
		_('VPN provider: Windows (built-in).'),
		_('Connection name: %s').format(`PPTP ${server ?? ''}`.trim()),
		_('Server name or address: %s').format(address || 'vpn.example.com'),
		_('VPN type: Point to Point Tunneling Protocol (PPTP).'),
		_('Type of sign-in info: User name and password.'),
		_('User name: %s, and the password you were given. Then Save, and Connect.').format(username)
	];
}

function download({ file, text }) {
	const href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
	E('a', { href, download: file }, []).click();
	URL.revokeObjectURL(href);
}

return baseclass.extend({
	steps,

	/* address: a guess that can be changed; routes: what holds where neither the user nor the server has client_route. */
	async open({ username, server, address, routes }) {
		const host = E(
			'input',
			{ class: 'cbi-input-text', type: 'text', value: address ?? '', placeholder: 'vpn.example.com' },
			[]
		);
		const format = E(
			'select',
			{ class: 'cbi-input-select' },
			Object.entries(formats).map(([name, title]) => E('option', { value: name }, [title]))
		);
		const text = E('pre', { style: 'white-space:pre-wrap; overflow-wrap:anywhere' }, []);
		const list = E('ol', {}, []);
		const byMouse = E('div', {}, [E('h5', {}, [_('Or step by step')]), list]);
		const save = E('button', { class: 'btn cbi-button cbi-button-positive important' }, [_('Download')]);
		let shown = null;
		const show = async () => {
			const wish = {};
			shown = wish;
			const outside = host.value.trim();
			byMouse.hidden = format.value != 'windows';
			list.replaceChildren(...steps({ username, server, address: outside }).map((step) => E('li', {}, [step])));
			let found;
			try {
				found = await bus.clientSetup(format.value, username, server, outside || undefined, routes);
			} catch (error) {
				const isUnknown = NOT_FOUND.test(error?.message ?? error);
				found = isUnknown
					? _('The gateway knows no such user, or no server that he may call, yet: Save & Apply first.')
					: bus.problem(error);
			}
			/* Another one was asked for meanwhile. */
			if (shown != wish) return;
			wish.found = found.text == null ? null : found;
			text.textContent = found.text ?? found;
			save.disabled = wish.found == null;
		};
		host.addEventListener('change', show);
		format.addEventListener('change', show);
		save.addEventListener('click', () => download(shown.found));
		dialog.show(
			_('Set-up of a PC for %s').format(username),
			[
				E('p', {}, [E('label', {}, [_('Address under which this router is reached from outside:'), ' ', host])]),
				E('p', {}, [E('label', {}, [_('For:'), ' ', format])]),
				text,
				byMouse
			],
			{ button: save }
		);
		await show();
	}
});
