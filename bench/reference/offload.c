#include "offload.h"
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t get32(const uint8_t *at) { return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }
static void put16(uint8_t *at, unsigned v) { at[0] = (uint8_t)(v >> 8), at[1] = (uint8_t)v; }
static void put32(uint8_t *at, uint32_t v) { put16(at, v >> 16), put16(at + 2, v & 0xffff); }

uint32_t sum(const uint8_t *at, size_t length, uint32_t start)
{
	uint64_t total = 0;
	while (length >= 8) {
		uint64_t eight;
		memcpy(&eight, at, 8);
		total += (eight & 0xffffffff) + (eight >> 32);
		at += 8, length -= 8;
	}
	while (length >= 2) {
		uint16_t two;
		memcpy(&two, at, 2);
		total += two;
		at += 2, length -= 2;
	}
	if (length) total += *at; /* little-endian: the odd octet is the low one */
	total = (total & 0xffffffff) + (total >> 32);
	total = (total & 0xffff) + (total >> 16 & 0xffff) + (total >> 32);
	total = (total & 0xffff) + (total >> 16);
	return start + (__builtin_bswap16((uint16_t)((total & 0xffff) + (total >> 16))));
}

uint16_t fold(uint32_t total)
{
	while (total >> 16) total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static uint32_t pseudo_sum(const uint8_t *ip, size_t transport)
{
	return sum(ip + 12, 8, ip[9] + (uint32_t)transport);
}

size_t split(const struct virtio_net_hdr *header, uint8_t *super, size_t length, uint8_t *slots, size_t room, struct packet *out)
{
	if (length < 20) return 0;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE) {
		if (room < 1 || length > SLOT - HEADROOM) return 0;
		uint8_t *to = slots + HEADROOM;
		if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
			size_t start = header->csum_start, field = start + header->csum_offset;
			if (field + 2 > length) return 0;
			uint16_t checksum = (uint16_t)~fold(sum(super + start, length - start, 0));
			put16(super + field, checksum == 0 && super[9] == 17 ? 0xffff : checksum);
		}
		memcpy(to, super, length);
		out[0] = (struct packet){to, length};
		return 1;
	}
	if ((header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_TCPV4) return 0;
	size_t ip = (super[0] & 15) * 4u;
	if (length < ip + 20) return 0;
	size_t headers = ip + (super[ip + 12] >> 4) * 4u, mss = header->gso_size;
	if (length <= headers || mss == 0 || headers + mss > SLOT - HEADROOM) return 0;
	size_t count = (length - headers + mss - 1) / mss;
	if (count > room) return 0;
	uint16_t id = get16(super + 4);
	uint32_t seq = get32(super + ip + 4);
	uint8_t flags = super[ip + 13];
	for (size_t n = 0; n < count; n++) {
		size_t done = n * mss, payload = n + 1 < count ? mss : length - headers - done;
		uint8_t *to = slots + n * SLOT + HEADROOM;
		memcpy(to, super, headers);
		memcpy(to + headers, super + headers + done, payload);
		put16(to + 2, (unsigned)(headers + payload));
		put16(to + 4, (unsigned)(id + n) & 0xffff);
		put16(to + 10, 0);
		put16(to + 10, (uint16_t)~fold(sum(to, ip, 0)));
		put32(to + ip + 4, seq + (uint32_t)done);
		to[ip + 13] = flags;
		if (n + 1 < count) to[ip + 13] &= (uint8_t)~9; /* FIN, PSH */
		if (n > 0) to[ip + 13] &= (uint8_t)~0x80;      /* CWR */
		put16(to + ip + 16, 0);
		size_t transport = headers - ip + payload;
		put16(to + ip + 16, (uint16_t)~fold(sum(to + ip, transport, pseudo_sum(to, transport))));
		out[n] = (struct packet){to, headers + payload};
	}
	return count;
}

enum { FLOWS = 8, PIECES = 64 };

/* Segments that wait to be written as one; pieces[0] is the header for TUN, pieces[1] the first segment. */
struct flow {
	struct iovec pieces[PIECES + 1];
	int count; /* segments */
	size_t headers, payload, total;
	uint32_t next;
	int closed;
	struct virtio_net_hdr header;
};

static void flush(int tun, struct flow *flow)
{
	if (flow->count == 0) return;
	uint8_t *first = flow->pieces[1].iov_base;
	memset(&flow->header, 0, sizeof flow->header);
	if (flow->count > 1) {
		put16(first + 2, (unsigned)flow->total);
		put16(first + 10, 0);
		put16(first + 10, (uint16_t)~fold(sum(first, 20, 0)));
		put16(first + 36, fold(pseudo_sum(first, flow->total - 20)));
		flow->header = (struct virtio_net_hdr){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			.hdr_len = (uint16_t)flow->headers,
			.gso_size = (uint16_t)flow->payload,
			.csum_start = 20,
			.csum_offset = 16,
		};
	} else {
		flow->header.flags = VIRTIO_NET_HDR_F_DATA_VALID; /* verified before it was taken */
	}
	flow->pieces[0] = (struct iovec){&flow->header, sizeof flow->header};
	(void)!writev(tun, flow->pieces, flow->count + 1);
	flow->count = 0;
}

/* The TCP data segments that may be coalesced: no IP options, no fragments, only ACK and PSH, a right checksum. */
static size_t candidate(const struct packet *packet)
{
	const uint8_t *at = packet->at;
	if (packet->length < 40 || at[0] != 0x45 || at[9] != 6 || (get16(at + 6) & 0x3fff)) return 0;
	size_t headers = 20 + (at[32] >> 4) * 4u;
	if (headers < 40 || packet->length <= headers || (at[33] & ~0x18) || !(at[33] & 0x10)) return 0;
	if (fold(sum(at, 20, 0)) != 0xffff) return 0;
	size_t transport = packet->length - 20;
	return fold(sum(at + 20, transport, pseudo_sum(at, transport))) == 0xffff ? headers : 0;
}

static int same_connection(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a + 12, b + 12, 12) == 0; /* addresses and ports */
}

static int fits(const struct flow *flow, const struct packet *packet, size_t headers)
{
	const uint8_t *first = flow->pieces[1].iov_base, *at = packet->at;
	size_t payload = packet->length - headers;
	return !flow->closed && flow->count < PIECES && headers == flow->headers && payload <= flow->payload &&
	       flow->total + payload <= SUPER && get32(at + 24) == flow->next && first[1] == at[1] && first[8] == at[8] &&
	       get16(first + 6) == get16(at + 6) && memcmp(first + 28, at + 28, 4) == 0 && /* ack */
	       memcmp(first + 34, at + 34, 2) == 0 &&                                     /* window */
	       memcmp(first + 40, at + 40, headers - 40) == 0;
}

void write_coalesced(int tun, const struct packet *packets, size_t count)
{
	static struct flow flows[FLOWS];
	int used = 0;
	for (size_t n = 0; n < count; n++) {
		const struct packet *packet = &packets[n];
		int is_tcp = packet->length >= 40 && packet->at[9] == 6;
		struct flow *flow = NULL;
		for (int f = 0; f < used && is_tcp; f++)
			if (same_connection(flows[f].pieces[1].iov_base, packet->at)) flow = &flows[f];
		size_t headers = is_tcp ? candidate(packet) : 0;
		if (flow && flow->count > 0 && headers && fits(flow, packet, headers)) {
			size_t payload = packet->length - headers;
			uint8_t *first = flow->pieces[1].iov_base;
			flow->count++;
			flow->pieces[flow->count] = (struct iovec){packet->at + headers, payload};
			flow->total += payload;
			flow->next += (uint32_t)payload;
			first[33] |= packet->at[33] & 8;
			flow->closed = payload < flow->payload || (packet->at[33] & 8);
			continue;
		}
		if (flow) flush(tun, flow);
		if (headers && !flow && used < FLOWS) flow = &flows[used++];
		if (headers && flow) {
			flow->count = 1;
			flow->pieces[1] = (struct iovec){packet->at, packet->length};
			flow->headers = headers;
			flow->payload = packet->length - headers;
			flow->total = packet->length;
			flow->next = get32(packet->at + 24) + (uint32_t)flow->payload;
			flow->closed = (packet->at[33] & 8) != 0;
			continue;
		}
		struct virtio_net_hdr plain = {0};
		struct iovec pieces[2] = {{&plain, sizeof plain}, {packet->at, packet->length}};
		(void)!writev(tun, pieces, 2);
	}
	for (int f = 0; f < used; f++) flush(tun, &flows[f]);
}
