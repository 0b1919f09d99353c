/* In the place of src/native/syscall.h: every system call goes to the harness. */
#ifndef PPTP_SYSCALL_H
#define PPTP_SYSCALL_H

#include <asm/unistd.h>

long fake_syscall(long number, const long arguments[6]);

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	const long arguments[6] = { a, b, c, d, e, f };
	return fake_syscall(number, arguments);
}

#define syscall1(number, a) syscall6(__NR_##number, (long)(a), 0, 0, 0, 0, 0)
#define syscall2(number, a, b) syscall6(__NR_##number, (long)(a), (long)(b), 0, 0, 0, 0)
#define syscall3(number, a, b, c) syscall6(__NR_##number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define syscall4(number, a, b, c, d) syscall6(__NR_##number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define syscall5(number, a, b, c, d, e) \
	syscall6(__NR_##number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

#endif
