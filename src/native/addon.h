/*
 * The addon's inner interface: what the files share.
 *
 * struct addon is one environment's state (a thread's; there are no statics). It owns the devices, which are the
 * descriptors it opened; a device owns its watch. A context is an arena and scratch memory for sending; it lives until
 * JavaScript has dropped it and the last watch on it has gone.
 */
#ifndef PPTP_ADDON_H
#define PPTP_ADDON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <node_api.h>

enum { errno_limit = 134 }; /* EHWPOISON, the last one, and one more */

enum device_kind { device_tun, device_gre, device_netlink };

struct counters {
	uint64_t received, sent, truncated, malformed;
	uint64_t errors[errno_limit];
};

struct watch;

struct device {
	struct device *next;
	struct watch *watch;
	int fd;
	enum device_kind kind;
	bool offload;     /* a vnet header goes before every packet of this TUN device */
	bool udp_offload; /* it takes large UDP packets too */
	bool overrun;     /* of netlink: datagrams were lost, and are until the socket has been emptied */
	struct counters counters;
};

struct addon {
	napi_env env;
	napi_ref make_error;
	struct device *devices;
	napi_async_cleanup_hook_handle cleanup;
	unsigned closing_watches;
	bool cleaning;
};

struct send_scratch;
struct coalescer;

struct context {
	napi_ref arena; /* keeps it alive, whoever else lets go of it */
	uint32_t arena_length;
	unsigned users;
	struct send_scratch *scratch;
	struct coalescer *coalescer;
};

/* addon.c: errors. Each makes an exception pending; what the function then returns is ignored. */
napi_value throw_io_error(napi_env env, long negative_errno, const char *syscall_name, const char *subject);
napi_value throw_type_error(napi_env env, const char *message);
napi_value throw_range_error(napi_env env, const char *message);

/* addon.c: arguments. False: an exception is pending. */
bool take_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments);
bool take_octets(napi_env env, napi_value value, const char *complaint, uint8_t **octets, size_t *length);
bool take_integer(napi_env env, napi_value value, int32_t lowest, const char *complaint, int32_t *integer);
bool take_device(napi_env env, napi_value value, struct device **device);
struct addon *addon_of(napi_env env);
struct device *device_find(struct addon *addon, int fd);
/* Takes over the descriptor: closes it when there is no memory. */
struct device *device_add(napi_env env, int fd, enum device_kind kind);
void count_error(struct device *device, long negative_errno);

/* context.c */
napi_value context_create(napi_env env, napi_callback_info info);
bool take_context(napi_env env, napi_value value, struct context **context);
void context_release(napi_env env, struct context *context);
/* The arena's octets, or NULL when it was detached or shrunk since. */
uint8_t *context_octets(napi_env env, const struct context *context);
/* An Int32Array with room for count entries of so many words; NULL and an exception otherwise. */
int32_t *take_meta(napi_env env, napi_value value, uint32_t words, uint32_t count);

/* watch.c */
napi_value watch_start(napi_env env, napi_callback_info info);
void watch_stop(struct watch *watch);
/* Calls back with 0 once the descriptor is writable. */
void watch_writable(struct watch *watch);

/* What one round of receiving brought. */
struct batch {
	uint32_t count; /* packets described in the meta */
	bool more;      /* there may be more to read */
	bool waiting;   /* packets were read for which there was no slot: another round must fetch them */
	int lost;       /* the device is gone: a negative error number */
};

/* Where a watch receives into: slot n's octets are [base + n * size + headroom, base + (n + 1) * size). */
struct slots {
	uint32_t base, size, count, headroom;
};

/* gre.c */
enum { gre_receive_words = 4, gre_send_words = 4 };
napi_value gre_open(napi_env env, napi_callback_info info);
napi_value gre_attach_filter(napi_env env, napi_callback_info info);
napi_value gre_send(napi_env env, napi_callback_info info);
size_t gre_scratch_size(uint32_t slot_count);
struct batch gre_receive(struct device *device, const struct slots *slots, void *scratch, uint8_t *octets, int32_t *meta);
/* Fetches, and so clears, the error that makes poll report a failing socket. */
void gre_clear_error(struct device *device);
uint32_t gre_overflow(const struct device *device);
size_t send_scratch_size(void);

/* tun.c */
enum { tun_receive_words = 2, tun_send_words = 3 };
napi_value tun_open(napi_env env, napi_callback_info info);
napi_value tun_send(napi_env env, napi_callback_info info);
size_t tun_scratch_size(void);
size_t coalescer_size(void);
/* `fetch_only`: nothing is read, only what is waiting is handed out. */
struct batch tun_receive(struct device *device, const struct slots *slots, void *scratch, bool fetch_only, uint8_t *octets,
			 int32_t *meta);
/* Drops what is waiting. */
void tun_forget(void *scratch);

/* netlink.c */
enum { netlink_receive_words = 2 };
napi_value netlink_request(napi_env env, napi_callback_info info);
napi_value netlink_open(napi_env env, napi_callback_info info);
struct batch netlink_receive(struct device *device, const struct slots *slots, uint8_t *octets, int32_t *meta);

/* random.c */
napi_value fill_random(napi_env env, napi_callback_info info);

/* privileges.c */
napi_value reduce_capabilities(napi_env env, napi_callback_info info);
napi_value reduce_thread_capabilities(napi_env env, napi_callback_info info);

#endif
