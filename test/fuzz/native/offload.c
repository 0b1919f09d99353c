/*
 * What the addon does to packets with offload: split.c and coalesce.c.
 *
 * 1 Whatever vnet header and packet the kernel could hand over, splitting stays inside both and inside its slot.
 * 2 Whatever packets are written, what is emitted comes apart (by split.c, as the kernel would) into the same packets,
 *   each once, in order within its flow. So a segment with a wrong checksum is never joined: it would come out right.
 * 3 Streams without faults are joined indeed.
 * Every buffer has exactly its packet's size, so that one octet too far is seen.
 */
#include "choices.h"

#include "checksum.h"
#include "coalesce.h"
#include "split.h"

enum { flows_limit = 12, packets_limit = 40 };

struct packet {
	uint8_t *octets;
	uint32_t length;
	unsigned flow;
	bool faultless, taken;
};

struct flow {
	bool ipv4, tcp, dont_fragment, varied;
	unsigned number;
	uint32_t sequence, identification, payload, options;
};

static struct packet packets[packets_limit];
static unsigned packet_count, emitted_packets, joined_packets;
static unsigned last_of_flow[flows_limit];

static uint32_t transport_of(const struct flow *flow)
{
	return flow->ipv4 ? IPV4_LENGTH : IPV6_LENGTH;
}

static void write_checksums(const struct flow *flow, uint8_t *packet, uint32_t length)
{
	const uint32_t at = transport_of(flow);
	uint8_t *field = packet + at + (flow->tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
	uint64_t sum = (uint64_t)network16(length - at) + network16(flow->tcp ? PROTOCOL_TCP : PROTOCOL_UDP);
	if (flow->ipv4) {
		store16(packet + 10, 0);
		store16(packet + 10, (uint16_t)~checksum_fold(checksum_add(0, packet, IPV4_LENGTH)));
		sum = checksum_add(sum, packet + 12, 8);
	} else {
		sum = checksum_add(sum, packet + 8, 32);
	}
	store16(field, 0);
	/* The slow way, so that the sum by lanes is held to something else. */
	for (uint32_t i = at; i < length; i++)
		sum += network16(((i - at) & 1) != 0 ? packet[i] : (uint32_t)packet[i] << 8);
	const uint16_t checksum = (uint16_t)~checksum_fold(sum);
	store16(field, checksum == 0 ? 0xffff : checksum);
}

static struct packet *make_packet(struct flow *flow, uint32_t payload, bool push)
{
	const uint32_t at = transport_of(flow);
	const uint32_t header = at + (flow->tcp ? TCP_LENGTH + flow->options : UDP_LENGTH), length = header + payload;
	uint8_t *packet = calloc(1, length), *transport = packet + at;
	if (flow->ipv4) {
		packet[0] = 0x45;
		store16(packet + 2, network16(length));
		store16(packet + 4, network16(flow->dont_fragment && flow->varied ? draw(65536) : flow->identification++));
		packet[6] = flow->dont_fragment ? 0x40 : 0;
		packet[8] = 64;
		packet[9] = flow->tcp ? PROTOCOL_TCP : PROTOCOL_UDP;
		packet[15] = 1;
		packet[19] = 2;
	} else {
		packet[0] = 0x60;
		store16(packet + 4, network16(length - IPV6_LENGTH));
		packet[6] = flow->tcp ? PROTOCOL_TCP : PROTOCOL_UDP;
		packet[7] = 64;
		packet[23] = 1;
		packet[39] = 2;
	}
	store16(transport, network16(1000 + flow->number));
	store16(transport + 2, network16(80));
	if (flow->tcp) {
		write_network32(transport + 4, flow->sequence);
		write_network32(transport + 8, 77);
		transport[12] = (uint8_t)((TCP_LENGTH + flow->options) << 2);
		transport[TCP_FLAGS] = push ? TCP_ACK | TCP_PSH : TCP_ACK;
		store16(transport + 14, network16(500));
		memset(transport + TCP_LENGTH, 1, flow->options);
		flow->sequence += payload;
	} else {
		store16(transport + 4, network16(length - at));
	}
	fill(packet + header, payload);
	write_checksums(flow, packet, length);
	struct packet *made = &packets[packet_count++];
	*made = (struct packet){ .octets = packet, .length = length, .flow = flow->number, .faultless = true };
	return made;
}

/* Something is wrong with it, or only different: with a right checksum or without. */
static void spoil(const struct flow *flow, struct packet *packet)
{
	if (flow->ipv4 && chance(4)) { /* a fragment, which must not be overtaken although its ports are not looked at */
		packet->octets[6] = 0x20;
		write_checksums(flow, packet->octets, packet->length);
		return;
	}
	packet->faultless = false;
	if (chance(4)) { /* cut short, or with octets behind it */
		const uint32_t length = chance(2) ? 1 + draw(packet->length) : packet->length + 1 + draw(40);
		uint8_t *octets = calloc(1, length);
		memcpy(octets, packet->octets, length < packet->length ? length : packet->length);
		free(packet->octets);
		packet->octets = octets;
		packet->length = length;
		return;
	}
	const uint32_t header = transport_of(flow) + (flow->tcp ? TCP_LENGTH : UDP_LENGTH);
	const uint32_t at = chance(2) ? draw(header) : draw(packet->length);
	packet->octets[at] ^= (uint8_t)(1u << draw(8));
	if (chance(2))
		write_checksums(flow, packet->octets, packet->length);
}

/* Where DF is set the identification, and the header's checksum with it, need not stay. */
static bool is_same(const struct packet *packet, const uint8_t *octets, uint32_t length)
{
	if (packet->length != length)
		return false;
	if (length < IPV4_LENGTH || packet->octets[0] >> 4 != 4 || (packet->octets[6] & 0x40) == 0)
		return memcmp(packet->octets, octets, length) == 0;
	return memcmp(packet->octets, octets, 4) == 0 && memcmp(packet->octets + 6, octets + 6, 4) == 0 &&
	       memcmp(packet->octets + 12, octets + 12, length - 12) == 0 &&
	       (memcmp(packet->octets + 4, octets + 4, 2) != 0 || memcmp(packet->octets + 10, octets + 10, 2) == 0);
}

static void take_back(const uint8_t *octets, uint32_t length)
{
	for (unsigned i = 0; i < packet_count; i++) {
		struct packet *packet = &packets[i];
		if (packet->taken || !is_same(packet, octets, length))
			continue;
		packet->taken = true;
		if (i < last_of_flow[packet->flow] && packet->faultless)
			fail("a packet was overtaken by a later one of its flow");
		if (packet->faultless)
			last_of_flow[packet->flow] = i;
		return;
	}
	fail("a packet came out that was not put in");
}

static void emit(void *to, const struct iovec *vectors, unsigned vector_count, unsigned count)
{
	(void)to;
	size_t length = 0;
	for (unsigned i = 0; i < vector_count; i++)
		length += vectors[i].length;
	struct vnet_header header;
	if (vectors[0].length < sizeof header || length == sizeof header)
		fail("there is no vnet header, or nothing behind it");
	uint8_t *all = malloc(length), *at = all;
	for (unsigned i = 0; i < vector_count; i++) {
		memcpy(at, vectors[i].base, vectors[i].length);
		at += vectors[i].length;
	}
	memcpy(&header, all, sizeof header);
	length -= sizeof header;
	uint8_t *packet = malloc(length);
	memcpy(packet, all + sizeof header, length);
	free(all);
	struct split split;
	if (length > PACKET_LIMIT || !split_begin(&split, &header, packet, (uint32_t)length))
		fail("what was joined does not come apart");
	if (count > 1 && (header.flags & VNET_NEEDS_CHECKSUM) == 0)
		fail("joined packets without a checksum");
	unsigned segments = 0;
	for (; split_pending(&split); segments++) {
		uint8_t *slot = malloc(split.largest);
		const uint32_t written = split_next(&split, slot);
		take_back(slot, written);
		free(slot);
	}
	if (segments != count)
		fail("the count is wrong");
	emitted_packets += count;
	if (count > 1)
		joined_packets += count;
	free(packet);
}

static struct flow make_flow(unsigned number)
{
	return (struct flow){
		.number = number,
		.ipv4 = !chance(3),
		.tcp = !chance(3),
		.dont_fragment = chance(2),
		.varied = chance(2),
		.sequence = chance(3) ? 0xffffff00 : draw(1u << 31),
		.identification = draw(65536),
		.payload = 1 + draw(chance(3) ? 40 : 1400),
		.options = 4 * draw(11),
	};
}

static void join_and_split(struct coalescer *coalescer, bool faults)
{
	struct flow flows[flows_limit];
	const unsigned flow_count = 1 + draw(flows_limit);
	const unsigned wanted = 1 + draw(packets_limit);
	packet_count = emitted_packets = 0;
	coalescer->udp = !chance(4);
	for (unsigned i = 0; i < flow_count; i++) {
		flows[i] = make_flow(i);
		last_of_flow[i] = 0;
	}
	for (unsigned at = draw(flow_count); packet_count < wanted; at = chance(4) ? draw(flow_count) : at) {
		struct flow *flow = &flows[at];
		struct packet *packet =
			make_packet(flow, chance(16) ? 1 + draw(1400) : flow->payload, chance(16));
		if (faults && chance(8))
			spoil(flow, packet);
		if (faults && chance(16))
			flow->sequence += draw(3) - 1;
	}
	for (unsigned i = 0; i < packet_count; i++) {
		coalesce_add(coalescer, packets[i].octets, packets[i].length);
		if (chance(64))
			coalesce_flush(coalescer);
	}
	coalesce_flush(coalescer);
	if (emitted_packets != packet_count)
		fail("not every packet came out");
	for (unsigned i = 0; i < packet_count; i++)
		free(packets[i].octets);
}

static void split_anything(void)
{
	struct vnet_header header;
	const uint32_t length = chance(4) ? draw(80) : draw(chance(8) ? PACKET_LIMIT + 1 : 3000);
	uint8_t *packet = malloc(length == 0 ? 1 : length);
	static const uint8_t types[] = { VNET_GSO_NONE, VNET_GSO_TCPV4, VNET_GSO_TCPV6, VNET_GSO_UDP_L4, 3, 0x81 };
	fill((uint8_t *)&header, sizeof header);
	fill(packet, length);
	if (!chance(4)) {
		header.flags = VNET_NEEDS_CHECKSUM;
		header.gso_type = types[draw(sizeof types)];
		header.gso_size = (uint16_t)(draw(2) != 0 ? draw(1500) : draw(4));
		header.checksum_offset = chance(2) ? TCP_CHECKSUM : UDP_CHECKSUM;
		header.checksum_start = chance(2) ? IPV4_LENGTH : IPV6_LENGTH;
		if (length > 20) {
			packet[0] = header.checksum_start == IPV4_LENGTH ? 0x45 : 0x60;
			packet[9] = header.checksum_offset == TCP_CHECKSUM ? PROTOCOL_TCP : PROTOCOL_UDP;
		}
	}
	struct split split;
	uint64_t total = 0;
	if (split_begin(&split, &header, packet, length)) {
		const uint32_t headers = split.header_length;
		while (split_pending(&split)) {
			uint8_t *slot = malloc(split.largest);
			const uint32_t written = split_next(&split, slot);
			if (written == 0 || written > split.largest || written <= headers)
				fail("a segment of a wrong length");
			total += written - headers;
			free(slot);
		}
		if (total + headers != length)
			fail("the segments do not add up");
	} else if (split_pending(&split)) {
		fail("a refused packet is waiting");
	}
	free(packet);
}

/* Which flags, numbers and checksums the segments of a large packet have: RFC 9293 §3.1, RFC 3168 §6.1.2 (CWR once). */
static void split_with_flags(void)
{
	struct flow flow = make_flow(0);
	const uint32_t size = 48 + draw(1400), segments = 1 + draw(30), payload = (segments - 1) * size + 1 + draw(size);
	flow.tcp = true;
	flow.dont_fragment = flow.varied = false;
	const struct flow before = flow;
	packet_count = 0;
	struct packet *large = make_packet(&flow, payload, true);
	const uint32_t at = transport_of(&flow), header = at + TCP_LENGTH + flow.options;
	uint8_t *transport = large->octets + at;
	transport[TCP_FLAGS] = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR;
	const uint64_t sum = (uint64_t)network16(large->length - at) + network16(PROTOCOL_TCP);
	store16(transport + TCP_CHECKSUM,
		checksum_fold(flow.ipv4 ? checksum_add(sum, large->octets + 12, 8) : checksum_add(sum, large->octets + 8, 32)));
	const struct vnet_header vnet = {
		.flags = VNET_NEEDS_CHECKSUM,
		.gso_type = (flow.ipv4 ? VNET_GSO_TCPV4 : VNET_GSO_TCPV6) | VNET_GSO_ECN,
		.gso_size = (uint16_t)size,
		.checksum_start = (uint16_t)at,
		.checksum_offset = TCP_CHECKSUM,
	};
	struct split split;
	if (!split_begin(&split, &vnet, large->octets, large->length))
		fail("a large packet was refused");
	for (uint32_t i = 0; i < segments; i++) {
		uint8_t slot[2048], expected[2048];
		const uint32_t left = payload - i * size, length = header + (left < size ? left : size);
		if (!split_pending(&split) || split_next(&split, slot) != length)
			fail("a segment has a wrong length, or is missing");
		memcpy(expected, large->octets, header);
		memcpy(expected + header, large->octets + header + i * size, length - header);
		if (flow.ipv4) {
			store16(expected + 2, network16(length));
			store16(expected + 4, network16(before.identification + i));
		} else {
			store16(expected + 4, network16(length - IPV6_LENGTH));
		}
		write_network32(expected + at + 4, before.sequence + i * size);
		expected[at + TCP_FLAGS] = (uint8_t)(TCP_ACK | (i == 0 ? TCP_CWR : 0) | (i == segments - 1 ? TCP_PSH | TCP_FIN : 0));
		write_checksums(&flow, expected, length);
		if (memcmp(slot, expected, length) != 0)
			fail("a segment is not what it should be");
	}
	if (split_pending(&split))
		fail("there are more segments than there should be");
	free(large->octets);
}

/* Faultless streams of so many packets, and how many of those were joined: at least half in the long run. */
static unsigned long whole, joined;
enum { enough = 10000 };

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	static struct coalescer *coalescer;
	if (coalescer == NULL)
		coalescer = calloc(1, sizeof *coalescer);
	coalescer->emit = emit;
	choices_begin(octets, length);
	switch (draw(3)) {
	case 0:
		split_anything();
		break;
	case 1:
		split_with_flags();
		break;
	default: {
		const bool faults = !chance(4);
		joined_packets = 0;
		join_and_split(coalescer, faults);
		if (!faults && length <= 64) { /* a fuzzer's long rows of choices may avoid it */
			whole += packet_count;
			joined += joined_packets;
			if (whole > enough && joined * 4 < whole)
				fail("hardly anything is joined");
		}
	}
	}
	return 0;
}
