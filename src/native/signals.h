/* What a signal does, as the kernel has it. */
#ifndef PPTP_SIGNALS_H
#define PPTP_SIGNALS_H

#include <stdint.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "syscall.h"

struct signal_action {
	void (*handler)(int number, siginfo_t *information, void *machine);
	unsigned long flags;
	void (*restorer)(void);
	uint32_t mask[2]; /* no alignment of 64 bits, which would move it on 32-bit ARM */
};

static inline uint64_t signal_bit(int number)
{
	return 1ull << (number - 1);
}

#if defined(__x86_64__)
/* Other kernels bring their own way back from a handler. */
__attribute__((naked, unused)) static void return_from_signal(void)
{
	__asm__ volatile("movl %0, %%eax\n\tsyscall" : : "i"(__NR_rt_sigreturn));
}
#endif

/* @param before may be NULL */
static inline long set_signal_action(int number, struct signal_action *action, struct signal_action *before)
{
#if defined(__x86_64__)
	const unsigned long restorer_flag = 0x04000000; /* SA_RESTORER */
	if ((action->flags & restorer_flag) == 0)
		action->restorer = return_from_signal;
	action->flags |= restorer_flag;
#endif
	return syscall4(rt_sigaction, number, action, before, sizeof action->mask);
}

#endif
