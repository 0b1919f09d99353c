#include "cpu.h"

#include <stdint.h>

#if defined(__x86_64__)

struct registers {
	uint32_t eax, ebx, ecx, edx;
};

static struct registers cpuid(uint32_t leaf)
{
	struct registers is = { .eax = leaf };
	__asm__ volatile("cpuid" : "+a"(is.eax), "=b"(is.ebx), "+c"(is.ecx), "=d"(is.edx));
	return is;
}

/* Intel's manual, CPUID: leaf 0 has the highest one in EAX, 1 has SSSE3 and SSE4.1 in ECX, 7 SHA in EBX. */
struct cpu cpu_features(void)
{
	enum { SSSE3 = 1 << 9, SSE4_1 = 1 << 19, SHA = 1 << 29 };
	const uint32_t highest = cpuid(0).eax;
	const bool sse4_1 = highest >= 1 && (cpuid(1).ecx & (SSSE3 | SSE4_1)) == (SSSE3 | SSE4_1);
	return (struct cpu){ .sse4_1 = sse4_1, .sha = sse4_1 && highest >= 7 && (cpuid(7).ebx & SHA) != 0 };
}

#elif defined(__aarch64__)

#include <linux/fcntl.h>

#include "syscall.h"

/* What getauxval(AT_HWCAP) would say: pairs of numbers that the kernel gave the process. */
struct cpu cpu_features(void)
{
	enum { AT_NULL = 0, AT_HWCAP = 16, HWCAP_SHA1 = 1 << 5, limit = 64 };
	unsigned long words[2 * limit];
	const long fd = syscall4(openat, AT_FDCWD, "/proc/self/auxv", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return (struct cpu){ 0 };
	const long count = syscall3(read, fd, words, sizeof words) / (long)sizeof *words;
	syscall1(close, fd);
	for (long n = 0; n + 1 < count && words[n] != AT_NULL; n += 2)
		if (words[n] == AT_HWCAP)
			return (struct cpu){ .sha = (words[n + 1] & HWCAP_SHA1) != 0 };
	return (struct cpu){ 0 };
}

#else

struct cpu cpu_features(void)
{
	return (struct cpu){ 0 };
}

#endif
