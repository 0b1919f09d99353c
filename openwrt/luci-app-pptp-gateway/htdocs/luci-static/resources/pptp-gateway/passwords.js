'use strict';
'require baseclass';

/* Without characters that look alike: 0 O, 1 l I. */
const ALPHABET = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const LENGTH = 16; /* 93 bits: more than MS-CHAPv2 is worth */

return baseclass.extend({
	ALPHABET,
	LENGTH,

	/* Every character is as likely as any other: random octets beyond the last whole multiple are thrown away. */
	generate(random = (octets) => crypto.getRandomValues(octets)) {
		const limit = 256 - (256 % ALPHABET.length);
		let password = '';
		while (password.length < LENGTH)
			for (const octet of random(new Uint8Array(LENGTH)))
				if (octet < limit && password.length < LENGTH) password += ALPHABET[octet % ALPHABET.length];
		return password;
	}
});
