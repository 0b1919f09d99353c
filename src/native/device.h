/*
 * Devices: the descriptors that an environment opened, known by their number only while they are open here; of three kinds,
 * each of which knows how to receive.
 */
#ifndef PPTP_DEVICE_H
#define PPTP_DEVICE_H

#include "environment.h"

enum { errno_limit = 134 }; /* EHWPOISON, the last one, and one more */

struct counters {
	uint64_t received, sent, truncated, malformed;
	uint64_t errors[errno_limit];
};

struct watch;
struct device_kind;

struct device {
	struct device *next;
	struct watch *watch; /* the device's own */
	const struct device_kind *kind;
	int fd;
	bool offload;     /* a vnet header goes before every packet of this TUN device */
	bool udp_offload; /* it takes large UDP packets too */
	bool overrun;     /* of netlink: datagrams were lost, and are until the socket has been emptied */
	struct counters counters;
};

/* Where a watch receives into: slot n's octets are [base + n * size + headroom, base + (n + 1) * size). */
struct slots {
	uint32_t base, size, count, headroom;
};

/* What one round of receiving brought. */
struct batch {
	uint32_t count; /* packets described in the meta */
	bool more;      /* there may be more to read */
	bool waiting;   /* packets were read for which there was no slot: another round must fetch them */
	int lost;       /* the device is gone: a negative error number */
};

struct device_kind {
	uint32_t receive_words; /* of the meta, for each packet */
	bool vanishes;          /* somebody else may delete it */
	/* Of what receiving keeps. */
	size_t (*scratch_size)(uint32_t slot_count);
	/* `fetch_only`: nothing is read, only what is waiting is handed out. */
	struct batch (*receive)(struct device *device, const struct slots *slots, void *scratch, bool fetch_only,
				uint8_t *octets, int32_t *meta);
	/* Drops what is waiting; NULL: nothing ever is. */
	void (*forget)(void *scratch);
	/* Fetches, and so clears, the error that makes poll report a failing socket; NULL: it has none. */
	void (*clear_error)(struct device *device);
};

struct device *device_find(struct addon *addon, int fd);
/* False: an exception is pending. */
bool take_device(napi_env env, napi_value value, struct device **device);
/* Takes over the descriptor: closes it when there is no memory. */
struct device *device_add(napi_env env, int fd, const struct device_kind *kind);
/* As device_add, of a descriptor that the program before had; it is closed when this one executes another. */
struct device *device_adopt(napi_env env, napi_value value, const struct device_kind *kind);
void count_error(struct device *device, long negative_errno);

#endif
