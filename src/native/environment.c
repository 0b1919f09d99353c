#include "environment.h"

struct addon *addon_of(napi_env env)
{
	void *addon = NULL;
	napi_get_instance_data(env, &addon);
	return addon;
}

napi_value throw_type_error(napi_env env, const char *message)
{
	napi_throw_type_error(env, NULL, message);
	return NULL;
}

napi_value throw_range_error(napi_env env, const char *message)
{
	napi_throw_range_error(env, NULL, message);
	return NULL;
}

napi_value throw_io_error(napi_env env, long negative_errno, const char *syscall_name, const char *subject)
{
	struct addon *addon = addon_of(env);
	napi_value undefined, make, error, arguments[3];
	if (napi_get_undefined(env, &undefined) != napi_ok || addon->make_error == NULL ||
	    napi_get_reference_value(env, addon->make_error, &make) != napi_ok)
		return throw_type_error(env, "The addon is not initialized");
	arguments[2] = undefined;
	if (napi_create_int32(env, (int32_t)-negative_errno, &arguments[0]) == napi_ok &&
	    napi_create_string_utf8(env, syscall_name, NAPI_AUTO_LENGTH, &arguments[1]) == napi_ok &&
	    (subject == NULL || napi_create_string_utf8(env, subject, NAPI_AUTO_LENGTH, &arguments[2]) == napi_ok) &&
	    napi_call_function(env, undefined, make, 3, arguments, &error) == napi_ok)
		napi_throw(env, error);
	return NULL;
}

bool take_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *arguments)
{
	size_t count = wanted;
	if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) == napi_ok && count >= wanted)
		return true;
	throw_type_error(env, "Too few arguments");
	return false;
}

bool take_octets(napi_env env, napi_value value, const char *complaint, uint8_t **octets, size_t *length)
{
	napi_typedarray_type type;
	if (napi_get_typedarray_info(env, value, &type, length, (void **)octets, NULL, NULL) == napi_ok &&
	    type == napi_uint8_array)
		return true;
	throw_type_error(env, complaint);
	return false;
}

bool take_integer(napi_env env, napi_value value, int32_t lowest, const char *complaint, int32_t *integer)
{
	double number;
	if (napi_get_value_double(env, value, &number) != napi_ok) {
		throw_type_error(env, complaint);
		return false;
	}
	if (!(number >= lowest && number <= INT32_MAX) || number != (double)(int32_t)number) {
		throw_range_error(env, complaint);
		return false;
	}
	*integer = (int32_t)number;
	return true;
}
