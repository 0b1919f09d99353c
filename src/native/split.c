#include "split.h"

#include "checksum.h"
#include "memory.h"

/* Completes a packet whose checksum field holds the pseudo-header's sum. 0 means "none" in UDP, so its twin is sent. */
static bool complete_checksum(const struct vnet_header *header, uint8_t *packet, uint32_t length)
{
	const uint32_t start = header->checksum_start, field = start + header->checksum_offset;
	if (field + 2 > length)
		return false;
	const uint16_t checksum = (uint16_t)~checksum_fold(checksum_add(0, packet + start, length - start));
	store16(packet + field, checksum == 0 ? 0xffff : checksum);
	return true;
}

/* The header's length, or 0: this is no such packet. */
static uint32_t header_length(const struct split *split, const struct vnet_header *header)
{
	const uint8_t *packet = split->packet;
	const uint32_t transport = header->checksum_start, length = split->length;
	if (transport >= length)
		return 0;
	if (split->ipv4) {
		if (transport < IPV4_LENGTH || packet[0] != (0x40 | transport >> 2) || (transport & 3) != 0 ||
		    packet[9] != (split->tcp ? PROTOCOL_TCP : PROTOCOL_UDP))
			return 0;
	} else if (transport < IPV6_LENGTH || packet[0] >> 4 != 6) {
		return 0;
	}
	if (!split->tcp)
		return header->checksum_offset == UDP_CHECKSUM ? transport + UDP_LENGTH : 0;
	if (header->checksum_offset != TCP_CHECKSUM || transport + TCP_LENGTH > length)
		return 0;
	const uint32_t tcp_length = (uint32_t)(packet[transport + 12] >> 4) * 4;
	return tcp_length < TCP_LENGTH ? 0 : transport + tcp_length;
}

bool split_begin(struct split *split, const struct vnet_header *header, uint8_t *packet, uint32_t length)
{
	const uint8_t type = header->gso_type & (uint8_t)~VNET_GSO_ECN;
	*split = (struct split){ .packet = packet };
	if (length == 0)
		return false;
	if (type == VNET_GSO_NONE) {
		if ((header->flags & VNET_NEEDS_CHECKSUM) != 0 && !complete_checksum(header, packet, length))
			return false;
		split->length = split->largest = length;
		return true;
	}
	if (type != VNET_GSO_TCPV4 && type != VNET_GSO_TCPV6 && type != VNET_GSO_UDP_L4)
		return false;
	if ((header->flags & VNET_NEEDS_CHECKSUM) == 0 || header->gso_size == 0 || length > PACKET_LIMIT)
		return false;
	struct split wanted = { .packet = packet, .length = length, .size = header->gso_size };
	wanted.tcp = type != VNET_GSO_UDP_L4;
	wanted.ipv4 = type == VNET_GSO_TCPV4 || (type == VNET_GSO_UDP_L4 && packet[0] >> 4 == 4);
	wanted.transport = header->checksum_start;
	wanted.header_length = header_length(&wanted, header);
	if (wanted.header_length == 0 || wanted.header_length >= length)
		return false;
	const uint32_t payload = length - wanted.header_length;
	wanted.largest = wanted.header_length + (payload < wanted.size ? payload : wanted.size);
	wanted.at = wanted.header_length;
	const uint8_t *field = packet + wanted.transport + header->checksum_offset;
	wanted.pseudo = checksum_fold((uint64_t)load16(field) + (uint16_t)~network16(length - wanted.transport));
	*split = wanted;
	return true;
}

static void write_ip_header(const struct split *split, uint8_t *to, uint32_t total)
{
	if (!split->ipv4) {
		store16(to + 4, network16(total - IPV6_LENGTH));
		return;
	}
	store16(to + 2, network16(total));
	store16(to + 4, network16((uint32_t)network16(load16(to + 4)) + split->index));
	store16(to + 10, 0);
	store16(to + 10, (uint16_t)~checksum_fold(checksum_add(0, to, split->transport)));
}

uint32_t split_next(struct split *split, uint8_t *to)
{
	const uint8_t *from = split->packet + split->at;
	const uint32_t left = split->length - split->at;
	if (split->header_length == 0) {
		memcpy(to, from, left);
		split->at = split->length;
		return left;
	}
	const bool last = left <= split->size;
	const uint32_t payload = last ? left : split->size, total = split->header_length + payload;
	uint8_t *transport = to + split->transport;
	memcpy(to, split->packet, split->header_length);
	write_ip_header(split, to, total);
	uint8_t *field = transport + (split->tcp ? TCP_CHECKSUM : UDP_CHECKSUM);
	if (split->tcp) {
		write_network32(transport + 4, read_network32(transport + 4) + split->index * split->size);
		if (split->index != 0)
			transport[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
		if (!last)
			transport[TCP_FLAGS] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	} else {
		store16(transport + 4, network16(total - split->transport));
	}
	store16(field, 0);
	uint64_t sum = (uint64_t)split->pseudo + network16(total - split->transport);
	sum = checksum_add(sum, transport, split->header_length - split->transport);
	sum = checksum_copy(sum, to + split->header_length, from, payload);
	const uint16_t checksum = (uint16_t)~checksum_fold(sum);
	store16(field, checksum == 0 ? 0xffff : checksum);
	split->at += payload;
	split->index++;
	return total;
}
