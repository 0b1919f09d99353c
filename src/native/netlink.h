/* Netlink: the kernel's answers and news. */
#ifndef PPTP_NETLINK_H
#define PPTP_NETLINK_H

#include "device.h"

extern const struct device_kind netlink_kind;

napi_value netlink_request(napi_env env, napi_callback_info info);
napi_value netlink_open(napi_env env, napi_callback_info info);

#endif
