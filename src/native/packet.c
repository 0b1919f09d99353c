/*
 * A socket that sees the IPv4 packets which come in by one device, and sends some out of it with whatever source address they
 * have: packet(7). What the machine itself sends there it does not see, so nothing comes back to it.
 */
#include "packet.h"

#include <asm/errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "device.h"
#include "kernel.h"
#include "netlink.h"
#include "syscall.h"

enum {
	family_packet = 17,
	socket_datagram = 2,
	close_on_exec = 02000000,
	non_block = 04000,
	message_dont_wait = 0x40,
	level_socket = 1,
	level_packet = 263,
	attach_filter = 26,
	filter_limit = 4096,
	ethernet_address = 6,
};

static uint16_t protocol_ip(void)
{
	const uint8_t octets[2] = { ETH_P_IP >> 8, ETH_P_IP & 255 };
	uint16_t result;
	__builtin_memcpy(&result, octets, sizeof result);
	return result;
}

static bool take_address(napi_env env, napi_value value, uint8_t **address)
{
	size_t length;
	if (!take_octets(env, value, "The address must be a Uint8Array", address, &length))
		return false;
	if (length == ethernet_address)
		return true;
	throw_range_error(env, "The address must have 6 octets");
	return false;
}

/*
 * openPacket(index, filter, group) -> descriptor, to be watched: datagrams as those of netlink
 *
 * `filter`: struct sock_filter records; it is there before the first packet is. `group`: an Ethernet address whose frames are
 * wanted, too; a device without such addresses has all packets.
 */
napi_value packet_open(napi_env env, napi_callback_info info)
{
	napi_value arguments[3], number;
	int32_t index;
	uint8_t *filter, *group;
	size_t length;
	if (!take_arguments(env, info, 3, arguments) ||
	    !take_integer(env, arguments[0], 1, "The device must be a number", &index) ||
	    !take_octets(env, arguments[1], "The filter must be a Uint8Array", &filter, &length) ||
	    !take_address(env, arguments[2], &group))
		return NULL;
	if (length == 0 || (length & 7) != 0 || length > filter_limit * sizeof(struct sock_filter))
		return throw_range_error(env, "The filter must have 1 to 4096 instructions of 8 octets");
	const long fd = syscall3(socket, family_packet, socket_datagram | close_on_exec | non_block, 0);
	if (fd < 0)
		return throw_io_error(env, fd, "socket", "packet");
	const struct sock_fprog program = { (uint16_t)(length >> 3), (struct sock_filter *)filter };
	const char *what = "SO_ATTACH_FILTER";
	long result = syscall5(setsockopt, fd, level_socket, attach_filter, &program, sizeof program);
	if (result == 0) {
		what = "PACKET_ADD_MEMBERSHIP";
		struct packet_mreq membership = {
			.mr_ifindex = index,
			.mr_type = PACKET_MR_MULTICAST,
			.mr_alen = ethernet_address,
		};
		__builtin_memcpy(membership.mr_address, group, ethernet_address);
		result = syscall5(setsockopt, fd, level_packet, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership);
		if (result == -EINVAL) /* a TUN device has no addresses */
			result = 0;
	}
	if (result == 0) {
		what = "bind";
		const struct sockaddr_ll address = {
			.sll_family = family_packet,
			.sll_protocol = protocol_ip(),
			.sll_ifindex = index,
		};
		result = syscall3(bind, fd, &address, sizeof address);
	}
	if (result < 0) {
		syscall1(close, fd);
		return throw_io_error(env, result, what, "packet");
	}
	if (device_add(env, (int)fd, &netlink_kind) == NULL || napi_create_int32(env, (int32_t)fd, &number) != napi_ok)
		return NULL;
	return number;
}

/* sendPacket(fd, index, packet, to): a whole IPv4 packet to an Ethernet address; one that the kernel refuses is counted. */
napi_value packet_send(napi_env env, napi_callback_info info)
{
	napi_value arguments[4];
	struct device *device;
	int32_t index;
	uint8_t *packet, *to;
	size_t length;
	if (!take_arguments(env, info, 4, arguments) || !take_device(env, arguments[0], &device) ||
	    !take_integer(env, arguments[1], 1, "The device must be a number", &index) ||
	    !take_octets(env, arguments[2], "The packet must be a Uint8Array", &packet, &length) ||
	    !take_address(env, arguments[3], &to))
		return NULL;
	struct sockaddr_ll address = {
		.sll_family = family_packet,
		.sll_protocol = protocol_ip(),
		.sll_ifindex = index,
		.sll_halen = ethernet_address,
	};
	__builtin_memcpy(address.sll_addr, to, ethernet_address);
	const long result = syscall6(__NR_sendto, device->fd, (long)packet, (long)length, message_dont_wait,
				     (long)&address, sizeof address);
	if (result < 0)
		count_error(device, result);
	else
		device->counters.sent++;
	return NULL;
}
