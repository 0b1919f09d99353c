/* Watching a descriptor. */
#ifndef PPTP_WATCH_H
#define PPTP_WATCH_H

#include "environment.h"

struct watch;

napi_value watch_start(napi_env env, napi_callback_info info);
void watch_stop(struct watch *watch);
/* Calls back with 0 once the descriptor is writable. */
void watch_writable(struct watch *watch);

#endif
