/* A program that has become another one, and watches over it until that says that it is well. */
#ifndef PPTP_GUARD_H
#define PPTP_GUARD_H

#include "environment.h"

/* Signals that wait while nobody would handle them: HUP, INT, TERM. */
uint64_t held_signals(void);

/* SIGALRM comes then, also to a program that has taken the place of this one; 0: never */
void set_alarm(long seconds);

napi_value hold_signals(napi_env env, napi_callback_info info);
napi_value set_guard(napi_env env, napi_callback_info info);

#endif
