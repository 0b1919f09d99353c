'use strict';
'require baseclass';
'require pptp-gateway.words as words';

/* Traffic over time: two areas, one of them with a broken outline, in colours that can be told apart on white and on black. */

const SVG = 'http://www.w3.org/2000/svg';
const HEIGHT = 160;
const LINES = [0.25, 0.5, 0.75];
const RX = { colour: '#3a8fe6', dashes: '' };
const TX = { colour: '#e07b1a', dashes: '4 3' };

function svg(name, attributes, ...children) {
	const node = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	node.append(...children);
	return node;
}

/* The next round figure above the peak: 1, 2 or 5 times a power of ten. */
function ceiling(peak) {
	if (!(peak > 0)) return 1000;
	const power = 10 ** Math.floor(Math.log10(peak));
	return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= peak);
}

/* The outline of an area, newest value at the right edge. */
function outline(values, points, top) {
	const start = points - values.length;
	const corners = values.map((value, i) => `${start + i},${(100 - (100 * value) / top).toFixed(2)}`);
	return values.length ? `${start},100 ${corners.join(' ')} ${points - 1},100` : '';
}

const Graph = baseclass.extend({
	__init__(points, seconds) {
		this.points = points;
		const area = ({ colour, dashes }) =>
			svg('polyline', {
				points: '',
				fill: colour,
				'fill-opacity': '0.3',
				stroke: colour,
				'stroke-width': '1.5',
				'stroke-dasharray': dashes,
				'vector-effect': 'non-scaling-stroke'
			});
		this.rx = area(RX);
		this.tx = area(TX);
		this.labels = LINES.map((part) =>
			svg('text', { x: '8', y: `${100 - part * 100 - 1}%`, fill: 'currentColor', 'font-size': '12' })
		);
		this.figure = svg(
			'svg',
			{ width: '100%', height: HEIGHT, role: 'img' },
			svg(
				'svg',
				{ width: '100%', height: '100%', viewBox: `0 0 ${points - 1} 100`, preserveAspectRatio: 'none' },
				this.rx,
				this.tx
			),
			...LINES.map((part) =>
				svg('line', {
					x1: '0',
					x2: '100%',
					y1: `${100 - part * 100}%`,
					y2: `${100 - part * 100}%`,
					stroke: 'currentColor',
					'stroke-width': '0.2'
				})
			),
			...this.labels
		);
		this.title = E('strong', {}, []);
		this.inbound = E('span', {}, []);
		this.outbound = E('span', {}, []);
		const key = ({ colour, dashes }) =>
			E('span', {
				'aria-hidden': 'true',
				style: `display:inline-block; width:1.6em; margin-right:.4em; vertical-align:middle; border-top:3px ${dashes ? 'dashed' : 'solid'} ${colour}`
			});
		this.node = E('div', {}, [
			E('p', {}, [this.title]),
			E('div', { style: 'border:1px solid currentColor; border-radius:3px; line-height:0; overflow:hidden' }, [
				this.figure
			]),
			E('p', { style: 'display:flex; flex-wrap:wrap; gap:.3em 2em; margin-top:.3em' }, [
				E('span', {}, [key(RX), _('Received:'), ' ', this.inbound]),
				E('span', {}, [key(TX), _('Sent:'), ' ', this.outbound]),
				E('span', { style: 'margin-left:auto; font-size:90%' }, [
					_('%d minutes').format(Math.round((points * seconds) / 60))
				])
			])
		]);
	},

	/* history: [{ rx, tx }] in octets a second, newest last. */
	update(title, history) {
		const top = ceiling(8 * Math.max(0, ...history.map(({ rx, tx }) => Math.max(rx, tx)))) / 8;
		this.rx.setAttribute(
			'points',
			outline(
				history.map(({ rx }) => rx),
				this.points,
				top
			)
		);
		this.tx.setAttribute(
			'points',
			outline(
				history.map(({ tx }) => tx),
				this.points,
				top
			)
		);
		this.labels.forEach((label, i) => (label.textContent = words.rate(LINES[i] * top)));
		const { rx, tx } = history.at(-1) ?? { rx: 0, tx: 0 };
		this.title.textContent = title;
		this.inbound.textContent = words.rate(rx);
		this.outbound.textContent = words.rate(tx);
		this.figure.setAttribute('aria-label', title);
	}
});

return baseclass.extend({ Graph, ceiling, outline });
