/* Random octets. */
#ifndef PPTP_RANDOM_H
#define PPTP_RANDOM_H

#include "environment.h"

napi_value fill_random(napi_env env, napi_callback_info info);

#endif
