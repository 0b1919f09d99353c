/*
 * The Internet checksum, RFC 1071: sums of 16-bit words in the CPU's own order (§2 B), and the same while copying.
 *
 * A sum is carried in 64 bits and folded at the end; it takes 2^32 packets to overflow it.
 */
#ifndef PPTP_CHECKSUM_H
#define PPTP_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* 16 octets at any address: one instruction on x86-64 and aarch64. */
typedef uint32_t checksum_lanes __attribute__((vector_size(16), aligned(1), may_alias));

static inline uint16_t load16(const uint8_t *octets)
{
	uint16_t word;
	__builtin_memcpy(&word, octets, sizeof word);
	return word;
}

static inline void store16(uint8_t *octets, uint16_t word)
{
	__builtin_memcpy(octets, &word, sizeof word);
}

static inline uint16_t network16(uint32_t number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap16((uint16_t)number);
#else
	return (uint16_t)number;
#endif
}

static inline uint32_t network32(uint32_t number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return __builtin_bswap32(number);
#else
	return number;
#endif
}

static inline uint32_t read_network32(const uint8_t *octets)
{
	uint32_t word;
	__builtin_memcpy(&word, octets, sizeof word);
	return network32(word);
}

static inline void write_network32(uint8_t *octets, uint32_t number)
{
	const uint32_t word = network32(number);
	__builtin_memcpy(octets, &word, sizeof word);
}

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Sums, and copies unless `to` is NULL. At most 2^18 octets: a lane holds that many words. */
static inline __attribute__((always_inline)) uint64_t checksum_walk(uint64_t sum, uint8_t *to, const uint8_t *from,
								     size_t length)
{
	checksum_lanes even = { 0 }, odd = { 0 };
	for (; length >= 32; length -= 32, from += 32) {
		const checksum_lanes first = *(const checksum_lanes *)from;
		const checksum_lanes second = *(const checksum_lanes *)(from + 16);
		even += (first & 0xffff) + (second & 0xffff);
		odd += (first >> 16) + (second >> 16);
		if (to != NULL) {
			*(checksum_lanes *)to = first;
			*(checksum_lanes *)(to + 16) = second;
			to += 32;
		}
	}
	for (int lane = 0; lane < 4; lane++)
		sum += (uint64_t)even[lane] + odd[lane];
	for (; length >= 2; length -= 2, from += 2) {
		const uint16_t word = load16(from);
		sum += word;
		if (to != NULL) {
			store16(to, word);
			to += 2;
		}
	}
	if (length != 0) {
		const uint8_t last[2] = { *from, 0 };
		sum += load16(last);
		if (to != NULL)
			*to = *from;
	}
	return sum;
}

/* `length` even, or the last octets of what is summed. */
static inline uint64_t checksum_add(uint64_t sum, const uint8_t *octets, size_t length)
{
	return checksum_walk(sum, NULL, octets, length);
}

static inline uint64_t checksum_copy(uint64_t sum, uint8_t *to, const uint8_t *from, size_t length)
{
	return checksum_walk(sum, to, from, length);
}

#endif
