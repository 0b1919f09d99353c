/*
 * Netlink: one exchange with the kernel (a request, and all that it answers), and a socket on which it tells what changes.
 */
#include "netlink.h"

#include <asm/errno.h>
#include <linux/netlink.h>
#include <linux/socket.h>

#include "kernel.h"
#include "syscall.h"

enum {
	family_netlink = 16,
	socket_raw = 3,
	close_on_exec = 02000000,
	non_block = 04000,
	message_dont_wait = 0x40,
	message_truncate = 0x20,
	receive_words = 2,
};

/*
 * netlinkRequest(protocol, request, answer) -> octets of the answer
 *
 * The kernel handles a request before sendto() returns, and goes on with a dump whenever its answer so far is fetched:
 * nothing is ever waited for.
 */
napi_value netlink_request(napi_env env, napi_callback_info info)
{
	napi_value arguments[3], value;
	int32_t protocol;
	uint8_t *request, *answer;
	size_t request_length, answer_length, received = 0;
	if (!take_arguments(env, info, 3, arguments) ||
	    !take_integer(env, arguments[0], 0, "The protocol must be a number", &protocol) ||
	    !take_octets(env, arguments[1], "The request must be a Uint8Array", &request, &request_length) ||
	    !take_octets(env, arguments[2], "The answer must be a Uint8Array", &answer, &answer_length))
		return NULL;
	const long fd = syscall3(socket, family_netlink, socket_raw | close_on_exec, protocol);
	if (fd < 0)
		return throw_io_error(env, fd, "socket", "netlink");
	const char *call = "sendto";
	const struct sockaddr_nl kernel = { .nl_family = family_netlink };
	long result = syscall6(__NR_sendto, fd, (long)request, (long)request_length, 0, (long)&kernel, sizeof kernel);
	if (result >= 0) {
		call = "recvfrom";
		do {
			/* Truncation must be noticed: MSG_TRUNC makes the answer the datagram's own length. */
			const size_t room = answer_length - received;
			result = syscall6(__NR_recvfrom, fd, (long)(answer + received), (long)room,
					  message_dont_wait | message_truncate, 0, 0);
			if (result > (long)room)
				result = -EMSGSIZE;
			if (result > 0)
				received += (size_t)result;
		} while (result > 0);
		if (result == -EAGAIN)
			result = 0;
	}
	syscall1(close, fd);
	if (result < 0)
		return throw_io_error(env, result, call, "netlink");
	return napi_create_uint32(env, (uint32_t)received, &value) == napi_ok ? value : NULL;
}

/*
 * openNetlink(protocol, groups) -> descriptor, to be watched
 *
 * `groups`: bit n - 1 for the multicast group n (RTNLGRP_…, NFNLGRP_…), of which the first 31 can be had.
 */
napi_value netlink_open(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], number;
	int32_t protocol, groups;
	if (!take_arguments(env, info, 2, arguments) ||
	    !take_integer(env, arguments[0], 0, "The protocol must be a number", &protocol) ||
	    !take_integer(env, arguments[1], 1, "The groups must be a mask of 31 bits", &groups))
		return NULL;
	const long fd = syscall3(socket, family_netlink, socket_raw | close_on_exec | non_block, protocol);
	if (fd < 0)
		return throw_io_error(env, fd, "socket", "netlink");
	const struct sockaddr_nl address = { .nl_family = family_netlink, .nl_groups = (uint32_t)groups };
	const long result = syscall3(bind, fd, &address, sizeof address);
	if (result < 0) {
		syscall1(close, fd);
		return throw_io_error(env, result, "bind", "netlink");
	}
	if (device_add(env, (int)fd, &netlink_kind) == NULL || napi_create_int32(env, (int32_t)fd, &number) != napi_ok)
		return NULL;
	return number;
}

static void describe(int32_t *meta, uint32_t index, uint32_t at, uint32_t length)
{
	meta[index * receive_words] = (int32_t)at;
	meta[index * receive_words + 1] = (int32_t)length;
}

/*
 * A datagram is offset and length in the meta. Length 0: some are missing, because they came faster than they were fetched
 * (ENOBUFS) or one is longer than a slot. Told when there is nothing left to fetch: until then the kernel drops all others.
 */
static struct batch receive(struct device *device, const struct slots *slots, void *scratch, bool fetch_only,
			    uint8_t *octets, int32_t *meta)
{
	(void)scratch, (void)fetch_only;
	struct batch batch = { 0 };
	while (batch.count < slots->count) {
		const uint32_t at = slots->base + batch.count * slots->size + slots->headroom;
		const long room = (long)(slots->size - slots->headroom);
		const long length = syscall6(__NR_recvfrom, device->fd, (long)(octets + at), room,
					     message_dont_wait | message_truncate, 0, 0);
		if (length == -EINTR)
			continue;
		if (length == -EAGAIN) {
			if (device->overrun)
				describe(meta, batch.count++, at, 0);
			device->overrun = false;
			return batch;
		}
		if (length > room) {
			device->counters.truncated++;
			device->overrun = true;
		} else if (length <= 0) {
			count_error(device, length);
			device->overrun = true;
			if (length != -ENOBUFS)
				return batch;
		} else {
			describe(meta, batch.count++, at, (uint32_t)length);
		}
	}
	batch.more = true;
	return batch;
}

static size_t scratch_size(uint32_t slot_count)
{
	(void)slot_count;
	return 0;
}

const struct device_kind netlink_kind = {
	.receive_words = receive_words,
	.scratch_size = scratch_size,
	.receive = receive,
};
