/*
 * Giving up capabilities, thread by thread.
 *
 * The kernel lets a thread change only its own. For the others a signal is borrowed that the C libraries keep for such
 * work and never block: the handler runs in the thread, finds its request in the signal's value, and says when it is done.
 */
#include "privileges.h"

#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/prctl.h>

#include "memory.h"
#include "signals.h"
#include "syscall.h"

/* glibc's SIGSETXID, musl's SIGCANCEL: neither library lets a program block it. */
enum { borrowed_signal = 33, capabilities_limit = 64 };

static const uint32_t kept = 1u << CAP_NET_ADMIN | 1u << CAP_NET_RAW;

struct reduction {
	const char *call; /* the one that failed */
	long result;
	uint32_t done; /* futex */
};

/* In the thread that is to have less. Must be safe in a signal handler: system calls only. */
static void reduce(struct reduction *reduction)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct data[2] = { { kept, kept, 0 }, { 0, 0, 0 } };
	long result = 0;
	reduction->call = "PR_CAPBSET_DROP";
	for (unsigned capability = 0; capability < capabilities_limit; capability++) {
		if (capability < 32 && (kept & 1u << capability) != 0)
			continue;
		/* Beyond the last capability this kernel knows the answer is EINVAL. */
		if (syscall5(prctl, PR_CAPBSET_READ, capability, 0, 0, 0) == 1 &&
		    (result = syscall5(prctl, PR_CAPBSET_DROP, capability, 0, 0, 0)) < 0)
			break;
	}
	if (result >= 0) {
		reduction->call = "PR_CAP_AMBIENT_CLEAR_ALL";
		result = syscall5(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	}
	if (result >= 0) {
		reduction->call = "PR_SET_NO_NEW_PRIVS";
		result = syscall5(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	}
	if (result >= 0) {
		reduction->call = "capset";
		result = syscall2(capset, &header, data);
	}
	reduction->result = result;
}

napi_value reduce_capabilities(napi_env env, napi_callback_info info)
{
	struct reduction reduction = { 0 };
	(void)info;
	reduce(&reduction);
	if (reduction.result < 0)
		return throw_io_error(env, reduction.result, reduction.call, NULL);
	return NULL;
}

static void on_signal(int number, siginfo_t *information, void *machine)
{
	(void)number;
	(void)machine;
	/* Anything else than our own request (a C library's use of the signal ends before ours begins). */
	if (information->si_code != SI_QUEUE || information->si_ptr == NULL)
		return;
	struct reduction *reduction = information->si_ptr;
	reduce(reduction);
	__atomic_store_n(&reduction->done, 1, __ATOMIC_RELEASE);
	syscall3(futex, &reduction->done, FUTEX_WAKE, 1);
}

/* Waits until done. The deadline is renewed when something else wakes us: a signal or two, never many. */
static bool wait_until_done(struct reduction *reduction, int32_t milliseconds)
{
	const long timeout[2] = { milliseconds / 1000, (long)(milliseconds % 1000) * 1000000 };
	while (__atomic_load_n(&reduction->done, __ATOMIC_ACQUIRE) == 0)
		if (syscall4(futex, &reduction->done, FUTEX_WAIT, 0, timeout) == -ETIMEDOUT)
			return __atomic_load_n(&reduction->done, __ATOMIC_ACQUIRE) != 0;
	return true;
}

static long queue_signal(int32_t tid, struct reduction *reduction)
{
	siginfo_t information;
	memset(&information, 0, sizeof information);
	information.si_signo = borrowed_signal;
	information.si_code = SI_QUEUE;
	information.si_ptr = reduction;
	return syscall4(rt_tgsigqueueinfo, syscall1(getpid, 0), tid, borrowed_signal, &information);
}

/* reduceThreadCapabilities(tid, timeoutMilliseconds) */
napi_value reduce_thread_capabilities(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	int32_t tid, milliseconds;
	if (!take_arguments(env, info, 2, arguments) ||
	    !take_integer(env, arguments[0], 1, "The thread's id must be a positive number", &tid) ||
	    !take_integer(env, arguments[1], 1, "The time-out must be a positive number of milliseconds", &milliseconds))
		return NULL;
	struct reduction *reduction = pages_allocate(sizeof *reduction);
	if (reduction == NULL)
		return throw_io_error(env, -ENOMEM, "mmap", NULL);

	struct signal_action before, ours = { .handler = on_signal, .flags = SA_SIGINFO | SA_RESTART };
	long result = set_signal_action(borrowed_signal, &ours, &before);
	if (result < 0) {
		pages_release(reduction, sizeof *reduction);
		return throw_io_error(env, result, "rt_sigaction", NULL);
	}
	result = queue_signal(tid, reduction);
	if (result < 0) {
		set_signal_action(borrowed_signal, &before, NULL);
		pages_release(reduction, sizeof *reduction);
		return throw_io_error(env, result, "rt_tgsigqueueinfo", NULL);
	}
	/* Late is not never: the thread may still come to it, so handler and request must then stay. */
	if (!wait_until_done(reduction, milliseconds))
		return throw_io_error(env, -ETIMEDOUT, "rt_tgsigqueueinfo", NULL);
	set_signal_action(borrowed_signal, &before, NULL);
	result = reduction->result;
	const char *call = reduction->call;
	pages_release(reduction, sizeof *reduction);
	if (result < 0)
		return throw_io_error(env, result, call, NULL);
	return NULL;
}
