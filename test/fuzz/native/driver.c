/*
 * Where there is no libFuzzer: tries the files given, then octets from a seed until there were so many inputs, or the time is over.
 *
 *   harness -seed=N [-runs=N] [-max_total_time=SECONDS] -artifact_prefix=PREFIX [FILE...]
 *
 * Prints how many inputs there were; one that fails is kept as PREFIXcrash.
 */
#include <sanitizer/common_interface_defs.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static uint8_t input[1 << 20];
static size_t input_length;
static char kept[4096];

static void keep(void)
{
	FILE *file = kept[0] == 0 ? NULL : fopen(kept, "wb");
	if (file == NULL)
		return;
	fwrite(input, 1, input_length, file);
	fclose(file);
	fprintf(stderr, "kept as %s\n", kept);
	kept[0] = 0;
}

static void on_abort(int number)
{
	(void)number;
	keep();
}

static void try_input(size_t length)
{
	input_length = length;
	LLVMFuzzerTestOneInput(input, length);
}

static void try_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(2);
	}
	const size_t length = fread(input, 1, sizeof input, file);
	fclose(file);
	try_input(length);
}

int main(int count, char **words)
{
	uint64_t seed = 1;
	long seconds = LONG_MAX;
	unsigned long inputs = 0, limit = ULONG_MAX;
	__sanitizer_set_death_callback(keep);
	signal(SIGABRT, on_abort);
	for (int i = 1; i < count; i++) {
		if (strncmp(words[i], "-seed=", 6) == 0) {
			seed = strtoull(words[i] + 6, NULL, 10);
		} else if (strncmp(words[i], "-max_total_time=", 16) == 0) {
			seconds = strtol(words[i] + 16, NULL, 10);
		} else if (strncmp(words[i], "-runs=", 6) == 0) {
			limit = strtoul(words[i] + 6, NULL, 10);
		} else if (strncmp(words[i], "-artifact_prefix=", 17) == 0) {
			snprintf(kept, sizeof kept, "%scrash", words[i] + 17);
		} else {
			try_file(words[i]);
			inputs++;
		}
	}
	struct timespec begun, now;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	uint64_t state = seed * 2 + 1;
	while (inputs < limit) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - begun.tv_sec >= seconds)
			break;
		for (int stride = 0; stride < 16 && inputs < limit; stride++, inputs++) {
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
			try_input(length);
		}
	}
	printf("%lu inputs in %ld s, seed %llu\n", inputs, seconds, (unsigned long long)seed);
	return 0;
}
