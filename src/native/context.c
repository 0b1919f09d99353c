#include "context.h"

#include <asm/errno.h>

#include "coalesce.h"
#include "memory.h"
#include "mppe.h"
#include "send-scratch.h"

/* Marks our externals, so that another addon's is not taken for a context. */
static const napi_type_tag context_tag = { 0x7f0f3f4c2a9d4e61, 0x9b1c6d0e5a827734 };

static size_t aligned(size_t length)
{
	return (length + 15) & ~(size_t)15;
}

static size_t scratch_at(void)
{
	return aligned(sizeof(struct context));
}

static size_t coalescer_at(void)
{
	return scratch_at() + aligned(sizeof(struct send_scratch));
}

static size_t mppe_at(void)
{
	return coalescer_at() + aligned(sizeof(struct coalescer));
}

static size_t context_size(void)
{
	return mppe_at() + sizeof(struct mppe);
}

void context_release(napi_env env, struct context *context)
{
	if (--context->users > 0)
		return;
	if (context->arena != NULL)
		napi_delete_reference(env, context->arena);
	pages_release(context, context_size());
}

static void context_finalize(napi_env env, void *data, void *hint)
{
	(void)hint;
	context_release(env, data);
}

napi_value context_create(napi_env env, napi_callback_info info)
{
	napi_value arena, handle;
	bool is_buffer = false;
	void *octets;
	size_t length;
	if (!take_arguments(env, info, 1, &arena))
		return NULL;
	if (napi_is_arraybuffer(env, arena, &is_buffer) != napi_ok || !is_buffer ||
	    napi_get_arraybuffer_info(env, arena, &octets, &length) != napi_ok)
		return throw_type_error(env, "The arena must be an ArrayBuffer");
	if (length == 0 || length > INT32_MAX)
		return throw_range_error(env, "The arena must have 1 to 2^31 - 1 octets");
	struct context *context = pages_allocate(context_size());
	if (context == NULL)
		return throw_io_error(env, -ENOMEM, "mmap", NULL);
	context->users = 1;
	context->arena_length = (uint32_t)length;
	context->scratch = (struct send_scratch *)((char *)context + scratch_at());
	context->coalescer = (struct coalescer *)((char *)context + coalescer_at());
	context->mppe = (struct mppe *)((char *)context + mppe_at());
	mppe_begin(context->mppe, cpu_features());
	if (napi_create_reference(env, arena, 1, &context->arena) != napi_ok ||
	    napi_create_external(env, context, context_finalize, NULL, &handle) != napi_ok) {
		context_release(env, context);
		return throw_type_error(env, "The arena cannot be referred to");
	}
	if (napi_type_tag_object(env, handle, &context_tag) != napi_ok)
		return throw_type_error(env, "The context cannot be marked");
	return handle;
}

bool take_context(napi_env env, napi_value value, struct context **context)
{
	bool ours = false;
	void *data = NULL;
	napi_valuetype type;
	if (napi_typeof(env, value, &type) == napi_ok && type == napi_external &&
	    napi_check_object_type_tag(env, value, &context_tag, &ours) == napi_ok && ours &&
	    napi_get_value_external(env, value, &data) == napi_ok && data != NULL) {
		*context = data;
		return true;
	}
	throw_type_error(env, "The context must come from createContext()");
	return false;
}

uint8_t *context_octets(napi_env env, const struct context *context)
{
	napi_value arena;
	void *octets = NULL;
	size_t length = 0;
	if (napi_get_reference_value(env, context->arena, &arena) != napi_ok ||
	    napi_get_arraybuffer_info(env, arena, &octets, &length) != napi_ok || length < context->arena_length)
		return NULL;
	return octets;
}

int32_t *take_meta(napi_env env, napi_value value, uint32_t words, uint32_t count)
{
	napi_typedarray_type type;
	size_t length = 0;
	void *data = NULL;
	if (napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok ||
	    type != napi_int32_array) {
		throw_type_error(env, "The meta must be an Int32Array");
		return NULL;
	}
	if ((uint64_t)length < (uint64_t)count * words || data == NULL) {
		throw_range_error(env, "The meta is too short for that many packets");
		return NULL;
	}
	return data;
}
