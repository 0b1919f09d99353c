'use strict';
'require baseclass';

/* A section of the stock client (proto pptp) as one of ours (proto pptpgw): all its options mean the same, only defaults differ. */

const DEFAULTS = { keepalive: '5 1', ipv6: 'auto' };

return baseclass.extend({
	DEFAULTS,

	/* The changes of the section. maxfail of pppd ends one attempt, ours would end all of them. */
	converted(section) {
		const set = { proto: 'pptpgw' };
		for (const [option, value] of Object.entries(DEFAULTS)) if (section[option] == null) set[option] = value;
		return { set, unset: section.maxfail == null ? [] : ['maxfail'] };
	}
});
