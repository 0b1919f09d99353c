/*
 * The same forwarder as pptp-gateway's data path, in C and nothing else: one session between a TUN device and PPTP's GRE
 * (RFC 2637 §4.1), with TCP offload, batches, MPPE-128 stateless, sequence numbers and acknowledgments, check of the inner
 * source and MSS clamp. No negotiation: both ends are told what they need.
 *
 *     forwarder DEVICE LOCAL PEER CALL-ID PEER-CALL-ID INNER-PEER none|plain|pipelined|three [a|b]
 *     forwarder --vectors plain|pipelined|three COUNT LENGTH     encrypts packets of 0, 1, 2 ... and prints them in hex
 *
 * DEVICE is made here; its address is somebody else's work. a and b: which of the two keys is for sending.
 */
#define _GNU_SOURCE
#include "mppe.h"
#include "offload.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BATCH = 128, OUT = 256, ACK_EVERY = 32, ACK_DELAY = 100, MTU = 1400, BUFFER = 4 << 20, WINDOW = 128 };
enum { PPP_IP = 0x0021, PPP_COMPRESSED = 0x00fd };

static int tun, gre;
static uint16_t call_id, peer_call_id;
static uint32_t inner_peer; /* network order */
static struct sockaddr_in peer;
static void (*crypt_packets)(struct chain *, const struct piece *, size_t);
static struct chain sending, receiving;
static uint32_t sent_sequence, highest, unacknowledged;
static uint64_t seen[WINDOW / 64];
static int started;
static struct {
	unsigned long lost, late, duplicate, source, malformed, refused;
} counters;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static void put16(uint8_t *at, unsigned v) { at[0] = (uint8_t)(v >> 8), at[1] = (uint8_t)v; }
static void put32(uint8_t *at, uint32_t v) { put16(at, v >> 16), put16(at + 2, v & 0xffff); }

/* RFC 1624: replaces the maximum segment size of a SYN that is larger than the tunnel allows. */
static void clamp_mss(uint8_t *at, size_t length, unsigned limit)
{
	size_t ip = (at[0] & 15) * 4u;
	if (at[9] != 6 || (get16(at + 6) & 0x1fff) || length < ip + 20 || !(at[ip + 13] & 2)) return;
	size_t end = ip + (at[ip + 12] >> 4) * 4u;
	if (end > length) return;
	for (size_t option = ip + 20; option + 1 < end && at[option] != 0; option += at[option] == 1 ? 1 : at[option + 1]) {
		if (at[option] == 1) continue;
		if (at[option + 1] < 2) return;
		if (at[option] != 2 || option + 4 > end) continue;
		unsigned before = get16(at + option + 2);
		if (before <= limit) return;
		put16(at + option + 2, limit);
		uint16_t checksum = get16(at + ip + 16);
		put16(at + ip + 16, (uint16_t)~fold((uint16_t)~checksum + (uint16_t)~before + limit));
		return;
	}
}

static uint8_t *put_gre(uint8_t *payload, size_t length, int has_sequence)
{
	int acknowledges = unacknowledged > 0;
	uint8_t *at = payload - 8 - (has_sequence ? 4 : 0) - (acknowledges ? 4 : 0), *p = at + 8;
	put16(at, has_sequence ? 0x3001 : 0x2001);
	if (acknowledges) at[1] |= 0x80;
	put16(at + 2, 0x880b);
	put16(at + 4, (unsigned)length);
	put16(at + 6, peer_call_id);
	if (has_sequence) put32(p, sent_sequence++), p += 4;
	if (acknowledges) put32(p, highest), unacknowledged = 0;
	return at;
}

static void send_gre(struct mmsghdr *messages, unsigned count)
{
	for (unsigned done = 0; done < count;) {
		int n = sendmmsg(gre, messages + done, count - done, MSG_DONTWAIT);
		if (n > 0) done += (unsigned)n;
		else if (errno != EINTR) counters.refused++, done++; /* this packet is lost */
	}
}

static void acknowledge(void)
{
	uint8_t octets[16], *at = put_gre(octets + 16, 0, 0);
	/* put_gre puts 12 octets right before the end */
	if (sendto(gre, at, (size_t)(octets + 16 - at), 0, (struct sockaddr *)&peer, sizeof peer) < 0) counters.refused++;
}

static void outward(void)
{
	static uint8_t super[SUPER + 1], slots[OUT * SLOT];
	static struct packet packets[OUT];
	static struct piece pieces[OUT];
	static struct mmsghdr messages[OUT];
	static struct iovec vectors[OUT];
	size_t count = 0;
	while (OUT - count >= 64) { /* the largest super-packet has 48 segments */
		struct virtio_net_hdr header;
		struct iovec in[2] = {{&header, sizeof header}, {super, SUPER}};
		ssize_t n = readv(tun, in, 2);
		if (n < 0) break;
		size_t length = (size_t)n - sizeof header;
		if ((size_t)n < sizeof header + 20 || super[0] >> 4 != 4) {
			counters.malformed++;
			continue;
		}
		count += split(&header, super, length, slots + count * SLOT, OUT - count, packets + count);
	}
	for (size_t n = 0; n < count; n++) {
		clamp_mss(packets[n].at, packets[n].length, MTU - 40 - (crypt_packets ? 4 : 0));
		if (!crypt_packets) continue;
		put16(packets[n].at - 2, PPP_IP);
		pieces[n] = (struct piece){packets[n].at - 2, packets[n].length + 2};
	}
	unsigned coherency = sending.count;
	if (crypt_packets) crypt_packets(&sending, pieces, count);
	for (size_t n = 0; n < count; n++) {
		uint8_t *at = packets[n].at, *end = at + packets[n].length;
		if (crypt_packets) {
			at -= 4;
			put16(at, 0x9000 | ((unsigned)(coherency + n) & 0xfff)); /* A and D, RFC 3078 §3.1 */
		}
		at -= 1; /* PFC and ACFC, as pptp-gateway with itself */
		*at = crypt_packets ? PPP_COMPRESSED : PPP_IP;
		at = put_gre(at, (size_t)(end - at), 1);
		vectors[n] = (struct iovec){at, (size_t)(end - at)};
		messages[n].msg_hdr = (struct msghdr){.msg_name = &peer, .msg_namelen = sizeof peer, .msg_iov = &vectors[n], .msg_iovlen = 1};
	}
	send_gre(messages, (unsigned)count);
}

/* RFC 2637 §4.3, as pptp-gateway does: what is late by less than a window is taken, once. */
static int accept_sequence(uint32_t sequence)
{
	int32_t ahead = started ? (int32_t)(sequence - highest) : 1;
	if (ahead > 0) {
		if (started) counters.lost += (unsigned long)ahead - 1;
		for (uint32_t n = 1; n <= (uint32_t)(ahead > WINDOW ? WINDOW : ahead); n++) {
			uint32_t bit = (sequence - (uint32_t)ahead + n) % WINDOW;
			seen[bit / 64] &= ~(1ull << bit % 64);
		}
		highest = sequence;
		started = 1;
	} else if (ahead <= -WINDOW) {
		counters.late++;
		return 0;
	}
	uint64_t bit = 1ull << sequence % 64;
	if (seen[sequence % WINDOW / 64] & bit) {
		counters.duplicate++;
		return 0;
	}
	seen[sequence % WINDOW / 64] |= bit;
	return 1;
}

/* The PPP frame of a GRE packet of ours, or nothing. */
static size_t frame(uint8_t *at, size_t length, uint8_t **payload)
{
	size_t ip = (at[0] & 15) * 4u;
	if (length < ip + 8) return 0;
	uint8_t *header = at + ip;
	if (get16(header + 6) != call_id || !(header[0] & 0x10)) return 0;
	size_t headers = 12 + (header[1] & 0x80 ? 4 : 0), size = get16(header + 4);
	if (length < ip + headers + size) {
		counters.malformed++;
		return 0;
	}
	if (!accept_sequence(get32(header + 8))) return 0;
	unacknowledged++;
	*payload = header + headers;
	return size;
}

static int deliverable(struct packet *packet)
{
	uint8_t *at = packet->at;
	if (packet->length < 20 || at[0] >> 4 != 4 || (at[0] & 15) < 5 || packet->length < (at[0] & 15) * 4u ||
	    get16(at + 2) > packet->length || get16(at + 2) < (at[0] & 15) * 4u || fold(sum(at, (at[0] & 15) * 4u, 0)) != 0xffff) {
		counters.malformed++;
		return 0;
	}
	if (memcmp(at + 12, &inner_peer, 4) != 0) {
		counters.source++;
		return 0;
	}
	packet->length = get16(at + 2);
	clamp_mss(at, packet->length, MTU - 40 - (crypt_packets ? 4 : 0));
	return 1;
}

static void inward(void)
{
	static uint8_t slots[BATCH * SLOT];
	static struct mmsghdr messages[BATCH];
	static struct iovec vectors[BATCH];
	static struct sockaddr_in senders[BATCH];
	static struct packet packets[BATCH];
	static struct piece pieces[BATCH];
	for (int n = 0; n < BATCH; n++) {
		vectors[n] = (struct iovec){slots + n * SLOT + HEADROOM, SLOT - HEADROOM};
		messages[n].msg_hdr = (struct msghdr){.msg_name = &senders[n], .msg_namelen = sizeof senders[n], .msg_iov = &vectors[n], .msg_iovlen = 1};
	}
	int received = recvmmsg(gre, messages, BATCH, MSG_DONTWAIT, NULL);
	size_t count = 0, run = 0; /* packets[run..count) wait for their key stream */
	for (int n = 0; n < received; n++) {
		uint8_t *at;
		if (senders[n].sin_addr.s_addr != peer.sin_addr.s_addr) continue;
		size_t length = frame(vectors[n].iov_base, messages[n].msg_len, &at);
		if (length < 1 || at[0] != (crypt_packets ? PPP_COMPRESSED : PPP_IP)) continue;
		at++, length--;
		if (crypt_packets) {
			if (length < 4 || (at[0] & 0x90) != 0x90) continue;
			unsigned expected = (receiving.count + (unsigned)(count - run)) & 0xfff;
			unsigned gap = (get16(at) - expected) & 0xfff;
			if (gap > 2048) {
				counters.late++;
				continue;
			}
			if (gap > 0) {
				crypt_packets(&receiving, pieces + run, count - run);
				chain_skip(&receiving, gap);
				run = count;
			}
			at += 2, length -= 2;
			pieces[count] = (struct piece){at, length};
			at += 2, length -= 2;
		}
		packets[count++] = (struct packet){at, length};
	}
	if (crypt_packets) crypt_packets(&receiving, pieces + run, count - run);
	size_t good = 0;
	for (size_t n = 0; n < count; n++)
		if ((!crypt_packets || get16(packets[n].at - 2) == PPP_IP) && deliverable(&packets[n])) packets[good++] = packets[n];
	write_coalesced(tun, packets, good);
	if (unacknowledged >= ACK_EVERY) acknowledge();
}

static void open_tun(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
	snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
	if ((tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK)) < 0) fail("/dev/net/tun");
	if (ioctl(tun, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
	if (ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4) < 0) fail("TUNSETOFFLOAD");
}

static void open_gre(const char *local)
{
	/* GRE version 1 for PPP with our call id; the rest never leaves the kernel */
	struct sock_filter program[] = {
		{0xb1, 0, 0, 0}, {0x40, 0, 0, 0}, {0x54, 0, 0, 0xe007ffff}, {0x15, 0, 3, 0x2001880b},
		{0x48, 0, 0, 6}, {0x15, 0, 1, call_id}, {0x06, 0, 0, 0xffffffff}, {0x06, 0, 0, 0},
	};
	struct sock_fprog filter = {sizeof program / sizeof *program, program};
	struct sockaddr_in address = {.sin_family = AF_INET};
	int size = BUFFER, discover = 0 /* IP_PMTUDISC_DONT */;
	if ((gre = socket(AF_INET, SOCK_RAW, 47)) < 0) fail("socket");
	if (inet_pton(AF_INET, local, &address.sin_addr) != 1) fail("local address");
	if (bind(gre, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
	if (setsockopt(gre, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0) fail("SO_ATTACH_FILTER");
	if (setsockopt(gre, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) fail("SO_RCVBUFFORCE");
	if (setsockopt(gre, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0) fail("SO_SNDBUFFORCE");
	if (setsockopt(gre, IPPROTO_IP, 10 /* IP_MTU_DISCOVER */, &discover, sizeof discover) < 0) fail("IP_MTU_DISCOVER");
}

/* The keys of the benchmark: octets 0, 1, 2 ... and 16, 17, 18 ... */
static void key(uint8_t octets[16], int which)
{
	for (int i = 0; i < 16; i++) octets[i] = (uint8_t)(which * 16 + i);
}

static int choose(const char *name)
{
	crypt_packets = strcmp(name, "plain") == 0 ? crypt_plain : strcmp(name, "pipelined") == 0 ? crypt_pipelined :
			strcmp(name, "three") == 0 ? crypt_three : NULL;
	return crypt_packets != NULL || strcmp(name, "none") == 0;
}

static int vectors(const char *mode, size_t count, size_t length)
{
	uint8_t octets[16], *all = malloc(count * length + 1);
	struct piece *pieces = calloc(count + 1, sizeof *pieces);
	if (!all || !pieces || !choose(mode) || !crypt_packets) return 64;
	key(octets, 0);
	chain_start(&sending, octets);
	for (size_t n = 0; n < count; n++) pieces[n] = (struct piece){all + n * length, length - (n % 3 < length ? n % 3 : 0)};
	for (size_t n = 0; n < count * length; n++) all[n] = (uint8_t)n;
	crypt_packets(&sending, pieces, count);
	for (size_t n = 0; n < count; n++) {
		for (size_t i = 0; i < pieces[n].length; i++) printf("%02x", pieces[n].at[i]);
		puts("");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "--vectors") == 0) return vectors(argv[2], strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	uint8_t octets[16];
	if (argc != 9 || !choose(argv[7]) || inet_pton(AF_INET, argv[3], &peer.sin_addr) != 1 || inet_pton(AF_INET, argv[6], &inner_peer) != 1) {
		fputs("usage: forwarder DEVICE LOCAL PEER CALL-ID PEER-CALL-ID INNER-PEER none|plain|pipelined|three a|b\n", stderr);
		return 64;
	}
	peer.sin_family = AF_INET;
	call_id = (uint16_t)atoi(argv[4]);
	peer_call_id = (uint16_t)atoi(argv[5]);
	key(octets, argv[8][0] == 'a' ? 0 : 1);
	chain_start(&sending, octets);
	key(octets, argv[8][0] == 'a' ? 1 : 0);
	chain_start(&receiving, octets);
	open_tun(argv[1]);
	open_gre(argv[2]);
	puts("running");
	fflush(stdout);
	for (;;) {
		struct pollfd watched[2] = {{.fd = tun, .events = POLLIN}, {.fd = gre, .events = POLLIN}};
		int n = poll(watched, 2, unacknowledged ? ACK_DELAY : -1);
		if (n < 0 && errno != EINTR) fail("poll");
		if (n == 0) acknowledge();
		if (n > 0 && watched[0].revents) outward();
		if (n > 0 && watched[1].revents) inward();
	}
}
