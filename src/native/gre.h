/* The raw IPv4 socket for GRE. */
#ifndef PPTP_GRE_H
#define PPTP_GRE_H

#include "device.h"

extern const struct device_kind gre_kind;

enum { gre_send_words = 4 };
napi_value gre_open(napi_env env, napi_callback_info info);
napi_value gre_adopt(napi_env env, napi_callback_info info);
napi_value gre_attach_filter(napi_env env, napi_callback_info info);
napi_value gre_send(napi_env env, napi_callback_info info);
uint32_t gre_overflow(const struct device *device);

#endif
