'use strict';
'require baseclass';

/* Why a connection ended or did not come up, in whole sentences. The codes and the English are those of the daemon. */
const sentences = {
	USER_REQUEST: _('The connection was ended on request.'),
	SHUTDOWN: _('pptp-gateway is stopping.'),
	CONFIG_CHANGED: _('The settings of this connection were changed.'),
	REPLACED: _('The same user has logged in again from elsewhere, so this older session was ended.'),
	INTERFACE_DOWN: _(
		'The interface was taken down: somebody did so, its settings changed, or the network it goes through is down.'
	),
	IDLE_TIMEOUT: _('No traffic for longer than allowed (option idle_timeout of a server, demand of a link).'),
	CONNECT_TIME: _('The session lasted longer than session_timeout.'),
	RESOLVE_FAILED: _('The name of the server could not be resolved: check the name and the DNS settings of the router.'),
	IPV6_ONLY: _('The server has only IPv6 addresses; PPTP needs IPv4.'),
	ADDRESS_IMPOSSIBLE: _(
		'The name of the server leads to an address that no server can have: a DNS filter answers so for names that it blocks.'
	),
	NO_ROUTE: _('There is no route to the server: is the Internet connection up?'),
	HOST_UNREACHABLE: _(
		'The way there is known, but no machine answers at the address of the server: it is switched off, or the address is wrong.'
	),
	CONNECT_REFUSED: _(
		'The server refuses connections to TCP port 1723: no PPTP server runs there, or a firewall rejects it.'
	),
	CONNECT_TIMEOUT: _('The server does not answer on TCP port 1723: wrong address, server off, or a firewall drops it.'),
	CONNECT_FAILED: _('The TCP connection to the server failed.'),
	PORT_IN_USE: _('Another program of this router listens on the TCP port of the server: the old pptpd, perhaps.'),
	BIND_FAILED: _('The local address or port could not be used.'),
	CONTROL_TIMEOUT: _('TCP 1723 answers, but no PPTP message came: this may not be a PPTP server.'),
	CONTROL_REFUSED: _('The peer refused the PPTP control connection.'),
	CONTROL_VERSION: _('The peer speaks another version of PPTP.'),
	CONTROL_MALFORMED: _('The peer sent a PPTP control message that is not valid.'),
	CONTROL_LOST: _('The PPTP control connection (TCP) was lost.'),
	CONTROL_ECHO_TIMEOUT: _('The peer no longer answers on the PPTP control connection.'),
	CONTROL_COLLISION: _(
		'Both ends opened a control connection at the same time; the other one is used (RFC 2637 section 3.1.3).'
	),
	CALL_REFUSED: _('The server accepted the connection but refused the call: it may be full or not allow this client.'),
	CALL_TIMEOUT: _('The server did not answer the request for a call.'),
	HANGUP: _('The other end ended the connection.'),
	GRE_BLOCKED: _('TCP 1723 answers, but no GRE packet came back: a firewall or NAT on the way drops protocol 47.'),
	LCP_TIMEOUT: _(
		'GRE packets arrive, but the peer does not answer the negotiation of the PPP link: perhaps GRE from here (protocol 47) does not reach it.'
	),
	NEGOTIATION_FAILED: _('The two ends could not agree on the settings of the PPP link.'),
	PEER_DEAD: _('The peer stopped answering (no reply to LCP echo requests).'),
	LOOPBACK: _('The link leads back to this router itself.'),
	PEER_TERMINATED: _('The peer ended the PPP link.'),
	AUTH_TOPEER_FAILED: _(
		'The server refused the login: wrong user name or password, account locked, or already in use.'
	),
	LOGIN_DENIED: _(
		'The server knows this user, but does not let them in: the account is disabled or expired, or there is no room for one more session.'
	),
	AUTH_METHOD_REFUSED: _('The two ends share no allowed login method: see the option auth.'),
	EAP_NOT_PASSED_ON: _('What the RADIUS server says to the caller by EAP cannot be passed on.'),
	AUTH_TIMEOUT: _('The login was not completed in time.'),
	PEER_AUTH_FAILED: _('The caller gave a wrong user name or password.'),
	SERVER_NOT_TRUSTED: _('The server could not prove that it knows the password: it may be an impostor.'),
	ACCOUNT_DISABLED: _('The account is disabled.'),
	ACCOUNT_EXPIRED: _('The account has expired.'),
	OUTSIDE_HOURS: _('The user may not be logged in at this time (option hours).'),
	QUOTA_USED_UP: _(
		'What the user or the link may move in a month is used up (option quota_month); it goes on when the next period begins.'
	),
	USER_LIMIT: _('The user already has as many sessions as allowed.'),
	PASSWORD_EXPIRED: _(
		'The password was right, but must be changed first, which the caller can do with mschap-v2 (option must_change, or so the RADIUS server says).'
	),
	PASSWORD_NOT_STORED: _(
		'The new password of a caller was not kept; the old one is still the right one. The daemon must be able to write to pptp_users; a RADIUS server says itself why it refuses.'
	),
	SOURCE_NOT_ALLOWED: _('Callers from this address are not allowed (option allow_from).'),
	SOURCE_DENIED: _('Callers from this address are refused (option deny_from).'),
	SOURCE_BANNED: _('Too many failed logins from this address: it is locked out for a while.'),
	RADIUS_NO_ANSWER: _(
		'No RADIUS server answers: is it running, is this router among its clients, with the same secret, and does a firewall let UDP through?'
	),
	ACCOUNTING_LOST: _(
		'No RADIUS server has taken accounting records for so long that there is no more room for them: those of the sessions that ended first are lost.'
	),
	ACCOUNTING_REFUSED: _(
		'The RADIUS servers answer other accounting records, but not this one, so it was given up: their logs should say why.'
	),
	RADIUS_UNREACHABLE: _('No RADIUS server can be reached: the details say what the system reports.'),
	RADIUS_WRONG_SECRET: _(
		'Wrong secret: the answers of the RADIUS server do not verify. Compare option secret with what the server has for this router.'
	),
	RADIUS_UNSIGNED: _(
		'The RADIUS server answers without Message-Authenticator: update it, or what stands between (a proxy), or see option message_authenticator.'
	),
	RADIUS_BUSY: _(
		'More logins wait for the RADIUS servers than they can answer in time: are they slow, or is somebody guessing passwords?'
	),
	RADIUS_NOT_PROVEN: _(
		'The RADIUS server accepted the login without the proof that the caller checks (MS-CHAP2-Success is missing or wrong): see its configuration for MS-CHAP.'
	),
	RADIUS_UNUSABLE: _(
		'The RADIUS server gave an answer that this login cannot use: the details say what is wrong with it.'
	),
	MPPE_REQUIRED: _('Encryption is required here, but the peer does not offer MPPE of an allowed strength.'),
	MPPE_NO_KEYS: _('Encryption is required here, but the login method used gives no MPPE keys: use mschap-v2.'),
	CCP_TIMEOUT: _('Encryption is required here, but the peer did not negotiate it in time.'),
	IPCP_TIMEOUT: _('The peer did not negotiate IP addresses in time.'),
	IPCP_FAILED: _('The two ends could not agree on IP addresses.'),
	ADDRESS_IN_USE: _('The address is already in use on this router.'),
	POOL_EMPTY: _('No free address is left in the pool of the server.'),
	ADDRESS_REFUSED: _('The peer gave this router an address that it cannot have.'),
	ADDRESS_TAKEN: _(
		'Another device of the local network has the address: choose a range that no device and no DHCP server there uses.'
	),
	NETWORK_CONFLICT: _(
		'The router has these addresses on another interface, too: choose another network for the tunnels, or another one there.'
	),
	ROUTE_LOOP: _(
		'A network behind the caller holds the very address that the call comes from: all packets to it would go in circles.'
	),
	TOO_MANY_SESSIONS: _('The server has as many sessions as allowed (option max_sessions).'),
	TOO_MANY_HALF_OPEN: _('Too many connections that have not logged in yet.'),
	HANDSHAKE_TIMEOUT: _('The caller did not complete the connection in time.'),
	DEVICE_FAILED: _('The tunnel device could not be created or configured.'),
	CONFIG_INVALID: _('The settings of this interface are wrong: the system log names the option and the value.'),
	NETIFD_REFUSED: _('netifd did not take over the addresses and routes of the connection.'),
	ROUTE_CONFLICT: _(
		'A route of this interface is left out, because it leads to a network or address that is in use elsewhere on this router.'
	),
	RELAY_LOOP: _('The destination is an address of this router itself, so the connection would go in circles.'),
	CLIENT_NOT_ALLOWED: _('PPTP of this client is not passed through (option client).'),
	DESTINATION_NOT_ALLOWED: _('The server is not among those that may be called through the router (option server).'),
	WRONG_NETWORK: _('The way to the server does not lead through the networks of the option dest.'),
	TOO_MANY_CONNECTIONS: _(
		'As many PPTP connections pass through the router as allowed (options max_connections and max_per_client).'
	),
	FIREWALL_FAILED: _(
		'The packet filter (nftables) does not take the rules that this needs: is the package nftables installed and its kernel modules loaded?'
	),
	HELPER_MISSING: _(
		'The kernel has no connection tracking helper for PPTP: install kmod-nf-nathelper-extra, or use backend relay.'
	),
	NETWORK_MISSING: _('A network or zone of the options src and dest has no device (yet).'),
	INTERNAL_ERROR: _(
		'A fault in pptp-gateway itself ended this connection; the others go on. The system log says where it is: please report that.'
	),
	SERVICE_DIED: _('pptp-gateway was killed, or it crashed; its next start told the hooks of what had ended with it.'),
	SERVICE_NOT_RUNNING: _('pptp-gateway is not running.')
};

/* Codes that only the stock pppd handler sends: its sections show in the same pages. */
const stock = {
	FATAL_ERROR: _('pppd ended with an unexpected error: see the system log.'),
	OPTION_ERROR: _('pppd does not know one of its options: since OpenWrt 24.10 the old word mppe is one of them.'),
	NOT_ROOT: _('pppd was not started with the rights of root.'),
	NO_KERNEL_SUPPORT: _('The kernel lacks support for PPP: a kernel module is missing.'),
	LOCK_FAILED: _('The device is locked by another program.'),
	OPEN_FAILED: _('The device or the connection could not be opened.'),
	PTYCMD_FAILED: _('The helper program of pppd failed: see the system log.'),
	CALLBACK: _('The peer wants to call back, which is not possible here.'),
	INIT_FAILED: _('The connection could not be prepared: see the system log.'),
	TRAFFIC_LIMIT: _('The traffic limit was reached.'),
	CNID_AUTH_FAILED: _('The number of the caller was refused.'),
	UNKNOWN_ERROR: _('pppd ended for an unknown reason: see the system log.')
};

/* What the owner can do, where the sentence itself does not say it. */
const advice = {
	RESOLVE_FAILED: _('Try the address instead of the name.'),
	NO_ROUTE: _('Bring the Internet connection up first; the link follows by itself.'),
	IPV6_ONLY: _('Ask the other side for a name or an address of IPv4.'),
	ADDRESS_IMPOSSIBLE: _(
		'Look at the DNS filter of the router or its provider, or enter the address instead of the name.'
	),
	HOST_UNREACHABLE: _('Check the address, and whether the machine is on.'),
	CONNECT_REFUSED: _('Check the address and whether PPTP is switched on at the server.'),
	CONNECT_TIMEOUT: _('Check the address; ask the other side to let TCP port 1723 in.'),
	PORT_IN_USE: _('Stop the other program, or choose another port.'),
	BIND_FAILED: _('Another program uses the port: stop the old pptpd, or choose another port.'),
	CONTROL_TIMEOUT: _('Check that address and port are those of a PPTP server.'),
	CONTROL_LOST: _('Nothing to do if it comes back by itself; otherwise check the line.'),
	CALL_REFUSED: _('Ask the other side whether there is room for another connection.'),
	GRE_BLOCKED: _(
		'Let GRE (IP protocol 47) pass at every router and firewall on the way; on many routers the switch is called PPTP passthrough.'
	),
	LCP_TIMEOUT: _(
		'Let GRE (IP protocol 47) pass at every router and firewall on the way; on many routers the switch is called PPTP passthrough.'
	),
	NEGOTIATION_FAILED: _('Compare login methods, encryption and MTU of both ends.'),
	PEER_DEAD: _('The link is dialled again by itself; if it happens often, check the line or raise keepalive.'),
	LOOPBACK: _('The address of the server is one of this router: enter the address of the other side.'),
	AUTH_TOPEER_FAILED: _('Type user name and password again; some servers want DOMAIN\\user.'),
	LOGIN_DENIED: _('Ask the other side; the link is dialled again by itself.'),
	AUTH_METHOD_REFUSED: _('Allow the method that the other side uses, if you can live with a weaker one.'),
	EAP_NOT_PASSED_ON: _('Look into the log of the RADIUS server; let it send EAP in smaller pieces (fragment_size).'),
	PEER_AUTH_FAILED: _('If it was you: check the spelling; the password can be set anew under Users.'),
	SERVER_NOT_TRUSTED: _('Do not allow a weaker login. Check the address of the server, then the password.'),
	ACCOUNT_DISABLED: _('Enable the user under Users.'),
	ACCOUNT_EXPIRED: _('Change the date of expiry under Users.'),
	OUTSIDE_HOURS: _('Change the hours under Users; the time zone of the router counts.'),
	QUOTA_USED_UP: _('Raise the quota, or wait for the next period.'),
	USER_LIMIT: _('Raise the session limit of the user, or end the older session.'),
	SOURCE_BANNED: _('Wait, or unban the address.'),
	MPPE_REQUIRED: _('Switch on 128-bit encryption at the other end.'),
	POOL_EMPTY: _('Make the address range of the server larger.'),
	TOO_MANY_SESSIONS: _('Raise the number of sessions of the server.'),
	ADDRESS_IN_USE: _('Choose another address for the user or another network for the server.'),
	SERVICE_NOT_RUNNING: _('Start the service pptp-gateway (System, Startup).')
};

return baseclass.extend({
	/* The codes, for tests and for who wants to list them. */
	sentences,
	stock,
	advice,

	/* network.registerErrorCode for all of them: interface pages then show sentences, also those of the stock client. */
	register(network) {
		for (const [code, sentence] of Object.entries({ ...stock, ...sentences }))
			network.registerErrorCode(code, sentence);
	},

	/* { code, text, detail } of the daemon as a sentence in the user's language. */
	describe(cause) {
		const sentence = sentences[cause.code] ?? stock[cause.code];
		if (sentence == null) return cause.text ?? cause.code;
		return cause.detail == null ? sentence : `${sentence} (${cause.detail})`;
	},

	/* What to do about it; '' where there is nothing. */
	remedy(cause) {
		return advice[cause.code] ?? '';
	}
});
