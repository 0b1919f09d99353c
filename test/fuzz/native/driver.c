/*
 * Where there is no libFuzzer: tries the files given, then octets from a seed until the time is over.
 *
 *   harness -seed=N -max_total_time=SECONDS [FILE...]       prints how many inputs there were
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static uint8_t input[1 << 20];

static void try_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(2);
	}
	const size_t length = fread(input, 1, sizeof input, file);
	fclose(file);
	LLVMFuzzerTestOneInput(input, length);
}

int main(int count, char **words)
{
	uint64_t seed = 1;
	long seconds = 0;
	unsigned long inputs = 0;
	for (int i = 1; i < count; i++) {
		if (strncmp(words[i], "-seed=", 6) == 0) {
			seed = strtoull(words[i] + 6, NULL, 10);
		} else if (strncmp(words[i], "-max_total_time=", 16) == 0) {
			seconds = strtol(words[i] + 16, NULL, 10);
		} else {
			try_file(words[i]);
			inputs++;
		}
	}
	struct timespec begun, now;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	uint64_t state = seed * 2 + 1;
	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - begun.tv_sec >= seconds)
			break;
		for (int stride = 0; stride < 16; stride++, inputs++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			/* A few choices; the harness goes on from them. */
			const size_t length = (state >> 40) % 64;
			uint64_t octets = state;
			for (size_t at = 0; at < length; at++) {
				octets ^= octets << 13;
				octets ^= octets >> 7;
				octets ^= octets << 17;
				input[at] = (uint8_t)(octets >> 32);
			}
			LLVMFuzzerTestOneInput(input, length);
		}
	}
	printf("%lu inputs in %ld s, seed %llu\n", inputs, seconds, (unsigned long long)seed);
	return 0;
}
