'use strict';
'require baseclass';

/* Our lines of the system log: "pptp-gateway[77]: pptp info: server home session 3 user "anna" peer 203.0.113.9: up …". */
const LINE = /\bpptp (error|warning|info|debug): (.*)$/;
/* The same with the level as the severity of syslog: "pptp[77]: server home …". */
const PLAIN = /^(?:\S+\.\S+ )?pptp(?:-gateway)?(?:\[\d+\])?: (.*)$/;
const LEVELS = ['error', 'warning', 'info', 'debug'];

/* syslog's severities 0 to 7 */
const SEVERITIES = ['error', 'error', 'error', 'error', 'warning', 'info', 'info', 'debug'];

function levelAndText({ msg, priority }) {
	const match = LINE.exec(msg ?? '');
	if (match) return match.slice(1);
	const plain = PLAIN.exec(msg ?? '');
	return plain && [SEVERITIES[(priority ?? 6) % 8], plain[1]];
}

return baseclass.extend({
	LEVELS,

	/* An entry of ubus log read ({ msg, time, … }), or a line of logread; null where it is not ours. */
	parse(entry) {
		const [level, text] = levelAndText(entry) ?? [];
		if (level == null) return null;
		/* What peers choose stands in quotes: nothing in it counts as a name or a number of ours. */
		const ours = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
		const session = ours.match(/\bsession (\d+)\b/);
		const subject = ours.match(/^(server|link|relay) (\S+?):? /);
		return {
			time: entry.time ?? null,
			level,
			text,
			session: session ? Number(session[1]) : null,
			name: subject ? subject[2] : null
		};
	},

	/* Newest first. level: the least grave one that is shown; about: the name of a server or link, or #session. */
	select(entries, { level, about }) {
		const grave = LEVELS.indexOf(level);
		return entries
			.map((entry) => this.parse(entry))
			.filter((line) => line != null && LEVELS.indexOf(line.level) <= grave)
			.filter(({ session, name }) => about == '' || about == name || about == `#${session}`)
			.reverse();
	},

	/* The filters that these lines offer. */
	subjects(entries) {
		const lines = entries.map((entry) => this.parse(entry)).filter((line) => line != null);
		const names = new Set(lines.map(({ name }) => name).filter((name) => name != null));
		const sessions = new Set(lines.map(({ session }) => session).filter((session) => session != null));
		return [...[...names].sort(), ...[...sessions].sort((a, b) => b - a).map((session) => `#${session}`)];
	}
});
