'use strict';
'require baseclass';
'require pptp-gateway.chart-colours as colours';
'require pptp-gateway.words as words';

/* Traffic over time: two areas, one of them with a broken outline, in colours that can be told apart on white and on black. */

const HEIGHT = 160;
const LINES = [0.25, 0.5, 0.75];

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
			colours.svg('polyline', {
				points: '',
				fill: colour,
				'fill-opacity': '0.3',
				stroke: colour,
				'stroke-width': '1.5',
				'stroke-dasharray': dashes,
				'vector-effect': 'non-scaling-stroke'
			});
		this.rx = area(colours.RX);
		this.tx = area(colours.TX);
		this.labels = LINES.map((part) =>
			colours.svg('text', { x: '8', y: `${100 - part * 100 - 1}%`, fill: 'currentColor', 'font-size': '12' })
		);
		this.figure = colours.svg(
			'svg',
			{ width: '100%', height: HEIGHT, role: 'img' },
			colours.svg(
				'svg',
				{ width: '100%', height: '100%', viewBox: `0 0 ${points - 1} 100`, preserveAspectRatio: 'none' },
				this.rx,
				this.tx
			),
			...LINES.map((part) =>
				colours.svg('line', {
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
		this.node = E('div', {}, [
			E('p', {}, [this.title]),
			E('div', { style: 'border:1px solid currentColor; border-radius:3px; line-height:0; overflow:hidden' }, [
				this.figure
			]),
			E('p', { style: 'display:flex; flex-wrap:wrap; gap:.3em 2em; margin-top:.3em' }, [
				E('span', {}, [colours.sample(colours.RX), _('Received:'), ' ', this.inbound]),
				E('span', {}, [colours.sample(colours.TX), _('Sent:'), ' ', this.outbound]),
				E('span', { style: 'margin-left:auto; font-size:90%' }, [
					_('%d minutes').format(Math.round((points * seconds) / 60))
				])
			])
		]);
	},

	/* history: [{ rx, tx }] in octets a second, newest last. */
	update(title, history) {
		const top = colours.ceiling(8 * Math.max(0, ...history.map(({ rx, tx }) => Math.max(rx, tx)))) / 8;
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

return baseclass.extend({ Graph, outline });
