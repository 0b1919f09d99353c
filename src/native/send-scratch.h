/* What sendmmsg() is given, for so many packets at a time. */
#ifndef PPTP_SEND_SCRATCH_H
#define PPTP_SEND_SCRATCH_H

#include "kernel.h"

enum { send_chunk = 64 };

struct source_control {
	struct cmsghdr header;
	struct in_pktinfo info;
} __attribute__((aligned(sizeof(long))));

struct send_scratch {
	struct mmsghdr messages[send_chunk];
	struct iovec vectors[send_chunk];
	struct sockaddr_in destinations[send_chunk];
	struct source_control sources[send_chunk];
};

#endif
