'use strict';
'require baseclass';
'require form';
'require pptp-gateway.user-list as userList';

/* A day, with the browser's own picker. What stands in the file and is no day is shown as it is, to be mended. */
const DateField = form.Value.extend({
	__name__: 'CBI.PptpDate',

	renderWidget(sectionId, index, value) {
		const node = this.super('renderWidget', [sectionId, index, value]);
		if (!value || userList.isDay(value)) node.querySelector('input').type = 'date';
		return node;
	},

	validate(sectionId, value) {
		return !value || userList.isDay(value) ? true : _('Expected a date such as 2027-12-31.');
	}
});

return baseclass.extend({ DateField });
