/*
 * Programs of ours that the kernel runs on packets, and their maps: bpf(2).
 */
#ifndef PPTP_BPF_H
#define PPTP_BPF_H

#include "environment.h"

napi_value bpf_map(napi_env env, napi_callback_info info);
napi_value bpf_program(napi_env env, napi_callback_info info);
napi_value bpf_attach(napi_env env, napi_callback_info info);
napi_value bpf_write(napi_env env, napi_callback_info info);
napi_value bpf_erase(napi_env env, napi_callback_info info);
napi_value bpf_read(napi_env env, napi_callback_info info);

#endif
