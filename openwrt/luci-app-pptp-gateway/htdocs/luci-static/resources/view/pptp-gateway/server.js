'use strict';
'require view';
'require form';
'require uci';
'require ui';
'require pptp-gateway.bus as bus';
'require pptp-gateway.notices as notices';
'require pptp-gateway.progress as progress';
'require pptp-gateway.server-form as serverForm';
'require pptp-gateway.subnets as subnets';
'require pptp-gateway.words as words';
'require pptp-gateway.zones as zones';

/* The old server of OpenWrt, which uses the same port. */
function oldServers() {
	return uci.sections('pptpd', 'service').filter(({ enabled }) => enabled != '0');
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
		this.delegated = subnets.delegated(interfaces);
		const servers = uci
			.sections('network', 'interface')
			.filter(({ proto }) => proto == 'pptpserver')
			.map((section) => section['.name']);
		this.names = servers.length ? servers : [serverForm.draft(used)];

		const map = new form.Map('network');
		for (const config of ['firewall', 'pptp', 'pptp_users', 'pptpd']) map.chain(config);
		for (const name of this.names) {
			const isNew = servers.length == 0;
			const section = serverForm.add(map, name, {
				isNew,
				used,
				title: isNew ? null : _('Server %s').format(name),
				delegated: this.delegated
			});
			if (isNew) continue;
			section.addremove = true;
			section.handleRemove = () => this.remove(name);
		}
		this.map = map;

		this.page ??= E('div', {}, []);
		this.notice ??= await notices.box('home-vpn');
		if (servers.length) this.progress ??= await progress.follow(() => this.names);
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
				...(servers.length ? [this.progress] : []),
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

	/* What stands in the way of a new server; how it is with one that exists, its progress says. */
	warnings(interfaces, exists) {
		const found = [];
		if (!exists) found.push(...this.obstacles(interfaces));
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

	obstacles(interfaces) {
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
		return found;
	},

	/* A second server, as a form of its own. */
	another(used) {
		const name = serverForm.draft([...used, ...subnets.used([], uci.sections('network'))]);
		this.names.push(name);
		serverForm.add(this.map, name, {
			isNew: true,
			used,
			title: _('New server %s').format(name),
			delegated: this.delegated
		});
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
