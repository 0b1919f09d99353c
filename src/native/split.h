/*
 * Splitting what the kernel hands over whole: a large TCP or UDP packet into those that a peer can take, and the
 * checksum of any packet where the kernel left it to us. No system calls.
 */
#ifndef PPTP_SPLIT_H
#define PPTP_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

#include "vnet.h"

/* A packet on its way into slots. All zero: there is none. */
struct split {
	const uint8_t *packet;
	uint32_t length;        /* octets of the packet that are not yet handed out are those from `at` on */
	uint32_t at;
	uint32_t header_length; /* octets that every segment begins with; 0: the packet is handed out as it is */
	uint32_t transport;     /* octets of IP header */
	uint32_t size;          /* octets of payload in each segment but the last */
	uint32_t largest;       /* octets of the largest segment */
	uint32_t index;
	uint16_t pseudo;        /* sum of the pseudo-header without its length */
	bool ipv4, tcp;
};

/*
 * Takes packet[0..length), which stays where it is until the last segment is out. A packet that is not to be split
 * gets its checksum in place. False: header and packet contradict each other.
 */
bool split_begin(struct split *split, const struct vnet_header *header, uint8_t *packet, uint32_t length);

static inline bool split_pending(const struct split *split)
{
	return split->at < split->length;
}

/* Writes the next segment, at most `largest` octets. There must be one. Returns its length. */
uint32_t split_next(struct split *split, uint8_t *to);

#endif
