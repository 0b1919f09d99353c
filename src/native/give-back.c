/*
 * Memory that nobody needs any more, back to the kernel: of V8's heap and of the C library's.
 */
#include "give-back.h"

/* glibc's; no other library has it, or needs it. */
extern int malloc_trim(size_t pad) __attribute__((weak));

/* giveBack() */
napi_value give_back(napi_env env, napi_callback_info info)
{
	(void)info;
	/* More than a process can have: V8 collects at once, compacts, and shrinks its young generation. Then it is gone again. */
	const int64_t pressure = (int64_t)1 << 40;
	int64_t ignored;
	if (napi_adjust_external_memory(env, pressure, &ignored) == napi_ok)
		napi_adjust_external_memory(env, -pressure, &ignored);
	if (malloc_trim != NULL)
		malloc_trim(0);
	return NULL;
}
