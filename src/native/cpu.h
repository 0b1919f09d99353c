/* What this processor can do beyond what the addon is compiled for. */
#ifndef PPTP_CPU_H
#define PPTP_CPU_H

#include <stdbool.h>

struct cpu {
	bool sse4_1; /* x86-64 */
	bool sha;    /* SHA extensions of x86-64 (with SSE4.1), SHA1 of ARMv8 in its 64-bit state */
};

struct cpu cpu_features(void);

#endif
