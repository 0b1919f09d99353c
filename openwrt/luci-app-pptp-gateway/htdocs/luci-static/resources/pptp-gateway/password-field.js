'use strict';
'require baseclass';
'require form';
'require pptp-gateway.passwords as passwords';

/* A password: hidden, with LuCI's button that shows it and one that makes a new one (and shows that). */
const PasswordField = form.Value.extend({
	__name__: 'CBI.PptpPassword',

	__init__(...args) {
		this.super('__init__', args);
		this.password = true;
		this.datatype = 'maxlength(255)';
	},

	renderWidget(sectionId, index, value) {
		const node = this.super('renderWidget', [sectionId, index, value]);
		const input = node.querySelector('input');
		node.querySelector('.control-group').appendChild(
			E(
				'button',
				{
					class: 'cbi-button cbi-button-neutral',
					title: _('Make a strong password'),
					disabled: input.disabled ? 'disabled' : null,
					click: (ev) => {
						ev.preventDefault();
						input.value = passwords.generate();
						input.type = 'text';
						input.dispatchEvent(new Event('change'));
						input.dispatchEvent(new Event('blur'));
					}
				},
				[_('Generate')]
			)
		);
		/* A password made here must be seen once: nobody knows it yet. */
		if (this.fresh) window.requestAnimationFrame(() => (input.type = 'text'));
		return node;
	}
});

return baseclass.extend({ PasswordField });
