/*
 * System calls without a C library, so that one addon per CPU loads on glibc and musl.
 *
 * Every call returns what the kernel returns: a result, or an error number negated.
 * Structures the kernel's own headers leave to the C library are declared in kernel.h.
 */
#ifndef PPTP_SYSCALL_H
#define PPTP_SYSCALL_H

#include <asm/unistd.h>

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
#elif defined(__arm__) && defined(__ARM_EABI__)
	register long r7 __asm__("r7") = number;
	register long r0 __asm__("r0") = a;
	register long r1 __asm__("r1") = b;
	register long r2 __asm__("r2") = c;
	register long r3 __asm__("r3") = d;
	register long r4 __asm__("r4") = e;
	register long r5 __asm__("r5") = f;
	__asm__ volatile("svc 0"
			 : "+r"(r0)
			 : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
			 : "memory");
	return r0;
#else
#error "This CPU's way of calling the kernel is not written down here: x86-64, aarch64 and 32-bit ARM (EABI) are."
#endif
}

#define syscall1(number, a) syscall6(__NR_##number, (long)(a), 0, 0, 0, 0, 0)
#define syscall2(number, a, b) syscall6(__NR_##number, (long)(a), (long)(b), 0, 0, 0, 0)
#define syscall3(number, a, b, c) syscall6(__NR_##number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define syscall4(number, a, b, c, d) \
	syscall6(__NR_##number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define syscall5(number, a, b, c, d, e) \
	syscall6(__NR_##number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

#endif
