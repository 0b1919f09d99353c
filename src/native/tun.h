/* TUN devices. */
#ifndef PPTP_TUN_H
#define PPTP_TUN_H

#include "device.h"

extern const struct device_kind tun_kind;

enum { tun_send_words = 3 };
napi_value tun_open(napi_env env, napi_callback_info info);
napi_value tun_adopt(napi_env env, napi_callback_info info);
napi_value tun_send(napi_env env, napi_callback_info info);

#endif
