#include "bpf.h"

#include <asm/errno.h>
#include <linux/bpf.h>

#include "memory.h"
#include "syscall.h"

enum {
	tcx_ingress = 46, /* BPF_TCX_INGRESS of Linux 6.6, which headers of before lack */
	log_length = 16384,
	log_shown = 512,
	entry_limit = 4096,
};

static long ask(int command, union bpf_attr *attribute)
{
	return syscall3(bpf, command, attribute, sizeof *attribute);
}

static uint64_t pointer(const void *memory)
{
	return (uint64_t)(uintptr_t)memory;
}

static napi_value descriptor(napi_env env, long result, const char *call, const char *subject)
{
	napi_value number;
	if (result < 0)
		return throw_io_error(env, result, call, subject);
	return napi_create_int32(env, (int32_t)result, &number) == napi_ok ? number : NULL;
}

/* bpfMap(keySize, valueSize, entries) -> descriptor of a hash map, which takes memory for what is in it alone */
napi_value bpf_map(napi_env env, napi_callback_info info)
{
	napi_value arguments[3];
	int32_t key, value, entries;
	if (!take_arguments(env, info, 3, arguments) ||
	    !take_integer(env, arguments[0], 1, "The key's size must be a positive number", &key) ||
	    !take_integer(env, arguments[1], 1, "The value's size must be a positive number", &value) ||
	    !take_integer(env, arguments[2], 1, "The number of entries must be positive", &entries))
		return NULL;
	if (key > entry_limit || value > entry_limit)
		return throw_range_error(env, "Keys and values have at most 4096 octets");
	union bpf_attr attribute;
	memset(&attribute, 0, sizeof attribute);
	attribute.map_type = BPF_MAP_TYPE_HASH;
	attribute.key_size = (uint32_t)key;
	attribute.value_size = (uint32_t)value;
	attribute.max_entries = (uint32_t)entries;
	attribute.map_flags = BPF_F_NO_PREALLOC;
	return descriptor(env, ask(BPF_MAP_CREATE, &attribute), "BPF_MAP_CREATE", NULL);
}

/* The end of what the verifier says: there is its reason. */
static const char *reason(char *log)
{
	size_t length = 0;
	while (length < log_length - 1 && log[length] != 0)
		length++;
	log[length] = 0;
	return length > log_shown ? log + length - log_shown : log;
}

/* bpfProgram(instructions) -> descriptor; `instructions`: struct bpf_insn records, for packets of a device */
napi_value bpf_program(napi_env env, napi_callback_info info)
{
	napi_value argument;
	uint8_t *instructions;
	size_t length;
	if (!take_arguments(env, info, 1, &argument) ||
	    !take_octets(env, argument, "A program must be a Uint8Array", &instructions, &length))
		return NULL;
	if (length == 0 || length % sizeof(struct bpf_insn) != 0 || length > 4096 * sizeof(struct bpf_insn))
		return throw_range_error(env, "A program is 1 to 4096 instructions of 8 octets");
	union bpf_attr attribute;
	memset(&attribute, 0, sizeof attribute);
	attribute.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attribute.insn_cnt = (uint32_t)(length / sizeof(struct bpf_insn));
	attribute.insns = pointer(instructions);
	attribute.license = pointer("Apache-2.0");
	long result = ask(BPF_PROG_LOAD, &attribute);
	if (result != -EINVAL && result != -EACCES)
		return descriptor(env, result, "BPF_PROG_LOAD", NULL);
	/* The verifier has refused it, and says why when it is asked to. */
	char *log = pages_allocate(log_length);
	if (log != NULL) {
		attribute.log_buf = pointer(log);
		attribute.log_size = log_length;
		attribute.log_level = 1;
		result = ask(BPF_PROG_LOAD, &attribute);
	}
	const napi_value value = descriptor(env, result, "BPF_PROG_LOAD", log == NULL ? NULL : reason(log));
	if (log != NULL)
		pages_release(log, log_length);
	return value;
}

/* bpfAttach(program, index) -> descriptor; the program sees what comes in on the device until it is closed */
napi_value bpf_attach(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	int32_t program, index;
	if (!take_arguments(env, info, 2, arguments) ||
	    !take_integer(env, arguments[0], 0, "The program must be a descriptor", &program) ||
	    !take_integer(env, arguments[1], 1, "The device must be an index", &index))
		return NULL;
	union bpf_attr attribute;
	memset(&attribute, 0, sizeof attribute);
	attribute.link_create.prog_fd = (uint32_t)program;
	attribute.link_create.target_ifindex = (uint32_t)index;
	attribute.link_create.attach_type = tcx_ingress;
	return descriptor(env, ask(BPF_LINK_CREATE, &attribute), "BPF_LINK_CREATE", NULL);
}

/* Sizes are those of the map: the kernel is told no lengths, and reads and writes as much as it knows. */
static bool take_entry(napi_env env, napi_value value, size_t wanted, const char *complaint, uint8_t **octets)
{
	size_t length;
	if (!take_octets(env, value, complaint, octets, &length))
		return false;
	if (length == wanted)
		return true;
	throw_range_error(env, complaint);
	return false;
}

/* What the kernel knows of a map. False: an exception is pending. */
static bool take_map(napi_env env, napi_value value, int32_t *map, struct bpf_map_info *facts)
{
	if (!take_integer(env, value, 0, "The map must be a descriptor", map))
		return false;
	union bpf_attr attribute;
	memset(&attribute, 0, sizeof attribute);
	memset(facts, 0, sizeof *facts);
	attribute.info.bpf_fd = (uint32_t)*map;
	attribute.info.info_len = sizeof *facts;
	attribute.info.info = pointer(facts);
	const long result = ask(BPF_OBJ_GET_INFO_BY_FD, &attribute);
	if (result < 0)
		throw_io_error(env, result, "BPF_OBJ_GET_INFO_BY_FD", NULL);
	return result >= 0;
}

/* bpfWrite(map, key, value) */
napi_value bpf_write(napi_env env, napi_callback_info info)
{
	napi_value arguments[3];
	struct bpf_map_info facts;
	uint8_t *key, *value;
	int32_t map;
	if (!take_arguments(env, info, 3, arguments) || !take_map(env, arguments[0], &map, &facts) ||
	    !take_entry(env, arguments[1], facts.key_size, "The key must be as long as the map has them", &key) ||
	    !take_entry(env, arguments[2], facts.value_size, "The value must be as long as the map has them", &value))
		return NULL;
	union bpf_attr attribute;
	memset(&attribute, 0, sizeof attribute);
	attribute.map_fd = (uint32_t)map;
	attribute.key = pointer(key);
	attribute.value = pointer(value);
	const long result = ask(BPF_MAP_UPDATE_ELEM, &attribute);
	return result < 0 ? throw_io_error(env, result, "BPF_MAP_UPDATE_ELEM", NULL) : NULL;
}

/* An exchange about an entry that may not be there -> whether it was */
static napi_value exchange(napi_env env, int command, const char *call, union bpf_attr *attribute)
{
	napi_value was;
	const long result = ask(command, attribute);
	if (result < 0 && result != -ENOENT)
		return throw_io_error(env, result, call, NULL);
	return napi_get_boolean(env, result >= 0, &was) == napi_ok ? was : NULL;
}

/* bpfErase(map, key) -> whether it was there */
napi_value bpf_erase(napi_env env, napi_callback_info info)
{
	napi_value arguments[2];
	struct bpf_map_info facts;
	uint8_t *key;
	int32_t map;
	if (!take_arguments(env, info, 2, arguments) || !take_map(env, arguments[0], &map, &facts) ||
	    !take_entry(env, arguments[1], facts.key_size, "The key must be as long as the map has them", &key))
		return NULL;
	union bpf_attr attribute;
	memset(&attribute, 0, sizeof attribute);
	attribute.map_fd = (uint32_t)map;
	attribute.key = pointer(key);
	return exchange(env, BPF_MAP_DELETE_ELEM, "BPF_MAP_DELETE_ELEM", &attribute);
}

/* bpfRead(map, key, value) -> whether it is there: then `value` is filled */
napi_value bpf_read(napi_env env, napi_callback_info info)
{
	napi_value arguments[3];
	struct bpf_map_info facts;
	uint8_t *key, *value;
	int32_t map;
	if (!take_arguments(env, info, 3, arguments) || !take_map(env, arguments[0], &map, &facts) ||
	    !take_entry(env, arguments[1], facts.key_size, "The key must be as long as the map has them", &key) ||
	    !take_entry(env, arguments[2], facts.value_size, "The value must be as long as the map has them", &value))
		return NULL;
	union bpf_attr attribute;
	memset(&attribute, 0, sizeof attribute);
	attribute.map_fd = (uint32_t)map;
	attribute.key = pointer(key);
	attribute.value = pointer(value);
	return exchange(env, BPF_MAP_LOOKUP_ELEM, "BPF_MAP_LOOKUP_ELEM", &attribute);
}
