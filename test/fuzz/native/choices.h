/*
 * The choices of a harness in C: read from the fuzzer's octets, so that libFuzzer can change one of them and keep the others;
 * where those end, they go on from a number that all of them make.
 */
#ifndef FUZZ_CHOICES_H
#define FUZZ_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *choices;
static size_t choices_left;
static uint64_t choices_state;

static inline void choices_begin(const uint8_t *octets, size_t length)
{
	choices = octets;
	choices_left = length;
	choices_state = 0x9e3779b97f4a7c15;
	for (size_t i = 0; i < length; i++)
		choices_state = (choices_state ^ octets[i]) * 0x100000001b3;
	choices_state |= 1;
}

static inline uint32_t choice(void)
{
	if (choices_left >= 2) {
		const uint32_t value = (uint32_t)choices[0] << 8 | choices[1];
		choices += 2;
		choices_left -= 2;
		return value << 16 | value;
	}
	choices_state ^= choices_state << 13;
	choices_state ^= choices_state >> 7;
	choices_state ^= choices_state << 17;
	return (uint32_t)(choices_state >> 32);
}

/* 0..below-1 */
static inline uint32_t draw(uint32_t below)
{
	return (uint32_t)(((uint64_t)choice() * below) >> 32);
}

/* Once in `of` times. */
static inline bool chance(uint32_t of)
{
	return draw(of) == 0;
}

static inline void fill(uint8_t *octets, size_t length)
{
	while (length-- > 0)
		*octets++ = (uint8_t)draw(256);
}

static inline void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

#endif
