/*
 * Random octets from the kernel. Node's own come with all of its cryptography, half a megabyte that nothing else here needs.
 */
#include "random.h"

#include <asm/errno.h>

#include "syscall.h"

/* fillRandom(octets) */
napi_value fill_random(napi_env env, napi_callback_info info)
{
	napi_value argument;
	size_t length, done = 0;
	uint8_t *octets;
	if (!take_arguments(env, info, 1, &argument) ||
	    !take_octets(env, argument, "What is to be filled must be a Uint8Array", &octets, &length))
		return NULL;
	while (done < length) {
		/* Waits until the kernel has gathered enough, once after it has started. */
		const long result = syscall3(getrandom, octets + done, length - done, 0);
		if (result > 0)
			done += (size_t)result;
		else if (result != -EINTR)
			return throw_io_error(env, result, "getrandom", NULL);
	}
	return NULL;
}
