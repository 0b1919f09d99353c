'use strict';
'require baseclass';
'require pptp-gateway.causes as causes';

/* States and figures in words, the same on every page. */

const colours = {
	good: 'var(--success-color-medium, #009a4c)',
	busy: 'var(--warn-color-high, #d09000)',
	bad: 'var(--error-color-medium, #e8210d)',
	off: 'var(--text-color-medium, #888)'
};

const states = {
	up: { colour: 'good', word: _('connected') },
	demand: { colour: 'off', word: _('waiting for traffic') },
	connecting: { colour: 'busy', word: _('connecting') },
	waiting: { colour: 'bad', word: _('not connected, will try again') },
	blocked: { colour: 'bad', word: _('stopped after a failure') },
	stopping: { colour: 'busy', word: _('disconnecting') },
	down: { colour: 'off', word: _('off') },
	disabled: { colour: 'off', word: _('disabled') },
	listening: { colour: 'good', word: _('ready for callers') },
	failed: { colour: 'bad', word: _('does not work') },
	pending: { colour: 'busy', word: _('waiting for the network') }
};

const backends = {
	ebpf: _('relay of pptp-gateway, with a shortcut past the firewall'),
	relay: _('relay of pptp-gateway'),
	helper: _("the kernel's helper"),
	none: _('none')
};

/* Why a passthrough is done so (src/daemon/relays/backend-choice.ts); what is new there is shown as it is. */
const reasons = {
	'chosen by option backend': _('as the settings say'),
	'the kernel has what it needs': _('it serves any number of clients, and the kernel has what it needs')
};

/* A figure and its unit stay on one line. */
const together = (text) => text.replaceAll(' ', '\u00a0');

return baseclass.extend({
	/* { colour, word } of a state's name. */
	known(name) {
		return states[name] ?? { colour: 'off', word: String(name) };
	},

	/* A coloured dot and a word. */
	state(name) {
		const { colour, word } = this.known(name);
		return this.dot(colour, word);
	},

	dot(colour, word) {
		return E('span', { style: 'white-space:nowrap' }, [
			E('span', { style: `color:${colours[colour]}`, 'aria-hidden': 'true' }, ['\u25cf']),
			' ',
			word
		]);
	},

	stateWord(name) {
		return this.known(name).word;
	},

	/* The state of a server; a daemon that does not tell listens. */
	serverState({ state }) {
		return state == null ? 'listening' : state == 'waiting' ? 'pending' : state;
	},

	backends,

	backend(name) {
		return backends[name] ?? name ?? '';
	},

	/* The state of a passthrough, with how many use it: { colour, word }. Of one that is only saved, state is missing. */
	relayState({ state, clients }) {
		if (state == null) return { colour: 'busy', word: _('not in force') };
		if (state != 'up') return this.known(state);
		const word =
			clients == 0
				? _('working: nobody uses it')
				: clients == 1
					? _('working: 1 caller')
					: _('working: %d callers').format(clients);
		return { colour: 'good', word };
	},

	/* Why it is done as it is, or why it is not. */
	relayReason({ cause, reason, backend }) {
		if (cause != null) return `${causes.describe(cause)} ${causes.remedy(cause)}`.trim();
		const why = reasons[reason] ?? reason ?? '';
		return backend == 'none' || backend == null ? why : `${this.backend(backend)}: ${why}`;
	},

	/* How a RADIUS server is that decides on logins: { colour, word }. */
	radiusState({ state, distrusted }) {
		if (distrusted) return { colour: 'bad', word: _('its answers are not to be trusted: is the secret right?') };
		if (state == 'alive') return { colour: 'good', word: _('answers') };
		return state == 'dead'
			? { colour: 'bad', word: _('does not answer') }
			: { colour: 'off', word: _('not asked yet') };
	},

	radiusDetails({ heard, round_trip, waiting }) {
		return [
			heard == null ? '' : _('Heard %s ago.').format(this.duration(heard)),
			round_trip == null ? '' : _('It takes %d ms to answer.').format(round_trip),
			waiting ? _('Requests waiting: %d.').format(waiting) : ''
		]
			.filter((text) => text != '')
			.join(' ');
	},

	/* Why a link or a server is in its state, and what comes next. netifd can start nothing whose protocol it does not know. */
	reason({ cause, retry_in, state }, isProtocolMissing = false) {
		if (isProtocolMissing && ['waiting', 'down'].includes(state))
			return _('Networking does not know PPTP yet: see above.');
		const parts = cause == null ? [] : [causes.describe(cause), causes.remedy(cause)];
		if (retry_in != null) parts.push(_('Next attempt in %d s.').format(retry_in));
		return parts.filter((part) => part != '').join(' ');
	},

	encryption({ mppe }) {
		return mppe == 'none' || !mppe ? _('none') : String(mppe).replace(/^mppe-(\d+)/, 'MPPE $1');
	},

	/* Lost packets among those the peer sent. */
	loss({ lost, rx_packets }) {
		const all = lost + rx_packets;
		return all == 0 ? 0 : (100 * lost) / all;
	},

	/* Both directions; a narrow cell breaks between them. */
	rates({ rx, tx }) {
		return `\u2193\u00a0${this.rate(rx)} \u2191\u00a0${this.rate(tx)}`;
	},

	/* What a session may have at most, kbit/s, up and down as the caller sees it; nothing where there is no limit. */
	limits({ rate_up, rate_down }) {
		const limit = (arrow, kbits) => (kbits ? [`${arrow}\u00a0${together('%1000.1mbit/s'.format(kbits * 1000))}`] : []);
		const parts = [...limit('\u2193', rate_up), ...limit('\u2191', rate_down)];
		return parts.length ? ` (\u2264 ${parts.join(' ')})` : '';
	},

	/* Whose session it is, and whether the users of this router have let it in. */
	user({ username, account }) {
		const name = this.shortened(username);
		return account == 'radius' ? _('%s (by RADIUS)').format(name) : name;
	},

	/* A name that a stranger chose must not make a column as wide as the page. */
	shortened(text) {
		const characters = Array.from(text);
		return characters.length <= 40 ? text : `${characters.slice(0, 39).join('')}\u2026`;
	},

	octets(value) {
		return together('%1024.1mB'.format(value));
	},

	rate(perSecond) {
		return together('%1000.1mbit/s'.format(Math.round(perSecond * 8)));
	},

	duration(seconds) {
		return together('%t'.format(seconds));
	},

	moment(seconds) {
		return new Date(seconds * 1000).toLocaleString();
	},

	/* For the few places where LuCI takes a text as markup: titles of dialogs. */
	escaped(text) {
		return '%h'.format(text);
	},

	/* Two sentences that belong wherever a PPTP server is set up or watched. */
	notice() {
		return E('div', { class: 'alert-message notice' }, [
			_(
				"PPTP's encryption can be broken by a determined attacker. Use it for what cannot do better, and consider WireGuard."
			)
		]);
	},

	warning(text, ...more) {
		return E('div', { class: 'alert-message warning' }, [E('p', {}, [text]), ...more]);
	}
});
