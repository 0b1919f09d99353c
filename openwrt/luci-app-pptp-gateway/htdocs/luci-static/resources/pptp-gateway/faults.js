'use strict';
'require baseclass';
'require pptp-gateway.causes as causes';

/* Problems of the configuration, as status has them, in the words of these pages. */

const labels = {
	accounts: _('Logins are decided by'),
	address: _('Address of this router'),
	allow_from: _('Callers may come from'),
	ca: _('Certificate of the signer'),
	certificate: _('Own certificate'),
	coa: _('May end and change sessions'),
	dest: _('To'),
	dest_ip: _('Server inside'),
	expires: _('Expires'),
	identifier: _('Name of this router'),
	ipaddr: _('Fixed address'),
	key: _('Private key'),
	listen: _('Listen on'),
	localip: _('Own address'),
	mtu: _('MTU'),
	network: _('Network of the tunnels'),
	nthash: _('NT hash'),
	password: _('Password'),
	range: _('Address range'),
	route: _('Networks'),
	secret: _('Secret'),
	server: _('Server'),
	source: _('Asked from'),
	src: _('From'),
	tls_name: _('Name in its certificate'),
	username: _('User name')
};

/* The daemon's sentences (src/daemon/configuration); what is new there is shown as it is. */
const sentences = [
	[/^is also the name of user /, () => _('another user has this name already')],
	[/^is also the address of user /, () => _('another user has this address already')],
	[/^is the address of server '(.+)'$/, (name) => _('this is the address of the server %s').format(name)],
	[/^the address is also that of server '(.+)'$/, (name) => _('the server %s has this address already').format(name)],
	[/^shares addresses with server '(.+)'$/, (name) => _('it shares addresses with the server %s').format(name)],
	[
		/^server '(.+)' takes calls from everywhere, also from there: /,
		(name) =>
			_('the server %s takes calls from everywhere, also from there: choose networks under "Listen on"').format(name)
	],
	[/^server '(.+)' takes the calls from there /, (name) => _('the server %s takes the calls from there').format(name)],
	[/^server '(.+)' listens /, (name) => _('the server %s listens there on the same port').format(name)],
	[
		/^relay '(.+)' takes the same connections$/,
		(name) => _('the passthrough %s takes the same connections').format(name)
	],
	[/^the device (\S+) is also that of section '(.+)'$/, (device, name) => _('%s has the same device').format(name)],
	[/^is in src too: /, () => _('clients and servers must be on different networks')],
	[/^there is no such server$/, () => _('there is no such server')],
	[/^is required: certificate and key /, () => _('certificate and key belong together')],
	[/^belongs to transport tls$/, () => _('this belongs to TLS')],
	[/^needs an address in option server/, () => _('this needs an address of the server, for a name can be forged')],
	[
		/^there is no RADIUS server for logins /,
		() => _('there is no RADIUS server for logins: add one on the page RADIUS')
	],
	[/^nobody can log in: /, () => _('nobody can log in: no user is enabled who may call it')],
	[/^another user has the same password/, () => _('another user has the same password')],
	[
		/^there is no such option: did you mean (\w+)/,
		(name) => _('there is no such option; perhaps %s is meant').format(name)
	],
	[/^is required/, () => _('a value is missing')],
	[/^expected (.+)$/, (allowed) => _('the value is not allowed (expected: %s)').format(allowed)],
	[/^TCP port (\d+) is in use/, () => causes.describe({ code: 'PORT_IN_USE' })]
];

const CLASH = /^does not go with (?:section )?'?(.+?)'? of (\w+), which was there before \(option \S+\): (.*)$/;

function reason(message) {
	const clash = CLASH.exec(message);
	if (clash) return _('it does not go with %s, which was there before: %s').format(clash[1], reason(clash[3]));
	for (const [pattern, sentence] of sentences) {
		const match = pattern.exec(message);
		if (match) return sentence(...match.slice(1));
	}
	return message;
}

/* Whose settings they are. */
function subject({ file, line, section, username, kind }) {
	if (section == null) return _('File %s').format(line == null ? file : `${file}:${line}`);
	if (file == 'pptp_users') return _('User %s').format(username ?? section);
	if (file == 'pptp_radius') return _('RADIUS %s').format(section);
	if (file == 'pptp') return section == 'globals' ? _('All servers and links') : _('Passthrough %s').format(section);
	return (kind == 'server' ? _('Server %s') : _('Link %s')).format(section);
}

return baseclass.extend({
	reason,

	/* One problem in a line. */
	describe(problem) {
		const { severity, option, message, kept } = problem;
		const text = [
			subject(problem),
			...(option == null ? [] : [labels[option] ?? option]),
			reason(message).replace(/\.$/, '')
		].join(': ');
		if (severity != 'error') return `${text}.`;
		return `${text}. ${kept ? _('What was in force before still is.') : _('It is left out until this is mended.')}`;
	}
});
