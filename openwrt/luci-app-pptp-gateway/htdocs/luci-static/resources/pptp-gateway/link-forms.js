'use strict';
'require baseclass';
'require form';
'require uci';
'require ui';
'require pptp-gateway.dialog as dialog';
'require pptp-gateway.fields as fields';
'require pptp-gateway.stock-link as stockLink';
'require pptp-gateway.zones as zones';

/* Adding, editing, converting and deleting a link. Only here the configuration, which holds passwords, is loaded. */

const load = () => uci.load(['network', 'firewall']);

async function apply() {
	await uci.save();
	await ui.changes.init();
	ui.changes.apply(true);
}

/* Which zones may use the link. */
function zoneChoice(add, byDefault) {
	const option = add(
		form.MultiValue,
		'_zones',
		_('Who may use it'),
		_('Firewall zones whose machines may use the link. Nobody gets in from the other side.')
	);
	for (const { name } of zones.inside()) option.value(name);
	option.load = () => byDefault;
	option.write = () => {};
	option.remove = () => {};
	return option;
}

function zonesOf(map, name) {
	return L.toArray(map.lookupOption('_zones', name)?.[0]?.formvalue(name));
}

function open(title, map, node, save) {
	dialog.show(title, [node], {
		action: { text: _('Save & Apply'), handler: () => save().catch(() => {}) },
		dismissed: () => uci.unload(['network', 'firewall']),
		wide: true
	});
}

/* What is wrong with a form stands in a line of the dialog: LuCI's own message would replace the dialog. */
async function parsed(map) {
	try {
		await map.parse();
	} catch (error) {
		const root = map.root;
		const before = root.querySelector('.pptp-form-error');
		const line = E('div', { class: 'alert-message danger pptp-form-error' }, [error.message]);
		if (before) before.replaceWith(line);
		else root.prepend(line);
		throw error;
	}
}

return baseclass.extend({
	async add() {
		await load();
		const map = new form.JSONMap({ link: {} });
		const section = map.section(form.NamedSection, 'link', 'link');
		const add = (type, name, title, description, more) =>
			Object.assign(section.option(type, name, title, description), more);
		add(form.Value, 'name', _('Name'), _('Short, such as office: letters, digits and _.'), {
			rmempty: false,
			datatype: 'and(uciname,maxlength(15))',
			validate: (sectionId, value) =>
				uci.get('network', value) != null ? _('There is an interface of this name already.') : true
		});
		add(form.Value, 'server', _('VPN server'), _('Name or address of the PPTP server.'), {
			rmempty: false,
			datatype: 'host',
			validate: fields.validateServer
		});
		add(form.Value, 'username', _('User name'), _('Also as DOMAIN\\user.'), {
			rmempty: false,
			datatype: 'maxlength(128)'
		});
		/* Who runs the server has given it. */
		add(form.Value, 'password', _('Password'), null, { rmempty: false, datatype: 'maxlength(255)', password: true });
		add(
			form.Flag,
			'defaultroute',
			_('Everything through the link'),
			_('All Internet traffic of the router; without it only the networks below.'),
			{ default: '0' }
		);
		const route = add(
			form.DynamicList,
			'route',
			_('Networks through the link'),
			_('Networks to reach through the link, such as 10.20.0.0/16.'),
			{ datatype: fields.NETWORK }
		);
		route.depends('defaultroute', '0');
		zoneChoice(
			add,
			[zones.lan()?.name].filter((name) => name != null)
		);
		const value = (name) => map.lookupOption(name, 'link')?.[0]?.formvalue('link');

		open(_('Add link'), map, await map.render(), async () => {
			await parsed(map);
			const name = value('name');
			uci.add('network', 'interface', name);
			uci.set('network', name, 'proto', 'pptpgw');
			for (const option of ['server', 'username', 'password', 'defaultroute'])
				uci.set('network', name, option, value(option));
			const routes = value('defaultroute') == '1' ? [] : L.toArray(value('route'));
			if (routes.length) uci.set('network', name, 'route', routes);
			zones.writeUsers(name, zonesOf(map, 'link'));
			await apply();
		});
	},

	async edit(name) {
		await load();
		const map = new form.Map('network');
		const section = map.section(form.NamedSection, name, 'interface');
		section.tab('general', _('General'));
		section.tab('advanced', _('Advanced'));
		fields.link(section);
		fields.switches(section, 'link');
		zoneChoice((...args) => section.taboption('general', ...args), zones.users(name));

		open(_('Link %s').format(name), map, await map.render(), async () => {
			await parsed(map);
			zones.writeUsers(name, zonesOf(map, name));
			await apply();
		});
	},

	async convert(name) {
		await load();
		const { set, unset } = stockLink.converted(uci.get('network', name));
		const text = _(
			'All settings stay as they are; from now on the link is served by pptp-gateway, whether pppd is installed or not.'
		);
		dialog.show(_('Convert %s').format(name), [E('p', {}, [text])], {
			action: {
				text: _('Convert'),
				handler: () => {
					for (const option of unset) uci.unset('network', name, option);
					for (const [option, value] of Object.entries(set)) uci.set('network', name, option, value);
					return apply();
				}
			}
		});
	},

	remove(name) {
		dialog.show(_('Delete %s').format(name), [E('p', {}, [_('The link and its firewall zone are deleted.')])], {
			action: {
				text: _('Delete'),
				style: 'negative',
				handler: async () => {
					await load();
					zones.forget(name);
					uci.remove('network', name);
					await apply();
				}
			}
		});
	}
});
