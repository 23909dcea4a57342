/* Values between C and JavaScript. Everything here runs on the isolate's thread. */
#include "addon.h"

/* Reads exactly `count` arguments; throws a TypeError when there are fewer. */
bool arguments(napi_env env, napi_callback_info info, size_t count, napi_value *out) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, out, NULL, NULL) != napi_ok || given < count) {
    throw_type(env, "Cannot call the Kafka addon as arguments are missing");
    return false;
  }
  return true;
}

void export_function(napi_env env, napi_value exports, const char *name, napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function) == napi_ok)
    napi_set_named_property(env, exports, name, function);
}

/* Makes a KafkaError by the factory that JavaScript gave at start. */
napi_value error_value(napi_env env, const char *action, rd_kafka_resp_err_t code, const char *message,
                       rd_kafka_error_t *error, bool fatal) {
  addon_t *addon = addon_of(env);
  napi_value factory, receiver, result = NULL, given[7];
  if (error) {
    code = rd_kafka_error_code(error);
    message = rd_kafka_error_string(error);
  }
  if (!message || !*message) message = rd_kafka_err2str(code);
  bool retriable = error ? rd_kafka_error_is_retriable(error) : false;
  bool abortable = error ? rd_kafka_error_txn_requires_abort(error) : false;
  fatal = fatal || (error && rd_kafka_error_is_fatal(error)) || code == RD_KAFKA_RESP_ERR__FATAL;
  given[0] = text_value(env, action);
  given[1] = number_value(env, code);
  given[2] = text_value(env, rd_kafka_err2name(code));
  given[3] = text_value(env, message);
  napi_get_boolean(env, retriable, &given[4]);
  napi_get_boolean(env, fatal, &given[5]);
  napi_get_boolean(env, abortable, &given[6]);
  receiver = undefined_value(env);
  if (napi_get_reference_value(env, addon->make_error, &factory) == napi_ok && factory)
    napi_call_function(env, receiver, factory, 7, given, &result);
  return result ? result : undefined_value(env);
}

napi_value throw_code(napi_env env, const char *action, rd_kafka_resp_err_t code, const char *message) {
  napi_value error = error_value(env, action, code, message, NULL, false);
  napi_throw(env, error);
  return NULL;
}

/* Throws and frees `error`. */
napi_value throw_error(napi_env env, const char *action, rd_kafka_error_t *error) {
  napi_value value = error_value(env, action, RD_KAFKA_RESP_ERR_NO_ERROR, NULL, error, false);
  rd_kafka_error_destroy(error);
  napi_throw(env, value);
  return NULL;
}

napi_value throw_type(napi_env env, const char *message) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_type_error(env, NULL, message);
  return NULL;
}

/* A copy to be freed; NULL (and a TypeError) when it is no string. */
char *to_text(napi_env env, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_type(env, "Cannot call the Kafka addon as an argument is not a string");
    return NULL;
  }
  char *text = malloc(length + 1);
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  return text;
}

/* An array of strings, to be freed by free_texts; NULL (and a TypeError) when it is something else. */
char **to_texts(napi_env env, napi_value value, size_t *count) {
  uint32_t length;
  if (napi_get_array_length(env, value, &length) != napi_ok) {
    throw_type(env, "Cannot call the Kafka addon as an argument is not an array of strings");
    return NULL;
  }
  char **texts = calloc(length + 1, sizeof(*texts));
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok || !(texts[i] = to_text(env, element))) {
      free_texts(texts, i);
      return NULL;
    }
  }
  *count = length;
  return texts;
}

void free_texts(char **texts, size_t count) {
  if (!texts) return;
  for (size_t i = 0; i < count; i++) free(texts[i]);
  free(texts);
}

int32_t to_int(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

int64_t to_int64(napi_env env, napi_value value) {
  int64_t number = 0;
  napi_get_value_int64(env, value, &number);
  return number;
}

bool is_undefined(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) != napi_ok || type == napi_undefined || type == napi_null;
}

napi_value text_value(napi_env env, const char *text) {
  napi_value value = NULL;
  if (!text) return undefined_value(env);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

napi_value number_value(napi_env env, double number) {
  napi_value value = NULL;
  napi_create_double(env, number, &value);
  return value;
}

napi_value undefined_value(napi_env env) {
  napi_value value = NULL;
  napi_get_undefined(env, &value);
  return value;
}

/* A Uint8Array with a copy of the bytes; null when `bytes` is NULL. */
napi_value bytes_value(napi_env env, const void *bytes, size_t length) {
  napi_value buffer, value = NULL;
  void *data;
  if (!bytes) {
    napi_get_null(env, &value);
    return value;
  }
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok) return undefined_value(env);
  if (length > 0) memcpy(data, bytes, length);
  napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &value);
  return value;
}

void set(napi_env env, napi_value object, const char *name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

/* A list from [{ topic, partition, offset?, metadata? }]; a missing offset becomes RD_KAFKA_OFFSET_INVALID. */
rd_kafka_topic_partition_list_t *to_partitions(napi_env env, napi_value value) {
  uint32_t length;
  if (napi_get_array_length(env, value, &length) != napi_ok) {
    throw_type(env, "Cannot call the Kafka addon as an argument is not an array of partitions");
    return NULL;
  }
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element, topic, partition, offset, metadata;
    napi_get_element(env, value, i, &element);
    if (napi_get_named_property(env, element, "topic", &topic) != napi_ok ||
        napi_get_named_property(env, element, "partition", &partition) != napi_ok ||
        napi_get_named_property(env, element, "offset", &offset) != napi_ok ||
        napi_get_named_property(env, element, "metadata", &metadata) != napi_ok) {
      rd_kafka_topic_partition_list_destroy(list);
      throw_type(env, "Cannot call the Kafka addon as a partition is not an object");
      return NULL;
    }
    char *name = to_text(env, topic);
    if (!name) {
      rd_kafka_topic_partition_list_destroy(list);
      return NULL;
    }
    rd_kafka_topic_partition_t *entry =
        rd_kafka_topic_partition_list_add(list, name, to_int(env, partition));
    entry->offset = is_undefined(env, offset) ? RD_KAFKA_OFFSET_INVALID : to_int64(env, offset);
    if (!is_undefined(env, metadata)) {
      entry->metadata = to_text(env, metadata);
      entry->metadata_size = entry->metadata ? strlen(entry->metadata) : 0;
    }
    free(name);
  }
  return list;
}

/* [{ topic, partition, offset, metadata? }]. */
napi_value partitions_value(napi_env env, const rd_kafka_topic_partition_list_t *list) {
  napi_value array;
  napi_create_array_with_length(env, list ? (size_t)list->cnt : 0, &array);
  for (int i = 0; list && i < list->cnt; i++) {
    const rd_kafka_topic_partition_t *entry = &list->elems[i];
    napi_value object, metadata;
    napi_create_object(env, &object);
    set(env, object, "topic", text_value(env, entry->topic));
    set(env, object, "partition", number_value(env, entry->partition));
    set(env, object, "offset", number_value(env, (double)entry->offset));
    if (entry->metadata_size > 0 &&
        napi_create_string_utf8(env, entry->metadata, entry->metadata_size, &metadata) == napi_ok)
      set(env, object, "metadata", metadata);
    napi_set_element(env, array, (uint32_t)i, object);
  }
  return array;
}
