/*
 * One environment (a thread's; there are no statics): its state, and what every function needs of Node: errors, arguments.
 */
#ifndef PPTP_ENVIRONMENT_H
#define PPTP_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <node_api.h>

struct device;

struct addon {
	napi_env env;
	napi_ref make_error;
	struct device *devices; /* the descriptors that it opened */
	napi_async_cleanup_hook_handle cleanup;
	unsigned closing_watches;
	bool cleaning;
};

struct addon *addon_of(napi_env env);

/* Errors. Each makes an exception pending; what the function then returns is ignored. */
napi_value throw_io_error(napi_env env, long negative_errno, const char *syscall_name, const char *subject);
napi_value throw_type_error(napi_env env, const char *message);
napi_value throw_range_error(napi_env env, const char *message);

/* Arguments. False: an exception is pending. */
bool take_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments);
bool take_octets(napi_env env, napi_value value, const char *complaint, uint8_t **octets, size_t *length);
bool take_integer(napi_env env, napi_value value, int32_t lowest, const char *complaint, int32_t *integer);

#endif
