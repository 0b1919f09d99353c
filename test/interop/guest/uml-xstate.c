/*
 * For user-mode Linux on processors with more state than it has room for (AMX): since Linux 5.16 PTRACE_SETREGSET wants all of
 * NT_X86_XSTATE, and a guest dies with its first process. What it does not know stays as it is. LD_PRELOAD of linux.uml.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(enum __ptrace_request, ...);
	static char all[1 << 16];
	va_list arguments;
	va_start(arguments, request);
	const int pid = va_arg(arguments, int);
	void *const address = va_arg(arguments, void *);
	void *const data = va_arg(arguments, void *);
	va_end(arguments);
	if (real == NULL)
		real = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
	const long result = real(request, pid, address, data);
	if (result == 0 || request != PTRACE_SETREGSET || address != (void *)NT_X86_XSTATE)
		return result;
	const struct iovec *const known = data;
	struct iovec whole = { all, sizeof all };
	if (real(PTRACE_GETREGSET, pid, address, &whole) != 0 || whole.iov_len <= known->iov_len)
		return result;
	memcpy(all, known->iov_base, known->iov_len);
	return real(PTRACE_SETREGSET, pid, address, &whole);
}
