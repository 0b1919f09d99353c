/* RC4, SHA-1 and the key chain of MPPE-128, plain and pipelined; and by our addon's C. */
#include "mppe.h"
#include "../../src/native/mppe.h"
#include <string.h>

typedef uint32_t word; /* of the RC4 state: README.md */

/* One step of the key set-up, for the entry x at i. */
static inline unsigned mix(word *restrict s, unsigned i, unsigned j, word x, unsigned key)
{
	j = (j + x + key) & 255;
	s[i] = s[j];
	s[j] = x;
	return j;
}

static void schedule(word *restrict s, const uint8_t *restrict key)
{
	for (unsigned i = 0; i < 256; i++) s[i] = i;
	unsigned j = 0;
#pragma GCC unroll 4
	for (unsigned i = 0; i < 256; i++) j = mix(s, i, j, s[i], key[i & 15]);
}

/*
 * Two, side by side. Four entries are read before any is exchanged, and again if an exchange changed them: or each would
 * wait for the exchange before it, since it might.
 */
static void schedule_two(word *restrict s, const uint8_t *restrict key_s, word *restrict z, const uint8_t *restrict key_z)
{
	for (unsigned i = 0; i < 256; i++) s[i] = z[i] = i;
	for (unsigned i = 0, j = 0, k = 0; i < 256; i += 4) {
		const uint8_t *a = key_s + (i & 15), *b = key_z + (i & 15);
		word x1 = s[i + 1], x2 = s[i + 2], x3 = s[i + 3];
		word y1 = z[i + 1], y2 = z[i + 2], y3 = z[i + 3];
		j = mix(s, i, j, s[i], a[0]);
		k = mix(z, i, k, z[i], b[0]);
		if (j - i - 1 < 3) x1 = s[i + 1], x2 = s[i + 2], x3 = s[i + 3];
		if (k - i - 1 < 3) y1 = z[i + 1], y2 = z[i + 2], y3 = z[i + 3];
		j = mix(s, i + 1, j, x1, a[1]);
		k = mix(z, i + 1, k, y1, b[1]);
		if (j - i - 2 < 2) x2 = s[i + 2], x3 = s[i + 3];
		if (k - i - 2 < 2) y2 = z[i + 2], y3 = z[i + 3];
		j = mix(s, i + 2, j, x2, a[2]);
		k = mix(z, i + 2, k, y2, b[2]);
		if (j == i + 3) x3 = s[i + 3];
		if (k == i + 3) y3 = z[i + 3];
		j = mix(s, i + 3, j, x3, a[3]);
		k = mix(z, i + 3, k, y3, b[3]);
	}
}

struct stream {
	unsigned i, j;
};

/* One octet of the key stream. */
static inline uint32_t next(word *restrict s, unsigned *i, unsigned *j)
{
	*i = (*i + 1) & 255;
	word t = s[*i];
	*j = (*j + t) & 255;
	word u = s[*j];
	s[*i] = u;
	s[*j] = t;
	return s[(t + u) & 255];
}

/* Four at once: a quarter of the loads and stores. */
static inline void exclusive_or(uint8_t *data, uint32_t stream)
{
	uint32_t octets;
	memcpy(&octets, data, 4);
	octets ^= stream; /* little endian, as the machine that runs the benchmark */
	memcpy(data, &octets, 4);
}

static void apply(word *restrict s, struct stream *at, uint8_t *restrict data, size_t length)
{
	unsigned i = at->i, j = at->j;
	size_t n = 0;
	for (; n + 4 <= length; n += 4) {
		uint32_t stream = 0;
		for (unsigned octet = 0; octet < 4; octet++) stream |= next(s, &i, &j) << 8 * octet;
		exclusive_or(data + n, stream);
	}
	for (; n < length; n++) data[n] ^= (uint8_t)next(s, &i, &j);
	at->i = i;
	at->j = j;
}

static void apply_two(word *restrict s, const struct piece *a, word *restrict z, const struct piece *b)
{
	size_t both = (a->length < b->length ? a->length : b->length) & ~(size_t)3;
	uint8_t *restrict x = a->at, *restrict y = b->at;
	unsigned i = 0, j = 0, k = 0;
	for (size_t n = 0; n < both; n += 4) {
		uint32_t stream_x = 0, stream_y = 0;
		for (unsigned octet = 0; octet < 4; octet++) {
			unsigned same = i;
			stream_x |= next(s, &i, &j) << 8 * octet;
			stream_y |= next(z, &same, &k) << 8 * octet;
		}
		exclusive_or(x + n, stream_x);
		exclusive_or(y + n, stream_y);
	}
	struct stream rest_a = {i, j}, rest_b = {i, k};
	apply(s, &rest_a, a->at + both, a->length - both);
	apply(z, &rest_b, b->at + both, b->length - both);
}

#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))

/* Vectorized, the schedule reads pairs of words that were written one by one, and waits for each: three times the time. */
__attribute__((optimize("no-tree-vectorize"))) static void hash_block(uint32_t h[5], const uint8_t *block)
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	for (int i = 0; i < 16; i++)
		memcpy(&w[i], block + 4 * i, 4), w[i] = __builtin_bswap32(w[i]);
	for (int i = 16; i < 80; i++) w[i] = ROL(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
/* Five rounds after each other need no moves between a, b, c, d and e. */
#define ROUND(a, b, c, d, e, f, k, w) e += (w) + k + (f), e += ROL(a, 5), b = ROL(b, 30)
#define ROUNDS(from, f, k)                                         \
	for (int i = from; i < from + 20; i += 5) {                \
		ROUND(a, b, c, d, e, f(b, c, d), k, w[i]);         \
		ROUND(e, a, b, c, d, f(a, b, c), k, w[i + 1]);     \
		ROUND(d, e, a, b, c, f(e, a, b), k, w[i + 2]);     \
		ROUND(c, d, e, a, b, f(d, e, a), k, w[i + 3]);     \
		ROUND(b, c, d, e, a, f(c, d, e), k, w[i + 4]);     \
	}
#define CHOOSE(x, y, z) (z ^ (x & (y ^ z)))
#define PARITY(x, y, z) (x ^ y ^ z)
#define MAJORITY(x, y, z) ((x & y) | (z & (x | y)))
	ROUNDS(0, CHOOSE, 0x5a827999)
	ROUNDS(20, PARITY, 0x6ed9eba1)
	ROUNDS(40, MAJORITY, 0x8f1bbcdc)
	ROUNDS(60, PARITY, 0xca62c1d6)
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
	hash_block(h, text);
	hash_block(h, text + 64);
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

void crypt_three(struct chain *chain, const struct piece *pieces, size_t count)
{
	static struct mppe mppe;
	if (mppe.sha1 == NULL) mppe_begin(&mppe, cpu_features());
	struct mppe_keys keys = {.bits = 128};
	memcpy(keys.start, chain->start, 16);
	memcpy(keys.session, chain->key, 16);
	for (size_t done = 0; done < count;) {
		struct mppe_packet packets[mppe_lanes];
		size_t left = count - done, group = left == 4 ? 2 : left < mppe_lanes ? left : mppe_lanes;
		for (size_t n = 0; n < group; n++) packets[n] = (struct mppe_packet){pieces[done + n].at, (uint32_t)pieces[done + n].length, &keys, NULL};
		mppe_crypt(&mppe, packets, (unsigned)group);
		done += group;
	}
	memcpy(chain->key, keys.session, 16);
	chain->count = (chain->count + count) & 0xfff;
}
