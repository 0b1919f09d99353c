'use strict';
'require baseclass';

/* Octets per second from counters that are read again and again, with a bounded history for graphs. */
const POINTS = 120;

const Rates = baseclass.extend({
	__init__() {
		this.before = new Map();
		this.histories = new Map();
		this.time = null;
	},

	/* counters: [{ id, rx_bytes, tx_bytes }]; time in milliseconds of any steady clock. */
	update(counters, time) {
		const seconds = this.time == null ? 0 : (time - this.time) / 1000;
		if (this.time != null && seconds <= 0) return;
		const seen = new Map();
		let rx = 0;
		let tx = 0;
		for (const { id, rx_bytes, tx_bytes } of counters) {
			seen.set(id, { rx_bytes, tx_bytes });
			const last = this.before.get(id);
			const rate = {
				rx: last && seconds ? Math.max(0, rx_bytes - last.rx_bytes) / seconds : 0,
				tx: last && seconds ? Math.max(0, tx_bytes - last.tx_bytes) / seconds : 0
			};
			rx += rate.rx;
			tx += rate.tx;
			this.note(id, rate);
		}
		this.note('all', { rx, tx });
		for (const id of this.histories.keys()) if (id != 'all' && !seen.has(id)) this.histories.delete(id);
		this.before = seen;
		this.time = time;
	},

	/* private */
	note(id, rate) {
		const history = this.histories.get(id) ?? [];
		history.push(rate);
		if (history.length > POINTS) history.shift();
		this.histories.set(id, history);
	},

	/* Newest last; id 'all' is the sum. */
	history(id) {
		return this.histories.get(id) ?? [];
	},

	current(id) {
		return this.history(id).at(-1) ?? { rx: 0, tx: 0 };
	}
});

return baseclass.extend({ Rates, POINTS });
