/*
 * TUN devices: open, read until empty, write.
 *
 * With offload (IFF_VNET_HDR) the kernel hands over and takes large packets: what is read is split into slots (split.c),
 * what is written is joined (coalesce.c). Callers see the packets of a link either way.
 */
#include "tun.h"

#include <asm/errno.h>
#include <linux/fcntl.h>
#include <linux/if_tun.h>
#include <linux/ioctl.h>

#include "coalesce.h"
#include "context.h"
#include "kernel.h"
#include "memory.h"
#include "split.h"
#include "syscall.h"

/* Newer than the headers of many a toolchain: Linux 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum { receive_words = 2 };

static const char device_path[] = "/dev/net/tun";

/* One read of a device with offload, and what of it did not fit the slots. */
struct tun_scratch {
	struct split waiting;
	uint8_t room[6]; /* so that the packet begins at a multiple of 16 */
	struct vnet_header header;
	/* One octet more than a packet can have: the kernel cuts silently. */
	uint8_t packet[PACKET_LIMIT + 1];
} __attribute__((aligned(16)));

static size_t scratch_size(uint32_t slot_count)
{
	(void)slot_count;
	return sizeof(struct tun_scratch);
}

static void forget(void *scratch)
{
	((struct tun_scratch *)scratch)->waiting = (struct split){ 0 };
}

/* What the kernel may leave to us, as much of it as it knows. */
static void set_offload(struct device *device)
{
	static const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	device->udp_offload = syscall3(ioctl, device->fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0;
	if (!device->udp_offload)
		syscall3(ioctl, device->fd, TUNSETOFFLOAD, tcp);
}

/* TUNSETIFF, with IFF_VNET_HDR where it is wanted and known. */
static long make_device(long fd, struct ifreq *request, bool *offload)
{
	unsigned features = 0;
	int header_size = sizeof(struct vnet_header);
	request->value.flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL;
	*offload = *offload && syscall3(ioctl, fd, TUNGETFEATURES, &features) == 0 && (features & IFF_VNET_HDR) != 0;
	if (*offload)
		request->value.flags |= IFF_VNET_HDR;
	const long result = syscall3(ioctl, fd, TUNSETIFF, request);
	return result < 0 || !*offload ? result : syscall3(ioctl, fd, TUNSETVNETHDRSZ, &header_size);
}

static napi_value describe(napi_env env, const struct device *device, const char *called)
{
	napi_value object, number, name, offloaded;
	if (napi_create_object(env, &object) != napi_ok ||
	    napi_get_boolean(env, device->offload, &offloaded) != napi_ok ||
	    napi_create_int32(env, device->fd, &number) != napi_ok ||
	    napi_create_string_utf8(env, called, NAPI_AUTO_LENGTH, &name) != napi_ok ||
	    napi_set_named_property(env, object, "fd", number) != napi_ok ||
	    napi_set_named_property(env, object, "name", name) != napi_ok ||
	    napi_set_named_property(env, object, "offload", offloaded) != napi_ok)
		return NULL;
	return object;
}

/* openTun(name, offload) */
napi_value tun_open(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct ifreq request = { 0 };
	char wanted[sizeof request.name + 4];
	size_t length;
	bool offload;
	if (!take_arguments(env, info, 2, arguments))
		return NULL;
	if (napi_get_value_string_utf8(env, arguments[0], wanted, sizeof wanted, &length) != napi_ok)
		return throw_type_error(env, "The device's name must be a string");
	if (napi_get_value_bool(env, arguments[1], &offload) != napi_ok)
		return throw_type_error(env, "offload must be true or false");
	if (length == 0 || length >= sizeof request.name)
		return throw_range_error(env, "The device's name must have 1 to 15 octets");
	for (size_t i = 0; i < length; i++)
		if (wanted[i] == 0)
			return throw_range_error(env, "The device's name must not contain a zero octet");
	memcpy(request.name, wanted, length);

	const long fd = syscall4(openat, AT_FDCWD, device_path, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return throw_io_error(env, fd, "open", device_path);
	const long result = make_device(fd, &request, &offload);
	if (result < 0) {
		syscall1(close, fd);
		return throw_io_error(env, result, "TUNSETIFF", wanted);
	}
	struct device *device = device_add(env, (int)fd, &tun_kind);
	if (device == NULL)
		return NULL;
	device->offload = offload;
	if (offload)
		set_offload(device);
	return describe(env, device, request.name);
}

/* adoptTun(fd): one that the program before has opened */
napi_value tun_adopt(napi_env env, napi_callback_info info)
{
	napi_value argument;
	int32_t fd;
	struct ifreq request = { 0 };
	if (!take_arguments(env, info, 1, &argument) ||
	    !take_integer(env, argument, 0, "The descriptor must be a number", &fd))
		return NULL;
	const long result = syscall3(ioctl, fd, TUNGETIFF, &request);
	if (result < 0)
		return throw_io_error(env, result, "TUNGETIFF", NULL);
	struct device *device = device_adopt(env, argument, &tun_kind);
	if (device == NULL)
		return NULL;
	device->offload = (request.value.flags & IFF_VNET_HDR) != 0;
	if (device->offload)
		set_offload(device);
	return describe(env, device, request.name);
}

/* Nothing to read, or the device is gone. */
static bool has_ended(long result, struct batch *batch)
{
	if (result > 0 || result == -EINTR)
		return false;
	if (result != -EAGAIN)
		batch->lost = result == 0 ? -EBADFD : (int)result;
	return true;
}

static struct batch receive_plain(struct device *device, const struct slots *slots, uint8_t *octets, int32_t *meta)
{
	struct batch batch = { 0 };
	const uint32_t room = slots->size - slots->headroom;
	uint8_t beyond; /* the kernel cuts a packet silently; one octet more than the slot has shows it */
	uint32_t reads = 0;
	for (; reads < slots->count; reads++) {
		const uint32_t at = slots->base + batch.count * slots->size + slots->headroom;
		const struct iovec vectors[2] = { { octets + at, room }, { &beyond, 1 } };
		const long length = syscall3(readv, device->fd, vectors, 2);
		if (has_ended(length, &batch))
			break;
		if (length == -EINTR)
			continue;
		if (length > (long)room) {
			device->counters.truncated++;
			continue;
		}
		meta[batch.count * receive_words] = (int32_t)at;
		meta[batch.count * receive_words + 1] = (int32_t)length;
		batch.count++;
	}
	batch.more = reads == slots->count;
	return batch;
}

static void fetch_waiting(struct split *waiting, const struct slots *slots, uint8_t *octets, int32_t *meta,
			  struct batch *batch)
{
	for (; batch->count < slots->count && split_pending(waiting); batch->count++) {
		const uint32_t at = slots->base + batch->count * slots->size + slots->headroom;
		meta[batch->count * receive_words] = (int32_t)at;
		meta[batch->count * receive_words + 1] = (int32_t)split_next(waiting, octets + at);
	}
}

/* Takes what was read, `length` octets of vnet header and packet; what cannot be handed out is dropped and counted. */
static void take_read(struct device *device, struct tun_scratch *scratch, long length, uint32_t room)
{
	const long packet_length = length - (long)sizeof scratch->header;
	if (packet_length > PACKET_LIMIT) {
		device->counters.truncated++;
	} else if (packet_length <= 0 ||
		   !split_begin(&scratch->waiting, &scratch->header, scratch->packet, (uint32_t)packet_length)) {
		device->counters.malformed++;
	} else if (scratch->waiting.largest > room) {
		device->counters.truncated++;
		forget(scratch);
	}
}

static struct batch receive(struct device *device, const struct slots *slots, void *scratch, bool fetch_only,
			    uint8_t *octets, int32_t *meta)
{
	if (!device->offload)
		return receive_plain(device, slots, octets, meta);
	struct tun_scratch *large = scratch;
	struct batch batch = { 0 };
	uint32_t reads = 0;
	fetch_waiting(&large->waiting, slots, octets, meta, &batch);
	while (!fetch_only && batch.count < slots->count && reads < slots->count) {
		const long length = syscall3(read, device->fd, &large->header, sizeof large->header + sizeof large->packet);
		if (has_ended(length, &batch))
			break;
		reads++;
		if (length == -EINTR)
			continue;
		take_read(device, large, length, slots->size - slots->headroom);
		fetch_waiting(&large->waiting, slots, octets, meta, &batch);
	}
	batch.waiting = split_pending(&large->waiting);
	batch.more = batch.count == slots->count || reads == slots->count;
	return batch;
}

const struct device_kind tun_kind = {
	.receive_words = receive_words,
	.scratch_size = scratch_size,
	.receive = receive,
	.forget = forget,
	.vanishes = true,
};

static bool check_packets(napi_env env, const struct context *context, const int32_t *meta, int32_t count)
{
	struct addon *addon = addon_of(env);
	const struct device *device = NULL;
	for (int32_t i = 0; i < count; i++) {
		const int32_t *packet = meta + (size_t)i * tun_send_words;
		if (device == NULL || device->fd != packet[0])
			device = device_find(addon, packet[0]);
		if (device == NULL || device->kind != &tun_kind) {
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

static void count_written(struct device *device, long result, uint32_t packets, uint32_t *sent)
{
	if (result < 0) {
		for (uint32_t i = 0; i < packets; i++)
			count_error(device, result);
		return;
	}
	device->counters.sent += packets;
	*sent += packets;
}

struct writing {
	struct device *device;
	uint32_t sent;
};

static void write_joined(void *to, const struct iovec *vectors, unsigned vector_count, unsigned count)
{
	struct writing *writing = to;
	long result;
	do
		result = syscall3(writev, writing->device->fd, vectors, vector_count);
	while (result == -EINTR);
	count_written(writing->device, result, count, &writing->sent);
}

static void write_plain(struct writing *writing, const uint8_t *packet, size_t length)
{
	long result;
	do
		result = syscall3(write, writing->device->fd, packet, length);
	while (result == -EINTR);
	count_written(writing->device, result, 1, &writing->sent);
}

/* sendTun(context, meta, count) */
napi_value tun_send(napi_env env, napi_callback_info info)
{
	napi_value arguments[3], number;
	struct context *context;
	int32_t count;
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
	struct writing writing = { 0 };
	struct coalescer *coalescer = context->coalescer;
	coalescer->emit = write_joined;
	coalescer->to = &writing;
	for (int32_t i = 0; i < count; i++) {
		const int32_t *packet = meta + (size_t)i * tun_send_words;
		if (writing.device == NULL || writing.device->fd != packet[0]) {
			coalesce_flush(coalescer);
			writing.device = device_find(addon_of(env), packet[0]);
			coalescer->udp = writing.device->udp_offload;
		}
		if (writing.device->offload)
			coalesce_add(coalescer, octets + packet[1], (uint32_t)packet[2]);
		else
			write_plain(&writing, octets + packet[1], (size_t)packet[2]);
	}
	coalesce_flush(coalescer);
	if (napi_create_uint32(env, writing.sent, &number) != napi_ok)
		return NULL;
	return number;
}
