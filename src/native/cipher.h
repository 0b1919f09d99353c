/* MPPE for JavaScript, a batch in one call. */
#ifndef PPTP_CIPHER_H
#define PPTP_CIPHER_H

#include <node_api.h>

napi_value cipher_crypt(napi_env env, napi_callback_info info);
napi_value cipher_change(napi_env env, napi_callback_info info);

#endif
