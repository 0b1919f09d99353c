/*
 * Contexts. A context is an arena, pinned and checked before every use, and scratch memory for sending and MPPE; it lives until
 * JavaScript has dropped it and the last watch on it has gone.
 */
#ifndef PPTP_CONTEXT_H
#define PPTP_CONTEXT_H

#include "environment.h"

struct send_scratch;
struct coalescer;
struct mppe;

struct context {
	napi_ref arena; /* keeps it alive, whoever else lets go of it */
	uint32_t arena_length;
	unsigned users;
	struct send_scratch *scratch;
	struct coalescer *coalescer;
	struct mppe *mppe;
};

napi_value context_create(napi_env env, napi_callback_info info);
bool take_context(napi_env env, napi_value value, struct context **context);
void context_release(napi_env env, struct context *context);
/* The arena's octets, or NULL when it was detached or shrunk since. */
uint8_t *context_octets(napi_env env, const struct context *context);
/* An Int32Array with room for count entries of so many words; NULL and an exception otherwise. */
int32_t *take_meta(napi_env env, napi_value value, uint32_t words, uint32_t count);

#endif
