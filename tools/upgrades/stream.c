/*
 * A stream of numbered datagrams at a steady rate, so that what a pause costs is seen.
 *
 *     stream send ADDRESS PORT MBIT        1,300 octets of IP each, until it is ended
 *     stream receive PORT                  prints "seen COUNT HIGHEST PAUSE" every 100 ms: how many, the highest number, and the longest
 *                                          time without any since the line before, microseconds
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { HEADERS = 28, OCTETS = 1300 - HEADERS, BUFFER = 16 << 20, REPORT = 100 };

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static _Noreturn void send_all(int fd, double mbit)
{
	static uint64_t octets[OCTETS / 8];
	const double interval = (OCTETS + HEADERS) * 8 * 1000 / mbit;
	const int64_t start = now();
	for (uint64_t n = 1;; n++) {
		const int64_t when = start + (int64_t)((double)n * interval);
		const struct timespec t = { when / 1000000000, when % 1000000000 };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		octets[0] = n;
		if (send(fd, octets, sizeof octets, 0) < 0 && n == 1)
			n = 0; /* nobody listens yet: numbers begin with the first that went */
	}
}

static _Noreturn void receive_all(int fd)
{
	uint64_t octets[256], count = 0, highest = 0;
	int64_t last = 0, pause = 0, due = now();
	for (;;) {
		struct pollfd watched = { fd, POLLIN, 0 };
		poll(&watched, 1, REPORT / 4);
		while (recv(fd, octets, sizeof octets, MSG_DONTWAIT) == OCTETS / 8 * 8) {
			const int64_t at = now();
			if (last != 0 && at - last > pause)
				pause = at - last;
			last = at;
			count++;
			if (octets[0] > highest)
				highest = octets[0];
		}
		if (now() < due)
			continue;
		due = now() + REPORT * 1000000ll;
		printf("seen %llu %llu %lld\n", (unsigned long long)count, (unsigned long long)highest, (long long)pause / 1000);
		fflush(stdout);
		pause = 0;
	}
}

int main(int count, char **words)
{
	const int fd = socket(AF_INET, SOCK_DGRAM, 0), size = BUFFER;
	struct sockaddr_in name = { .sin_family = AF_INET };
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	if (count == 5 && strcmp(words[1], "send") == 0) {
		name.sin_port = htons((uint16_t)atoi(words[3]));
		if (inet_pton(AF_INET, words[2], &name.sin_addr) == 1 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0)
			send_all(fd, atof(words[4]));
	} else if (count == 3 && strcmp(words[1], "receive") == 0) {
		name.sin_port = htons((uint16_t)atoi(words[2]));
		if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0)
			receive_all(fd);
	}
	perror("stream");
	return 64;
}
