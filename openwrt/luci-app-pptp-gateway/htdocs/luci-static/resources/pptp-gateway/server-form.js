'use strict';
'require baseclass';
'require form';
'require uci';
'require pptp-gateway.fields as fields';
'require pptp-gateway.password-field as passwordField';
'require pptp-gateway.passwords as passwords';
'require pptp-gateway.subnets as subnets';
'require pptp-gateway.zones as zones';

/* The form of one server: what a home router needs on the first tab, the rest behind it. */

const REACH = ['router', 'lan', 'internet', 'back'];

/* Users who may call this server. */
function usersOf(name) {
	return uci
		.sections('pptp_users', 'user')
		.filter(({ server }) => L.toArray(server).length == 0 || L.toArray(server).includes(name));
}

function reachFlags(section, isNew) {
	const titles = {
		router: [
			_('Callers may reach this router'),
			_('Its web pages and files. It answers pings of callers and resolves names for them in any case.')
		],
		lan: [_('Callers may reach the LAN'), _('Computers, printers and other devices at home.')],
		internet: [_('Callers may reach the Internet'), _('They surf through this router.')],
		back: [
			_('The LAN may reach callers'),
			_('Devices at home may open connections to callers and to the networks behind them.')
		]
	};
	for (const part of REACH) {
		const [title, description] = titles[part];
		const option = section.taboption(part == 'back' ? 'advanced' : 'start', form.Flag, `_${part}`, title, description);
		option.default = isNew && ['lan', 'internet'].includes(part) ? '1' : '0';
		option.load = (sectionId) => (isNew ? null : zones.reach(sectionId)[part] ? '1' : '0');
		/* Written all at once, when the form is saved. */
		option.write = () => {};
		option.remove = () => {};
	}
}

/* The own address follows the network until it is changed by hand. */
function followNetwork(section, used) {
	const network = section.children.find(({ option }) => option == 'network');
	network.validate = (sectionId, value) => {
		const isNetwork = fields.validateNetwork(sectionId, value);
		if (!value || isNetwork !== true) return isNetwork;
		const taken = subnets.takenBy(value, used, sectionId);
		return taken == null ? true : _('The router already has this network (%s).').format(taken);
	};
	let followed = null;
	network.onchange = function (ev, sectionId, value) {
		const parsed = subnets.parse(value);
		if (!parsed || parsed.length > 30) return;
		followed ??= uci.get('network', sectionId, 'network');
		const before = followed ? subnets.firstHost(followed) : '';
		followed = value;
		const field = (name) => this.map.lookupOption(name, sectionId)?.[0]?.getUIElement(sectionId);
		if (['', before].includes(field('localip').getValue())) field('localip').setValue(subnets.firstHost(value));
		if (L.toArray(field('client_dns').getValue()).join() == before)
			field('client_dns').setValue([subnets.firstHost(value)]);
	};
}

/* Of the provider's network the server gets a part: a sixteenth, of which each caller has one /64, or what is left of it. */
function assignmentOf({ length }) {
	return length < 62 ? Math.max(60, Math.min(length + 4, 62)) : null;
}

/* netifd gives the server its part (ip6assign), where the owner has named no network. */
function ipv6(section, delegated) {
	const option = section.children.find((child) => child.option == 'ipv6');
	const part = delegated == null ? null : assignmentOf(delegated);
	option.description =
		part != null
			? _('A network (/64) for each of them, out of %h, which the provider has given to this router.').format(
					delegated.text
				)
			: delegated != null
				? _(
						'The provider has given %h to this router, which is too small for callers: without another network (Advanced) they have link-local addresses only.'
					).format(delegated.text)
				: _(
						'The provider has given this router no IPv6 network (or the Internet connection is down): without one (Advanced) callers have link-local addresses only.'
					);
	option.write = function (sectionId, value) {
		const networks = this.map.lookupOption('ip6prefix', sectionId)?.[0]?.formvalue(sectionId);
		const isAssigned = uci.get('network', sectionId, 'ip6assign') != null;
		if (value != '1') uci.unset('network', sectionId, 'ip6assign');
		else if (part != null && !isAssigned && !L.toArray(networks).length)
			uci.set('network', sectionId, 'ip6assign', String(part));
		return this.super('write', [sectionId, value]);
	};
	option.remove = function (sectionId) {
		uci.unset('network', sectionId, 'ip6assign');
		return this.super('remove', [sectionId]);
	};
}

function firstUser(section) {
	let option = section.taboption(
		'start',
		form.Value,
		'_username',
		_('First user'),
		_('More users are added on the page Users.')
	);
	option.datatype = 'maxlength(128)';
	option.validate = (sectionId, value) =>
		uci.sections('pptp_users', 'user').some(({ username }) => username == value)
			? _('There is a user of this name already.')
			: true;
	option.load = () => '';
	option.write = () => {};
	option.remove = () => {};
	option.rmempty = false;
	option = section.taboption(
		'start',
		passwordField.PasswordField,
		'_password',
		_('Password'),
		_('Write it down or copy it: it is needed to connect.')
	);
	option.fresh = true;
	option.load = () => passwords.generate();
	option.write = () => {};
	option.remove = () => {};
	option.rmempty = false;
}

return baseclass.extend({
	usersOf,

	/* A section in memory only, until the form is saved. */
	draft(used) {
		let name = 'vpn';
		for (let i = 2; uci.get('network', name) != null; i++) name = `vpn${i}`;
		const network = subnets.free(used);
		uci.add('network', 'interface', name);
		const values = {
			proto: 'pptpserver',
			network,
			localip: subnets.firstHost(network),
			client_dns: [subnets.firstHost(network)]
		};
		for (const [option, value] of Object.entries(values)) uci.set('network', name, option, value);
		return name;
	},

	/* Adds the section to a map of network. */
	add(map, name, { isNew, used, title, delegated = null }) {
		const section = map.section(form.NamedSection, name, 'interface', title);
		section.tab('start', _('General'));
		section.tab('general', _('Addresses'));
		section.tab('advanced', _('Advanced'));
		/* Three of the options belong on the first tab. */
		const placed = {
			taboption: (tab, type, option, ...rest) =>
				section.taboption(['network', 'disabled', 'ipv6'].includes(option) ? 'start' : tab, type, option, ...rest)
		};
		if (!isNew) fields.switches(placed, 'server');
		fields.server(placed);
		reachFlags(section, isNew);
		if (isNew && !usersOf(name).length) firstUser(section);
		followNetwork(section, used);
		ipv6(section, delegated);
		return section;
	},

	/* What the form says beside uci network: zone, forwardings, first user. Call between parsing and saving. */
	write(map, name) {
		const value = (option) => map.lookupOption(option, name)?.[0]?.formvalue(name);
		const reach = {};
		for (const part of REACH) reach[part] = value(`_${part}`) == '1';
		zones.writeReach(name, reach);
		if (!value('_username')) return;
		const sid = uci.add('pptp_users', 'user');
		uci.set('pptp_users', sid, 'username', value('_username'));
		uci.set('pptp_users', sid, 'password', value('_password'));
		uci.set('pptp_users', sid, 'server', [name]);
	}
});
