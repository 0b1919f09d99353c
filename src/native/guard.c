/*
 * A program that has become another one watches over it until that says that it is well: this addon stays in the process,
 * as a preloaded library (LD_PRELOAD), and knows the way back.
 *
 * It stands guard by a document in a memfd, whose descriptor the first variable of the environment tells. Whatever becomes
 * of the next program, a loop without an end (SIGALRM, whose timer outlives execve), a crash, an exit, the process is the
 * program before again, with the same descriptors. Until the next one handles them, SIGHUP, SIGINT and SIGTERM wait: Node
 * lets through at its start whatever is blocked, so its pthread_sigmask() is ours meanwhile.
 *
 * A process has one, whatever threads it has: the only statics of this addon.
 */
#include "guard.h"

#include <linux/fcntl.h>
#include <linux/mman.h>

#include "memory.h"
#include "signals.h"
#include "syscall.h"

/* What the guard does; `watch_next` and `hold_next` until the next program starts. Written by whoever is guarded. */
enum duty { at_ease, watch_next, watching, hold_next, holding };

/* As src/native/succession.ts writes it, in the CPU's order: then descriptors, words, environment, each string with a zero octet. */
struct guard {
	uint32_t duty;
	uint32_t descriptor_count, words_length, environment_length;
	int32_t descriptors[];
};

enum { string_limit = 4096 };

/* At the end of the way back's environment: what has ended the next program, a signal or nothing. */
static const char ended[] = "PPTP_GATEWAY_ENDED=00";
static const char variable[] = "PPTP_GATEWAY_GUARD=";

static struct guard *guard;
static long guarded_process; /* not its children */
static const char **back_words, **back_environment;

static const int calamities[] = { SIGALRM, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP };

uint64_t held_signals(void)
{
	return signal_bit(SIGHUP) | signal_bit(SIGINT) | signal_bit(SIGTERM);
}

void set_alarm(long seconds)
{
	const long interval_and_value[2][2] = { { 0, 0 }, { seconds, 0 } };
	syscall3(setitimer, 0 /* ITIMER_REAL */, interval_and_value, NULL);
}

static enum duty duty(void)
{
	if (guard == NULL || syscall1(getpid, 0) != guarded_process)
		return at_ease;
	return __atomic_load_n(&guard->duty, __ATOMIC_ACQUIRE);
}

static void begin(struct guard *found, enum duty duty)
{
	guard = found;
	guarded_process = syscall1(getpid, 0);
	__atomic_store_n(&guard->duty, duty, __ATOMIC_RELEASE);
}

/* Only system calls: in a handler of whatever has gone wrong. @param signal 0: the program has ended by itself */
static void go_back(int signal)
{
	const uint64_t mask = held_signals();
	char *end = (char *)(guard->descriptors + guard->descriptor_count) + guard->words_length + guard->environment_length;
	end[-3] = (char)('0' + signal / 10);
	end[-2] = (char)('0' + signal % 10);
	set_alarm(0);
	for (uint32_t i = 0; i < guard->descriptor_count; i++)
		syscall3(fcntl, guard->descriptors[i], F_SETFD, 0); /* one that is closed is missed by whom it concerns */
	__atomic_store_n(&guard->duty, hold_next, __ATOMIC_RELEASE);
	syscall4(rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
	syscall3(execve, back_words[0], back_words, back_environment);
	__atomic_store_n(&guard->duty, at_ease, __ATOMIC_RELEASE);
}

static void on_calamity(int number, siginfo_t *information, void *machine)
{
	const uint64_t none = 0;
	struct signal_action ordinary = { 0 };
	(void)information;
	(void)machine;
	if (duty() == watching)
		go_back(number);
	set_signal_action(number, &ordinary, NULL);
	syscall4(rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
	syscall3(tgkill, syscall1(getpid, 0), syscall1(gettid, 0), number);
}

/* @returns the descriptor that the environment begins with, or -1 */
static int32_t given_descriptor(void)
{
	char start[48] = { 0 };
	const long file = syscall4(openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC, 0);
	if (file < 0)
		return -1;
	syscall3(read, file, start, sizeof start - 1);
	syscall1(close, file);
	if (memcmp(start, variable, sizeof variable - 1) != 0)
		return -1;
	int32_t descriptor = 0;
	for (const char *at = start + sizeof variable - 1; *at >= '0' && *at <= '9'; at++)
		descriptor = descriptor * 10 + (*at - '0');
	return descriptor;
}

static void *map_shared(int32_t descriptor, size_t length)
{
	const long protection = PROT_READ | PROT_WRITE;
#if defined(__NR_mmap2)
	const long pages = syscall6(__NR_mmap2, 0, (long)length, protection, MAP_SHARED, descriptor, 0);
#else
	const long pages = syscall6(__NR_mmap, 0, (long)length, protection, MAP_SHARED, descriptor, 0);
#endif
	return pages < 0 && pages > -4096 ? NULL : (void *)pages;
}

/* @returns as execve() has them; NULL: there are too many, or no memory */
static const char **strings_of(const char *octets, size_t length)
{
	const char **strings = pages_allocate((string_limit + 1) * sizeof *strings);
	for (size_t at = 0, count = 0; strings != NULL && at < length; at++) {
		if (count == string_limit)
			return NULL;
		strings[count++] = octets + at;
		while (octets[at] != 0)
			at++;
	}
	return strings;
}

/* When the library is loaded: before anything of the program, if it is preloaded. */
__attribute__((constructor)) static void stand_guard(void)
{
	const int32_t descriptor = given_descriptor();
	const long length = descriptor < 0 ? -1 : syscall3(lseek, descriptor, 0, 2 /* SEEK_END */);
	if (length < (long)(sizeof *guard + sizeof ended))
		return;
	struct guard *found = map_shared(descriptor, (size_t)length);
	if (found == NULL)
		return;
	const char *words = (const char *)(found->descriptors + found->descriptor_count);
	const char *environment = words + found->words_length;
	/* Another addon may stand guard already: it was preloaded, and this is that of the program. */
	if (found->duty == hold_next)
		begin(found, holding);
	else if (found->duty == watch_next && (back_words = strings_of(words, found->words_length)) != NULL &&
		   (back_environment = strings_of(environment, found->environment_length)) != NULL) {
		begin(found, watching);
		for (size_t i = 0; i < sizeof calamities / sizeof calamities[0]; i++) {
			struct signal_action ours = { .handler = on_calamity, .flags = SA_NODEFER };
			set_signal_action(calamities[i], &ours, NULL);
		}
	} else
		syscall2(munmap, found, length);
}

/* exit(), whoever calls it. */
__attribute__((destructor)) static void leave(void)
{
	if (duty() == watching)
		go_back(0);
}

/* In place of the C library's, where this is preloaded. @returns 0, or an error number */
__attribute__((visibility("default"))) int pthread_sigmask(int how, const void *set, void *before)
{
	uint64_t wanted = 0;
	if (set != NULL) {
		memcpy(&wanted, set, sizeof wanted);
		const enum duty now = duty();
		if (now == watching || now == holding)
			wanted = how == SIG_UNBLOCK ? wanted & ~held_signals() : wanted | held_signals();
	}
	return (int)-syscall4(rt_sigprocmask, how, set == NULL ? NULL : &wanted, before, sizeof wanted);
}

/* In a thread that has not blocked it: it is to wait in the one that becomes the next program. */
static void pass_on(int number, siginfo_t *information, void *machine)
{
	(void)information;
	(void)machine;
	syscall3(tgkill, guarded_process, guarded_process, number);
}

/*
 * holdSignals(isHeld): in the main thread. Those that come from now on wait, also for the next program; what came before is in
 * the event loop's hands, and is dispatched in its next turn.
 */
napi_value hold_signals(napi_env env, napi_callback_info info)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM };
	static struct signal_action before[sizeof numbers / sizeof numbers[0]];
	static bool is_held;
	napi_value argument;
	bool holds;
	const uint64_t held = held_signals();
	if (!take_arguments(env, info, 1, &argument))
		return NULL;
	if (napi_get_value_bool(env, argument, &holds) != napi_ok)
		return throw_type_error(env, "Whether signals wait must be a boolean");
	if (holds == is_held)
		return NULL;
	is_held = holds;
	guarded_process = syscall1(getpid, 0);
	if (holds)
		syscall4(rt_sigprocmask, SIG_BLOCK, &held, NULL, sizeof held);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		struct signal_action ours = { .handler = pass_on, .flags = SA_SIGINFO | SA_RESTART };
		set_signal_action(numbers[i], holds ? &ours : &before[i], holds ? &before[i] : NULL);
	}
	if (!holds)
		syscall4(rt_sigprocmask, SIG_UNBLOCK, &held, NULL, sizeof held);
	return NULL;
}

/* setGuard(fd, duty): nothing is watched any more; with `at_ease` signals are handled from now on. */
napi_value set_guard(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	int32_t fd, duty;
	const uint64_t held = held_signals();
	if (!take_arguments(env, info, 2, arguments) ||
	    !take_integer(env, arguments[0], 0, "The descriptor must be a number", &fd) ||
	    !take_integer(env, arguments[1], at_ease, "The duty must be one of the guard's", &duty))
		return NULL;
	const long result = syscall4(pwrite64, fd, &duty, sizeof duty, 0);
	if (result < 0)
		return throw_io_error(env, result, "pwrite", "guard");
	set_alarm(0);
	if (duty == at_ease)
		syscall4(rt_sigprocmask, SIG_UNBLOCK, &held, NULL, sizeof held);
	return NULL;
}
