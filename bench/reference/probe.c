/*
 * UDP through a tunnel, with as little work as possible, so that the tunnel is what is measured.
 *
 *     probe echo PORT                            answers every datagram
 *     probe rtt ADDRESS PORT SECONDS             one datagram of 64 octets a millisecond; prints "rtt P50 P99 SENT LOST", microseconds
 *     probe first ADDRESS PORT                   until there is an answer; prints "first CLOCK" (CLOCK_MONOTONIC, nanoseconds)
 *     probe sink PORT                            counts; prints "received N MICROSECONDS" whenever nothing came for 150 ms
 *     probe blast ADDRESS PORT RATE SECONDS      64-octet datagrams at RATE a second; prints "sent N MICROSECONDS"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OCTETS = 64, BURST = 64, BUFFER = 16 << 20 };

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec t = {when / 1000000000, when % 1000000000};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int open_socket(const char *address, const char *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = BUFFER;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	if (address) {
		if (inet_pton(AF_INET, address, &name.sin_addr) != 1) exit(64);
		while (connect(fd, (struct sockaddr *)&name, sizeof name) < 0) sleep_until(now() + 500000); /* no route yet */
	} else if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0) {
		perror("bind");
		exit(1);
	}
	return fd;
}

static _Noreturn int echo(int fd)
{
	char octets[2048];
	puts("listening");
	fflush(stdout);
	for (;;) {
		struct sockaddr_in from;
		socklen_t length = sizeof from;
		ssize_t n = recvfrom(fd, octets, sizeof octets, 0, (struct sockaddr *)&from, &length);
		if (n > 0) sendto(fd, octets, (size_t)n, 0, (struct sockaddr *)&from, length);
	}
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* One at a time; what is not answered within 500 ms is lost. */
static int64_t ask(int fd, uint64_t number)
{
	uint64_t octets[OCTETS / 8] = {number}, answer[OCTETS / 8];
	int64_t start = now();
	if (send(fd, octets, OCTETS, 0) < 0) return -1;
	for (;;) {
		struct pollfd watched = {fd, POLLIN, 0};
		int64_t left = start + 500000000 - now();
		if (left <= 0 || poll(&watched, 1, (int)(left / 1000000) + 1) <= 0) return -1;
		if (recv(fd, answer, sizeof answer, MSG_DONTWAIT) >= 8 && answer[0] == number) return now() - start;
	}
}

static int rtt(int fd, double seconds)
{
	size_t room = (size_t)(seconds * 1000) + 1, count = 0, sent = 0;
	int64_t *times = calloc(room, sizeof *times), end = now() + (int64_t)(seconds * 1e9);
	while (times && sent < room && now() < end) {
		int64_t start = now(), took = ask(fd, ++sent);
		if (took >= 0) times[count++] = took;
		sleep_until(start + 1000000);
	}
	if (count == 0) return 1;
	qsort(times, count, sizeof *times, ascending);
	printf("rtt %.1f %.1f %zu %zu\n", (double)times[count / 2] / 1e3, (double)times[count * 99 / 100] / 1e3, sent, sent - count);
	return 0;
}

static int first(int fd)
{
	for (uint64_t n = 1;; n++) {
		uint64_t octets[OCTETS / 8] = {n};
		send(fd, octets, OCTETS, 0);
		struct pollfd watched = {fd, POLLIN, 0};
		if (poll(&watched, 1, 1) > 0 && recv(fd, octets, sizeof octets, MSG_DONTWAIT) > 0) break;
		sleep_until(now() + 500000);
	}
	printf("first %lld\n", (long long)now());
	return 0;
}

static _Noreturn int sink(int fd)
{
	static char octets[BURST][128];
	static struct iovec vectors[BURST];
	static struct mmsghdr messages[BURST];
	for (int n = 0; n < BURST; n++) {
		vectors[n] = (struct iovec){octets[n], sizeof octets[n]};
		messages[n].msg_hdr = (struct msghdr){.msg_iov = &vectors[n], .msg_iovlen = 1};
	}
	puts("listening");
	fflush(stdout);
	unsigned long count = 0;
	int64_t begin = 0, last = 0;
	for (;;) {
		struct pollfd watched = {fd, POLLIN, 0};
		if (poll(&watched, 1, count ? 150 : -1) == 0) {
			printf("received %lu %lld\n", count, (long long)(last - begin) / 1000);
			fflush(stdout);
			count = 0;
			continue;
		}
		int n = recvmmsg(fd, messages, BURST, MSG_DONTWAIT, NULL);
		if (n <= 0) continue;
		last = now();
		if (count == 0) begin = last;
		count += (unsigned)n;
	}
}

/* In bursts of half a millisecond: waiting must not take the processor from the tunnel. */
static int blast(int fd, double rate, double seconds)
{
	static char octets[OCTETS];
	static struct iovec vector = {octets, OCTETS};
	static struct mmsghdr messages[BURST];
	for (int n = 0; n < BURST; n++) messages[n].msg_hdr = (struct msghdr){.msg_iov = &vector, .msg_iovlen = 1};
	int64_t start = now(), end = start + (int64_t)(seconds * 1e9), at = start;
	unsigned long sent = 0;
	while ((at = now()) < end) {
		unsigned long due = (unsigned long)(rate * (double)(at - start) / 1e9);
		while (sent < due && now() < end) {
			int n = sendmmsg(fd, messages, due - sent > BURST ? BURST : (unsigned)(due - sent), 0);
			if (n <= 0) break;
			sent += (unsigned)n;
		}
		sleep_until(at + 500000);
	}
	printf("sent %lu %lld\n", sent, (long long)(now() - start) / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (argc == 3 && strcmp(what, "echo") == 0) return echo(open_socket(NULL, argv[2]));
	if (argc == 3 && strcmp(what, "sink") == 0) return sink(open_socket(NULL, argv[2]));
	if (argc == 5 && strcmp(what, "rtt") == 0) return rtt(open_socket(argv[2], argv[3]), atof(argv[4]));
	if (argc == 4 && strcmp(what, "first") == 0) return first(open_socket(argv[2], argv[3]));
	if (argc == 6 && strcmp(what, "blast") == 0) return blast(open_socket(argv[2], argv[3]), atof(argv[4]), atof(argv[5]));
	fputs("usage: probe echo|rtt|first|sink|blast ...\n", stderr);
	return 64;
}
