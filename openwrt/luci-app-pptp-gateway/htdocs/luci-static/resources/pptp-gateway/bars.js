'use strict';
'require baseclass';
'require pptp-gateway.chart-colours as colours';
'require pptp-gateway.words as words';

/* Octets by day or month: a bar for each, what was received below and what was sent above. */

const HEIGHT = 140;
const LINES = [0.5, 1];

/* What fits a figure in octets: powers of 1024 times 1, 2, 5, 10 … */
function ceiling(peak) {
	let unit = 1;
	while (peak / unit >= 1000) unit *= 1024;
	return colours.ceiling(peak / unit) * unit;
}

const Bars = baseclass.extend({
	__init__(title) {
		this.title = title;
		this.drawing = E('div', { style: 'line-height:0' }, []);
		this.ends = E('div', { style: 'display:flex; justify-content:space-between; font-size:90%' }, []);
		this.node = E('div', { style: 'margin-bottom:1.5em' }, [
			E('p', {}, [E('strong', {}, [title])]),
			this.drawing,
			this.ends,
			E('p', { style: 'display:flex; flex-wrap:wrap; gap:.3em 2em; margin-top:.3em' }, [
				E('span', {}, [colours.sample({ ...colours.RX, dashes: '' }), _('Received')]),
				E('span', {}, [colours.sample({ ...colours.TX, dashes: '' }), _('Sent')])
			])
		]);
	},

	/* bars: [{ name, rx_bytes, tx_bytes }], oldest first */
	update(bars) {
		const top = ceiling(Math.max(1, ...bars.map(({ rx_bytes, tx_bytes }) => rx_bytes + tx_bytes)));
		const percent = (octets) => (100 * octets) / top;
		const width = 100 / bars.length;
		const bar = (x, from, octets, colour) =>
			colours.svg('rect', {
				x: `${x + width * 0.1}%`,
				width: `${width * 0.8}%`,
				y: `${100 - percent(from + octets)}%`,
				height: `${percent(octets)}%`,
				fill: colour
			});
		const groups = bars.map(({ name, rx_bytes, tx_bytes }, i) => {
			const text = `${name}: ${_('Received:')} ${words.octets(rx_bytes)}, ${_('Sent:')} ${words.octets(tx_bytes)}`;
			return colours.svg(
				'g',
				{},
				colours.svg('title', {}, text),
				/* So that the whole column tells its figures. */
				colours.svg('rect', { x: `${i * width}%`, width: `${width}%`, y: '0', height: '100%', fill: 'transparent' }),
				bar(i * width, 0, rx_bytes, colours.RX.colour),
				bar(i * width, rx_bytes, tx_bytes, colours.TX.colour)
			);
		});
		const lines = LINES.flatMap((part) => [
			colours.svg('line', {
				x1: '0',
				x2: '100%',
				y1: `${100 - part * 100}%`,
				y2: `${100 - part * 100}%`,
				stroke: 'currentColor',
				'stroke-width': '0.3'
			}),
			colours.svg(
				'text',
				{
					x: '4',
					y: `${100 - part * 100}%`,
					dy: '13',
					'font-size': '12',
					/* Also on a bar. */
					style:
						'fill:currentColor; stroke:var(--background-color-high, transparent); stroke-width:3px; paint-order:stroke'
				},
				words.octets(part * top)
			)
		]);
		this.drawing.replaceChildren(
			colours.svg(
				'svg',
				{
					width: '100%',
					height: HEIGHT,
					role: 'img',
					'aria-label': this.title,
					style: 'border-bottom:1px solid currentColor'
				},
				...groups,
				...lines
			)
		);
		this.ends.replaceChildren(E('span', {}, [bars[0]?.name ?? '']), E('span', {}, [bars.at(-1)?.name ?? '']));
	}
});

return baseclass.extend({ Bars, ceiling });
