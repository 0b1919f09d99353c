/* The next program in the place of this one: what it needs beyond its descriptors, and execve. */
#ifndef PPTP_SUCCESSION_H
#define PPTP_SUCCESSION_H

#include "environment.h"

napi_value memory_file(napi_env env, napi_callback_info info);
napi_value open_file(napi_env env, napi_callback_info info);
napi_value duplicate(napi_env env, napi_callback_info info);
napi_value claim_descriptor(napi_env env, napi_callback_info info);
napi_value close_descriptor(napi_env env, napi_callback_info info);
napi_value become(napi_env env, napi_callback_info info);

#endif
