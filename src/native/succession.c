/*
 * The next program in the place of this one, with the same process id and the descriptors that it is given.
 *
 * execve() ends all other threads and keeps descriptors without FD_CLOEXEC, ignored signals, the signal mask, timers of
 * alarm(2) and capabilities, as far as the bounding set has them (uid 0).
 */
#include "succession.h"

#include <asm/errno.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>

#include "guard.h"
#include "memory.h"
#include "syscall.h"

enum { words_limit = 4096, file_name_limit = 64, path_limit = 4096 };

static long set_close_on_exec(int32_t fd, long flag)
{
	return syscall3(fcntl, fd, F_SETFD, flag);
}

/* memoryFile(name, octets) -> descriptor of a file that has no name in the file system and never comes to a disk */
napi_value memory_file(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], number;
	char name[file_name_limit];
	uint8_t *octets;
	size_t length, written = 0;
	if (!take_arguments(env, info, 2, arguments) ||
	    !take_octets(env, arguments[1], "The contents must be a Uint8Array", &octets, &length))
		return NULL;
	if (napi_get_value_string_utf8(env, arguments[0], name, sizeof name, NULL) != napi_ok)
		return throw_type_error(env, "The name must be a string");
	const long fd = syscall2(memfd_create, name, MFD_CLOEXEC);
	if (fd < 0)
		return throw_io_error(env, fd, "memfd_create", NULL);
	while (written < length) {
		const long result = syscall3(write, fd, octets + written, length - written);
		if (result == -EINTR)
			continue;
		if (result <= 0) {
			syscall1(close, fd);
			return throw_io_error(env, result == 0 ? -ENOSPC : result, "write", "memfd");
		}
		written += (size_t)result;
	}
	return napi_create_int32(env, (int32_t)fd, &number) == napi_ok ? number : NULL;
}

/* openFile(path) -> descriptor */
napi_value open_file(napi_env env, napi_callback_info info)
{
	napi_value argument, number;
	char path[path_limit];
	if (!take_arguments(env, info, 1, &argument))
		return NULL;
	if (napi_get_value_string_utf8(env, argument, path, sizeof path, NULL) != napi_ok)
		return throw_type_error(env, "The path must be a string");
	const long fd = syscall4(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return throw_io_error(env, fd, "open", path);
	return napi_create_int32(env, (int32_t)fd, &number) == napi_ok ? number : NULL;
}

static bool take_descriptor(napi_env env, napi_callback_info info, int32_t *fd)
{
	napi_value argument;
	return take_arguments(env, info, 1, &argument) &&
	       take_integer(env, argument, 0, "The descriptor must be a number", fd);
}

/* duplicate(fd) -> another descriptor of the same */
napi_value duplicate(napi_env env, napi_callback_info info)
{
	napi_value number;
	int32_t fd;
	if (!take_descriptor(env, info, &fd))
		return NULL;
	const long result = syscall3(fcntl, fd, F_DUPFD_CLOEXEC, 3);
	if (result < 0)
		return throw_io_error(env, result, "F_DUPFD_CLOEXEC", NULL);
	return napi_create_int32(env, (int32_t)result, &number) == napi_ok ? number : NULL;
}

/* claimDescriptor(fd): an inherited one, which no program that is started from here gets */
napi_value claim_descriptor(napi_env env, napi_callback_info info)
{
	int32_t fd;
	if (!take_descriptor(env, info, &fd))
		return NULL;
	const long result = set_close_on_exec(fd, FD_CLOEXEC);
	if (result < 0)
		return throw_io_error(env, result, "F_SETFD", NULL);
	return NULL;
}

/* closeDescriptor(fd): one that nobody else knows */
napi_value close_descriptor(napi_env env, napi_callback_info info)
{
	int32_t fd;
	if (!take_descriptor(env, info, &fd))
		return NULL;
	const long result = syscall1(close, fd);
	if (result < 0)
		return throw_io_error(env, result, "close", NULL);
	return NULL;
}

/* Strings that each end with a zero octet, as execve() has them; NULL: not so, or there is no memory (`*failure`). */
static const char **words_of(uint8_t *octets, size_t length, long *failure)
{
	const char **words;
	size_t count = 0;
	*failure = -EINVAL;
	if (length == 0 || octets[length - 1] != 0)
		return NULL;
	words = pages_allocate((words_limit + 1) * sizeof *words);
	*failure = -ENOMEM;
	if (words == NULL)
		return NULL;
	for (size_t at = 0; at < length && count < words_limit; count++) {
		words[count] = (const char *)octets + at;
		while (octets[at] != 0)
			at++;
		at++;
	}
	if (words[words_limit - 1] == NULL)
		return words;
	pages_release(words, (words_limit + 1) * sizeof *words);
	*failure = -E2BIG;
	return NULL;
}

/*
 * become(words, environment, descriptors, time): words[0] is the program's path; comes back only by throwing, and nothing has
 * changed. `time`: the guard's, in seconds (guard.c), 0: none, but signals wait; -1: no guard, and nothing is blocked, as in a new
 * process.
 */
napi_value become(napi_env env, napi_callback_info info)
{
	napi_value arguments[4];
	uint8_t *words_octets, *environment_octets;
	size_t words_length, environment_length, count, done = 0;
	napi_typedarray_type type;
	int32_t *descriptors, time;
	uint64_t mask = 0;
	long result;
	if (!take_arguments(env, info, 4, arguments) ||
	    !take_octets(env, arguments[0], "The words must be a Uint8Array", &words_octets, &words_length) ||
	    !take_octets(env, arguments[1], "The environment must be a Uint8Array", &environment_octets,
			 &environment_length) ||
	    !take_integer(env, arguments[3], -1, "The time must be a number of seconds", &time))
		return NULL;
	if (napi_get_typedarray_info(env, arguments[2], &type, &count, (void **)&descriptors, NULL, NULL) != napi_ok ||
	    type != napi_int32_array)
		return throw_type_error(env, "The descriptors must be an Int32Array");
	const char **words = words_of(words_octets, words_length, &result);
	if (words == NULL)
		return throw_io_error(env, result, "execve", "words");
	const char **environment = words_of(environment_octets, environment_length, &result);
	if (environment == NULL) {
		pages_release(words, (words_limit + 1) * sizeof *words);
		return throw_io_error(env, result, "execve", "environment");
	}
	const char *call = "F_SETFD", *subject = NULL;
	for (result = 0; result >= 0 && done < count; done++)
		result = set_close_on_exec(descriptors[done], 0);
	if (result >= 0) {
		call = "execve";
		subject = words[0];
		const uint64_t waiting = time < 0 ? 0 : held_signals();
		syscall4(rt_sigprocmask, SIG_SETMASK, &waiting, &mask, sizeof waiting);
		set_alarm(time > 0 ? time : 0);
		result = syscall3(execve, words[0], words, environment);
		set_alarm(0);
		syscall4(rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
	}
	while (done > 0)
		set_close_on_exec(descriptors[--done], FD_CLOEXEC);
	throw_io_error(env, result, call, subject);
	pages_release(words, (words_limit + 1) * sizeof *words);
	pages_release(environment, (words_limit + 1) * sizeof *environment);
	return NULL;
}
