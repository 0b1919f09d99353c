'use strict';
'require baseclass';

/* A section of the stock client (proto pptp) as one of ours (proto pptpgw). */

const ENCRYPTION = ['require-mppe', 'require-mppe-128', 'require-mppe-40', 'nomppe', 'mppe-stateful', 'nomppe-stateful', 'nomppe-40', 'nomppe-56'];
const REFUSALS = { 'refuse-mschap-v2': 'mschap-v2', 'refuse-mschap': 'mschap', 'refuse-chap': 'chap', 'refuse-pap': 'pap' };
/* Options that pptpgw does not have: either it needs none, or it does it always. */
const GONE = ['pppd_options', 'keepalive_adaptive', 'demand', 'persist', 'connect', 'disconnect', 'unnumbered', 'reqprefix', 'norelease'];
/* Losing these changes what the owner sees. */
const MISSED = ['demand', 'connect', 'disconnect', 'unnumbered', 'reqprefix'];

/* The old word mppe with its own options, as a list or with commas: "mppe required,no40,no56,stateless". */
function oldMppe(words) {
	const at = words.indexOf('mppe');
	return at == -1 ? [] : words.slice(at + 1).join(',').split(',').filter((word) => word != '');
}

return baseclass.extend({
	/* { set, unset, missed, unknown }: the changes of the section, options that were lost, words nobody here knows. */
	converted(section) {
		const words = String(section.pppd_options ?? '').split(/\s+/).filter((word) => word != '');
		const old = oldMppe(words);
		const has = (word) => words.includes(word);
		const set = { proto: 'pptpgw' };

		if (has('nomppe')) set.mppe = 'off';
		else if (old.includes('optional')) set.mppe = 'optional';
		const only40 = has('require-mppe-40') || (old.includes('no128') && !old.includes('no40'));
		if (only40) set.mppe_strength = ['40'];
		if (has('mppe-stateful') || old.includes('stateful')) set.mppe_stateful = '1';

		/* The stock client tried every method that was not refused; ours must be named. */
		if (has('refuse-mschap-v2')) set.auth = Object.entries(REFUSALS).filter(([word]) => !has(word)).map(([, method]) => method);

		const known = new Set([...ENCRYPTION, ...Object.keys(REFUSALS), 'refuse-eap', 'noauth', 'nobsdcomp', 'nodeflate', 'novj', 'noipdefault', 'debug', 'mppe', ...old]);
		return {
			set,
			unset: GONE.filter((option) => section[option] != null),
			missed: MISSED.filter((option) => section[option] != null && section[option] != '0'),
			unknown: words.filter((word) => !known.has(word) && !old.some((piece) => word.split(',').includes(piece)))
		};
	}
});
