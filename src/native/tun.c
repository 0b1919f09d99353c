/*
 * TUN devices: open, read until empty, write.
 *
 * Segmentation offload (IFF_VNET_HDR) has its place here: a large read is cut into slots behind the same meta, and
 * consecutive packets of one device are joined before they are written. Callers see IP packets either way.
 */
#include "addon.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/if_tun.h>
#include <linux/ioctl.h>

#include "kernel.h"
#include "memory.h"
#include "syscall.h"

static const char device_path[] = "/dev/net/tun";

napi_value tun_open(napi_env env, napi_callback_info info)
{
	napi_value argument, object, number, name;
	struct ifreq request = { 0 };
	char wanted[sizeof request.name + 4];
	size_t length;
	if (!take_arguments(env, info, 1, &argument))
		return NULL;
	if (napi_get_value_string_utf8(env, argument, wanted, sizeof wanted, &length) != napi_ok)
		return throw_type_error(env, "The device's name must be a string");
	if (length == 0 || length >= sizeof request.name)
		return throw_range_error(env, "The device's name must have 1 to 15 octets");
	for (size_t i = 0; i < length; i++)
		if (wanted[i] == 0)
			return throw_range_error(env, "The device's name must not contain a zero octet");
	memcpy(request.name, wanted, length);
	request.value.flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL;

	const long fd = syscall4(openat, AT_FDCWD, device_path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return throw_io_error(env, fd, "open", device_path);
	const long result = syscall3(ioctl, fd, TUNSETIFF, &request);
	if (result < 0) {
		syscall1(close, fd);
		return throw_io_error(env, result, "TUNSETIFF", wanted);
	}
	if (device_add(env, (int)fd, device_tun) == NULL || napi_create_object(env, &object) != napi_ok ||
	    napi_create_int32(env, (int32_t)fd, &number) != napi_ok ||
	    napi_create_string_utf8(env, request.name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
	    napi_set_named_property(env, object, "fd", number) != napi_ok ||
	    napi_set_named_property(env, object, "name", name) != napi_ok)
		return NULL;
	return object;
}

struct batch tun_receive(struct device *device, const struct slots *slots, uint8_t *octets, int32_t *meta)
{
	struct batch batch = { 0 };
	const uint32_t room = slots->size - slots->headroom;
	uint8_t beyond; /* the kernel cuts a packet silently; one octet more than the slot has shows it */
	uint32_t reads = 0;
	for (; reads < slots->count; reads++) {
		const uint32_t at = slots->base + batch.count * slots->size + slots->headroom;
		const struct iovec vectors[2] = { { octets + at, room }, { &beyond, 1 } };
		const long length = syscall3(readv, device->fd, vectors, 2);
		if (length == -EAGAIN)
			break;
		if (length == -EINTR)
			continue;
		if (length <= 0) {
			batch.lost = length == 0 ? -EBADFD : (int)length;
			break;
		}
		if (length > (long)room) {
			device->counters.truncated++;
			continue;
		}
		meta[batch.count * tun_receive_words] = (int32_t)at;
		meta[batch.count * tun_receive_words + 1] = (int32_t)length;
		batch.count++;
	}
	batch.more = reads == slots->count;
	return batch;
}

static bool check_packets(napi_env env, const struct context *context, const int32_t *meta, int32_t count)
{
	struct addon *addon = addon_of(env);
	const struct device *device = NULL;
	for (int32_t i = 0; i < count; i++) {
		const int32_t *packet = meta + (size_t)i * tun_send_words;
		if (device == NULL || device->fd != packet[0])
			device = device_find(addon, packet[0]);
		if (device == NULL || device->kind != device_tun) {
			throw_range_error(env, "The descriptor of a packet is not an open TUN device");
			return false;
		}
		if (packet[1] < 0 || packet[2] <= 0 || (int64_t)packet[1] + packet[2] > (int64_t)context->arena_length) {
			throw_range_error(env, "A packet must lie inside the arena");
			return false;
		}
	}
	return true;
}

/* sendTun(context, meta, count) */
napi_value tun_send(napi_env env, napi_callback_info info)
{
	napi_value arguments[3], number;
	struct context *context;
	struct device *device = NULL;
	int32_t count;
	uint32_t sent = 0;
	if (!take_arguments(env, info, 3, arguments) || !take_context(env, arguments[0], &context) ||
	    !take_integer(env, arguments[2], 0, "count must be a number of packets", &count))
		return NULL;
	const int32_t *meta = take_meta(env, arguments[1], tun_send_words, (uint32_t)count);
	if (meta == NULL)
		return NULL;
	const uint8_t *octets = context_octets(env, context);
	if (octets == NULL)
		return throw_type_error(env, "The arena was detached");
	if (!check_packets(env, context, meta, count))
		return NULL;
	for (int32_t i = 0; i < count; i++) {
		const int32_t *packet = meta + (size_t)i * tun_send_words;
		if (device == NULL || device->fd != packet[0])
			device = device_find(addon_of(env), packet[0]);
		long result;
		do
			result = syscall3(write, packet[0], octets + packet[1], packet[2]);
		while (result == -EINTR);
		if (result < 0) {
			count_error(device, result);
			continue;
		}
		device->counters.sent++;
		sent++;
	}
	if (napi_create_uint32(env, sent, &number) != napi_ok)
		return NULL;
	return number;
}
