/*
 * cipher.c, mppe.c and sha1.c.
 *
 * 1 Whatever positions, lengths, keys and counts JavaScript gives: what does not lie inside the arena is refused before anything
 *   is changed, and nothing else is touched.
 * 2 Packets come out as from a slow twin, whatever the processor has, and so do the keys.
 * The arena has exactly its size, so that one octet too far is seen.
 */
#include "choices.h"

#include "cipher.h"
#include "context.h"
#include "mppe.h"

enum { sessions_limit = 3, packets_limit = 9, packet_words = 3, row = 48, key_octets = 16 };

static struct context context;
static struct mppe mppe;
static uint8_t *arena;
static bool detached, thrown;
static long values[4];
static int32_t meta[packets_limit * packet_words];
static uint32_t meta_packets;

/* environment.c and context.c as far as they are needed, without Node. An argument is its place. */
bool take_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments)
{
	(void)env, (void)info;
	for (size_t i = 0; i < wanted; i++)
		arguments[i] = (napi_value)(i + 1);
	return true;
}

bool take_integer(napi_env env, napi_value value, int32_t lowest, const char *complaint, int32_t *integer)
{
	(void)env, (void)complaint;
	*integer = (int32_t)values[(size_t)value - 1];
	if (*integer < lowest)
		thrown = true;
	return *integer >= lowest;
}

bool take_context(napi_env env, napi_value value, struct context **found)
{
	(void)env, (void)value;
	*found = &context;
	return true;
}

uint8_t *context_octets(napi_env env, const struct context *of)
{
	(void)env, (void)of;
	return detached ? NULL : arena;
}

int32_t *take_meta(napi_env env, napi_value value, uint32_t words, uint32_t count)
{
	(void)env, (void)value;
	if (words == packet_words && count <= meta_packets)
		return meta;
	thrown = true;
	return NULL;
}

napi_value throw_type_error(napi_env env, const char *message)
{
	(void)env, (void)message;
	thrown = true;
	return NULL;
}

napi_value throw_range_error(napi_env env, const char *message)
{
	return throw_type_error(env, message);
}

long fake_syscall(long number, const long arguments[6])
{
	(void)number, (void)arguments;
	return -1; /* no /proc: the plain one */
}

/* The twin. */
static uint32_t rol(uint32_t word, unsigned by)
{
	return word << by | word >> (32 - by);
}

static void twin_block(uint32_t h[5], const uint8_t *block)
{
	uint32_t w[80], v[5];
	for (unsigned t = 0; t < 80; t++)
		w[t] = t < 16 ? (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
					(uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3]
			      : rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	memcpy(v, h, sizeof v);
	for (unsigned t = 0; t < 80; t++) {
		static const uint32_t constants[] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
		const uint32_t b = v[1], c = v[2], d = v[3];
		const uint32_t f = t < 20 ? (b & c) | (~b & d) : t >= 40 && t < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		const uint32_t next = rol(v[0], 5) + f + v[4] + constants[t / 20] + w[t];
		v[4] = d;
		v[3] = c;
		v[2] = rol(b, 30);
		v[1] = v[0];
		v[0] = next;
	}
	for (unsigned n = 0; n < 5; n++)
		h[n] += v[n];
}

static void twin_rc4(const uint8_t *key, unsigned key_length, uint8_t *octets, size_t length)
{
	uint8_t s[256], i = 0, j = 0, x;
	for (unsigned n = 0; n < 256; n++)
		s[n] = (uint8_t)n;
	for (unsigned n = 0; n < 256; n++) {
		j = (uint8_t)(j + s[n] + key[n % key_length]);
		x = s[n], s[n] = s[j], s[j] = x;
	}
	j = 0;
	for (size_t n = 0; n < length; n++) {
		i++;
		j = (uint8_t)(j + s[i]);
		x = s[i], s[i] = s[j], s[j] = x;
		octets[n] ^= s[(uint8_t)(s[i] + s[j])];
	}
}

/* RFC 3078 §7.3 */
static void twin_change(struct mppe_keys *keys)
{
	const unsigned length = keys->bits == 128 ? 16 : 8;
	uint8_t text[128] = { 0 }, interim[16];
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	memcpy(text, keys->start, length);
	memcpy(text + length + 40, keys->session, length);
	memset(text + 2 * length + 40, 0xf2, 40);
	text[2 * length + 80] = 0x80;
	text[126] = (uint8_t)((2 * length + 80) * 8 >> 8);
	text[127] = (uint8_t)((2 * length + 80) * 8);
	twin_block(h, text);
	twin_block(h, text + 64);
	for (unsigned n = 0; n < 16; n++)
		interim[n] = (uint8_t)(h[n / 4] >> (24 - 8 * (n & 3)));
	memcpy(keys->session, interim, length);
	twin_rc4(interim, length, keys->session, length);
	if (keys->bits != 128)
		keys->session[0] = 0xd1;
	if (keys->bits == 40)
		keys->session[1] = 0x26, keys->session[2] = 0x9e;
}

static void twin_crypt(uint8_t *octets, uint32_t count, int32_t used)
{
	for (uint32_t n = 0; n < count; n++) {
		const int32_t *packet = meta + n * packet_words;
		struct mppe_keys keys;
		memcpy(&keys, octets + packet[2], sizeof keys);
		if (used != -1)
			memcpy(octets + used + n * key_octets, keys.session, key_octets);
		twin_rc4(keys.session, keys.bits == 128 ? 16 : 8, octets + packet[0], (size_t)packet[1]);
		twin_change(&keys);
		memcpy(octets + packet[2], &keys, sizeof keys);
	}
}

static bool inside(long at, long length)
{
	return at >= 0 && length >= 0 && at + length <= (long)context.arena_length;
}

static bool right_keys(long at)
{
	uint32_t bits;
	if (!inside(at, sizeof(struct mppe_keys)) || at % 4 != 0)
		return false;
	memcpy(&bits, arena + at + 32, sizeof bits);
	return bits == 40 || bits == 56 || bits == 128;
}

static int32_t anywhere(void)
{
	static const int32_t edges[] = { 0, -1, INT32_MIN, INT32_MAX, INT32_MAX - 15, 3 };
	if (chance(3))
		return edges[draw(sizeof edges / sizeof *edges)];
	return chance(2) ? (int32_t)draw(context.arena_length + 64) : (int32_t)(context.arena_length - draw(80));
}

static void put_bits(uint32_t at)
{
	static const uint32_t strengths[] = { 40, 56, 128 };
	const uint32_t bits = strengths[draw(3)];
	memcpy(arena + at + 32, &bits, sizeof bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
	choices_begin(octets, length);
	mppe_begin(&mppe, chance(2) ? cpu_features() : (struct cpu){ 0 });
	context.mppe = &mppe;
	/* Rows of keys, places for used keys, packets, one behind the other. */
	const uint32_t packets = draw(packets_limit + 1), used_at = sessions_limit * row;
	uint32_t at = used_at + packets_limit * key_octets;
	for (uint32_t n = 0; n < packets; n++) {
		const int32_t octets_of = (int32_t)(1 + draw(chance(2) ? 1500 : 48));
		meta[n * packet_words] = (int32_t)at;
		meta[n * packet_words + 1] = octets_of;
		meta[n * packet_words + 2] = (int32_t)(row * draw(sessions_limit));
		at += (uint32_t)octets_of + draw(9);
	}
	context.arena_length = at;
	arena = malloc(at);
	fill(arena, at);
	for (uint32_t n = 0; n < sessions_limit; n++)
		put_bits(n * row);
	detached = chance(32);
	meta_packets = packets;
	values[2] = packets;
	values[3] = chance(2) ? -1 : (long)used_at;
	const bool wild = chance(3);
	if (wild && packets > 0) {
		meta[draw(packets * packet_words)] = anywhere();
		if (chance(4))
			values[3] = anywhere();
		if (chance(8))
			values[2] = chance(2) ? packets + 1 : (long)anywhere();
		if (chance(8))
			arena[draw(sessions_limit) * row + 32] ^= (uint8_t)(1u << draw(8));
	}
	bool right = !detached && values[2] >= 0 && values[2] <= (long)packets && values[3] >= -1;
	for (long n = 0; right && n < values[2]; n++) {
		const int32_t *packet = meta + n * packet_words;
		right = packet[1] > 0 && inside(packet[0], packet[1]) && right_keys(packet[2]);
	}
	right = right && (values[3] == -1 || inside(values[3], values[2] * key_octets));
	uint8_t *const expected = malloc(at);
	memcpy(expected, arena, at);
	thrown = false;
	cipher_crypt(NULL, NULL);
	if (thrown == right)
		fail(right ? "a right batch was refused" : "a wrong batch was taken");
	if (right && !wild) /* wild packets may lie in one another */
		twin_crypt(expected, packets, (int32_t)values[3]);
	if ((!right || !wild) && memcmp(arena, expected, at) != 0)
		fail(right ? "the octets are not the twin's" : "a refused batch has changed something");

	const int32_t keys_at = wild ? anywhere() : (int32_t)(row * draw(sessions_limit));
	const bool right_change = !detached && keys_at >= 0 && right_keys(keys_at);
	values[1] = keys_at;
	memcpy(expected, arena, at);
	thrown = false;
	cipher_change(NULL, NULL);
	if (thrown == right_change)
		fail("a change was refused, or a wrong one made");
	if (right_change) {
		struct mppe_keys keys;
		memcpy(&keys, expected + keys_at, sizeof keys);
		twin_change(&keys);
		memcpy(expected + keys_at, &keys, sizeof keys);
	}
	if (memcmp(arena, expected, at) != 0)
		fail("the key after it is not the twin's");
	free(expected);
	free(arena);
	return 0;
}
