'use strict';
'require pptp-gateway.fields as fields';
'require pptp-gateway.tunnel as tunnel';

return tunnel.register('pptpgw', {
	title: _('PPTP link (pptp-gateway)'),
	prefix: 'pptp-',
	renderFormOptions: (section) => fields.link(section)
});
