#include "memory.h"

#include <stdint.h>

#include <linux/mman.h>

#include "syscall.h"

/* 16 octets at any address: one instruction on x86-64 and aarch64. */
typedef unsigned char block __attribute__((vector_size(16), aligned(1), may_alias));

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	unsigned char *target = to;
	const unsigned char *source = from;
	for (; length >= sizeof(block); length -= sizeof(block)) {
		*(block *)target = *(const block *)source;
		target += sizeof(block);
		source += sizeof(block);
	}
	while (length-- > 0)
		*target++ = *source++;
	return to;
}

void *memmove(void *to, const void *from, size_t length)
{
	unsigned char *target = to;
	const unsigned char *source = from;
	if ((uintptr_t)target <= (uintptr_t)source)
		return memcpy(to, from, length); /* forward, and a block is read before it is written */
	while (length-- > 0)
		target[length] = source[length];
	return to;
}

void *memset(void *to, int octet, size_t length)
{
	unsigned char *target = to;
	while (length-- > 0)
		*target++ = (unsigned char)octet;
	return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
	const unsigned char *left = a, *right = b;
	for (; length > 0; length--, left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}

void *pages_allocate(size_t length)
{
	const long protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
#if defined(__NR_mmap2)
	const long pages = syscall6(__NR_mmap2, 0, (long)length, protection, flags, -1, 0);
#else
	const long pages = syscall6(__NR_mmap, 0, (long)length, protection, flags, -1, 0);
#endif
	return pages < 0 && pages > -4096 ? NULL : (void *)pages;
}

void pages_release(void *pages, size_t length)
{
	syscall2(munmap, pages, length);
}
