/*
 * The header in front of a packet on a TUN device with IFF_VNET_HDR: struct virtio_net_hdr, 10 octets, in the order of
 * the CPU. It says what the kernel left to whoever reads (a checksum, segmentation), or leaves to the kernel.
 */
#ifndef PPTP_VNET_H
#define PPTP_VNET_H

#include <stdint.h>

struct vnet_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t header_length;   /* a hint */
	uint16_t gso_size;        /* octets of payload in each segment but the last */
	uint16_t checksum_start;  /* from here to the packet's end is summed; it is the transport header */
	uint16_t checksum_offset; /* where the checksum goes, from there; the pseudo-header's sum lies there */
};

_Static_assert(sizeof(struct vnet_header) == 10, "struct vnet_header");

enum {
	VNET_NEEDS_CHECKSUM = 1,
	VNET_GSO_NONE = 0,
	VNET_GSO_TCPV4 = 1,
	VNET_GSO_TCPV6 = 4,
	VNET_GSO_UDP_L4 = 5,
	VNET_GSO_ECN = 0x80,
};

/* IPv4 (RFC 791), IPv6 (RFC 8200), TCP (RFC 9293), UDP (RFC 768): where things are. */
enum {
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	IPV4_LENGTH = 20,
	IPV6_LENGTH = 40,
	TCP_LENGTH = 20,
	TCP_LENGTH_LIMIT = 60,
	UDP_LENGTH = 8,
	TCP_FLAGS = 13,
	TCP_CHECKSUM = 16,
	UDP_CHECKSUM = 6,
	TCP_FIN = 0x01,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_CWR = 0x80,
	PACKET_LIMIT = 65535,
};

#endif
