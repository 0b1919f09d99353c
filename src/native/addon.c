/*
 * The addon's entry, and its functions for any descriptor.
 */
#include "bpf.h"
#include "cipher.h"
#include "context.h"
#include "device.h"
#include "give-back.h"
#include "gre.h"
#include "guard.h"
#include "kernel.h"
#include "lock.h"
#include "memory.h"
#include "netlink.h"
#include "packet.h"
#include "privileges.h"
#include "random.h"
#include "succession.h"
#include "syscall.h"
#include "tun.h"
#include "watch.h"

static void device_remove(struct addon *addon, struct device *device)
{
	struct device **link = &addon->devices;
	while (*link != device)
		link = &(*link)->next;
	*link = device->next;
	if (device->watch != NULL)
		watch_stop(device->watch);
	syscall1(close, device->fd);
	pages_release(device, sizeof *device);
}

static napi_value device_close(napi_env env, napi_callback_info info)
{
	napi_value argument;
	struct device *device;
	if (take_arguments(env, info, 1, &argument) && take_device(env, argument, &device))
		device_remove(addon_of(env), device);
	return NULL;
}

static void set_number(napi_env env, napi_value object, const char *name, uint64_t number)
{
	napi_value value;
	if (napi_create_double(env, (double)number, &value) == napi_ok)
		napi_set_named_property(env, object, name, value);
}

static napi_value device_counters(napi_env env, napi_callback_info info)
{
	napi_value argument, object, errors;
	struct device *device;
	uint32_t index = 0;
	if (!take_arguments(env, info, 1, &argument) || !take_device(env, argument, &device) ||
	    napi_create_object(env, &object) != napi_ok || napi_create_array(env, &errors) != napi_ok)
		return NULL;
	set_number(env, object, "received", device->counters.received);
	set_number(env, object, "sent", device->counters.sent);
	set_number(env, object, "truncated", device->counters.truncated);
	set_number(env, object, "malformed", device->counters.malformed);
	set_number(env, object, "overflow", device->kind == &gre_kind ? gre_overflow(device) : 0);
	for (uint32_t number = 0; number < errno_limit; number++) {
		napi_value name, count;
		if (device->counters.errors[number] == 0)
			continue;
		if (napi_create_uint32(env, number, &name) != napi_ok ||
		    napi_create_double(env, (double)device->counters.errors[number], &count) != napi_ok ||
		    napi_set_element(env, errors, index++, name) != napi_ok ||
		    napi_set_element(env, errors, index++, count) != napi_ok)
			return NULL;
	}
	napi_set_named_property(env, object, "errors", errors);
	return object;
}

static napi_value original_destination(napi_env env, napi_callback_info info)
{
	napi_value argument, object;
	int32_t fd;
	struct sockaddr_in destination = { 0 };
	int length = sizeof destination;
	if (!take_arguments(env, info, 1, &argument) ||
	    !take_integer(env, argument, 0, "The descriptor must be a number", &fd))
		return NULL;
	const long result = syscall5(getsockopt, fd, IPPROTO_IP, SO_ORIGINAL_DST, &destination, &length);
	if (result < 0)
		return throw_io_error(env, result, "SO_ORIGINAL_DST", NULL);
	const uint8_t *address = (const uint8_t *)&destination.address, *port = (const uint8_t *)&destination.port;
	if (napi_create_object(env, &object) != napi_ok)
		return NULL;
	set_number(env, object, "address",
		   (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3]);
	set_number(env, object, "port", (uint32_t)port[0] << 8 | port[1]);
	return object;
}

static napi_value initialize(napi_env env, napi_callback_info info)
{
	napi_value argument;
	napi_valuetype type;
	struct addon *addon = addon_of(env);
	if (!take_arguments(env, info, 1, &argument))
		return NULL;
	if (napi_typeof(env, argument, &type) != napi_ok || type != napi_function)
		return throw_type_error(env, "initialize() takes the function that makes errors");
	if (addon->make_error != NULL)
		napi_delete_reference(env, addon->make_error);
	addon->make_error = NULL;
	napi_create_reference(env, argument, 1, &addon->make_error);
	return NULL;
}

/* The environment ends: close what is open, and let go once libuv has let go of every watch. */
static void clean_up(napi_async_cleanup_hook_handle handle, void *data)
{
	struct addon *addon = data;
	addon->cleanup = handle;
	addon->cleaning = true;
	addon->closing_watches++; /* so that the last watch to close is not this loop's */
	while (addon->devices != NULL)
		device_remove(addon, addon->devices);
	if (addon->make_error != NULL)
		napi_delete_reference(addon->env, addon->make_error);
	if (--addon->closing_watches == 0)
		napi_remove_async_cleanup_hook(handle);
}

static void release_addon(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	pages_release(data, sizeof(struct addon));
}

NAPI_MODULE_INIT()
{
	static const struct {
		const char *name;
		napi_callback function;
	} functions[] = {
		{ "initialize", initialize },
		{ "createContext", context_create },
		{ "openTun", tun_open },
		{ "adoptTun", tun_adopt },
		{ "openGre", gre_open },
		{ "adoptGre", gre_adopt },
		{ "attachFilter", gre_attach_filter },
		{ "watch", watch_start },
		{ "close", device_close },
		{ "sendGre", gre_send },
		{ "sendTun", tun_send },
		{ "cryptPackets", cipher_crypt },
		{ "changeKey", cipher_change },
		{ "counters", device_counters },
		{ "originalDestination", original_destination },
		{ "netlinkRequest", netlink_request },
		{ "openNetlink", netlink_open },
		{ "openPacket", packet_open },
		{ "sendPacket", packet_send },
		{ "fillRandom", fill_random },
		{ "giveBack", give_back },
		{ "lockFile", lock_file },
		{ "reduceCapabilities", reduce_capabilities },
		{ "reduceThreadCapabilities", reduce_thread_capabilities },
		{ "memoryFile", memory_file },
		{ "openFile", open_file },
		{ "duplicate", duplicate },
		{ "claimDescriptor", claim_descriptor },
		{ "closeDescriptor", close_descriptor },
		{ "become", become },
		{ "bpfMap", bpf_map },
		{ "bpfProgram", bpf_program },
		{ "bpfAttach", bpf_attach },
		{ "bpfWrite", bpf_write },
		{ "bpfErase", bpf_erase },
		{ "bpfRead", bpf_read },
		{ "holdSignals", hold_signals },
		{ "setGuard", set_guard },
	};
	struct addon *addon = pages_allocate(sizeof *addon);
	if (addon == NULL) {
		napi_throw_error(env, "ENOMEM", "There is no memory for the addon");
		return exports;
	}
	addon->env = env;
	if (napi_set_instance_data(env, addon, release_addon, NULL) != napi_ok ||
	    napi_add_async_cleanup_hook(env, clean_up, addon, &addon->cleanup) != napi_ok) {
		napi_throw_error(env, NULL, "Node does not let the addon keep its state");
		return exports;
	}
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		napi_value function;
		if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL,
					 &function) != napi_ok ||
		    napi_set_named_property(env, exports, functions[i].name, function) != napi_ok)
			return exports;
	}
	return exports;
}
