/*
 * Joining packets before they are written: consecutive segments of one TCP connection (or equal datagrams of one UDP
 * flow) become one large packet with a vnet header that lets the kernel take it apart again. No system calls.
 *
 * Only what comes apart into the same octets is joined: no options of IPv4, no extension headers of IPv6, every checksum
 * verified. (The identification alone may differ, where DF is set and it means nothing: RFC 6864 §4.1.) Segments of a
 * flow keep their order; flows may overtake one another. Nothing is kept beyond a flush.
 */
#ifndef PPTP_COALESCE_H
#define PPTP_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"
#include "vnet.h"

/* A train of 64: as many as the kernel takes of UDP, and more than full-size ones fit a packet. */
enum { trains_limit = 8, train_segments = 64 };

/* A packet that may be joined to others: where its parts are. */
struct segment {
	const uint8_t *packet;
	uint32_t length;
	uint32_t transport, header_length;
	bool ipv4, tcp;
	bool joinable; /* false: it must only keep its place in its flow */
	bool last;     /* nothing may follow it in a train */
};

struct train {
	struct segment first;
	uint32_t count;   /* 0: free */
	uint32_t length;  /* octets of the packet it makes */
	uint32_t size;    /* octets of payload in each segment but the last */
	bool closed;      /* nothing may follow */
	bool verified;    /* the first segment's checksum */
	struct iovec vectors[1 + train_segments];
	struct {
		uint8_t room[6]; /* so that the packet begins at a multiple of 16 */
		struct vnet_header vnet;
		uint8_t octets[IPV6_LENGTH + TCP_LENGTH_LIMIT];
	} header __attribute__((aligned(16)));
};

struct coalescer {
	/* Writes one packet, a vnet header first, that stands for `count` of those added. */
	void (*emit)(void *to, const struct iovec *vectors, unsigned vector_count, unsigned count);
	void *to;
	bool udp; /* the kernel takes UDP apart */
	unsigned next; /* the train that makes room for another flow */
	struct train trains[trains_limit];
};

/* The packet stays where it is until it was emitted: coalesce_flush() at the latest. length > 0. */
void coalesce_add(struct coalescer *coalescer, const uint8_t *packet, uint32_t length);
void coalesce_flush(struct coalescer *coalescer);

#endif
