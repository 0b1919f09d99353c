'use strict';
'require baseclass';
'require form';
'require uci';
'require pptp-gateway.networks6 as networks6';
'require pptp-gateway.set-names as setNames';

/* The options of a server and of a link, as form fields: for the interface pages and for the pages of the app. A test holds
   them to the option table of the daemon. */

const NETWORK = 'or(ip4addr("nomask"),cidr4)';

function add(section, tab, type, name, title, description, more) {
	return Object.assign(section.taboption(tab, type, name, title, description), more);
}

/* A default that is only shown is not written down when the form is saved. */
function writeUnlessDefault(sectionId, value) {
	const same = L.toArray(value).join(' ') == L.toArray(this.default).join(' ');
	return same && this.cfgvalue(sectionId) == null ? null : this.super('write', [sectionId, value]);
}

function choice(section, tab, name, title, description, choices, byDefault) {
	const option = section.taboption(tab, form.ListValue, name, title, description);
	for (const [value, label] of choices) option.value(value, label);
	option.default = byDefault;
	option.write = writeUnlessDefault;
	return option;
}

function several(section, tab, name, title, description, choices, byDefault) {
	const option = section.taboption(tab, form.MultiValue, name, title, description);
	for (const [value, label] of choices) option.value(value, label);
	option.default = byDefault;
	option.write = writeUnlessDefault;
	option.cfgvalue = function (sectionId) {
		const value = L.toArray(uci.get('network', sectionId, name));
		return value.length ? value : null;
	};
	option.validate = (sectionId, value) => (L.toArray(value).length ? true : _('Choose at least one.'));
	return option;
}

/* A list whose order counts, as one choice: its values with blanks between. */
function inOrder(section, tab, name, title, description, choices, byDefault) {
	const option = choice(section, tab, name, title, description, choices, byDefault);
	option.cfgvalue = (sectionId) => L.toArray(uci.get('network', sectionId, name)).join(' ') || null;
	option.write = function (sectionId, value) {
		return writeUnlessDefault.call(this, sectionId, L.toArray(value));
	};
	return option;
}

function flag(section, tab, name, title, description, byDefault) {
	return add(section, tab, form.Flag, name, title, description, { default: byDefault });
}

function number(section, tab, name, title, description, [low, high], placeholder) {
	return add(section, tab, form.Value, name, title, description, {
		datatype: `and(uinteger,range(${low},${high}))`,
		placeholder
	});
}

function addressNumber(text) {
	const match = String(text)
		.trim()
		.match(/^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/);
	const octets = match ? match.slice(1).map(Number) : [256];
	return octets.some((octet) => octet > 255) ? NaN : octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/* The addresses of a network that machines can have, /16 to /30. null: it is none. */
function hostsOf(network) {
	const [base, length, ...more] = String(network ?? '').split('/');
	const first = addressNumber(base);
	if (
		more.length ||
		!/^\d{1,2}$/.test(length ?? '') ||
		Number(length) < 16 ||
		Number(length) > 30 ||
		Number.isNaN(first)
	)
		return null;
	const size = 2 ** (32 - Number(length));
	const start = Math.floor(first / size) * size;
	return { first: start + 1, last: start + size - 2 };
}

/* In place of the datatype cidr4, which puts the length in the place of the value: what is asked after it sees '24'. */
function validateNetwork6(sectionId, value) {
	return !value || networks6.isNetwork(value, 16, 64)
		? true
		: _('Expected an IPv6 network of at most 64 bits, such as %s.').format('2001:db8:5:100::/56');
}

function validateAnyNetwork6(sectionId, value) {
	return !value || networks6.isNetwork(value, 0, 128)
		? true
		: _('Expected an IPv6 network such as %s.').format('2001:db8:1::/48');
}

function validateNetwork(sectionId, value) {
	return !value || hostsOf(value) ? true : _('Expected a network from /16 to /30, such as 192.168.99.0/24.');
}

/* What the form says now of the network that an option belongs to. */
function hostsIn(option, sectionId) {
	return hostsOf(option.map?.lookupOption('network', sectionId)?.[0]?.formvalue(sectionId));
}

function validateLocalIp(sectionId, value) {
	const hosts = value ? hostsIn(this, sectionId) : null;
	const address = addressNumber(value);
	return !hosts || (hosts.first <= address && address <= hosts.last)
		? true
		: _('Expected an address inside the network of the tunnels.');
}

/* A range such as 192.168.99.10-192.168.99.60, or one address. */
function validateRange(sectionId, value) {
	if (value == null || value == '') return true;
	const ends = value.split('-').map(addressNumber);
	const [first, last = first] = ends;
	if (ends.length > 2 || ends.some(Number.isNaN) || first > last)
		return _('Expected two addresses, the lower one first, such as 192.168.99.10-192.168.99.60.');
	const hosts = hostsIn(this, sectionId);
	return !hosts || (hosts.first <= first && last <= hosts.last)
		? true
		: _('Expected addresses inside the network of the tunnels.');
}

/* Beside the datatype host, which takes any address; host(1) would not say why it refuses one. */
function validateServer(sectionId, value) {
	return value?.includes(':') ? _('PPTP needs IPv4: ask the other side for a name or an address of IPv4.') : true;
}

/* staff, or sales team=sales */
function validateFilterSet(sectionId, value) {
	if (value == null || value == '') return true;
	const at = value.lastIndexOf('=');
	const filter = value.slice(0, at < 0 ? undefined : at).trim();
	return /^[^\u0000-\u001f\u007f]{1,253}$/.test(filter) && setNames.NAME.test(value.slice(at + 1).trim())
		? true
		: _('Expected the name of an IP set of the firewall, or Filter-Id=set.');
}

/* option keepalive 'failures seconds' as two boxes */
function keepalive(section, tab) {
	const parts = (sectionId) => (uci.get('network', sectionId, 'keepalive') ?? '').split(/[ ,]+/);
	const write = function (sectionId) {
		const box = (name) => this.map.lookupOption(name, sectionId)?.[0]?.formvalue(sectionId);
		const failures = box('keepalive');
		const interval = box('_keepalive_interval');
		if (failures == '0') uci.set('network', sectionId, 'keepalive', '0');
		else if (!failures && !interval) uci.unset('network', sectionId, 'keepalive');
		else uci.set('network', sectionId, 'keepalive', `${failures || 3} ${interval || 30}`);
	};
	add(
		section,
		tab,
		form.Value,
		'keepalive',
		_('LCP echo failures'),
		_('The peer is gone after so many unanswered LCP echo requests; 0 turns them off.'),
		{
			datatype: 'and(uinteger,range(0,999))',
			placeholder: '3',
			cfgvalue: (sectionId) => parts(sectionId)[0] || null,
			write,
			remove: write
		}
	);
	add(
		section,
		tab,
		form.Value,
		'_keepalive_interval',
		_('LCP echo interval'),
		_('Seconds between two LCP echo requests.'),
		{
			datatype: 'and(uinteger,range(1,9999))',
			placeholder: '30',
			cfgvalue: (sectionId) => parts(sectionId)[1] || null,
			write,
			remove: write
		}
	);
}

/* How fast a session may be, in kbit/s. */
function rates(section, tab, up, down) {
	number(section, tab, 'rate_up', _('Upload limit'), up, [0, 10000000], '0');
	number(section, tab, 'rate_down', _('Download limit'), down, [0, 10000000], '0');
	number(
		section,
		tab,
		'rate_burst',
		_('Burst'),
		_('After a pause as much passes at once as the limit allows in so many milliseconds.'),
		[10, 10000],
		'50'
	);
}

const METHODS = [
	['mschap-v2', 'MS-CHAPv2'],
	['eap', 'EAP'],
	['mschap', 'MS-CHAP'],
	['chap', 'CHAP'],
	['pap', 'PAP']
];
const policies = () => [
	['required', _('required')],
	['optional', _('optional')],
	['off', _('off')]
];

/* What may be moved in a month. Returns the options. */
function quota(section, tab, description) {
	const month = number(section, tab, 'quota_month', _('Monthly quota'), description, [0, 1000000000], '0');
	const action = add(
		section,
		tab,
		form.Value,
		'quota_action',
		_('When the quota is used up'),
		_('Until the quota begins anew. Slow: with so many kbit/s in either direction.'),
		{
			placeholder: 'deny',
			validate: (sectionId, value) =>
				!value || /^(deny|notify|slow [1-9]\d{0,7})$/.test(value)
					? true
					: _('Expected deny, notify, or slow with a rate in kbit/s such as slow 512.')
		}
	);
	action.value('deny', _('nothing goes any more'));
	action.value('slow 512', _('slow: 512 kbit/s'));
	action.value('notify', _('only a line in the log, an event and a hook'));
	const day = number(
		section,
		tab,
		'quota_day',
		_('Quota begins anew on day'),
		_('Day of the month; a month that does not have it begins anew on its last.'),
		[1, 31],
		'1'
	);
	return [month, action, day];
}

/* Login methods and encryption, the same at both ends. */
function security(section, tab) {
	several(
		section,
		tab,
		'auth',
		_('Login methods'),
		_(
			'MS-CHAPv2 and EAP are strong. The others are weak: a listener can learn the password; CHAP and PAP allow no encryption.'
		),
		METHODS,
		['mschap-v2']
	);
	choice(
		section,
		tab,
		'mppe',
		_('Encryption (MPPE)'),
		_('Optional means that both ends may send in the clear.'),
		policies(),
		'required'
	);
	several(
		section,
		tab,
		'mppe_strength',
		_('Key lengths'),
		_('56 and 40 bits can be broken by anyone.'),
		[
			['128', _('128 bits')],
			['56', _('56 bits')],
			['40', _('40 bits')]
		],
		['128']
	);
	choice(
		section,
		tab,
		'mppe_stateful',
		_('Stateful encryption'),
		_('A lost packet then costs a round trip; only very old peers need it.'),
		[
			['0', _('refuse')],
			['1', _('accept when the peer insists')],
			['ask', _('ask for it')]
		],
		'0'
	);
}

/* The same of one user, where it is not as the server has it. */
function userSecurity(section, tab) {
	const methods = section.taboption(
		tab,
		form.MultiValue,
		'auth',
		_('Login methods'),
		_('Of those that the server allows; none: all of them.')
	);
	for (const [value, label] of METHODS) methods.value(value, label);
	const policy = section.taboption(
		tab,
		form.ListValue,
		'mppe',
		_('Encryption (MPPE)'),
		_('Anything but required lets the traffic of this user pass in the clear.')
	);
	policy.value('', _('as the server has it'));
	for (const [value, label] of policies()) policy.value(value, label);
	for (const option of [methods, policy]) option.modalonly = true;
}

return baseclass.extend({
	userSecurity,
	NETWORK,
	writeUnlessDefault,
	validateNetwork,
	validateNetwork6,
	validateLocalIp,
	validateRange,
	validateServer,
	quota,

	/* `config interface` with proto pptpserver. Tabs general and advanced, as on LuCI's interface page. */
	server(section) {
		add(section, 'general', form.Value, 'localip', _('Own address'), _('Address of the router inside the tunnels.'), {
			datatype: 'ip4addr("nomask")',
			validate: validateLocalIp,
			placeholder: '192.168.99.1',
			rmempty: false
		});
		add(
			section,
			'general',
			form.Value,
			'network',
			_('Network of the tunnels'),
			_('Callers get addresses of this network, /16 to /30. It must not be a network the router already has.'),
			{
				validate: validateNetwork,
				placeholder: '192.168.99.0/24'
			}
		);
		add(
			section,
			'general',
			form.DynamicList,
			'range',
			_('Address range'),
			_('Only these addresses for callers: inside the network above, or without it a part of the LAN (proxy ARP).'),
			{
				validate: validateRange,
				placeholder: '192.168.99.10-192.168.99.60'
			}
		);
		add(
			section,
			'general',
			form.DynamicList,
			'client_dns',
			_('DNS servers for callers'),
			_('At most two; the address of the router itself is a good choice.'),
			{
				datatype: 'ip4addr("nomask")'
			}
		);
		add(
			section,
			'general',
			form.DynamicList,
			'client_route',
			_('Networks for callers'),
			_(
				'What callers reach through the tunnel; Windows asks for it when it has connected. None: it is for the PC to decide.'
			),
			{ datatype: NETWORK }
		);
		add(
			section,
			'general',
			form.DynamicList,
			'domain',
			_('Domains for callers'),
			_('What names of callers are completed with; the first is their own.'),
			{ datatype: 'hostname', placeholder: 'office.lan' }
		);

		security(section, 'advanced');
		add(
			section,
			'advanced',
			form.DynamicList,
			'listen',
			_('Listen on'),
			_('Networks on which callers are accepted, such as wan; none: all.'),
			{
				datatype: 'maxlength(15)'
			}
		);
		add(section, 'advanced', form.Value, 'port', _('TCP port'), _('Windows can only call port 1723.'), {
			datatype: 'port',
			placeholder: '1723'
		});
		flag(section, 'advanced', 'open_firewall', _('Open the firewall'), _('Let TCP 1723 and GRE of callers in.'), '1');
		add(
			section,
			'advanced',
			form.DynamicList,
			'allow_from',
			_('Callers may come from'),
			_('Networks from which callers are accepted; none: all.'),
			{
				datatype: NETWORK
			}
		);
		add(
			section,
			'advanced',
			form.DynamicList,
			'deny_from',
			_('Callers may not come from'),
			_('Addresses and networks from which no caller is accepted, also where the list above names them.'),
			{
				datatype: NETWORK
			}
		);
		inOrder(
			section,
			'advanced',
			'accounts',
			_('Logins are decided by'),
			_(
				'RADIUS servers stand on the page RADIUS. After the users of this router they are asked for other names; before them, the users count only while no RADIUS server answers.'
			),
			[
				['local', _('the users of this router')],
				['radius', _('RADIUS servers')],
				['local radius', _('the users of this router, then RADIUS servers')],
				['radius local', _('RADIUS servers, then the users of this router')]
			],
			'local'
		);
		add(
			section,
			'advanced',
			form.DynamicList,
			'filter_id',
			_('Firewall groups by RADIUS'),
			_(
				'Filter-Ids of RADIUS servers that put the address of a caller into an IP set of the firewall: the name of the set, or Filter-Id=set. Others have no effect.'
			),
			{ validate: validateFilterSet }
		);
		flag(section, 'advanced', 'isolate', _('Isolate callers'), _('Callers cannot reach each other.'), '1');
		add(
			section,
			'advanced',
			form.DynamicList,
			'broadcast_relay',
			_('Find names in'),
			_(
				'Networks, such as lan, whose computers and printers callers find by name (NetBIOS, mDNS), and the other way round; none: off.'
			),
			{ datatype: 'and(uciname,maxlength(15))' }
		);
		number(
			section,
			'advanced',
			'max_sessions',
			_('Sessions'),
			_('Callers logged in at the same time.'),
			[1, 4096],
			'16'
		);
		number(
			section,
			'advanced',
			'max_per_user',
			_('Sessions of one user'),
			_('Sessions of one user at the same time, where the user has no limit of his own.'),
			[1, 4096],
			'1'
		);
		choice(
			section,
			'advanced',
			'on_duplicate',
			_('One session too many'),
			_('What happens when a user who is at the limit logs in once more.'),
			[
				['replace', _('replace the oldest session')],
				['deny', _('refuse the new one')]
			],
			'replace'
		);
		rates(
			section,
			'advanced',
			_('What a session of a caller may send, in kbit/s; 0: no limit. A user may have limits of his own.'),
			_('What a session of a caller may get, in kbit/s; 0: no limit. A user may have limits of his own.')
		);
		number(
			section,
			'advanced',
			'ban_after',
			_('Lock out after'),
			_('Failed logins after which a source address is locked out; 0: never.'),
			[0, 1000],
			'5'
		);
		number(section, 'advanced', 'ban_time', _('Lock out for'), _('Seconds.'), [1, 86400], '600');
		number(
			section,
			'advanced',
			'idle_timeout',
			_('Idle time-out'),
			_('End a session after so many seconds without traffic; 0: never.'),
			[0, 604800],
			'0'
		);
		number(
			section,
			'advanced',
			'session_timeout',
			_('Session time-out'),
			_('End every session after so many seconds; 0: never.'),
			[0, 31536000],
			'0'
		);
		add(section, 'advanced', form.DynamicList, 'client_wins', _('WINS servers for callers'), _('At most two.'), {
			datatype: 'ip4addr("nomask")'
		});
		keepalive(section, 'advanced');
		number(section, 'advanced', 'mtu', _('MTU'), _('Largest packet inside the tunnel.'), [576, 1500], '1400');
		flag(
			section,
			'advanced',
			'ipv6',
			_('Callers get IPv6'),
			_('A network (/64) for each of them, out of one that this router has; without one link-local addresses only.'),
			'0'
		);
		for (const option of [
			add(
				section,
				'advanced',
				form.DynamicList,
				'ip6prefix',
				_('IPv6 networks'),
				_('Networks of at most 64 bits; empty: what netifd assigns to this interface (IPv6 assignment length).'),
				{ validate: validateNetwork6 }
			),
			choice(
				section,
				'advanced',
				'ip6mode',
				_('IPv6 addresses'),
				_(
					'One network for all is for routers that have no more than a /64: each caller has one address there, the one that the connection gives it.'
				),
				[
					['own', _('A network for each caller')],
					['shared', _('One network for all callers')]
				],
				'own'
			),
			add(section, 'advanced', form.DynamicList, 'ip6dns', _('DNS servers for callers (IPv6)'), null, {
				datatype: 'ipaddr("nomask")',
				validate: (sectionId, value) => (!value || value.includes(':') ? true : _('Expected an IPv6 address.'))
			})
		])
			option.depends('ipv6', '1');
	},

	/* What LuCI's interface page offers for every protocol, for pages of our own. */
	switches(section, kind) {
		const isServer = kind == 'server';
		flag(
			section,
			'general',
			'disabled',
			_('Disabled'),
			isServer
				? _('Switches this server off: who is connected is disconnected, and nobody can call. Its settings stay.')
				: _('Switches this link off: it is disconnected and not dialled. Its settings stay.'),
			'0'
		);
		if (!isServer) flag(section, 'general', 'auto', _('Bring up on boot'), _('Dial when the router starts.'), '1');
	},

	/* `config interface` with proto pptpgw. */
	link(section) {
		add(section, 'general', form.Value, 'server', _('VPN server'), _('Name or address of the PPTP server.'), {
			datatype: 'host',
			validate: validateServer,
			rmempty: false
		});
		add(section, 'general', form.Value, 'username', _('User name'), _('Also as DOMAIN\\user.'), {
			datatype: 'maxlength(128)',
			rmempty: false
		});
		add(section, 'general', form.Value, 'password', _('Password'), null, {
			datatype: 'maxlength(255)',
			password: true,
			rmempty: false
		});
		flag(
			section,
			'general',
			'defaultroute',
			_('Everything through the link'),
			_('The default route; without it only the networks below.'),
			'1'
		);
		add(
			section,
			'general',
			form.DynamicList,
			'route',
			_('Networks through the link'),
			_('Networks to reach through the link, such as 10.20.0.0/16.'),
			{
				datatype: NETWORK
			}
		);

		security(section, 'advanced');
		add(section, 'advanced', form.Value, 'port', _('TCP port'), _('TCP port of the server.'), {
			datatype: 'port',
			placeholder: '1723'
		});
		add(
			section,
			'advanced',
			form.Value,
			'interface',
			_('Dial through'),
			_('Network through which to dial, such as wan; empty: as the routing table says.'),
			{
				datatype: 'maxlength(15)'
			}
		);
		flag(section, 'advanced', 'peerdns', _('Use DNS servers of the peer'), null, '1');
		add(section, 'advanced', form.Value, 'metric', _('Metric'), _('Metric of the routes.'), {
			datatype: 'and(uinteger,range(0,4294967295))',
			placeholder: '0'
		});
		flag(
			section,
			'advanced',
			'nohostroute',
			_('No route to the server'),
			_('Do not add a route to the server outside the tunnel.'),
			'0'
		);
		flag(
			section,
			'advanced',
			'authfail',
			_('Stop after a refused login'),
			_('Dial again only when the credentials change.'),
			'0'
		);
		number(
			section,
			'advanced',
			'maxfail',
			_('Give up after'),
			_('Failures in a row after which dialling stops; 0: never.'),
			[0, 1000000],
			'0'
		);
		number(
			section,
			'advanced',
			'holdoff',
			_('First pause'),
			_('Seconds before the first new attempt; doubled with every failure.'),
			[0, 3600],
			'5'
		);
		number(
			section,
			'advanced',
			'holdoff_max',
			_('Longest pause'),
			_('Longest pause between two attempts, in seconds.'),
			[1, 86400],
			'300'
		);
		rates(
			section,
			'advanced',
			_('What is sent into the link, in kbit/s; 0: no limit.'),
			_('What comes from the link, in kbit/s; 0: no limit.')
		);
		quota(
			section,
			'advanced',
			_('What may go through the link in a month, both ways together, in MB (1000 MB are 1 GB); 0: no quota.')
		);
		keepalive(section, 'advanced');
		number(
			section,
			'advanced',
			'mtu',
			_('MTU'),
			_('Largest packet inside the tunnel; more than 1500 counts as 1500.'),
			[576, 9200],
			'1400'
		);
		choice(
			section,
			'advanced',
			'ipv6',
			_('IPv6'),
			_(
				'IPv6 over the link; needs an MTU of 1284 or more. Automatic: a DHCPv6 client gets addresses and prefixes; on: they are yours to set.'
			),
			[
				['0', _('off')],
				['1', _('on')],
				['auto', _('automatic')]
			],
			'0'
		);
		const networks = add(
			section,
			'advanced',
			form.DynamicList,
			'ip6route',
			_('IPv6 networks through the link'),
			_('IPv6 networks to reach through the link, while the other end speaks IPv6.'),
			{ validate: validateAnyNetwork6 }
		);
		networks.depends('ipv6', '1');
		networks.depends('ipv6', 'auto');
		add(
			section,
			'advanced',
			form.Value,
			'pppname',
			_('Name of the device'),
			_('Empty: pptp- and the name of the interface.'),
			{
				datatype: 'and(uciname,maxlength(15))'
			}
		);
		this.stock(section);
	},

	/* Options that sections of the stock client have; they mean the same here. */
	stock(section) {
		number(
			section,
			'advanced',
			'demand',
			_('Dial on demand'),
			_('Dial on the first packet, and hang up after so many seconds without traffic; 0: always connected.'),
			[0, 604800],
			'0'
		);
		flag(
			section,
			'advanced',
			'keepalive_adaptive',
			_('Adaptive LCP echo'),
			_('Send LCP echo requests only while nothing comes from the peer.'),
			'1'
		);
		add(
			section,
			'advanced',
			form.Value,
			'unnumbered',
			_('Address of a network'),
			_('Network whose address we ask the server for, instead of taking any.'),
			{ datatype: 'maxlength(15)' }
		);
		for (const [name, title, description, byDefault] of [
			['norelease', _('Keep IPv6 addresses'), _('Do not release IPv6 addresses at the end.'), '0'],
			['sourcefilter', _('IPv6 source filter'), _('Routes only for our own IPv6 addresses.'), '1'],
			['delegate', _('Delegate IPv6 prefixes'), _('Pass IPv6 prefixes on to other networks.'), '1']
		])
			flag(section, 'advanced', name, title, description, byDefault).depends('ipv6', 'auto');
		add(
			section,
			'advanced',
			form.Value,
			'reqprefix',
			_('IPv6 prefix to ask for'),
			_('Length of the prefix, or no.'),
			{}
		).depends('ipv6', 'auto');
		add(
			section,
			'advanced',
			form.Value,
			'connect',
			_('Command when up'),
			_('Shell command to run, as root, whenever the link has come up.'),
			{}
		);
		add(
			section,
			'advanced',
			form.Value,
			'disconnect',
			_('Command when down'),
			_('Shell command to run, as root, whenever the link has gone down.'),
			{}
		);
		flag(section, 'advanced', 'persist', _('Persist'), _('Of no effect: a link always dials again.'), '1');
		add(
			section,
			'advanced',
			form.DynamicList,
			'pppd_options',
			_('Words for pppd'),
			_('Words of old sections, such as nomppe or refuse-pap; words that mean nothing here are ignored.'),
			{}
		);
	}
});
