/* IPv4 as it passes a device: packet(7). */
#ifndef PPTP_PACKET_H
#define PPTP_PACKET_H

#include "environment.h"

napi_value packet_open(napi_env env, napi_callback_info info);
napi_value packet_send(napi_env env, napi_callback_info info);

#endif
