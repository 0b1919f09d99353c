'use strict';
'require view';
'require form';
'require uci';
'require pptp-gateway.notices as notices';

/* What holds for all servers and links together. */

function globals(map) {
	const section = map.section(form.NamedSection, 'globals', 'pptp');
	let option = section.option(form.ListValue, 'log_level', _('Log level'), _('What is written to the system log.'));
	for (const level of ['error', 'warning', 'info', 'debug']) option.value(level);
	option.default = 'info';
	const number = (name, title, description, low, high, placeholder) => {
		option = section.option(form.Value, name, title, description);
		option.datatype = `and(uinteger,range(${low},${high}))`;
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
	option = section.option(
		form.Value,
		'usage_folder',
		_('Folder for usage'),
		_(
			'Where the traffic of users and links is remembered over a reboot, from the next start of the service on. It is written every six hours, and when the service stops; a disk spares the flash.'
		)
	);
	option.placeholder = '/etc/pptp/usage';
	option = section.option(
		form.DynamicList,
		'metrics',
		_('Metrics for Prometheus'),
		_('Addresses of this router and ports where they can be had.')
	);
	option.placeholder = '192.168.1.1:9723';
	option.validate = (sectionId, value) =>
		!value || /^[1-9][\d.]*:[1-9]\d{0,4}$/.test(value)
			? true
			: _('Expected an address and a port such as 192.168.1.1:9723.');
	option = section.option(
		form.DynamicList,
		'metrics_from',
		_('Who may ask for metrics'),
		_('Addresses or networks; this router itself always may.')
	);
	option.datatype = 'or(ip4addr("nomask"),cidr4)';
	option = section.option(
		form.Flag,
		'metrics_sessions',
		_('Metrics of each session'),
		_('With user names and addresses; for some dozens of callers.')
	);
	option.default = '0';
}

return view.extend({
	load() {
		return Promise.all([notices.box('options'), uci.load('pptp')]);
	},

	render([notice]) {
		if (uci.get('pptp', 'globals') == null) uci.add('pptp', 'pptp', 'globals');
		const map = new form.Map('pptp', _('PPTP service'), _('Settings of all servers and links together.'));
		globals(map);
		return map.render().then((node) => E([], [notice, node]));
	}
});
