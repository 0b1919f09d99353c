'use strict';
'require baseclass';
'require pptp-gateway.networks6 as networks6';
'require pptp-gateway.set-names as setNames';

/* Users as data: the file for export and import, and what the old pptpd knew. */

const FORMAT = 'pptp-gateway users';
const LISTS = ['server', 'route', 'ip6route', 'client_route', 'domain', 'auth', 'hours', 'group'];
const WORDS = [
	'enabled',
	'username',
	'password',
	'nthash',
	'ipaddr',
	'ip6prefix',
	'max_sessions',
	'mppe',
	'note',
	'rate_up',
	'rate_down',
	'rate_burst',
	'quota_month',
	'quota_action',
	'quota_day',
	'must_change',
	'expires'
];
const RATE = /^\d{1,8}$/;
const DAY = '(?:sun|mon|tue|wed|thu|fri|sat)';
const TIME = '(?:[01]?\\d|2[0-3]):[0-5]\\d-(?:(?:[01]?\\d|2[0-3]):[0-5]\\d|24:00)';
/* Mon-Fri 08:00-18:00, Sat 09:00-13:00: days count for the times after them. */
const HOURS = new RegExp(`^(?:(?:${DAY}(?:-${DAY})?[\\s,;]+)*${TIME}(?:[\\s,;]+|$))+$`, 'i');
const ADDRESS = /^\d{1,3}(\.\d{1,3}){3}$/;
const NETWORK = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
/* No quotes, escapes, comments, and no name of a file: pppd reads it as it stands. */
const PLAIN = /^(?!@\/)[!$%&(-[\]-~]+$/;

/* Texts are limited in octets. */
function octets(most, form) {
	return { test: (value) => form.test(value) && new Blob([value]).size <= most };
}

/* What each option may be; the daemon has the last word. */
const rules = {
	enabled: /^[01]$/,
	username: octets(128, /^[^\u0000-\u001f\u007f]+$/),
	password: octets(255, /^[^\u0000]+$/),
	nthash: /^[0-9a-fA-F]{32}$/,
	server: /^[A-Za-z0-9_]{1,64}$/,
	ipaddr: ADDRESS,
	route: NETWORK,
	ip6prefix: { test: (value) => networks6.isNetwork(value, 64, 64) },
	ip6route: { test: (value) => networks6.isNetwork(value, 16, 64) },
	client_route: NETWORK,
	domain: /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
	max_sessions: /^[1-9]\d{0,3}$/,
	mppe: /^(?:required|optional|off)$/,
	auth: /^(?:mschap-v2|eap|mschap|chap|pap)$/,
	hours: { test: (value) => value.length <= 200 && HOURS.test(value) && !/\b0?(\d+:\d\d)-0?\1\b/.test(value) },
	group: setNames.NAME,
	note: octets(256, /^[^\u0000-\u001f\u007f]+$/),
	rate_up: RATE,
	rate_down: RATE,
	rate_burst: /^[1-9]\d{1,4}$/,
	quota_month: /^\d{1,10}$/,
	quota_action: /^(deny|notify|slow[ ,]+\d{1,8})$/,
	quota_day: /^([1-9]|[12]\d|3[01])$/,
	must_change: /^[01]$/,
	expires: { test: isDay }
};

/* A day there is: Date.parse takes 2027-02-31 for 3 March. */
function isDay(text) {
	const start = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
	return !Number.isNaN(start) && new Date(start).toISOString().startsWith(text);
}

/* Only what we know, only text; undefined: the name is missing or something has the wrong form. */
function clean(entry) {
	const user = {};
	for (const option of WORDS) {
		if (entry[option] == null || entry[option] === '') continue;
		const value = String(entry[option]);
		if (!rules[option].test(value)) return undefined;
		user[option] = value;
	}
	for (const option of LISTS) {
		const values = L.toArray(entry[option]).map(String);
		if (values.some((value) => !rules[option].test(value))) return undefined;
		if (values.length) user[option] = values;
	}
	return user.username == null || (user.password == null && user.nthash == null) ? undefined : user;
}

return baseclass.extend({
	options: [...WORDS, ...LISTS],
	rules,
	isDay,

	/* A file that contains passwords. */
	exported(sections) {
		const users = sections.map((section) => {
			const user = {};
			for (const option of [...WORDS, ...LISTS]) if (section[option] != null) user[option] = section[option];
			return user;
		});
		return `${JSON.stringify({ format: FORMAT, version: 1, users }, null, 2)}\n`;
	},

	/* { users, refused }: refused counts entries that make no sense. Throws when it is no such file at all. */
	imported(text) {
		let file;
		try {
			file = JSON.parse(text);
		} catch {
			file = null;
		}
		if (file?.format != FORMAT || !Array.isArray(file.users))
			throw new Error(_('This is not a file of users that was exported here.'));
		const cleaned = file.users.map((entry) => (entry != null && typeof entry == 'object' ? clean(entry) : undefined));
		const users = cleaned.filter((user) => user !== undefined);
		return { users, refused: cleaned.length - users.length };
	},

	/*
	 * The logins of /etc/config/pptpd. Its remoteip is a fixed address where it is one address. What pppd reads in another
	 * way than it stands there is left out: the import of the program (pptp-gateway import pptpd) knows how.
	 */
	fromPptpd(logins) {
		const cleaned = logins.map(({ username, password, remoteip }) => {
			const ipaddr = remoteip == '*' ? '' : (remoteip ?? '');
			const known = username != '*' && [username, password].every((text) => PLAIN.test(text ?? ''));
			return known && (ipaddr == '' || ADDRESS.test(ipaddr)) ? clean({ username, password, ipaddr }) : undefined;
		});
		const users = cleaned.filter((user) => user !== undefined);
		return { users, refused: cleaned.length - users.length };
	},

	/* Users whose name is not there yet: an import never changes a user. */
	without(users, existing) {
		const taken = new Set(existing.map(({ username }) => username));
		return users.filter(({ username }) => !taken.has(username) && taken.add(username));
	}
});
