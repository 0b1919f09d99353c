'use strict';
'require baseclass';

const IFNAMSIZ = 16;

/* FNV-1a, 32 bits: the daemon shortens long names the same way. */
function fnv1a(text) {
	let hash = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return hash;
}

return baseclass.extend({
	/* The device of an interface, also while it is down. */
	of(prefix, interfaceName) {
		const name = prefix + interfaceName;
		if (name.length < IFNAMSIZ) return name;
		const hash = (fnv1a(interfaceName) & 0xffff).toString(16).padStart(4, '0');
		return name.slice(0, IFNAMSIZ - 1 - hash.length) + hash;
	}
});
