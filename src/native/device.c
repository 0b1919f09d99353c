#include "device.h"

#include <asm/errno.h>
#include <linux/fcntl.h>

#include "memory.h"
#include "syscall.h"

struct device *device_find(struct addon *addon, int fd)
{
	struct device *device = addon->devices;
	while (device != NULL && device->fd != fd)
		device = device->next;
	return device;
}

bool take_device(napi_env env, napi_value value, struct device **device)
{
	int32_t fd;
	if (!take_integer(env, value, 0, "The descriptor must be a number", &fd))
		return false;
	*device = device_find(addon_of(env), fd);
	if (*device == NULL)
		throw_range_error(env, "The descriptor is closed, or was never opened here");
	return *device != NULL;
}

struct device *device_add(napi_env env, int fd, const struct device_kind *kind)
{
	struct addon *addon = addon_of(env);
	struct device *device = pages_allocate(sizeof *device);
	if (device == NULL) {
		syscall1(close, fd);
		throw_io_error(env, -ENOMEM, "mmap", NULL);
		return NULL;
	}
	device->fd = fd;
	device->kind = kind;
	device->next = addon->devices;
	addon->devices = device;
	return device;
}

struct device *device_adopt(napi_env env, napi_value value, const struct device_kind *kind)
{
	int32_t fd;
	if (!take_integer(env, value, 0, "The descriptor must be a number", &fd))
		return NULL;
	if (device_find(addon_of(env), fd) != NULL) {
		throw_range_error(env, "The descriptor is open here already");
		return NULL;
	}
	const long result = syscall3(fcntl, fd, F_SETFD, FD_CLOEXEC);
	if (result < 0) {
		throw_io_error(env, result, "F_SETFD", NULL);
		return NULL;
	}
	return device_add(env, fd, kind);
}

void count_error(struct device *device, long negative_errno)
{
	if (negative_errno < 0 && negative_errno > -errno_limit)
		device->counters.errors[-negative_errno]++;
}
