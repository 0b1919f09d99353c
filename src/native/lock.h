/* Locks of files. */
#ifndef PPTP_LOCK_H
#define PPTP_LOCK_H

#include "environment.h"

napi_value lock_file(napi_env env, napi_callback_info info);

#endif
