'use strict';
'require baseclass';
'require pptp-gateway.causes as causes';
'require pptp-gateway.words as words';

/*
 * Lines of the daemon's log (src/daemon/reports/log.ts) as sentences in the user's language. Those lines are made for grep and
 * fail2ban: fixed words, codes, octets. What is not known here is shown as it is.
 */

const NAME = '("(?:[^"\\\\]|\\\\.)*")'; /* what a peer chose, as JSON */
const CAUSE = '([A-Z][A-Z0-9_]+) "(.*)"';
const TRAFFIC = 'rx (\\d+) octets \\d+ packets tx (\\d+) octets \\d+ packets';

function because(code, text) {
	const detail = /^.*?[.?] \((.*)\)$/s.exec(text)?.[1];
	return causes.describe({ code, text, detail });
}

const traffic = (rx, tx) => _('Received %s, sent %s.').format(words.octets(Number(rx)), words.octets(Number(tx)));

/* Users as they call themselves. */
const user = (quoted) => words.shortened(JSON.parse(quoted));

function seconds(text) {
	return text == null ? '' : _('Next attempt in %d s.').format(Math.max(1, Math.round(Number(text))));
}

const endings = { expired: _('its time is over'), lifted: _('it was unbanned'), displaced: _('others took its place') };

const sentences = [
	[
		`^server (\\S+) session \\d+ user ${NAME} peer (\\S+): up local \\S+ address (\\S+)(?: routes (\\S+))? auth (\\S+) mppe (\\S+)`,
		(server, name, peer, address, routes, auth, mppe) => [
			_('%s has connected to the server %s from %s, and has the address %s.').format(user(name), server, peer, address),
			routes == null ? '' : _('Networks behind: %s.').format(routes.replaceAll(',', ', ')),
			secured(auth, mppe)
		]
	],
	[
		`^link (\\S+) session \\d+ user ${NAME} peer (\\S+): up local (\\S+) address \\S+(?: routes (\\S+))? auth (\\S+) mppe (\\S+)`,
		(link, name, peer, address, routes, auth, mppe) => [
			_('The link %s has connected to %s as %s, and has the address %s.').format(link, peer, user(name), address),
			routes == null ? '' : _('Networks behind: %s.').format(routes.replaceAll(',', ', ')),
			secured(auth, mppe)
		]
	],
	[
		`^server (\\S+) session \\d+ user ${NAME} peer (\\S+): down ${CAUSE} ${TRAFFIC}`,
		(server, name, peer, code, text, rx, tx) => [
			_('%s from %s is no longer connected to the server %s.').format(user(name), peer, server),
			because(code, text),
			traffic(rx, tx)
		]
	],
	[
		`^link (\\S+) session \\d+ user ${NAME} peer (\\S+): down ${CAUSE} ${TRAFFIC}`,
		(link, name, peer, code, text, rx, tx) => [
			_('The link %s is no longer connected to %s.').format(link, peer),
			because(code, text),
			traffic(rx, tx)
		]
	],
	[
		`^server (\\S+) caller (\\S+): refused ${CAUSE}$`,
		(server, peer, code, text) => [
			_('The server %s has turned a caller from %s away.').format(server, peer),
			because(code, text)
		]
	],
	[
		`^server (\\S+) caller (\\S+) user ${NAME}: login failed ${CAUSE}$`,
		(server, peer, name, code, text) => [
			_('%s from %s could not log in to the server %s.').format(user(name), peer, server),
			because(code, text)
		]
	],
	[
		`^server (\\S+) caller (\\S+): banned for (\\d+) s after (\\d+) failed logins, the last as user ${NAME}$`,
		(server, peer, time, tries, name) => [
			_('The server %s has locked %s out, for %s, after %d failed logins, the last one as %s.').format(
				server,
				peer,
				words.duration(Number(time)),
				tries,
				user(name)
			)
		]
	],
	[
		'^server (\\S+) caller (\\S+): no longer banned \\((expired|lifted|displaced)\\)$',
		(server, peer, why) => [_('%s is no longer locked out by the server %s: %s.').format(peer, server, endings[why])]
	],
	[
		`^link (\\S+): ([a-z]+)(?: ${CAUSE})?(?: next attempt in (\\S+) s)?$`,
		(link, state, code, text, retry) => [
			_('Link %s: %s.').format(link, words.stateWord(state)),
			code == null ? '' : because(code, text),
			seconds(retry)
		]
	],
	[
		`^server (\\S+)(?: user ${NAME})?: ${CAUSE}$`,
		(server, name, code, text) => [
			name == null ? _('Server %s:').format(server) : _('Server %s, %s:').format(server, user(name)),
			because(code, text)
		]
	],
	[
		`^relay (\\S+) call \\d+ client (\\S+) server (\\S+) ids \\d+ \\d+: up$`,
		(relay, client, server) => [_('%s calls the server %s through the passthrough %s.').format(client, server, relay)]
	],
	[
		`^relay (\\S+) call \\d+ client (\\S+) server (\\S+) ids \\d+ \\d+: down ${CAUSE}(?: ${TRAFFIC})?$`,
		(relay, client, server, code, text, rx, tx) => [
			_('The call of %s to the server %s through the passthrough %s has ended.').format(client, server, relay),
			because(code, text),
			rx == null ? '' : traffic(rx, tx)
		]
	],
	[
		`^relay (\\S+) client (\\S+)(?: server (\\S+))?: refused ${CAUSE}$`,
		(relay, client, server, code, text) => [
			server == null
				? _('The passthrough %s has turned %s away.').format(relay, client)
				: _('The passthrough %s has turned %s away, who called %s.').format(relay, client, server),
			because(code, text)
		]
	],
	[
		`^relay (\\S+): not working: ${CAUSE}$`,
		(relay, code, text) => [_('The passthrough %s does not work.').format(relay), because(code, text)]
	],
	[
		'^relay (\\S+): (?:outbound|inbound) from (.+) to (.+), backend (ebpf|relay|helper) ',
		(relay, from, to, backend) => [
			_('The passthrough %s works, from %s to %s.').format(relay, from, to),
			_('Done by: %s.').format(words.backend(backend))
		]
	],
	[
		'^server (\\S+): listening on port (\\d+) of (all networks|.+), (\\S+) on (\\S+)$',
		(server, port, networks, address) => [
			networks == 'all networks'
				? _('The server %s is ready for callers, on port %d of all networks.').format(server, port)
				: _('The server %s is ready for callers, on port %d of %s.').format(server, port, networks),
			_('Its own address is %s.').format(address)
		]
	],
	['^pptp-gateway (\\S+) is running$', (version) => [_('The service runs, version %s.').format(version)]],
	['^ubus: connected to ', () => [_('The service is on the bus of the system.')]],
	['^stopping$', () => [_('The service is stopping.')]],
	['^configuration read again$', () => [_('The settings were read again.')]]
].map(([pattern, parts]) => [new RegExp(pattern, 's'), parts]);

function secured(auth, mppe) {
	const methods = { 'mschap-v2': 'MS-CHAPv2', mschap: 'MS-CHAP' };
	return _('Login by %s, encryption: %s.').format(methods[auth] ?? auth.toUpperCase(), words.encryption({ mppe }));
}

return baseclass.extend({
	/* text: of a line */
	of(text) {
		for (const [pattern, parts] of sentences) {
			const match = pattern.exec(text);
			if (match)
				return parts(...match.slice(1))
					.filter((part) => part != '')
					.join(' ');
		}
		return text;
	}
});
