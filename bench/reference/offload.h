/* TCP segmentation and coalescing of IPv4, between TUN super-packets and packets of the tunnel. */
#ifndef OFFLOAD_H
#define OFFLOAD_H
#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOT = 2048, HEADROOM = 64, SUPER = 65535 };

struct packet {
	uint8_t *at;
	size_t length;
};

/*
 * Splits what was read from a TUN device into packets, each in a slot of `slots` after HEADROOM octets, with checksums.
 * Returns how many, 0 if it is malformed or `room` slots do not hold it.
 */
size_t split(const struct virtio_net_hdr *header, uint8_t *super, size_t length, uint8_t *slots, size_t room, struct packet *out);

/* Writes packets to a TUN device; consecutive segments of a TCP connection go as one. */
void write_coalesced(int tun, const struct packet *packets, size_t count);

/* RFC 1141, unfolded: the sum of 16-bit words in network order. */
uint32_t sum(const uint8_t *at, size_t length, uint32_t start);
uint16_t fold(uint32_t total);
#endif
