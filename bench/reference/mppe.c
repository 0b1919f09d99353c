/* RC4, SHA-1 and the key chain of MPPE-128, plain and pipelined. */
#include "mppe.h"
#include <string.h>

typedef uint8_t word; /* of the RC4 state; 32 bits are no faster */

static void schedule(word *restrict s, const uint8_t *restrict key)
{
	for (unsigned i = 0; i < 256; i++) s[i] = i;
	for (unsigned i = 0, j = 0; i < 256; i++) {
		word t = s[i];
		j = (j + t + key[i & 15]) & 255;
		s[i] = s[j];
		s[j] = t;
	}
}

static void schedule_two(word *restrict s, const uint8_t *restrict key_s, word *restrict z, const uint8_t *restrict key_z)
{
	for (unsigned i = 0; i < 256; i++) s[i] = z[i] = i;
	for (unsigned i = 0, j = 0, k = 0; i < 256; i++) {
		word t = s[i], u = z[i];
		j = (j + t + key_s[i & 15]) & 255;
		k = (k + u + key_z[i & 15]) & 255;
		s[i] = s[j];
		z[i] = z[k];
		s[j] = t;
		z[k] = u;
	}
}

struct stream {
	unsigned i, j;
};

static void apply(word *restrict s, struct stream *at, uint8_t *restrict data, size_t length)
{
	unsigned i = at->i, j = at->j;
	for (size_t n = 0; n < length; n++) {
		i = (i + 1) & 255;
		word t = s[i];
		j = (j + t) & 255;
		word u = s[j];
		s[i] = u;
		s[j] = t;
		data[n] ^= (uint8_t)s[(t + u) & 255];
	}
	at->i = i;
	at->j = j;
}

static void apply_two(word *restrict s, const struct piece *a, word *restrict z, const struct piece *b)
{
	size_t both = a->length < b->length ? a->length : b->length;
	uint8_t *restrict x = a->at, *restrict y = b->at;
	unsigned i = 0, j = 0, k = 0;
	for (size_t n = 0; n < both; n++) {
		i = (i + 1) & 255;
		word t = s[i], v = z[i];
		j = (j + t) & 255;
		k = (k + v) & 255;
		word u = s[j], w = z[k];
		s[i] = u;
		z[i] = w;
		s[j] = t;
		z[k] = v;
		x[n] ^= (uint8_t)s[(t + u) & 255];
		y[n] ^= (uint8_t)z[(v + w) & 255];
	}
	struct stream rest_a = {i, j}, rest_b = {i, k};
	apply(s, &rest_a, a->at + both, a->length - both);
	apply(z, &rest_b, b->at + both, b->length - both);
}

#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))

static void sha1_block(uint32_t h[5], const uint8_t *block)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 80; i++) w[i] = ROL(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
#define ROUNDS(from, to, f, k)                                         \
	for (int i = from; i < to; i++) {                              \
		uint32_t t = ROL(a, 5) + (f) + e + w[i] + k;           \
		e = d, d = c, c = ROL(b, 30), b = a, a = t;            \
	}
	ROUNDS(0, 20, (b & c) | (~b & d), 0x5a827999)
	ROUNDS(20, 40, b ^ c ^ d, 0x6ed9eba1)
	ROUNDS(40, 60, (b & c) | (b & d) | (c & d), 0x8f1bbcdc)
	ROUNDS(60, 80, b ^ c ^ d, 0xca62c1d6)
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

/* GetNewKeyFromSHA: SHA-1 of start key, 40 times 00, current key, 40 times F2. RFC 3079 §3.4 */
static void interim_key(const struct chain *chain, const uint8_t current[16], uint8_t interim[16])
{
	uint8_t text[128] = {0};
	memcpy(text, chain->start, 16);
	memcpy(text + 56, current, 16);
	memset(text + 72, 0xf2, 40);
	text[112] = 0x80;
	text[126] = 112 * 8 >> 8;
	text[127] = (112 * 8) & 255;
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	sha1_block(h, text);
	sha1_block(h, text + 64);
	for (int i = 0; i < 16; i++) interim[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i & 3)));
}

static void change(struct chain *chain)
{
	uint8_t interim[16];
	word s[256];
	struct stream at = {0, 0};
	interim_key(chain, chain->key, interim);
	schedule(s, interim);
	memcpy(chain->key, interim, 16);
	apply(s, &at, chain->key, 16);
	chain->count = (chain->count + 1) & 0xfff;
}

void chain_start(struct chain *chain, const uint8_t start_key[16])
{
	memcpy(chain->start, start_key, 16);
	interim_key(chain, start_key, chain->key); /* the initial session key is not encrypted */
	change(chain); /* stateless: also before the first packet */
	chain->count = 0;
}

void chain_skip(struct chain *chain, unsigned packets)
{
	while (packets-- > 0) change(chain);
}

void crypt_plain(struct chain *chain, const struct piece *pieces, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		word s[256];
		struct stream at = {0, 0};
		schedule(s, chain->key);
		apply(s, &at, pieces[n].at, pieces[n].length);
		change(chain);
	}
}

static void schedule_and_change(struct chain *chain, word s[256])
{
	uint8_t interim[16];
	word z[256];
	struct stream at = {0, 0};
	interim_key(chain, chain->key, interim);
	schedule_two(s, chain->key, z, interim);
	memcpy(chain->key, interim, 16);
	apply(z, &at, chain->key, 16);
	chain->count = (chain->count + 1) & 0xfff;
}

void crypt_pipelined(struct chain *chain, const struct piece *pieces, size_t count)
{
	word s[256], z[256];
	size_t n = 0;
	for (; n + 1 < count; n += 2) {
		schedule_and_change(chain, s);
		schedule_and_change(chain, z);
		apply_two(s, &pieces[n], z, &pieces[n + 1]);
	}
	if (n < count) {
		struct stream at = {0, 0};
		schedule_and_change(chain, s);
		apply(s, &at, pieces[n].at, pieces[n].length);
	}
}
