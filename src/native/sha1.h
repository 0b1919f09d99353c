/* One block of SHA-1 (FIPS 180-4 §6.1). */
#ifndef PPTP_SHA1_H
#define PPTP_SHA1_H

#include <stdint.h>

#include "cpu.h"

/* Takes the block's 16 words, first to last, into the hash. */
typedef void sha1_block(uint32_t hash[5], const uint32_t words[16]);

/* The quickest that such a processor has. */
sha1_block *sha1_block_of(struct cpu cpu);

#endif
