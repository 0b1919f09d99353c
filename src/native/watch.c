/*
 * Watching a descriptor: libuv says it is readable, a batch is received, JavaScript is called once.
 *
 * While packets come in masses the descriptor is not polled but read once in every turn of the loop, until it is empty:
 * the kernel tells a poller of each packet, which costs it more than the question costs us. (Linux' NAPI does the same
 * with interrupts.)
 *
 * uv.h brings the C library's headers, so this file alone includes it; nothing of the C library is called. The handle's
 * memory is uv_handle_size() octets: Node may be linked with another libuv than the one we were compiled against.
 */
#include "watch.h"

#include <errno.h>

#include <uv.h>

#include "context.h"
#include "device.h"
#include "memory.h"

/* Batches in a row before timers and control connections get their turn. */
enum { rounds_limit = 4, slots_limit = 1024 };

/* Packets at once that are masses. */
enum { busy_batch = 8 };

struct watch {
	struct addon *addon;
	struct context *context;
	struct device *device; /* NULL once stopped */
	uv_poll_t *poll;
	uv_idle_t *turns; /* active: busy, each turn of the loop reads */
	void *scratch;
	napi_ref callback, meta;
	struct slots slots;
	size_t size;
	bool full; /* whoever sent found no room, and waits to hear of it */
	bool busy;
	unsigned open_handles;
};

static size_t aligned(size_t length)
{
	return (length + 15) & ~(size_t)15;
}

static void on_closed(uv_handle_t *handle)
{
	struct watch *watch = uv_handle_get_data(handle);
	struct addon *addon = watch->addon;
	if (--watch->open_handles > 0)
		return;
	pages_release(watch, watch->size);
	if (--addon->closing_watches == 0 && addon->cleaning)
		napi_remove_async_cleanup_hook(addon->cleanup);
}

/* Also from inside the callback: the memory stays until libuv has closed the handle. */
void watch_stop(struct watch *watch)
{
	napi_env env = watch->addon->env;
	watch->device->watch = NULL;
	watch->device = NULL;
	napi_delete_reference(env, watch->callback);
	napi_delete_reference(env, watch->meta);
	context_release(env, watch->context);
	watch->addon->closing_watches++;
	uv_close((uv_handle_t *)watch->turns, on_closed);
	uv_close((uv_handle_t *)watch->poll, on_closed);
}

/* The exception that is pending, if JavaScript still runs, becomes an uncaughtException. */
static void report_exception(napi_env env)
{
	napi_value error;
	bool pending = false;
	if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
	    napi_get_and_clear_last_exception(env, &error) == napi_ok)
		napi_fatal_exception(env, error);
}

static bool call_back(napi_env env, napi_value callback, int32_t count)
{
	napi_value global, argument, result;
	if (napi_get_global(env, &global) == napi_ok && napi_create_int32(env, count, &argument) == napi_ok &&
	    napi_make_callback(env, NULL, global, callback, 1, &argument, &result) == napi_ok)
		return true;
	report_exception(env);
	return false;
}

enum round { round_last, round_more, round_waiting };

/* One batch and its callback, and what is to follow. */
static enum round run_round(struct watch *watch, bool failed, bool fetch_only)
{
	napi_env env = watch->addon->env;
	napi_value callback, meta_value;
	if (napi_get_reference_value(env, watch->callback, &callback) != napi_ok ||
	    napi_get_reference_value(env, watch->meta, &meta_value) != napi_ok)
		return round_last;
	int32_t *meta = take_meta(env, meta_value, watch->device->kind->receive_words, watch->slots.count);
	uint8_t *octets = context_octets(env, watch->context);
	if (meta == NULL || octets == NULL) {
		watch_stop(watch);
		if (meta != NULL)
			throw_type_error(env, "The arena was detached while packets were received into it");
		report_exception(env);
		return round_last;
	}
	struct device *device = watch->device;
	struct batch batch =
		device->kind->receive(device, &watch->slots, watch->scratch, fetch_only, octets, meta);
	device->counters.received += batch.count;
	if (batch.count > 0 && !call_back(env, callback, (int32_t)batch.count))
		return round_last;
	if (watch->device == NULL)
		return round_last;
	/* The poll failed without a reason that receiving would tell: it is being deleted just now. */
	if (batch.lost == 0 && failed && device->kind->vanishes && !batch.more && !batch.waiting)
		batch.lost = -EBADFD;
	if (batch.lost < 0) {
		watch_stop(watch);
		call_back(env, callback, batch.lost);
		return round_last;
	}
	if (batch.waiting)
		return round_waiting;
	return batch.more ? round_more : round_last;
}

static void on_ready(uv_poll_t *handle, int status, int events);

static int poll_start(struct watch *watch)
{
	const int events = (watch->busy ? 0 : UV_READABLE) | (watch->full ? UV_WRITABLE : 0);
	return events == 0 ? uv_poll_stop(watch->poll) : uv_poll_start(watch->poll, events, on_ready);
}

void watch_writable(struct watch *watch)
{
	watch->full = true;
	poll_start(watch);
}

/* Told once: watch_writable() asks again. */
static void report_writable(struct watch *watch)
{
	napi_env env = watch->addon->env;
	napi_handle_scope scope;
	napi_value callback;
	watch->full = false;
	poll_start(watch);
	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return;
	if (napi_get_reference_value(env, watch->callback, &callback) == napi_ok)
		call_back(env, callback, 0);
	napi_close_handle_scope(env, scope);
}

/* Batches, with their callbacks. Returns how many packets came. */
static uint32_t run_rounds(struct watch *watch, bool failed)
{
	napi_env env = watch->addon->env;
	const struct device *device = watch->device;
	const uint64_t before = device->counters.received;
	/* What is waiting is fetched to the end, for it does not make the descriptor readable; it is one large packet. */
	enum round next = round_more;
	for (int round = 0; next == round_waiting || (next == round_more && round < rounds_limit); round++) {
		napi_handle_scope scope;
		if (napi_open_handle_scope(env, &scope) != napi_ok)
			break;
		next = run_round(watch, failed, round >= rounds_limit);
		napi_close_handle_scope(env, scope);
	}
	if (watch->device == NULL)
		return 0;
	if (device->kind->forget != NULL)
		device->kind->forget(watch->scratch); /* after an exception: it would be stale by the next packet */
	return (uint32_t)(device->counters.received - before);
}

static void on_turn(uv_idle_t *handle)
{
	struct watch *watch = uv_handle_get_data((const uv_handle_t *)handle);
	if (run_rounds(watch, false) > 0 || watch->device == NULL)
		return;
	watch->busy = false;
	uv_idle_stop(watch->turns);
	poll_start(watch);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
	struct watch *watch = uv_handle_get_data((const uv_handle_t *)handle);
	if (status == 0 && (events & UV_WRITABLE) != 0)
		report_writable(watch);
	if (watch->device == NULL || (status == 0 && (events & UV_READABLE) == 0))
		return;
	if (status < 0 && watch->device->kind->clear_error != NULL)
		watch->device->kind->clear_error(watch->device);
	const uint32_t received = run_rounds(watch, status < 0);
	if (watch->device == NULL)
		return;
	if (received >= busy_batch && uv_idle_start(watch->turns, on_turn) == 0)
		watch->busy = true;
	/* libuv stops polling when it reports a failure. */
	if (status < 0 || watch->busy)
		poll_start(watch);
}

static bool take_slots(napi_env env, const napi_value *arguments, const struct context *context, struct slots *slots)
{
	int32_t base, size, count, headroom;
	if (!take_integer(env, arguments[0], 0, "slotBase must be an offset into the arena", &base) ||
	    !take_integer(env, arguments[1], 1, "slotSize must be a positive number of octets", &size) ||
	    !take_integer(env, arguments[2], 1, "slotCount must be 1 to 1024", &count) ||
	    !take_integer(env, arguments[3], 0, "headroom must be a number of octets", &headroom))
		return false;
	if (count > slots_limit) {
		throw_range_error(env, "slotCount must be 1 to 1024");
		return false;
	}
	if (headroom >= size) {
		throw_range_error(env, "headroom must leave room in the slot");
		return false;
	}
	if ((int64_t)base + (int64_t)size * count > (int64_t)context->arena_length) {
		throw_range_error(env, "The slots must lie inside the arena");
		return false;
	}
	*slots = (struct slots){ (uint32_t)base, (uint32_t)size, (uint32_t)count, (uint32_t)headroom };
	return true;
}

/* watch(context, fd, slotBase, slotSize, slotCount, headroom, meta, onBatch) */
napi_value watch_start(napi_env env, napi_callback_info info)
{
	napi_value arguments[8];
	struct addon *addon = addon_of(env);
	struct context *context;
	struct device *device;
	struct slots slots;
	napi_valuetype type;
	uv_loop_t *loop;
	if (!take_arguments(env, info, 8, arguments) || !take_context(env, arguments[0], &context) ||
	    !take_device(env, arguments[1], &device) || !take_slots(env, arguments + 2, context, &slots) ||
	    take_meta(env, arguments[6], device->kind->receive_words, slots.count) == NULL)
		return NULL;
	if (napi_typeof(env, arguments[7], &type) != napi_ok || type != napi_function)
		return throw_type_error(env, "onBatch must be a function");
	if (device->watch != NULL)
		return throw_range_error(env, "The descriptor is watched already");
	if (napi_get_uv_event_loop(env, &loop) != napi_ok)
		return throw_type_error(env, "There is no event loop");

	const size_t poll_at = aligned(sizeof(struct watch));
	const size_t turns_at = poll_at + aligned(uv_handle_size(UV_POLL));
	const size_t scratch_at = turns_at + aligned(uv_handle_size(UV_IDLE));
	const size_t size = scratch_at + device->kind->scratch_size(slots.count);
	struct watch *watch = pages_allocate(size);
	if (watch == NULL)
		return throw_io_error(env, -ENOMEM, "mmap", NULL);
	watch->addon = addon;
	watch->context = context;
	watch->poll = (uv_poll_t *)((char *)watch + poll_at);
	watch->turns = (uv_idle_t *)((char *)watch + turns_at);
	watch->scratch = (char *)watch + scratch_at;
	watch->slots = slots;
	watch->size = size;
	if (napi_create_reference(env, arguments[6], 1, &watch->meta) != napi_ok ||
	    napi_create_reference(env, arguments[7], 1, &watch->callback) != napi_ok) {
		if (watch->meta != NULL)
			napi_delete_reference(env, watch->meta);
		pages_release(watch, size);
		return throw_type_error(env, "The meta or the function cannot be referred to");
	}
	int result = uv_poll_init(loop, watch->poll, device->fd);
	if (result < 0) {
		napi_delete_reference(env, watch->meta);
		napi_delete_reference(env, watch->callback);
		pages_release(watch, size);
		return throw_io_error(env, result, "epoll_ctl", NULL);
	}
	uv_idle_init(loop, watch->turns); /* cannot fail */
	watch->open_handles = 2;
	uv_handle_set_data((uv_handle_t *)watch->poll, watch);
	uv_handle_set_data((uv_handle_t *)watch->turns, watch);
	context->users++;
	watch->device = device;
	device->watch = watch;
	result = poll_start(watch);
	if (result < 0) {
		watch_stop(watch);
		return throw_io_error(env, result, "epoll_ctl", NULL);
	}
	return NULL;
}
