'use strict';
'require baseclass';
'require pptp-gateway.causes as causes';

/* States and figures in words, the same on every page. */

const colours = {
	good: 'var(--success-color-medium, #009a4c)',
	busy: 'var(--warn-color-high, #d09000)',
	bad: 'var(--error-color-medium, #e8210d)',
	off: 'var(--text-color-low, #888)'
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

/* A figure and its unit stay on one line. */
const together = (text) => text.replaceAll(' ', '\u00a0');

return baseclass.extend({
	/* A coloured dot and a word. */
	state(name) {
		const { colour, word } = states[name] ?? { colour: 'off', word: String(name) };
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
		return states[name]?.word ?? String(name);
	},

	/* The state of a server; a daemon that does not tell listens. */
	serverState({ state }) {
		return state == null ? 'listening' : state == 'waiting' ? 'pending' : state;
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
