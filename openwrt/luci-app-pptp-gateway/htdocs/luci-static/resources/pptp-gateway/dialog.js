'use strict';
'require baseclass';
'require ui';
'require pptp-gateway.words as words';

/* Dialogs of these pages: the same buttons in the same places as in LuCI's own, Dismiss on the left and what it is for on the right. */

const STYLES = { positive: 'cbi-button-positive important', negative: 'cbi-button-negative important' };

return baseclass.extend({
	/* title: a text; action: { text, style?, handler }, or a button of one's own; dismissed: called when it is closed without it. */
	show(title, content, { action, button, dismissed, wide } = {}) {
		const buttons = [
			E(
				'button',
				{
					class: 'btn cbi-button',
					click: () => {
						dismissed?.();
						ui.hideModal();
					}
				},
				[_('Dismiss')]
			)
		];
		if (action)
			buttons.push(
				' ',
				E(
					'button',
					{
						class: `btn cbi-button ${STYLES[action.style ?? 'positive']}`,
						click: ui.createHandlerFn(null, action.handler)
					},
					[action.text]
				)
			);
		if (button) buttons.push(' ', button);
		/* LuCI takes the title as markup. */
		ui.showModal(
			words.escaped(title),
			[...content, E('div', { class: 'button-row' }, [...buttons])],
			...(wide ? ['cbi-modal'] : [])
		);
	}
});
