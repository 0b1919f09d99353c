/*
 * gre.c, tun.c and netlink.c with a kernel that answers what it likes: packets that contradict their headers, cut ones, none,
 * errors, less sent than asked for. What is handed on lies in its slot, what is sent lies in the arena, and all is counted.
 */
#include "choices.h"

#include <asm/errno.h>

#include "coalesce.h"
#include "context.h"
#include "gre.h"
#include "kernel.h"
#include "netlink.h"
#include "send-scratch.h"
#include "tun.h"
#include "vnet.h"
#include "watch.h"

enum { fd = 5, arguments_limit = 4, arena_limit = 1 << 16 };

/* What a call is made with, and what it gives back. */
static struct {
	long values[arguments_limit];
	uint8_t *octets;
	size_t length;
	uint8_t *answer;
	size_t answer_length;
	const int32_t *meta;
	long result;
	bool thrown;
} call;

static struct context context;
static struct device device;
static struct addon addon;
static bool full_asked;

/* How much the kernel still has, so that every loop ends. */
static unsigned supply;
static unsigned long handed, taken, refused;

/* environment.c, device.c, context.c and watch.c as far as they are needed, without Node. An argument is its place. */
bool take_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments)
{
	(void)env, (void)info;
	for (size_t i = 0; i < wanted; i++)
		arguments[i] = (napi_value)(i + 1);
	return true;
}

static long value_of(napi_value value)
{
	return call.values[(size_t)value - 1];
}

bool take_integer(napi_env env, napi_value value, int32_t lowest, const char *complaint, int32_t *integer)
{
	(void)env, (void)complaint;
	*integer = (int32_t)value_of(value);
	return *integer >= lowest;
}

bool take_octets(napi_env env, napi_value value, const char *complaint, uint8_t **octets, size_t *length)
{
	(void)env, (void)complaint;
	const bool second = (size_t)value == 3;
	*octets = second ? call.answer : call.octets;
	*length = second ? call.answer_length : call.length;
	return true;
}

bool take_device(napi_env env, napi_value value, struct device **found)
{
	(void)env, (void)value;
	*found = &device;
	return true;
}

bool take_context(napi_env env, napi_value value, struct context **found)
{
	(void)env, (void)value;
	*found = &context;
	return true;
}

uint8_t *context_octets(napi_env env, const struct context *of)
{
	(void)env, (void)of;
	return call.octets;
}

int32_t *take_meta(napi_env env, napi_value value, uint32_t words, uint32_t count)
{
	(void)env, (void)value, (void)words, (void)count;
	return (int32_t *)call.meta;
}

struct addon *addon_of(napi_env env)
{
	(void)env;
	return &addon;
}

struct device *device_find(struct addon *of, int wanted)
{
	(void)of;
	return wanted == fd ? &device : NULL;
}

struct device *device_add(napi_env env, int number, const struct device_kind *kind)
{
	(void)env, (void)number, (void)kind;
	return &device;
}

struct device *device_adopt(napi_env env, napi_value value, const struct device_kind *kind)
{
	(void)env, (void)value, (void)kind;
	return &device;
}

void count_error(struct device *of, long negative_errno)
{
	if (negative_errno < 0 && negative_errno > -errno_limit)
		of->counters.errors[-negative_errno]++;
}

void watch_writable(struct watch *watch)
{
	(void)watch;
	full_asked = true;
}

static napi_value thrown(void)
{
	call.thrown = true;
	return NULL;
}

napi_value throw_io_error(napi_env env, long negative_errno, const char *name, const char *subject)
{
	(void)env, (void)name, (void)subject;
	if (negative_errno >= 0)
		fail("an error that is none");
	return thrown();
}

napi_value throw_type_error(napi_env env, const char *message)
{
	(void)env, (void)message;
	return thrown();
}

napi_value throw_range_error(napi_env env, const char *message)
{
	(void)env, (void)message;
	return thrown();
}

napi_status napi_create_uint32(napi_env env, uint32_t number, napi_value *result)
{
	(void)env;
	call.result = number;
	*result = (napi_value)1;
	return napi_ok;
}

/* Called for opening only, which is not tried here. */
#define UNUSED(name, ...) \
	napi_status name(__VA_ARGS__) \
	{ \
		abort(); \
	}
#pragma GCC diagnostic ignored "-Wunused-parameter"
UNUSED(napi_create_int32, napi_env env, int32_t number, napi_value *result)
UNUSED(napi_create_object, napi_env env, napi_value *result)
UNUSED(napi_create_string_utf8, napi_env env, const char *text, size_t length, napi_value *result)
UNUSED(napi_get_boolean, napi_env env, bool value, napi_value *result)
UNUSED(napi_get_value_bool, napi_env env, napi_value value, bool *result)
UNUSED(napi_get_value_string_utf8, napi_env env, napi_value value, char *text, size_t room, size_t *length)
UNUSED(napi_set_named_property, napi_env env, napi_value object, const char *name, napi_value value)

/* The kernel. */
static void touch(const struct iovec *vectors, size_t count)
{
	static volatile uint8_t last;
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at < vectors[i].length; at++)
			last = ((const uint8_t *)vectors[i].base)[at];
	(void)last;
}

static long error(void)
{
	static const int errors[] = { EAGAIN, EINTR, ENOBUFS, EHOSTUNREACH, ECONNREFUSED, EMSGSIZE, EBADFD, EIO, 133, EPERM };
	return -errors[draw(sizeof errors / sizeof *errors)];
}

static void write_ip(uint8_t *packet, size_t length)
{
	fill(packet, length < 60 ? length : 60);
	if (length < 4 || chance(8))
		return;
	packet[0] = chance(8) ? (uint8_t)draw(256) : (chance(3) ? 0x60 : (uint8_t)(0x45 + draw(3)));
	const uint32_t total = chance(6) ? draw(65536) : (uint32_t)length;
	packet[2] = (uint8_t)(total >> 8);
	packet[3] = (uint8_t)total;
}

static long receive_messages(struct mmsghdr *messages, unsigned count)
{
	if (supply == 0)
		return -EAGAIN;
	supply--;
	if (chance(6))
		return error();
	const unsigned got = 1 + draw(count);
	for (unsigned i = 0; i < got; i++) {
		struct iovec *vector = messages[i].header.vectors;
		const size_t length = draw((uint32_t)vector->length + 1);
		write_ip(vector->base, length);
		messages[i].length = (unsigned)length;
		messages[i].header.flags = chance(12) ? MSG_TRUNC : 0;
	}
	handed += got;
	return got;
}

/* A packet with its vnet header. */
static long read_large(uint8_t *to, size_t room)
{
	static const uint8_t types[] = { VNET_GSO_NONE, VNET_GSO_TCPV4, VNET_GSO_TCPV6, VNET_GSO_UDP_L4, 3, 0x81 };
	struct vnet_header header;
	const size_t length = chance(20) ? draw((uint32_t)room + 1) : draw(4000);
	fill((uint8_t *)&header, sizeof header);
	if (!chance(4)) {
		header.flags = VNET_NEEDS_CHECKSUM;
		header.gso_type = types[draw(sizeof types)];
		header.gso_size = (uint16_t)(chance(4) ? draw(4) : draw(1500));
		header.checksum_offset = chance(2) ? TCP_CHECKSUM : UDP_CHECKSUM;
		header.checksum_start = chance(2) ? IPV4_LENGTH : IPV6_LENGTH;
	}
	memcpy(to, &header, length < sizeof header ? length : sizeof header);
	if (length > sizeof header)
		write_ip(to + sizeof header, length - sizeof header);
	return (long)length;
}

static long read_packet(const struct iovec *vectors, size_t count)
{
	uint8_t *first = vectors[0].base;
	size_t room = 0;
	if (supply == 0)
		return -EAGAIN;
	supply--;
	if (chance(10))
		return chance(8) ? 0 : error();
	for (size_t i = 0; i < count; i++)
		room += vectors[i].length;
	handed++;
	if (device.offload)
		return read_large(first, room);
	const size_t length = 1 + draw((uint32_t)room);
	write_ip(first, length < vectors[0].length ? length : vectors[0].length);
	return (long)length;
}

static long send_messages(const struct mmsghdr *messages, unsigned count)
{
	if (count == 0)
		fail("nothing to send");
	for (unsigned i = 0; i < count; i++)
		touch(messages[i].header.vectors, messages[i].header.vector_count);
	if (chance(4)) {
		const long result = error();
		if (result == -EINTR && supply-- == 0)
			return -EAGAIN;
		refused += result != -EINTR && result != -EAGAIN;
		return result;
	}
	const unsigned sent = 1 + draw(count);
	taken += sent;
	return sent;
}

static long write_packet(const struct iovec *vectors, size_t count)
{
	touch(vectors, count);
	if (chance(8)) {
		const long result = error();
		if (result != -EINTR || supply == 0)
			return result == -EINTR ? -EIO : result;
		supply--;
		return result;
	}
	return 1;
}

static long answer(uint8_t *to, size_t room)
{
	if (supply == 0)
		return chance(2) ? 0 : -EAGAIN;
	supply--;
	if (chance(10))
		return -ENOBUFS;
	const size_t length = chance(12) ? room + draw(100) : draw((uint32_t)room + 1);
	fill(to, length < room ? (length < 32 ? length : 32) : (room < 32 ? room : 32));
	return (long)length;
}

long fake_syscall(long number, const long arguments[6])
{
	const struct iovec one = { (void *)arguments[1], (size_t)arguments[2] };
	switch (number) {
	case __NR_recvmmsg:
		return receive_messages((struct mmsghdr *)arguments[1], (unsigned)arguments[2]);
	case __NR_sendmmsg:
		return send_messages((const struct mmsghdr *)arguments[1], (unsigned)arguments[2]);
	case __NR_read:
		return read_packet(&one, 1);
	case __NR_readv:
		return read_packet((const struct iovec *)arguments[1], (size_t)arguments[2]);
	case __NR_write:
		return write_packet(&one, 1);
	case __NR_writev:
		return write_packet((const struct iovec *)arguments[1], (size_t)arguments[2]);
	case __NR_getsockopt: {
		uint32_t *values = (uint32_t *)arguments[3];
		const uint32_t length = *(const uint32_t *)arguments[4];
		if (chance(8))
			return -EPERM;
		fill((uint8_t *)values, length);
		return 0;
	}
	case __NR_socket:
		return chance(12) ? -EMFILE : fd;
	case __NR_sendto:
		return chance(12) ? -ENOBUFS : 0;
	case __NR_recvfrom:
		return answer((uint8_t *)arguments[1], (size_t)arguments[2]);
	case __NR_close:
		return 0;
	default:
		fail("a system call that is not known here");
		return 0;
	}
}

/* Every slot has its own octets, and none is beyond the last one. */
static void receive(bool tun)
{
	const uint32_t headroom = draw(64), size = headroom + 1 + draw(2048), count = 1 + draw(8);
	const struct slots slots = { 0, size, count, headroom };
	const struct device_kind *kind = device.kind;
	const size_t words = kind->receive_words;
	uint8_t *arena = malloc((size_t)size * count);
	int32_t *meta = malloc(sizeof *meta * words * count);
	void *scratch = calloc(1, kind->scratch_size(count));
	uint64_t received = 0;
	handed = 0;
	supply = 1 + draw(12);
	bool waiting = false;
	for (unsigned round = 0; supply > 0 || waiting; round++) {
		/* 64 KiB in segments of an octet is the most that one packet brings. */
		if (round > 70000)
			fail("it does not come to an end");
		const struct batch batch =
			kind->receive(&device, &slots, scratch, tun && waiting && chance(2), arena, meta);
		if (batch.count > count)
			fail("more packets than slots");
		if (batch.lost > 0)
			fail("lost without a reason");
		for (uint32_t i = 0; i < batch.count; i++) {
			const int64_t at = meta[i * words], length = meta[i * words + 1];
			/*
			 * A GRE packet that is dropped leaves its slot out; a TUN packet's is the next one. Nothing behind an
			 * IPv4 header that fills its slot lies at the slot's end.
			 */
			const int64_t slot = (length > 0 ? at : at - 1) / size, begin = slot * size;
			if (at < begin + headroom || length < 0 || at + length > begin + size || slot >= count)
				fail("a packet does not lie in its slot");
			if (tun && slot != (int64_t)i)
				fail("a packet lies in another slot");
			if (length == 0 && tun)
				fail("a packet of nothing");
		}
		received += batch.count;
		waiting = batch.waiting;
		if (batch.lost < 0)
			kind->forget(scratch), waiting = false;
	}
	const struct counters *counters = &device.counters;
	if (!tun && received + counters->malformed + counters->truncated != handed)
		fail("packets are not counted");
	if (tun && !device.offload && received + counters->truncated != handed)
		fail("packets are not counted");
	free(scratch);
	free(meta);
	free(arena);
}

static void send(bool tun)
{
	const uint32_t count = draw(chance(8) ? 200 : 20);
	const size_t words = tun ? tun_send_words : gre_send_words;
	int32_t *meta = malloc(sizeof *meta * words * (count + 1));
	const uint32_t arena_length = 1 + draw(chance(4) ? arena_limit : 4000);
	uint8_t *arena = malloc(arena_length);
	bool inside = true;
	write_ip(arena, arena_length);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t at = draw(arena_length), length = 1 + draw(arena_length - at);
		int32_t *packet = meta + i * words;
		if (tun)
			*packet++ = fd;
		packet[0] = (int32_t)at;
		packet[1] = (int32_t)length;
		if (!tun)
			packet[2] = (int32_t)choice(), packet[3] = chance(2) ? 0 : (int32_t)choice();
		if (chance(200))
			packet[draw(2)] = chance(2) ? -1 : INT32_MAX, inside = false;
		else if (at + 60 < arena_length)
			write_ip(arena + at, length < 60 ? length : 60);
	}
	context = (struct context){ .arena_length = arena_length };
	context.scratch = calloc(1, sizeof *context.scratch);
	context.coalescer = calloc(1, sizeof *context.coalescer);
	call.octets = arena;
	call.meta = meta;
	call.values[tun ? 2 : 3] = count;
	call.thrown = false;
	supply = 20;
	taken = refused = 0;
	full_asked = false;
	device.watch = (struct watch *)1;
	(tun ? tun_send : gre_send)(NULL, NULL);
	device.watch = NULL;
	if (call.thrown == inside)
		fail(inside ? "what lies inside is refused" : "what lies outside is taken");
	if (!call.thrown && (call.result < 0 || (uint32_t)call.result > count))
		fail("more is sent than there was");
	if (!call.thrown && !tun && (uint32_t)call.result < count && !full_asked)
		fail("nobody asks when there is room again");
	if (!call.thrown && !tun && device.counters.sent != taken)
		fail("what was sent is not counted");
	free(context.coalescer);
	free(context.scratch);
	free(arena);
	free(meta);
}

static void exchange(void)
{
	call.length = draw(200);
	call.octets = malloc(call.length + 1);
	call.answer_length = draw(chance(2) ? 64 : 4000);
	call.answer = malloc(call.answer_length + 1);
	call.thrown = false;
	supply = draw(8);
	netlink_request(NULL, NULL);
	if (!call.thrown && (call.result < 0 || (size_t)call.result > call.answer_length))
		fail("the answer is longer than its room");
	free(call.octets);
	free(call.answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	choices_begin(octets, length);
	const bool tun = chance(2);
	device = (struct device){ .fd = fd, .kind = tun ? &tun_kind : &gre_kind };
	device.offload = tun && !chance(4);
	device.udp_offload = chance(2);
	switch (draw(5)) {
	case 0:
	case 1:
		receive(tun);
		break;
	case 2:
	case 3:
		send(tun);
		break;
	default:
		exchange();
	}
	return 0;
}
