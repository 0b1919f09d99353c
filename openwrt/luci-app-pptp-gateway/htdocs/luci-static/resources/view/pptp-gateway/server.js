'use strict';
'require view';
'require form';
'require uci';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.notices as notices';
'require pptp-gateway.server-form as serverForm';
'require pptp-gateway.subnets as subnets';
'require pptp-gateway.words as words';
'require pptp-gateway.zones as zones';

/* The old server of OpenWrt, which uses the same port. */
function oldServers() {
	return uci.sections('pptpd', 'service').filter(({ enabled }) => enabled != '0');
}

function globals(map) {
	const section = map.section(form.NamedSection, 'globals', 'pptp', _('All servers and links'));
	section.uciconfig = 'pptp';
	let option = section.option(form.ListValue, 'log_level', _('Log level'), _('What is written to the system log.'));
	for (const level of ['error', 'warning', 'info', 'debug']) option.value(level);
	option.default = 'info';
	const number = (name, title, description, low, high, placeholder) => {
		option = section.option(form.Value, name, title, description);
		option.datatype = `range(${low},${high})`;
		option.placeholder = placeholder;
	};
	number(
		'max_sessions',
		_('Sessions in all'),
		_(
			'In all servers and links together. The service sets room aside for these and for callers before login when it starts.'
		),
		1,
		4096,
		'64'
	);
	number('max_half_open', _('Callers before login'), _('Callers that have not logged in yet, in all.'), 1, 4096, '64');
	number(
		'max_half_open_per_source',
		_('Callers before login from one address'),
		_('Callers that have not logged in yet, per source address.'),
		1,
		4096,
		'8'
	);
	number('login_timeout', _('Time to log in'), _('Seconds a caller has to log in.'), 5, 600, '60');
	option = section.option(
		form.Value,
		'ban_set',
		_('Firewall set of locked-out addresses'),
		_('Name of an IP set of the firewall; a rule of yours drops what comes from addresses in it.')
	);
	option.placeholder = 'pptp_banned';
	option = section.option(
		form.DynamicList,
		'writable',
		_('Folders for hooks'),
		_('Folders that hooks may write to, from the next start of the service on.')
	);
	option.placeholder = '/tmp/reports';
}

return view.extend({
	load() {
		return Promise.all([
			L.resolveDefault(bus.interfaces(), []),
			uci.load(['network', 'firewall', 'pptp', 'pptp_users']),
			L.resolveDefault(uci.load('pptpd'))
		]);
	},

	async render([interfaces]) {
		const used = subnets.used(interfaces, uci.sections('network'));
		const servers = uci
			.sections('network', 'interface')
			.filter(({ proto }) => proto == 'pptpserver')
			.map((section) => section['.name']);
		this.names = servers.length ? servers : [serverForm.draft(used)];
		if (servers.length && uci.get('pptp', 'globals') == null) uci.add('pptp', 'pptp', 'globals');

		const map = new form.Map('network');
		for (const config of ['firewall', 'pptp', 'pptp_users', 'pptpd']) map.chain(config);
		for (const name of this.names) {
			const isNew = servers.length == 0;
			const section = serverForm.add(map, name, { isNew, used, title: isNew ? null : _('Server %s').format(name) });
			if (isNew) continue;
			section.addremove = true;
			section.handleRemove = () => this.remove(name);
		}
		if (servers.length) globals(map);
		this.map = map;

		this.page ??= E('div', {}, []);
		this.notice ??= await notices.box('home-vpn');
		return map.render().then((node) => {
			this.page.replaceChildren(
				E('h2', {}, [servers.length ? _('PPTP server') : _('Enable a PPTP server')]),
				...(servers.length
					? []
					: [
							E('div', { class: 'cbi-map-descr' }, [
								_(
									'Callers get a network of their own. Choose what they may reach and who may call, then press Save & Apply.'
								)
							])
						]),
				words.notice(),
				this.notice,
				...this.warnings(interfaces, servers.length > 0),
				node,
				...(servers.length
					? [
							E(
								'button',
								{
									class: 'btn cbi-button cbi-button-add',
									disabled: map.readonly ? 'disabled' : null,
									click: ui.createHandlerFn(this, 'another', used)
								},
								[_('Add another server')]
							)
						]
					: [])
			);
			return this.page;
		});
	},

	warnings(interfaces, exists) {
		const found = [];
		const upstream = subnets.upstream(interfaces);
		if (upstream?.address && subnets.isPrivate(upstream.address))
			found.push(
				words.warning(
					_(
						'The address of this router on the Internet side is private (%s on %s): nobody outside can reach it. Ask the provider for a public address, or forward TCP port 1723 and GRE to this router on the device in front of it.'
					).format(upstream.address, upstream.interface)
				)
			);
		for (const { name, dest_ip } of zones.stolenPort('1723'))
			found.push(
				words.warning(
					_(
						'TCP port 1723 is forwarded to %s by the firewall rule "%s": callers reach that machine, not this router. Remove the rule under Network, Firewall, Port Forwards.'
					).format(dest_ip ?? '?', name ?? '?')
				)
			);
		for (const name of exists ? this.names : [])
			if (!serverForm.usersOf(name).length)
				found.push(words.warning(_('Nobody may call the server %s yet: add users on the page Users.').format(name)));
		if (oldServers().length)
			found.push(
				words.warning(
					_(
						'The old server pptpd is enabled and uses port 1723. Saving this page turns it off. Its users can be imported on the page Users.'
					)
				)
			);
		if (!exists)
			found.push(
				E('p', {}, [
					_(
						'Everything not asked here has a safe default: MS-CHAPv2 and 128-bit encryption only, a lock-out after five wrong passwords, callers cannot reach each other.'
					)
				])
			);
		return found;
	},

	/* A second server, as a form of its own. */
	another(used) {
		const name = serverForm.draft([...used, ...subnets.used([], uci.sections('network'))]);
		this.names.push(name);
		serverForm.add(this.map, name, { isNew: true, used, title: _('New server %s').format(name) });
		return this.map.render();
	},

	remove(name) {
		zones.forget(name);
		uci.remove('network', name);
		this.names = this.names.filter((other) => other != name);
		this.map.children = this.map.children.filter(({ section }) => section != name);
		return uci
			.save()
			.then(() => ui.changes.init())
			.then(() => ui.changes.apply(true));
	},

	handleSave() {
		return this.map
			.save(() => {
				for (const name of this.names) serverForm.write(this.map, name);
				for (const service of oldServers()) uci.set('pptpd', service['.name'], 'enabled', '0');
			})
			.then(() => this.load())
			.then((data) => this.render(data));
	},

	handleReset() {
		return this.map.reset();
	}
});
