#include "coalesce.h"

#include "checksum.h"
#include "memory.h"

static const struct vnet_header nothing_left_to_do = { 0 };

enum verdict { unrelated, unclear, of_a_flow };

static bool ipv4_without_surprise(const uint8_t *packet, uint32_t length)
{
	return length >= IPV4_LENGTH && packet[0] == 0x45 && network16(load16(packet + 2)) == length &&
	       (network16(load16(packet + 6)) & 0xbfff) == 0; /* DF or nothing */
}

static bool is_fragment(const uint8_t *packet)
{
	return (network16(load16(packet + 6)) & 0x3fff) != 0;
}

/* NetBIOS and mDNS: a packet socket on the device, which relays them, sees a train as one packet. */
static bool is_relayed(uint16_t port)
{
	return port == 137 || port == 138 || port == 5353;
}

/*
 * unrelated: no packet of a flow. unclear: it may be one of a flow, whose ports are not seen. of_a_flow: described in
 * `segment`.
 */
static enum verdict classify(const struct coalescer *coalescer, const uint8_t *packet, uint32_t length,
			     struct segment *segment)
{
	uint8_t protocol;
	*segment = (struct segment){ .packet = packet, .length = length };
	if (packet[0] >> 4 == 4) {
		if (length < IPV4_LENGTH)
			return unrelated;
		protocol = packet[9];
		segment->ipv4 = true;
		segment->transport = IPV4_LENGTH;
		segment->joinable = ipv4_without_surprise(packet, length);
		if (packet[0] != 0x45 || is_fragment(packet))
			return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP ? unclear : unrelated;
	} else if (packet[0] >> 4 == 6) {
		if (length < IPV6_LENGTH)
			return unrelated;
		protocol = packet[6];
		segment->transport = IPV6_LENGTH;
		segment->joinable = (uint32_t)network16(load16(packet + 4)) + IPV6_LENGTH == length;
		if (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60)
			return unclear; /* extension headers */
	} else {
		return unrelated;
	}
	const uint8_t *transport = packet + segment->transport;
	if (protocol == PROTOCOL_TCP) {
		if (length < segment->transport + TCP_LENGTH)
			return unrelated;
		const uint32_t tcp_length = (uint32_t)(transport[12] >> 4) * 4;
		const uint8_t flags = transport[TCP_FLAGS];
		segment->tcp = true;
		segment->header_length = segment->transport + tcp_length;
		segment->last = (flags & TCP_PSH) != 0;
		segment->joinable = segment->joinable && tcp_length >= TCP_LENGTH && length > segment->header_length &&
				    (transport[12] & 15) == 0 && (flags & (uint8_t)~TCP_PSH) == TCP_ACK;
		return of_a_flow;
	}
	if (protocol != PROTOCOL_UDP || !coalescer->udp)
		return unrelated;
	if (length < segment->transport + UDP_LENGTH)
		return unrelated;
	segment->header_length = segment->transport + UDP_LENGTH;
	segment->joinable = segment->joinable && length > segment->header_length &&
			    network16(load16(transport + 4)) == length - segment->transport &&
			    load16(transport + UDP_CHECKSUM) != 0 && !is_relayed(network16(load16(transport + 2)));
	return of_a_flow;
}

static uint64_t pseudo_header(const struct segment *segment, uint32_t length)
{
	const uint8_t *packet = segment->packet;
	const uint64_t sum = (uint64_t)network16(length) + network16(segment->tcp ? PROTOCOL_TCP : PROTOCOL_UDP);
	return segment->ipv4 ? checksum_add(sum, packet + 12, 8) : checksum_add(sum, packet + 8, 32);
}

static bool has_right_checksums(const struct segment *segment)
{
	const uint32_t length = segment->length - segment->transport;
	if (segment->ipv4 && checksum_fold(checksum_add(0, segment->packet, IPV4_LENGTH)) != 0xffff)
		return false;
	return checksum_fold(checksum_add(pseudo_header(segment, length), segment->packet + segment->transport,
					  length)) == 0xffff;
}

static bool same_flow(const struct segment *a, const struct segment *b)
{
	if (a->ipv4 != b->ipv4 || a->tcp != b->tcp)
		return false;
	const uint32_t addresses = a->ipv4 ? 12 : 8;
	/* The ports follow the addresses, for there are no options. */
	return memcmp(a->packet + addresses, b->packet + addresses, a->transport + 4 - addresses) == 0;
}

/* What must be alike in all segments of a train besides the flow. */
static bool same_headers(const struct train *train, const struct segment *segment)
{
	const struct segment *first = &train->first;
	const uint8_t *a = first->packet, *b = segment->packet;
	if (first->header_length != segment->header_length)
		return false;
	if (first->ipv4) {
		/* Type of service; DF; time to live. Without DF the identification tells fragments apart, and must go on. */
		if (a[1] != b[1] || a[6] != b[6] || a[8] != b[8])
			return false;
		if ((a[6] & 0x40) == 0 && (uint16_t)(network16(load16(b + 4)) - network16(load16(a + 4))) != train->count)
			return false;
	} else if (memcmp(a, b, 4) != 0 || a[7] != b[7]) {
		return false;
	}
	if (!first->tcp)
		return true;
	a += first->transport;
	b += first->transport;
	const uint32_t before = train->length - first->header_length;
	if (read_network32(b + 4) != read_network32(a + 4) + before)
		return false;
	/* Acknowledgment, window, urgent pointer, options. */
	return memcmp(a + 8, b + 8, 4) == 0 && memcmp(a + 14, b + 14, 2) == 0 && memcmp(a + 18, b + 18, 2) == 0 &&
	       memcmp(a + TCP_LENGTH, b + TCP_LENGTH, first->header_length - first->transport - TCP_LENGTH) == 0;
}

static bool join(struct train *train, const struct segment *segment)
{
	const uint32_t payload = segment->length - segment->header_length;
	if (train->closed || !segment->joinable || train->count == train_segments || payload > train->size ||
	    train->length + payload > PACKET_LIMIT || !same_headers(train, segment))
		return false;
	if (!train->verified) {
		train->verified = true;
		if (!has_right_checksums(&train->first)) {
			train->closed = true;
			return false;
		}
	}
	if (!has_right_checksums(segment))
		return false;
	train->vectors[++train->count] =
		(struct iovec){ (void *)(segment->packet + segment->header_length), payload };
	train->length += payload;
	train->closed = segment->last || payload < train->size;
	if (segment->last)
		train->first.last = true;
	return true;
}

static void start(struct train *train, const struct segment *segment)
{
	const uint32_t payload = segment->length - segment->header_length;
	train->first = *segment;
	train->count = 1;
	train->length = segment->length;
	train->size = payload;
	train->closed = segment->last;
	train->verified = false;
	train->vectors[1] = (struct iovec){ (void *)(segment->packet + segment->header_length), payload };
}

static void emit_alone(const struct coalescer *coalescer, const uint8_t *packet, uint32_t length)
{
	const struct iovec vectors[2] = { { (void *)&nothing_left_to_do, sizeof nothing_left_to_do },
					  { (void *)packet, length } };
	coalescer->emit(coalescer->to, vectors, 2, 1);
}

static uint8_t gso_type(const struct segment *segment)
{
	if (!segment->tcp)
		return VNET_GSO_UDP_L4;
	return segment->ipv4 ? VNET_GSO_TCPV4 : VNET_GSO_TCPV6;
}

/* The first segment's header, made to speak for all of them. */
static void write_header(struct train *train)
{
	const struct segment *first = &train->first;
	uint8_t *octets = train->header.octets, *transport = octets + first->transport;
	const uint32_t transport_length = train->length - first->transport;
	const uint32_t field = first->tcp ? TCP_CHECKSUM : UDP_CHECKSUM;
	train->header.vnet = (struct vnet_header){
		.flags = VNET_NEEDS_CHECKSUM,
		.gso_type = gso_type(first),
		.header_length = (uint16_t)first->header_length,
		.gso_size = (uint16_t)train->size,
		.checksum_start = (uint16_t)first->transport,
		.checksum_offset = (uint16_t)field,
	};
	memcpy(octets, first->packet, first->header_length);
	if (first->ipv4) {
		store16(octets + 2, network16(train->length));
		store16(octets + 10, 0);
		store16(octets + 10, (uint16_t)~checksum_fold(checksum_add(0, octets, IPV4_LENGTH)));
	} else {
		store16(octets + 4, network16(train->length - IPV6_LENGTH));
	}
	if (!first->tcp)
		store16(transport + 4, network16(transport_length));
	else if (first->last)
		transport[TCP_FLAGS] |= TCP_PSH;
	store16(transport + field, checksum_fold(pseudo_header(first, transport_length)));
	train->vectors[0] = (struct iovec){ &train->header.vnet, sizeof train->header.vnet + first->header_length };
}

static void emit_train(const struct coalescer *coalescer, struct train *train)
{
	const unsigned count = train->count;
	if (count == 0)
		return;
	train->count = 0;
	if (count == 1) {
		emit_alone(coalescer, train->first.packet, train->first.length);
		return;
	}
	write_header(train);
	coalescer->emit(coalescer->to, train->vectors, count + 1, count);
}

void coalesce_flush(struct coalescer *coalescer)
{
	for (unsigned i = 0; i < trains_limit; i++)
		emit_train(coalescer, &coalescer->trains[i]);
}

void coalesce_add(struct coalescer *coalescer, const uint8_t *packet, uint32_t length)
{
	struct segment segment;
	struct train *train = NULL;
	switch (classify(coalescer, packet, length, &segment)) {
	case unclear:
		coalesce_flush(coalescer);
		emit_alone(coalescer, packet, length);
		return;
	case unrelated:
		emit_alone(coalescer, packet, length);
		return;
	case of_a_flow:
		break;
	}
	for (unsigned i = 0; i < trains_limit && train == NULL; i++)
		if (coalescer->trains[i].count != 0 && same_flow(&coalescer->trains[i].first, &segment))
			train = &coalescer->trains[i];
	if (train != NULL) {
		if (join(train, &segment))
			return;
		emit_train(coalescer, train);
	}
	if (!segment.joinable) {
		emit_alone(coalescer, packet, length);
		return;
	}
	for (unsigned i = 0; i < trains_limit && train == NULL; i++)
		if (coalescer->trains[i].count == 0)
			train = &coalescer->trains[i];
	if (train == NULL) {
		train = &coalescer->trains[coalescer->next++ % trains_limit];
		emit_train(coalescer, train);
	}
	start(train, &segment);
}
