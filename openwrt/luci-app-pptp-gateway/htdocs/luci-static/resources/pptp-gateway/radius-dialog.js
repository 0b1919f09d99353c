'use strict';
'require baseclass';
'require pptp-gateway.bus as bus';
'require pptp-gateway.steps-dialog as stepsDialog';

/* The test of a RADIUS server: whether it answers, and with a user and a password what it says to that login. */

const titles = {
	name: _('Name of the server'),
	socket: _('Connection'),
	status: _('Answer'),
	secret: _('Secret'),
	login: _('Login'),
	answer: _('What the server gives')
};

function field(title, type) {
	const input = E('input', { class: 'cbi-input-text', type, autocomplete: 'off' }, []);
	const node = E('div', { class: 'cbi-value' }, [
		E('label', { class: 'cbi-value-title' }, [title]),
		E('div', { class: 'cbi-value-field' }, [input])
	]);
	return { input, node };
}

return baseclass.extend({
	/* name: of the section as the daemon calls it */
	open(name) {
		const username = field(_('User name'), 'text');
		const password = field(_('Password'), 'password');
		const dialog = new stepsDialog.StepsDialog(_('Test of %s').format(name), titles, {
			above: [
				E('p', {}, [
					_(
						'Tests the settings that are in force: Save & Apply first. With a user of the server it also tries a login; that counts there like any other.'
					)
				]),
				username.node,
				password.node
			],
			action: {
				text: _('Test'),
				handler: async () => {
					const login = username.input.value ? [username.input.value, password.input.value] : [];
					if (await dialog.follow(() => bus.radiusTest(name, ...login))) dialog.say(_('Everything works up to here.'));
				}
			}
		});
	}
});
