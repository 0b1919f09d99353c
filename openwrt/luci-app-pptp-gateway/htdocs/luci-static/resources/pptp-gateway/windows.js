'use strict';
'require baseclass';

/* PowerShell: a text in single quotes; four typographic quotes end it as well, and each is written twice. */
function quoted(text) {
	return `'${String(text).replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

return baseclass.extend({
	quoted,

	/* What to type into PowerShell. The password is not in it: Windows asks for it at the first connection.
	   networks: what is reached through the tunnel; none: everything goes through it. */
	powershell({ name, address, networks }) {
		const split = networks.length ? ' -SplitTunneling' : '';
		return [
			`Add-VpnConnection -Name ${quoted(name)} -ServerAddress ${quoted(address)} -TunnelType Pptp -AuthenticationMethod MSChapv2 -EncryptionLevel Maximum${split} -RememberCredential`,
			...networks.map((network) => `Add-VpnConnectionRoute -ConnectionName ${quoted(name)} -DestinationPrefix ${quoted(network)}`)
		].join('\r\n');
	},

	/* The same with the mouse. */
	steps({ name, address, username }) {
		return [
			_('Open Settings, Network & internet, VPN, Add VPN.'),
			_('VPN provider: Windows (built-in).'),
			_('Connection name: %s').format(name),
			_('Server name or address: %s').format(address),
			_('VPN type: Point to Point Tunneling Protocol (PPTP).'),
			_('Type of sign-in info: User name and password.'),
			_('User name: %s, and the password you were given. Then Save, and Connect.').format(username)
		];
	}
});
