'use strict';
'require baseclass';
'require pptp-gateway.words as words';

/* What users and links have moved, as ubus usage has it: only days and months with traffic, which are filled up here. */

const DAYS = 31;
const MONTHS = 12;

const none = { rx_bytes: 0, tx_bytes: 0 };
const pad = (number) => String(number).padStart(2, '0');

/* The last days, oldest first; today: 2026-11-30 */
function lastDays(today) {
	const end = Date.parse(`${today}T00:00:00Z`);
	return Array.from({ length: DAYS }, (each, i) =>
		new Date(end - (DAYS - 1 - i) * 86400000).toISOString().slice(0, 10)
	);
}

/* month: 2026-11 */
function lastMonths(month) {
	const [year, number] = month.split('-').map(Number);
	return Array.from({ length: MONTHS }, (each, i) => {
		const index = year * 12 + number - 1 - (MONTHS - 1 - i);
		return `${Math.floor(index / 12)}-${pad((index % 12) + 1)}`;
	});
}

function filled(names, list, key) {
	const found = new Map((list ?? []).map((entry) => [entry[key], entry]));
	return names.map((name) => ({ name, ...none, ...found.get(name) }));
}

function added(lists) {
	const sums = new Map();
	for (const { name, rx_bytes, tx_bytes } of lists.flat()) {
		const sum = sums.get(name) ?? { name, ...none };
		sums.set(name, { name, rx_bytes: sum.rx_bytes + rx_bytes, tx_bytes: sum.tx_bytes + tx_bytes });
	}
	return [...sums.values()];
}

const both = ({ rx_bytes, tx_bytes } = none) => rx_bytes + tx_bytes;

return baseclass.extend({
	both,

	/* answer: of ubus usage. { name, kind, days, months, today, month, total, quota } for each user and link. */
	entries({ today, month, users, links }) {
		const dayNames = lastDays(today);
		const monthNames = lastMonths(month);
		const entry = (kind, name, { days, months, total, quota }) => {
			const ofDays = filled(dayNames, days, 'day');
			const ofMonths = filled(monthNames, months, 'month');
			return {
				key: `${kind} ${name}`,
				kind,
				name,
				days: ofDays,
				months: ofMonths,
				today: both(ofDays.at(-1)),
				month: both(ofMonths.at(-1)),
				total: both(total),
				quota
			};
		};
		return [
			...(users ?? []).map((user) => entry('user', user.username, user)),
			...(links ?? []).map((link) => entry('link', link.link, link))
		];
	},

	/* All of them together. */
	sum(entries) {
		return {
			days: added(entries.map(({ days }) => days)),
			months: added(entries.map(({ months }) => months))
		};
	},

	/* What there is of a quota, and what follows when it is used up; '' without one. */
	quota(quota) {
		if (quota == null) return '';
		const text = _('%s of %s until %s').format(words.octets(quota.used_bytes), words.octets(quota.bytes), quota.until);
		if (!quota.used_up) return text;
		const then = {
			deny: _('used up: refused until then'),
			slow: _('used up: slow until then'),
			notify: _('used up')
		};
		return `${text}, ${then[quota.action] ?? quota.action}`;
	}
});
