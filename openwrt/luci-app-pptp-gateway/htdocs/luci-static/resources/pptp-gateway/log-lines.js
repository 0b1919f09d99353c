'use strict';
'require baseclass';

/* Lines of the daemon's log, { time, level, text }: what they are about, and which of them are shown. */
const LEVELS = ['error', 'warning', 'info', 'debug'];

return baseclass.extend({
	LEVELS,

	parse({ time, level, text }) {
		/* What peers choose stands in quotes: nothing in it counts as a name or a number of ours. */
		const ours = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
		const session = ours.match(/\bsession (\d+)\b/);
		const subject = ours.match(/^(server|link|relay) (\S+?):? /);
		return {
			time,
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
			.filter((line) => LEVELS.indexOf(line.level) <= grave)
			.filter(({ session, name }) => about == '' || about == name || about == `#${session}`)
			.reverse();
	},

	/* The filters that these lines offer. */
	subjects(entries) {
		const lines = entries.map((entry) => this.parse(entry));
		const names = new Set(lines.map(({ name }) => name).filter((name) => name != null));
		const sessions = new Set(lines.map(({ session }) => session).filter((session) => session != null));
		return [...[...names].sort(), ...[...sessions].sort((a, b) => b - a).map((session) => `#${session}`)];
	}
});
