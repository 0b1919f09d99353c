/*
 * Every step of RC4 waits for the one before it, so independent streams side by side cost less than one after the other:
 * those of three packets, and a packet's key set-up with the one inside the change to the key after it.
 *
 * A permutation has words of 32 bits, and sixteen steps stand one after the other: processors guess, for each instruction by
 * itself, whether a load meets an earlier store, and so guess well. The figures are in bench/README.md.
 */
#include "mppe.h"

#include "memory.h"

#define INLINE static inline __attribute__((always_inline))

enum { change_lane = mppe_lanes, key_limit = 16 };

bool mppe_usable(const struct mppe_keys *keys)
{
	return keys->bits == 128 || keys->bits == 56 || keys->bits == 40;
}

static unsigned key_length(const struct mppe_keys *keys)
{
	return keys->bits == 128 ? 16 : 8;
}

INLINE uint32_t read_word(const uint8_t *octets)
{
	uint32_t word;
	__builtin_memcpy(&word, octets, sizeof word);
	return word;
}

INLINE void write_word(uint8_t *octets, uint32_t word)
{
	__builtin_memcpy(octets, &word, sizeof word);
}

/* GetNewKeyFromSHA of RFC 3079 §3.4: start key, SHApad1 (zeros), session key, SHApad2; with FIPS 180-4 §5.1.1 two blocks. */
static void interim_key(const struct mppe *mppe, const struct mppe_keys *keys, unsigned length, uint8_t interim[16])
{
	uint32_t message[32] = { 0 }, hash[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	const unsigned words = length / 4, end = 2 * words + 20;
	for (unsigned n = 0; n < words; n++) {
		message[n] = __builtin_bswap32(read_word(keys->start + 4 * n));
		message[words + 10 + n] = __builtin_bswap32(read_word(keys->session + 4 * n));
	}
	for (unsigned n = end - 10; n < end; n++)
		message[n] = 0xf2f2f2f2;
	message[end] = 0x80000000;
	message[31] = end * 32;
	mppe->sha1(hash, message);
	mppe->sha1(hash, message + 16);
	for (unsigned n = 0; n < 4; n++)
		write_word(interim + 4 * n, __builtin_bswap32(hash[n]));
}

/* The key as its set-up takes it: a short one stands there twice. */
static void spread(const uint8_t *key, unsigned length, uint8_t to[key_limit])
{
	for (unsigned n = 0; n < key_limit; n++)
		to[n] = key[n & (length - 1)];
}

static void reset(uint32_t *s)
{
	for (uint32_t n = 0; n < 256; n++)
		s[n] = n;
}

/* Indexes and entries in registers as wide as addresses. */
typedef size_t word;

/* Modulo 256. Compilers do not know that an addition in a register's lowest octet needs no mask. */
INLINE word add_octet(word sum, word octet)
{
#if defined(__x86_64__)
	__asm__("addb %b1, %b0" : "+q"(sum) : "q"(octet) : "cc");
	return sum;
#else
	return (sum + octet) & 255;
#endif
}

/* One step of the key set-up. Returns the new j. */
INLINE word mix(uint32_t *restrict s, word i, word j, word key)
{
	const word x = s[i];
	j = add_octet(add_octet(j, key), x);
	s[i] = s[j];
	s[j] = (uint32_t)x;
	return j;
}

static void schedule(uint32_t *restrict s, const uint8_t *restrict key)
{
	reset(s);
	for (word i = 0, j = 0; i < 256; i += key_limit) {
#pragma GCC unroll 16
		for (unsigned n = 0; n < key_limit; n++)
			j = mix(s, i + n, j, key[n]);
	}
}

static void schedule_both(uint32_t *restrict s, const uint8_t *restrict key_s, uint32_t *restrict z,
			  const uint8_t *restrict key_z)
{
	reset(s);
	reset(z);
	for (word i = 0, j = 0, k = 0; i < 256; i += key_limit) {
#pragma GCC unroll 16
		for (unsigned n = 0; n < key_limit; n++) {
			j = mix(s, i + n, j, key_s[n]);
			k = mix(z, i + n, k, key_z[n]);
		}
	}
}

/* An octet of the key stream: RC4's step with the index i. */
INLINE uint32_t step(uint32_t *restrict s, word i, word *j)
{
	const word x = s[i];
	*j = add_octet(*j, x);
	const word y = s[*j];
	s[i] = (uint32_t)y;
	s[*j] = (uint32_t)x;
	return s[add_octet(x, y)];
}

#define EACH_LANE _Pragma("GCC unroll 3") for (unsigned lane = 0; lane < lanes; lane++)

/* Four octets at a time: a quarter of the loads and stores. */
INLINE uint32_t run_words(mppe_permutation *s, struct mppe_stream *streams, unsigned lanes, uint32_t done, uint32_t octets)
{
	uint8_t *at[mppe_lanes];
	uint32_t words[mppe_lanes];
	word j[mppe_lanes], i = done & 255;
	EACH_LANE at[lane] = streams[lane].at, j[lane] = streams[lane].j;
	octets &= ~3u;
	for (uint32_t left = octets; left > 0; left -= 4) {
		EACH_LANE words[lane] = step(s[lane], i + 1, &j[lane]);
		EACH_LANE words[lane] |= step(s[lane], i + 2, &j[lane]) << 8;
		EACH_LANE words[lane] |= step(s[lane], i + 3, &j[lane]) << 16;
		i = (i + 4) & 255;
		EACH_LANE words[lane] |= step(s[lane], i, &j[lane]) << 24;
		EACH_LANE write_word(at[lane], read_word(at[lane]) ^ words[lane]), at[lane] += 4;
	}
	EACH_LANE streams[lane] = (struct mppe_stream){ at[lane], streams[lane].length - octets, j[lane] };
	return done + octets;
}

static uint32_t run_one(mppe_permutation *s, struct mppe_stream *streams, uint32_t done, uint32_t octets)
{
	return run_words(s, streams, 1, done, octets);
}

static uint32_t run_two(mppe_permutation *s, struct mppe_stream *streams, uint32_t done, uint32_t octets)
{
	return run_words(s, streams, 2, done, octets);
}

static uint32_t run_three(mppe_permutation *s, struct mppe_stream *streams, uint32_t done, uint32_t octets)
{
	return run_words(s, streams, 3, done, octets);
}

static mppe_run *const with_words[mppe_lanes] = { run_one, run_two, run_three };

#if defined(__x86_64__)

#define SSE4_1 __attribute__((target("sse4.1")))

typedef uint8_t vector __attribute__((vector_size(16)));
typedef char signed_vector __attribute__((vector_size(16)));
typedef uint8_t vector_anywhere __attribute__((vector_size(16), aligned(1), may_alias));

/* Sixteen octets at a time, from memory into their place in a vector: PINSRB. */
INLINE SSE4_1 uint32_t run_vectors(mppe_permutation *s, struct mppe_stream *streams, unsigned lanes, uint32_t done,
			    uint32_t octets)
{
	uint8_t *at[mppe_lanes];
	word j[mppe_lanes], i = done & 255;
	EACH_LANE at[lane] = streams[lane].at, j[lane] = streams[lane].j;
	octets &= ~15u;
	for (uint32_t left = octets; left > 0; left -= 16) {
		vector stream[mppe_lanes] = { 0 };
#define OCTET(n, index) \
	EACH_LANE stream[lane] = (vector)__builtin_ia32_vec_set_v16qi((signed_vector)stream[lane], (char)step(s[lane], index, &j[lane]), n)
		OCTET(0, i + 1);
		OCTET(1, i + 2);
		OCTET(2, i + 3);
		OCTET(3, i + 4);
		OCTET(4, i + 5);
		OCTET(5, i + 6);
		OCTET(6, i + 7);
		OCTET(7, i + 8);
		OCTET(8, i + 9);
		OCTET(9, i + 10);
		OCTET(10, i + 11);
		OCTET(11, i + 12);
		OCTET(12, i + 13);
		OCTET(13, i + 14);
		OCTET(14, i + 15);
		i = (i + 16) & 255;
		OCTET(15, i);
		EACH_LANE *(vector_anywhere *)at[lane] ^= stream[lane], at[lane] += 16;
	}
	EACH_LANE streams[lane] = (struct mppe_stream){ at[lane], streams[lane].length - octets, j[lane] };
	return done + octets;
}

SSE4_1 static uint32_t run_two_sse(mppe_permutation *s, struct mppe_stream *streams, uint32_t done, uint32_t octets)
{
	return run_vectors(s, streams, 2, done, octets);
}

SSE4_1 static uint32_t run_three_sse(mppe_permutation *s, struct mppe_stream *streams, uint32_t done, uint32_t octets)
{
	return run_vectors(s, streams, 3, done, octets);
}

/* A stream alone is slower by vectors: half as much again. */
static mppe_run *const with_vectors[mppe_lanes] = { run_one, run_two_sse, run_three_sse };

#endif

void mppe_begin(struct mppe *mppe, struct cpu cpu)
{
	mppe->sha1 = sha1_block_of(cpu);
	mppe->run = with_words;
#if defined(__x86_64__)
	if (cpu.sse4_1)
		mppe->run = with_vectors;
#endif
}

/* The octets that are too few for run(). */
static void run_rest(uint32_t *restrict s, struct mppe_stream *stream, uint32_t done)
{
	for (; stream->length > 0; stream->length--)
		*stream->at++ ^= (uint8_t)step(s, ++done & 255, &stream->j);
}

/* RFC 3078 §7.3: the interim key encrypted under itself, then the bits that a weak key gives up. */
static void finish_change(struct mppe *mppe, struct mppe_keys *keys, unsigned length, const uint8_t *interim)
{
	struct mppe_stream stream = { keys->session, length, 0 };
	memcpy(keys->session, interim, length);
	run_one(&mppe->lanes[change_lane], &stream, 0, length);
	if (keys->bits == 128)
		return;
	keys->session[0] = 0xd1;
	if (keys->bits == 56)
		return;
	keys->session[1] = 0x26;
	keys->session[2] = 0x9e;
}

void mppe_change(struct mppe *mppe, struct mppe_keys *keys)
{
	const unsigned length = key_length(keys);
	uint8_t interim[16], change[key_limit];
	interim_key(mppe, keys, length, interim);
	spread(interim, length, change);
	schedule(mppe->lanes[change_lane], change);
	finish_change(mppe, keys, length, interim);
}

/* Starts the key stream of a packet in the lane, and replaces its session's key by the one after it. */
static void prepare(struct mppe *mppe, unsigned lane, const struct mppe_packet *packet)
{
	struct mppe_keys *keys = packet->keys;
	const unsigned length = key_length(keys);
	uint8_t interim[16], key[key_limit], change[key_limit];
	if (packet->used != NULL)
		memcpy(packet->used, keys->session, sizeof keys->session);
	interim_key(mppe, keys, length, interim);
	spread(keys->session, length, key);
	spread(interim, length, change);
	schedule_both(mppe->lanes[lane], key, mppe->lanes[change_lane], change);
	finish_change(mppe, keys, length, interim);
}

/* By length: the longest packet, which is alone in the end, has the first. */
static unsigned lane_of(const struct mppe_packet *packets, unsigned count, unsigned which)
{
	unsigned lane = 0;
	for (unsigned n = 0; n < count; n++)
		if (packets[n].length > packets[which].length || (packets[n].length == packets[which].length && n < which))
			lane++;
	return lane;
}

void mppe_crypt(struct mppe *mppe, const struct mppe_packet *packets, unsigned count)
{
	struct mppe_stream streams[mppe_lanes];
	uint32_t done = 0;
	for (unsigned n = 0; n < count; n++) {
		const unsigned lane = lane_of(packets, count, n);
		prepare(mppe, lane, &packets[n]);
		streams[lane] = (struct mppe_stream){ packets[n].at, packets[n].length, 0 };
	}
	for (unsigned lanes = count; lanes > 0; lanes--) {
		struct mppe_stream *shortest = &streams[lanes - 1];
		done = mppe->run[lanes - 1](mppe->lanes, streams, done, shortest->length);
		run_rest(mppe->lanes[lanes - 1], shortest, done);
	}
}
