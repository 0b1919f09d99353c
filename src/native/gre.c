/*
 * The raw IPv4 socket for GRE: open, filter, receive and send in batches.
 *
 * Source and destination of a received packet are read from the IPv4 header, which a raw socket delivers too; what
 * IP_PKTINFO would say (ipi_addr) is the same field. On sending, IP_PKTINFO chooses the source address.
 */
#include "gre.h"

#include <asm/errno.h>
#include <linux/filter.h>

#include "context.h"
#include "kernel.h"
#include "memory.h"
#include "send-scratch.h"
#include "syscall.h"
#include "watch.h"

enum {
	receive_buffer = 4 << 20,
	send_buffer = 1 << 17, /* the kernel takes four times that; not more, for what waits in the socket is not served fairly */
	ipv4_header_minimum = 20,
	errors_per_round = 8,
	filter_limit = 4096,
	receive_words = 4,
};

/* What recvmmsg() is given: made once, for the kernel writes nothing but lengths and flags into it. */
struct receive_scratch {
	uint8_t *octets; /* the arena for which it was made; NULL: it was not yet */
	struct mmsghdr messages[];
};

static size_t scratch_size(uint32_t slot_count)
{
	return sizeof(struct receive_scratch) + slot_count * (sizeof(struct mmsghdr) + sizeof(struct iovec));
}

static uint32_t network_order(uint32_t address)
{
	const uint8_t octets[4] = { (uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8),
				    (uint8_t)address };
	uint32_t result;
	__builtin_memcpy(&result, octets, sizeof result);
	return result;
}

static uint32_t read_address(const uint8_t *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static long set_option(int fd, int level, int option, int value)
{
	return syscall5(setsockopt, fd, level, option, &value, sizeof value);
}

/* The forced one needs CAP_NET_ADMIN; the other is capped by net.core.[rw]mem_max, which is all that can be had then. */
static long set_buffer(int fd, int forced_option, int option, int octets)
{
	const long result = set_option(fd, SOL_SOCKET, forced_option, octets);
	return result == -EPERM ? set_option(fd, SOL_SOCKET, option, octets) : result;
}

napi_value gre_open(napi_env env, napi_callback_info info)
{
	napi_value number;
	(void)info;
	const long fd = syscall3(socket, AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_GRE);
	if (fd < 0)
		return throw_io_error(env, fd, "socket", "GRE");
	const char *what = "IP_MTU_DISCOVER";
	long result = set_option((int)fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	if (result == 0) {
		what = "SO_RCVBUF";
		result = set_buffer((int)fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_buffer);
	}
	if (result == 0) {
		what = "SO_SNDBUF";
		result = set_buffer((int)fd, SO_SNDBUFFORCE, SO_SNDBUF, send_buffer);
	}
	if (result < 0) {
		syscall1(close, fd);
		return throw_io_error(env, result, what, "GRE");
	}
	if (device_add(env, (int)fd, &gre_kind) == NULL || napi_create_int32(env, (int32_t)fd, &number) != napi_ok)
		return NULL;
	return number;
}

/* adoptGre(fd): the socket that the program before has opened, as it has set it up */
napi_value gre_adopt(napi_env env, napi_callback_info info)
{
	napi_value argument;
	int32_t fd;
	int protocol = 0, length = sizeof protocol;
	if (!take_arguments(env, info, 1, &argument) ||
	    !take_integer(env, argument, 0, "The descriptor must be a number", &fd))
		return NULL;
	const long result = syscall5(getsockopt, fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length);
	if (result < 0)
		return throw_io_error(env, result, "SO_PROTOCOL", NULL);
	if (protocol != IPPROTO_GRE)
		return throw_type_error(env, "The descriptor is not a GRE socket");
	return device_adopt(env, argument, &gre_kind) == NULL ? NULL : argument;
}

static bool take_gre(napi_env env, napi_value value, struct device **device)
{
	if (!take_device(env, value, device))
		return false;
	if ((*device)->kind == &gre_kind)
		return true;
	throw_type_error(env, "The descriptor is not a GRE socket");
	return false;
}

napi_value gre_attach_filter(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct device *device;
	size_t length = 0;
	uint8_t *data = NULL;
	if (!take_arguments(env, info, 2, arguments) || !take_gre(env, arguments[0], &device))
		return NULL;
	if (!take_octets(env, arguments[1], "The filter must be a Uint8Array", &data, &length))
		return NULL;
	if (length == 0 || (length & 7) != 0 || length > filter_limit * sizeof(struct sock_filter) || data == NULL)
		return throw_range_error(env, "The filter must have 1 to 4096 instructions of 8 octets");
	const struct sock_fprog program = { (uint16_t)(length >> 3), (struct sock_filter *)data };
	const long result = syscall5(setsockopt, device->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
	if (result < 0)
		return throw_io_error(env, result, "SO_ATTACH_FILTER", NULL);
	return NULL;
}

static void read_meminfo(const struct device *device, uint32_t values[SK_MEMINFO_VARS])
{
	int length = SK_MEMINFO_VARS * sizeof *values;
	if (syscall5(getsockopt, device->fd, SOL_SOCKET, SO_MEMINFO, values, &length) < 0)
		memset(values, 0, SK_MEMINFO_VARS * sizeof *values);
}

uint32_t gre_overflow(const struct device *device)
{
	uint32_t values[SK_MEMINFO_VARS];
	read_meminfo(device, values);
	return values[SK_MEMINFO_DROPS];
}

/* ENOBUFS is what a raw socket says when it is full, and what anything says that finds no memory. */
static bool is_full(const struct device *device, long negative_errno)
{
	uint32_t values[SK_MEMINFO_VARS];
	if (negative_errno != -ENOBUFS)
		return negative_errno == -EAGAIN;
	read_meminfo(device, values);
	return values[SK_MEMINFO_WMEM_ALLOC] > values[SK_MEMINFO_SNDBUF];
}

static void clear_error(struct device *device)
{
	int error = 0, length = sizeof error;
	if (syscall5(getsockopt, device->fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0)
		count_error(device, -error);
}

/* Describes one received datagram; false: it is dropped and counted. */
static bool describe(struct device *device, const uint8_t *octets, uint32_t at, const struct mmsghdr *message,
		     int32_t *meta)
{
	if ((message->header.flags & MSG_TRUNC) != 0) {
		device->counters.truncated++;
		return false;
	}
	const uint8_t *header = octets + at;
	if (message->length >= ipv4_header_minimum) {
		const uint32_t header_length = (header[0] & 15u) * 4;
		const uint32_t total = (uint32_t)header[2] << 8 | header[3];
		if (header[0] >> 4 == 4 && header_length >= ipv4_header_minimum && header_length <= total &&
		    total <= message->length) {
			meta[0] = (int32_t)(at + header_length);
			meta[1] = (int32_t)(total - header_length);
			meta[2] = (int32_t)read_address(header + 12);
			meta[3] = (int32_t)read_address(header + 16);
			return true;
		}
	}
	device->counters.malformed++;
	return false;
}

static void prepare_receiving(struct receive_scratch *scratch, const struct slots *slots, uint8_t *octets)
{
	struct iovec *vectors = (struct iovec *)(scratch->messages + slots->count);
	for (uint32_t i = 0; i < slots->count; i++) {
		vectors[i].base = octets + slots->base + i * slots->size + slots->headroom;
		vectors[i].length = slots->size - slots->headroom;
		scratch->messages[i].header = (struct msghdr){ .vectors = &vectors[i], .vector_count = 1 };
	}
	scratch->octets = octets;
}

static struct batch receive(struct device *device, const struct slots *slots, void *scratch, bool fetch_only,
			    uint8_t *octets, int32_t *meta)
{
	(void)fetch_only;
	struct receive_scratch *prepared = scratch;
	struct mmsghdr *messages = prepared->messages;
	struct batch batch = { 0 };
	if (prepared->octets != octets)
		prepare_receiving(prepared, slots, octets);
	long received;
	uint32_t errors = 0;
	for (;;) {
		received = syscall5(recvmmsg, device->fd, messages, slots->count, MSG_DONTWAIT, 0);
		if (received >= 0 || received == -EAGAIN)
			break;
		if (received == -EINTR)
			continue;
		/* What an ICMP message left behind, or a shortage: nothing that should end receiving. */
		count_error(device, received);
		if (++errors == errors_per_round)
			break;
	}
	for (long i = 0; i < received; i++) {
		const uint32_t at = slots->base + (uint32_t)i * slots->size + slots->headroom;
		if (describe(device, octets, at, &messages[i], meta + batch.count * receive_words))
			batch.count++;
	}
	batch.more = received == (long)slots->count;
	return batch;
}

const struct device_kind gre_kind = {
	.receive_words = receive_words,
	.scratch_size = scratch_size,
	.receive = receive,
	.clear_error = clear_error,
};

static void prepare(struct send_scratch *scratch, unsigned index, uint8_t *octets, const int32_t *meta)
{
	scratch->vectors[index] = (struct iovec){ octets + meta[0], (size_t)meta[1] };
	scratch->destinations[index] =
		(struct sockaddr_in){ .family = AF_INET, .address = network_order((uint32_t)meta[2]) };
	struct msghdr header = {
		.name = &scratch->destinations[index],
		.name_length = sizeof(struct sockaddr_in),
		.vectors = &scratch->vectors[index],
		.vector_count = 1,
	};
	if (meta[3] != 0) {
		scratch->sources[index] = (struct source_control){
			.header = { sizeof(struct cmsghdr) + sizeof(struct in_pktinfo), IPPROTO_IP, IP_PKTINFO },
			.info = { .specified_source = network_order((uint32_t)meta[3]) },
		};
		header.control = &scratch->sources[index];
		header.control_length = sizeof(struct source_control);
	}
	scratch->messages[index].header = header;
}

/*
 * Sends what is prepared, until the socket is full. After a packet that is refused for another reason the next one is tried:
 * an error belongs to the first one left. Returns how many are dealt with.
 */
static uint32_t send_prepared(struct device *device, struct send_scratch *scratch, uint32_t count)
{
	uint32_t at = 0;
	while (at < count) {
		const long result =
			syscall4(sendmmsg, device->fd, scratch->messages + at, count - at, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (result > 0) {
			device->counters.sent += (uint32_t)result;
			at += (uint32_t)result;
		} else if (is_full(device, result)) {
			break;
		} else if (result != -EINTR) {
			count_error(device, result);
			at++;
		}
	}
	return at;
}

/* sendGre(context, fd, meta, count) */
napi_value gre_send(napi_env env, napi_callback_info info)
{
	napi_value arguments[4], number;
	struct context *context;
	struct device *device;
	int32_t count;
	if (!take_arguments(env, info, 4, arguments) || !take_context(env, arguments[0], &context) ||
	    !take_gre(env, arguments[1], &device) ||
	    !take_integer(env, arguments[3], 0, "count must be a number of packets", &count))
		return NULL;
	const int32_t *meta = take_meta(env, arguments[2], gre_send_words, (uint32_t)count);
	if (meta == NULL)
		return NULL;
	uint8_t *octets = context_octets(env, context);
	if (octets == NULL)
		return throw_type_error(env, "The arena was detached");
	for (int32_t i = 0; i < count; i++) {
		const int32_t *packet = meta + (size_t)i * gre_send_words;
		if (packet[0] < 0 || packet[1] <= 0 || (int64_t)packet[0] + packet[1] > (int64_t)context->arena_length)
			return throw_range_error(env, "A packet must lie inside the arena");
	}
	uint32_t done = 0, chunk = 0, dealt = 0;
	for (; done < (uint32_t)count && dealt == chunk; done += dealt) {
		chunk = (uint32_t)count - done;
		if (chunk > send_chunk)
			chunk = send_chunk;
		for (uint32_t i = 0; i < chunk; i++)
			prepare(context->scratch, i, octets, meta + (size_t)(done + i) * gre_send_words);
		dealt = send_prepared(device, context->scratch, chunk);
	}
	if (done < (uint32_t)count && device->watch != NULL)
		watch_writable(device->watch);
	if (napi_create_uint32(env, done, &number) != napi_ok)
		return NULL;
	return number;
}
