/*
 * Stateless MPPE (RFC 3078 §7.3, RFC 3079 §3): key streams of packets, and the session keys after them.
 */
#ifndef PPTP_MPPE_H
#define PPTP_MPPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu.h"
#include "sha1.h"

/* The keys of one direction of a session, as data-path/mppe/cipher.ts has them in the arena. */
struct mppe_keys {
	uint8_t start[16];
	uint8_t session[16]; /* of the next packet */
	uint32_t bits;       /* 40, 56 or 128 */
};

struct mppe_packet {
	uint8_t *at;
	uint32_t length;
	struct mppe_keys *keys;
	uint8_t *used; /* where to leave the key that it had, 16 octets; or NULL */
};

enum { mppe_lanes = 3 };

typedef uint32_t mppe_permutation[256];

/* Of a packet: what is left of it, and RC4's j. */
struct mppe_stream {
	uint8_t *at;
	uint32_t length;
	size_t j;
};

/* En- or decrypts further octets of the first lanes, as many of `octets` as it takes at a time; returns how many are done. */
typedef uint32_t mppe_run(mppe_permutation *lanes, struct mppe_stream *streams, uint32_t done, uint32_t octets);

/* Scratch memory: the permutations of three packets' key streams and of the key change, and what the processor is best at. */
struct mppe {
	mppe_permutation lanes[mppe_lanes + 1];
	sha1_block *sha1;
	mppe_run *const *run; /* with one lane, two, three */
};

void mppe_begin(struct mppe *mppe, struct cpu cpu);
/* Whether there are keys of such a strength. */
bool mppe_usable(const struct mppe_keys *keys);
/* En- or decrypts 1 to 3 packets in place, each with its session's next key. */
void mppe_crypt(struct mppe *mppe, const struct mppe_packet *packets, unsigned count);
/* Replaces the session key by the one after it. */
void mppe_change(struct mppe *mppe, struct mppe_keys *keys);

#endif
