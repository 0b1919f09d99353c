/* Memory straight from the kernel, and the four functions that every C compiler may call on its own. */
#ifndef PPTP_MEMORY_H
#define PPTP_MEMORY_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int octet, size_t length);
int memcmp(const void *a, const void *b, size_t length);

/* Zeroed whole pages, or NULL. Used a few times in a descriptor's life, never per packet. */
void *pages_allocate(size_t length);
void pages_release(void *pages, size_t length);

#endif
