'use strict';
'require baseclass';

/* A step that was reached, was not, or is open, as a line of a list. */

const marks = {
	ok: ['\u2714', 'var(--success-color-medium, #009a4c)'],
	failed: ['\u2718', 'var(--error-color-medium, #e8210d)'],
	open: ['\u25cb', 'inherit']
};

return baseclass.extend({
	list(lines = []) {
		return E('ul', { style: 'margin:0; padding:0; color:inherit' }, [...lines]);
	},

	line(step, state, title, detail) {
		const [mark, colour] = marks[state] ?? marks.open;
		return E(
			'li',
			{ 'data-step': step, 'data-result': state, style: 'list-style:none; margin:.2em 0; display:flex; color:inherit' },
			[
				E('span', { style: `color:${colour}; flex:0 0 1.5em` }, [mark]),
				E('span', {}, [E('strong', {}, [title]), detail ? ` ${detail}` : ''])
			]
		);
	}
});
