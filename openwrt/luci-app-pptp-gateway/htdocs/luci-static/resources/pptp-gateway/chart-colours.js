'use strict';
'require baseclass';

/* Received and sent, in every drawing: told apart on white and on black, and without colours by the broken line. */

const RX = { colour: '#3a8fe6', dashes: '' };
const TX = { colour: '#e07b1a', dashes: '4 3' };

const SVG = 'http://www.w3.org/2000/svg';

return baseclass.extend({
	RX,
	TX,

	svg(name, attributes, ...children) {
		const node = document.createElementNS(SVG, name);
		for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
		node.append(...children);
		return node;
	},

	/* The piece of line in front of a word of the legend. */
	sample({ colour, dashes }) {
		return E(
			'span',
			{
				'aria-hidden': 'true',
				style: `display:inline-block; width:1.6em; margin-right:.4em; vertical-align:middle; border-top:3px ${dashes ? 'dashed' : 'solid'} ${colour}`
			},
			[]
		);
	},

	/* The next round figure above the peak: 1, 2 or 5 times a power of ten. */
	ceiling(peak) {
		if (!(peak > 0)) return 1000;
		const power = 10 ** Math.floor(Math.log10(peak));
		return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= peak);
	}
});
