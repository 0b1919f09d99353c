#include "sha1.h"

enum { CHOOSE = 0x5a827999, PARITY = 0x6ed9eba1, MAJORITY = (int)0x8f1bbcdc, PARITY_AGAIN = (int)0xca62c1d6 };

static inline uint32_t rotate(uint32_t word, unsigned by)
{
	return word << by | word >> (32 - by);
}

static inline uint32_t choose(uint32_t b, uint32_t c, uint32_t d)
{
	return d ^ (b & (c ^ d));
}

static inline uint32_t parity(uint32_t b, uint32_t c, uint32_t d)
{
	return b ^ c ^ d;
}

static inline uint32_t majority(uint32_t b, uint32_t c, uint32_t d)
{
	return (b & c) | (d & (b | c));
}

/* What the round before has just made is added last. */
#define ROUND(a, b, c, d, e, function, constant, word)                              \
	(e += (word) + (uint32_t)(constant) + function(b, c, d), e += rotate(a, 5), \
	 b = rotate(b, 30))

/* Five rounds after each other need no moves between a, b, c, d and e. */
#define TWENTY_ROUNDS(from, function, constant)                                  \
	for (unsigned n = from; n < from + 20; n += 5) {                         \
		ROUND(a, b, c, d, e, function, constant, schedule[n]);           \
		ROUND(e, a, b, c, d, function, constant, schedule[n + 1]);       \
		ROUND(d, e, a, b, c, function, constant, schedule[n + 2]);       \
		ROUND(c, d, e, a, b, function, constant, schedule[n + 3]);       \
		ROUND(b, c, d, e, a, function, constant, schedule[n + 4]);       \
	}

/*
 * Vectorized, the schedule reads pairs of words that were written one by one, and waits for each: three times the time
 * (bench/README.md).
 */
#if defined(__GNUC__) && !defined(__clang__)
__attribute__((optimize("no-tree-vectorize")))
#endif
static void block_plain(uint32_t hash[5], const uint32_t words[16])
{
	uint32_t schedule[80];
	uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];
	for (unsigned n = 0; n < 16; n++)
		schedule[n] = words[n];
	for (unsigned n = 16; n < 80; n++)
		schedule[n] = rotate(schedule[n - 3] ^ schedule[n - 8] ^ schedule[n - 14] ^ schedule[n - 16], 1);
	TWENTY_ROUNDS(0, choose, CHOOSE)
	TWENTY_ROUNDS(20, parity, PARITY)
	TWENTY_ROUNDS(40, majority, MAJORITY)
	TWENTY_ROUNDS(60, parity, PARITY_AGAIN)
	hash[0] += a;
	hash[1] += b;
	hash[2] += c;
	hash[3] += d;
	hash[4] += e;
}

#if defined(__x86_64__)

/* The highest of the four is the first word: that is the instructions' order. */
typedef uint32_t four_words __attribute__((vector_size(16)));
typedef int operand __attribute__((vector_size(16)));

static inline four_words four(const uint32_t *words)
{
	return (four_words){ words[3], words[2], words[1], words[0] };
}

#define MESSAGE_1(a, b) (four_words) __builtin_ia32_sha1msg1((operand)(a), (operand)(b))
#define MESSAGE_2(a, b) (four_words) __builtin_ia32_sha1msg2((operand)(a), (operand)(b))
#define NEXT_E(a, b) (four_words) __builtin_ia32_sha1nexte((operand)(a), (operand)(b))

/* Four rounds: n counts them, and the message has its last sixteen words. */
#define FOUR_ROUNDS(n, part)                                                                            \
	do {                                                                                            \
		if ((n) >= 4)                                                                           \
			message[(n) & 3] = MESSAGE_2(MESSAGE_1(message[(n) & 3], message[((n) + 1) & 3]) ^ \
							     message[((n) + 2) & 3],                    \
						     message[((n) + 3) & 3]);                           \
		const four_words e = (n) == 0 ? before + message[0] : NEXT_E(before, message[(n) & 3]); \
		before = state;                                                                         \
		state = (four_words)__builtin_ia32_sha1rnds4((operand)state, (operand)e, part);         \
	} while (0)

#define TWENTY_ROUNDS_BY_FOUR(part)     \
	FOUR_ROUNDS(5 * part, part);     \
	FOUR_ROUNDS(5 * part + 1, part); \
	FOUR_ROUNDS(5 * part + 2, part); \
	FOUR_ROUNDS(5 * part + 3, part); \
	FOUR_ROUNDS(5 * part + 4, part)

__attribute__((target("sha,sse4.1"))) static void block_instructions(uint32_t hash[5], const uint32_t words[16])
{
	four_words message[4] = { four(words), four(words + 4), four(words + 8), four(words + 12) };
	const four_words state_before = four(hash), e_before = { 0, 0, 0, hash[4] };
	four_words state = state_before, before = e_before;
	TWENTY_ROUNDS_BY_FOUR(0);
	TWENTY_ROUNDS_BY_FOUR(1);
	TWENTY_ROUNDS_BY_FOUR(2);
	TWENTY_ROUNDS_BY_FOUR(3);
	const four_words e = NEXT_E(before, e_before);
	state += state_before;
	for (unsigned n = 0; n < 4; n++)
		hash[n] = state[3 - n];
	hash[4] = e[3];
}

#define HAS_INSTRUCTIONS

#elif defined(__aarch64__)

#include <arm_neon.h>

#define FOUR_ROUNDS(n, operation, constant)                                                          \
	do {                                                                                         \
		if ((n) >= 4)                                                                        \
			message[(n) & 3] = vsha1su1q_u32(vsha1su0q_u32(message[(n) & 3], message[((n) + 1) & 3], \
								       message[((n) + 2) & 3]),      \
							 message[((n) + 3) & 3]);                    \
		const uint32_t next = vsha1h_u32(vgetq_lane_u32(state, 0));                          \
		state = operation(state, e, vaddq_u32(message[(n) & 3], vdupq_n_u32((uint32_t)(constant)))); \
		e = next;                                                                            \
	} while (0)

#define TWENTY_ROUNDS_BY_FOUR(from, operation, constant)      \
	FOUR_ROUNDS(from, operation, constant);        \
	FOUR_ROUNDS(from + 1, operation, constant);    \
	FOUR_ROUNDS(from + 2, operation, constant);    \
	FOUR_ROUNDS(from + 3, operation, constant);    \
	FOUR_ROUNDS(from + 4, operation, constant)

__attribute__((target("+crypto"))) static void block_instructions(uint32_t hash[5], const uint32_t words[16])
{
	uint32x4_t message[4] = { vld1q_u32(words), vld1q_u32(words + 4), vld1q_u32(words + 8), vld1q_u32(words + 12) };
	const uint32x4_t state_before = vld1q_u32(hash);
	uint32x4_t state = state_before;
	uint32_t e = hash[4];
	TWENTY_ROUNDS_BY_FOUR(0, vsha1cq_u32, CHOOSE);
	TWENTY_ROUNDS_BY_FOUR(5, vsha1pq_u32, PARITY);
	TWENTY_ROUNDS_BY_FOUR(10, vsha1mq_u32, MAJORITY);
	TWENTY_ROUNDS_BY_FOUR(15, vsha1pq_u32, PARITY_AGAIN);
	vst1q_u32(hash, vaddq_u32(state, state_before));
	hash[4] += e;
}

#define HAS_INSTRUCTIONS

#endif

sha1_block *sha1_block_of(struct cpu cpu)
{
#if defined(HAS_INSTRUCTIONS)
	if (cpu.sha)
		return block_instructions;
#endif
	(void)cpu;
	return block_plain;
}
