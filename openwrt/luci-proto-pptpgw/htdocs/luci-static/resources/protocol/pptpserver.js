'use strict';
'require pptp-gateway.fields as fields';
'require pptp-gateway.tunnel as tunnel';

return tunnel.register('pptpserver', {
	title: _('PPTP server (pptp-gateway)'),
	prefix: 'pptps-',
	renderFormOptions: (section) => fields.server(section)
});
