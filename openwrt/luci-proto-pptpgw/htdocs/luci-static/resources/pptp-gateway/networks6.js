'use strict';
'require baseclass';

/* IPv6 networks as text, of what is routed between hosts: global (2000::/3) and local (fc00::/7) addresses. */

const ROUTED = /^(?:[23][0-9a-f]{3}|f[cd][0-9a-f]{2}):/i;

return baseclass.extend({
	/* '2001:db8:5:100::/56': its length, or null. */
	lengthOf(text) {
		const [address, length, ...more] = String(text).split('/');
		const halves = address.split('::');
		const groups = halves.flatMap((half) => (half == '' ? [] : half.split(':')));
		const isWhole = halves.length == 2 ? groups.length <= 7 : halves.length == 1 && groups.length == 8;
		if (!isWhole || !groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
		const isLength = more.length == 0 && /^(?:0|[1-9]\d{0,2})$/.test(length ?? '') && Number(length) <= 128;
		return isLength && ROUTED.test(address) ? Number(length) : null;
	},

	/* Is it a network of so many bits at most? */
	isNetwork(text, least, most) {
		const length = this.lengthOf(text);
		return length != null && length >= least && length <= most;
	}
});
