/*
 * Locks of files, as uci takes them: flock(2), gone with the descriptor. Node has none.
 */
#include "lock.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

#include "syscall.h"

/* lockFile(fd): whether it is ours now; false: somebody else has it */
napi_value lock_file(napi_env env, napi_callback_info info)
{
	napi_value argument, taken;
	int32_t fd;
	if (!take_arguments(env, info, 1, &argument) ||
	    !take_integer(env, argument, 0, "The descriptor must be a number", &fd))
		return NULL;
	const long result = syscall2(flock, fd, LOCK_EX | LOCK_NB);
	if (result < 0 && result != -EWOULDBLOCK)
		return throw_io_error(env, result, "flock", NULL);
	return napi_get_boolean(env, result == 0, &taken) == napi_ok ? taken : NULL;
}
