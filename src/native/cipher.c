#include "cipher.h"

#include "context.h"
#include "mppe.h"

/* Of a packet: offset and length, and where the keys of its session are. */
enum { packet_words = 3, key_octets = 16 };

static bool lies_inside(const struct context *context, int64_t at, int64_t length)
{
	return at >= 0 && at + length <= (int64_t)context->arena_length;
}

static bool has_keys(const struct context *context, uint8_t *octets, int32_t at)
{
	return (at & 3) == 0 && lies_inside(context, at, sizeof(struct mppe_keys)) &&
	       mppe_usable((const struct mppe_keys *)(octets + at));
}

static bool check_packets(napi_env env, const struct context *context, uint8_t *octets, const int32_t *meta, int32_t count)
{
	for (int32_t i = 0; i < count; i++, meta += packet_words) {
		if (meta[1] <= 0 || !lies_inside(context, meta[0], meta[1])) {
			throw_range_error(env, "A packet must lie inside the arena");
			return false;
		}
		if (!has_keys(context, octets, meta[2])) {
			throw_range_error(env, "The keys must lie inside the arena, and be of 40, 56 or 128 bits");
			return false;
		}
	}
	return true;
}

/* Three at a time; of four that are left two and two, for one alone takes the longest. */
static unsigned group_of(int32_t left)
{
	return left == 4 ? 2 : left < mppe_lanes ? (unsigned)left : mppe_lanes;
}

/* cryptPackets(context, packets, count, used) */
napi_value cipher_crypt(napi_env env, napi_callback_info info)
{
	napi_value arguments[4];
	struct context *context;
	int32_t count, used;
	if (!take_arguments(env, info, 4, arguments) || !take_context(env, arguments[0], &context) ||
	    !take_integer(env, arguments[2], 0, "count must be a number of packets", &count) ||
	    !take_integer(env, arguments[3], -1, "used must be an offset into the arena, or -1", &used))
		return NULL;
	const int32_t *meta = take_meta(env, arguments[1], packet_words, (uint32_t)count);
	if (meta == NULL)
		return NULL;
	uint8_t *octets = context_octets(env, context);
	if (octets == NULL)
		return throw_type_error(env, "The arena was detached");
	if (!check_packets(env, context, octets, meta, count))
		return NULL;
	if (used != -1 && !lies_inside(context, used, (int64_t)count * key_octets))
		return throw_range_error(env, "The keys that were used must be left inside the arena");
	for (int32_t done = 0; done < count;) {
		struct mppe_packet packets[mppe_lanes];
		const unsigned group = group_of(count - done);
		for (unsigned n = 0; n < group; n++, done++, meta += packet_words)
			packets[n] = (struct mppe_packet){
				.at = octets + meta[0],
				.length = (uint32_t)meta[1],
				.keys = (struct mppe_keys *)(octets + meta[2]),
				.used = used == -1 ? NULL : octets + used + (size_t)done * key_octets,
			};
		mppe_crypt(context->mppe, packets, group);
	}
	return NULL;
}

/* changeKey(context, keys) */
napi_value cipher_change(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct context *context;
	int32_t at;
	if (!take_arguments(env, info, 2, arguments) || !take_context(env, arguments[0], &context) ||
	    !take_integer(env, arguments[1], 0, "keys must be an offset into the arena", &at))
		return NULL;
	uint8_t *octets = context_octets(env, context);
	if (octets == NULL)
		return throw_type_error(env, "The arena was detached");
	if (!has_keys(context, octets, at))
		return throw_range_error(env, "The keys must lie inside the arena, and be of 40, 56 or 128 bits");
	mppe_change(context->mppe, (struct mppe_keys *)(octets + at));
	return NULL;
}
