/*
 * One exchange with the kernel over netlink: a request, and all that the kernel answers to it.
 */
#include "addon.h"

#include <asm/errno.h>
#include <linux/netlink.h>
#include <linux/socket.h>

#include "kernel.h"
#include "syscall.h"

enum { family_netlink = 16, socket_raw = 3, close_on_exec = 02000000, message_dont_wait = 0x40, message_truncate = 0x20 };

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
