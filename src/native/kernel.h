/*
 * What the kernel's ABI has and its exported headers leave to the C library. Sizes follow from `long` and pointers,
 * so that 32-bit CPUs come out right by themselves.
 */
#ifndef PPTP_KERNEL_H
#define PPTP_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct iovec {
	void *base;
	size_t length;
};

struct msghdr {
	void *name;
	int name_length;
	struct iovec *vectors;
	size_t vector_count;
	void *control;
	size_t control_length;
	unsigned int flags;
};

struct mmsghdr {
	struct msghdr header;
	unsigned int length;
};

struct cmsghdr {
	size_t length;
	int level;
	int type;
};

struct in_pktinfo {
	int interface_index;
	uint32_t specified_source; /* network order */
	uint32_t destination;
};

struct sockaddr_in {
	uint16_t family;
	uint16_t port;    /* network order */
	uint32_t address; /* network order */
	uint8_t zero[8];
};

/* sizeof is what the kernel copies: 40 octets where long has 64 bits, 32 where it has 32. */
struct ifreq {
	char name[16];
	union {
		uint16_t flags;
		char room[sizeof(long) == 8 ? 24 : 16];
	} value;
};

_Static_assert(sizeof(struct mmsghdr) == (sizeof(long) == 8 ? 64 : 32), "struct mmsghdr");
_Static_assert(sizeof(struct ifreq) == (sizeof(long) == 8 ? 40 : 32), "struct ifreq");
_Static_assert(sizeof(struct sockaddr_in) == 16, "struct sockaddr_in");

enum {
	AF_INET = 2,
	SOCK_RAW = 3,
	SOCK_NONBLOCK = 04000,
	SOCK_CLOEXEC = 02000000,
	IPPROTO_IP = 0,
	IPPROTO_GRE = 47,
	IP_MTU_DISCOVER = 10,
	IP_PMTUDISC_DONT = 0,
	IP_PKTINFO = 8,
	SO_ORIGINAL_DST = 80,
	SOL_SOCKET = 1,
	SO_ERROR = 4,
	SO_SNDBUF = 7,
	SO_RCVBUF = 8,
	SO_ATTACH_FILTER = 26,
	SO_SNDBUFFORCE = 32,
	SO_RCVBUFFORCE = 33,
	SO_PROTOCOL = 38,
	SO_MEMINFO = 55,
	SK_MEMINFO_WMEM_ALLOC = 2,
	SK_MEMINFO_SNDBUF = 3,
	SK_MEMINFO_DROPS = 8,
	SK_MEMINFO_VARS = 9,
	MSG_TRUNC = 0x20,
	MSG_DONTWAIT = 0x40,
	MSG_NOSIGNAL = 0x4000,
};

#endif
