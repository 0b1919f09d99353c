'use strict';
'require baseclass';

/*
 * Our lines of the system log: "pptp[77]: server home session 3 user "anna" peer 203.0.113.9: up …", whose level is their
 * priority; while the system's log was away, from our standard error, "pptp-gateway[77]: pptp info: server home …".
 */
const LINE = /(?:^|\s)pptp(?:\[\d+\]|-gateway\[\d+\]: pptp (error|warning|info|debug)): (.*)$/;
/* logread has the priority as "daemon.info". */
const PRIORITY = /\sdaemon\.(\w+)\s/;
const LEVELS = ['error', 'warning', 'info', 'debug'];
const SEVERITIES = ['error', 'error', 'error', 'error', 'warning', 'info', 'info', 'debug'];
const NAMES = { err: 'error', error: 'error', warn: 'warning', warning: 'warning', debug: 'debug' };

function levelOf({ priority, msg }) {
	if (priority != null) return SEVERITIES[priority & 7];
	return NAMES[PRIORITY.exec(msg)?.[1]] ?? 'info';
}

return baseclass.extend({
	LEVELS,

	/* An entry of ubus log read ({ msg, priority, time, … }), or a line of logread; null where it is not ours. */
	parse(entry) {
		const match = LINE.exec(entry.msg ?? '');
		if (!match) return null;
		const [, told, text] = match;
		/* What peers choose stands in quotes: nothing in it counts as a name or a number of ours. */
		const ours = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
		const session = ours.match(/\bsession (\d+)\b/);
		const subject = ours.match(/^(server|link|relay) (\S+?):? /);
		return {
			time: entry.time ?? null,
			level: told ?? levelOf(entry),
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
