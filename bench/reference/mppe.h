/* MPPE-128, stateless (RFC 3078 §7.3, RFC 3079 §3.4): the key changes before every packet. */
#ifndef MPPE_H
#define MPPE_H
#include <stddef.h>
#include <stdint.h>

struct chain {
	uint8_t start[16];
	uint8_t key[16]; /* of packet `count` */
	uint16_t count;  /* of the next packet */
};

struct piece {
	uint8_t *at;
	size_t length;
};

void chain_start(struct chain *chain, const uint8_t start_key[16]);
/* Skips packets that never came. */
void chain_skip(struct chain *chain, unsigned packets);
/* Applies the key streams of the next `count` packets. Plain: one after the other. */
void crypt_plain(struct chain *chain, const struct piece *pieces, size_t count);
/* Pipelined: the key set-up of a packet beside the key change of the next one, and the key streams of two packets. */
void crypt_pipelined(struct chain *chain, const struct piece *pieces, size_t count);
/* By what our addon has (src/native/mppe.c): three key streams at once, the processor's instructions for SHA-1. */
void crypt_three(struct chain *chain, const struct piece *pieces, size_t count);
#endif
