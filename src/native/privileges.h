/* Giving up capabilities. */
#ifndef PPTP_PRIVILEGES_H
#define PPTP_PRIVILEGES_H

#include "environment.h"

napi_value reduce_capabilities(napi_env env, napi_callback_info info);
napi_value reduce_thread_capabilities(napi_env env, napi_callback_info info);

#endif
