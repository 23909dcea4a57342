/* The producer: records in, delivery reports out, both a batch at a time. */
#include "producer.h"

client_t *producer_of(napi_env env, napi_value value) {
  client_t *client = client_of(env, value);
  if (client && !client->producer) {
    throw_type(env, "Cannot call a Kafka producer as the handle is another client");
    return NULL;
  }
  return client;
}

static void on_queue(rd_kafka_t *rk, void *opaque) {
  (void)rk;
  client_wake(opaque);
}

static uint8_t *copy(const void *bytes, size_t length) {
  if (!bytes) return NULL;
  uint8_t *out = malloc(length ? length : 1);
  if (length) memcpy(out, bytes, length);
  return out;
}

static void add_failure(producer_t *producer, failure_t *failure) {
  if (producer->last_failure)
    producer->last_failure->next = failure;
  else
    producer->failures = failure;
  producer->last_failure = failure;
}

static void free_failure(failure_t *failure) {
  free(failure->topic);
  free(failure->text);
  free(failure->key);
  free(failure->value);
  free(failure->headers);
  free(failure);
}

/* The slab form of a record's headers (headers.ts). */
static uint8_t *pack_headers(const rd_kafka_headers_t *headers, size_t *length) {
  size_t total = 0, size, at = 0;
  const char *name;
  const void *value;
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
    total += 8 + strlen(name) + (value ? size : 0);
  uint8_t *out = malloc(total ? total : 1);
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
    uint32_t name_length = (uint32_t)strlen(name), value_length = value ? (uint32_t)size : UINT32_MAX;
    for (int b = 0; b < 4; b++) out[at++] = (uint8_t)(name_length >> (8 * b));
    memcpy(out + at, name, name_length);
    at += name_length;
    for (int b = 0; b < 4; b++) out[at++] = (uint8_t)(value_length >> (8 * b));
    if (value) {
      memcpy(out + at, value, size);
      at += size;
    }
  }
  *length = total;
  return out;
}

static void note_delivered(written_t *written, int32_t partition, int64_t offset) {
  if (!written || partition < 0 || offset < 0) return;
  if (partition >= written->partitions) {
    written->delivered = realloc(written->delivered, sizeof(int64_t) * (size_t)(partition + 1));
    for (int32_t i = written->partitions; i <= partition; i++) written->delivered[i] = -1;
    written->partitions = partition + 1;
  }
  if (offset > written->delivered[partition]) written->delivered[partition] = offset;
  written->any = true;
}

static void note_failed(client_t *client, const rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers = NULL;
  rd_kafka_timestamp_type_t kind;
  char text[512];
  failure_t *failure = calloc(1, sizeof(*failure));
  failure->topic = strdup(rd_kafka_topic_name(message->rkt));
  failure->partition = message->partition;
  failure->code = message->err;
  /* Once the client is fatally broken, every record fails for that reason, whatever its own report says. */
  rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client->rk, text, sizeof(text));
  failure->fatal = fatal != RD_KAFKA_RESP_ERR_NO_ERROR;
  const char *reason = failure->fatal ? text : rd_kafka_message_produce_errstr(message);
  failure->text = strdup(reason ? reason : rd_kafka_err2str(message->err));
  failure->key = copy(message->key, message->key_len);
  failure->key_length = message->key_len;
  failure->value = copy(message->payload, message->len);
  failure->value_length = message->len;
  if (!rd_kafka_message_headers(message, &headers)) failure->headers = pack_headers(headers, &failure->headers_length);
  failure->timestamp = rd_kafka_message_timestamp(message, &kind);
  failure->tag = (int32_t)(intptr_t)message->_private;
  add_failure(client->producer, failure);
}

static void serve_reports(client_t *client, rd_kafka_event_t *event) {
  const rd_kafka_message_t *message;
  while ((message = rd_kafka_event_message_next(event))) {
    if (message->err)
      note_failed(client, message);
    else
      note_delivered(rd_kafka_topic_opaque(message->rkt), message->partition, message->offset);
  }
}

static void serve_error(client_t *client, rd_kafka_event_t *event) {
  char text[512];
  rd_kafka_resp_err_t code = rd_kafka_event_error(event);
  if (rd_kafka_event_error_is_fatal(event) || code == RD_KAFKA_RESP_ERR__FATAL) {
    code = rd_kafka_fatal_error(client->rk, text, sizeof(text));
    client_fault(client, code, true, text);
  } else {
    client_fault(client, code, false, rd_kafka_event_error_string(event));
  }
}

/* Takes all events that are there; gives how many delivery reports were among them. */
static size_t serve(client_t *client) {
  size_t reports = 0;
  rd_kafka_event_t *event;
  while (rd_kafka_queue_length(client->producer->queue) > 0 &&
         (event = rd_kafka_queue_poll(client->producer->queue, 0))) {
    switch (rd_kafka_event_type(event)) {
      case RD_KAFKA_EVENT_DR:
        reports += rd_kafka_event_message_count(event);
        serve_reports(client, event);
        break;
      case RD_KAFKA_EVENT_ERROR:
        serve_error(client, event);
        break;
      case RD_KAFKA_EVENT_STATS: {
        const char *json = rd_kafka_event_stats(event);
        client_tell(client, TOLD_STATS, 0, "", json, strlen(json));
        break;
      }
      default:
        break;
    }
    rd_kafka_event_destroy(event);
  }
  return reports;
}

/* producerNew(settings, onWake, withStats, withTokens); admin clients are made so, too. */
static napi_value producer_new(napi_env env, napi_callback_info info) {
  client_t *client = NULL;
  napi_value handle = client_new(env, info, RD_KAFKA_PRODUCER, &client);
  if (!handle || !client) return handle;
  client->producer = calloc(1, sizeof(*client->producer));
  client->producer->queue = rd_kafka_queue_get_main(client->rk);
  rd_kafka_queue_cb_event_enable(client->producer->queue, on_queue, client);
  return handle;
}

void producer_free(client_t *client) {
  producer_t *producer = client->producer;
  client->producer = NULL;
  rd_kafka_queue_cb_event_enable(producer->queue, NULL, NULL);
  rd_kafka_queue_destroy(producer->queue);
  for (int i = 0; i < producer->topic_count; i++) {
    written_t *written = producer->topics[i];
    rd_kafka_topic_destroy(written->topic);
    free(written->name);
    free(written->delivered);
    free(written);
  }
  free(producer->topics);
  for (failure_t *failure = producer->failures; failure;) {
    failure_t *next = failure->next;
    free_failure(failure);
    failure = next;
  }
  free(producer);
}

/* topicNumber(handle, name): the number that produce's rows name the topic by. */
static napi_value topic_number(napi_env env, napi_callback_info info) {
  napi_value given[2];
  if (!arguments(env, info, 2, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  producer_t *producer = client->producer;
  char *name = to_text(env, given[1]);
  if (!name) return NULL;
  for (int i = 0; i < producer->topic_count; i++) {
    if (strcmp(producer->topics[i]->name, name)) continue;
    free(name);
    return number_value(env, i);
  }
  written_t *written = calloc(1, sizeof(*written));
  rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(client->rk);
  rd_kafka_topic_conf_set_opaque(conf, written);
  written->topic = rd_kafka_topic_new(client->rk, name, conf);
  if (!written->topic) {
    rd_kafka_resp_err_t code = rd_kafka_last_error();
    rd_kafka_topic_conf_destroy(conf);
    free(written);
    free(name);
    return throw_code(env, "write to the topic", code, NULL);
  }
  written->name = name;
  if (producer->topic_count == producer->topic_capacity) {
    producer->topic_capacity = producer->topic_capacity ? producer->topic_capacity * 2 : 16;
    producer->topics = realloc(producer->topics, sizeof(*producer->topics) * (size_t)producer->topic_capacity);
  }
  producer->topics[producer->topic_count] = written;
  return number_value(env, producer->topic_count++);
}

static uint32_t get_length(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Headers from their slab form; NULL when the form is broken. */
static rd_kafka_headers_t *unpack_headers(const uint8_t *at, size_t length) {
  rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
  const uint8_t *end = at + length;
  while (at < end) {
    if (end - at < 4) goto broken;
    size_t name_length = get_length(at);
    at += 4;
    if ((size_t)(end - at) < name_length + 4) goto broken;
    const char *name = (const char *)at;
    at += name_length;
    uint32_t value_length = get_length(at);
    at += 4;
    bool is_null = value_length == UINT32_MAX;
    if (!is_null && (size_t)(end - at) < value_length) goto broken;
    rd_kafka_header_add(headers, name, (ssize_t)name_length, is_null ? NULL : at, is_null ? 0 : (ssize_t)value_length);
    if (!is_null) at += value_length;
  }
  return headers;
broken:
  rd_kafka_headers_destroy(headers);
  return NULL;
}

/* The columns of ProduceRows, checked once a call. */
typedef struct columns {
  uint8_t *slab;
  size_t slab_length;
  double *timestamps;
  int32_t *topics, *partitions, *key_starts, *key_lengths, *value_starts, *value_lengths, *header_starts,
      *header_lengths, *tags;
} columns_t;

static bool column(napi_env env, napi_value value, napi_typedarray_type wanted, size_t count, void *out) {
  napi_typedarray_type type;
  size_t length;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok || type != wanted ||
      length < count) {
    throw_type(env, "Cannot produce as a column is of another type or shorter than the row count");
    return false;
  }
  *(void **)out = data;
  return true;
}

static bool in_slab(const columns_t *columns, int32_t start, int32_t length) {
  return length <= 0 || (start >= 0 && (size_t)start + (size_t)length <= columns->slab_length);
}

/* A record that librdkafka did not even take. */
static void refuse(client_t *client, const columns_t *columns, int row, const written_t *written,
                   rd_kafka_error_t *error) {
  failure_t *failure = calloc(1, sizeof(*failure));
  failure->topic = strdup(written->name);
  failure->partition = columns->partitions[row];
  failure->code = rd_kafka_error_code(error);
  failure->fatal = rd_kafka_error_is_fatal(error) || failure->code == RD_KAFKA_RESP_ERR__FATAL;
  failure->text = strdup(rd_kafka_error_string(error));
  int32_t lengths[3] = {columns->key_lengths[row], columns->value_lengths[row], columns->header_lengths[row]};
  if (lengths[0] >= 0) failure->key = copy(columns->slab + columns->key_starts[row], (size_t)lengths[0]);
  if (lengths[1] >= 0) failure->value = copy(columns->slab + columns->value_starts[row], (size_t)lengths[1]);
  if (lengths[2] > 0) failure->headers = copy(columns->slab + columns->header_starts[row], (size_t)lengths[2]);
  failure->key_length = lengths[0] > 0 ? (size_t)lengths[0] : 0;
  failure->value_length = lengths[1] > 0 ? (size_t)lengths[1] : 0;
  failure->headers_length = lengths[2] > 0 ? (size_t)lengths[2] : 0;
  failure->timestamp = (int64_t)columns->timestamps[row];
  failure->tag = columns->tags[row];
  add_failure(client->producer, failure);
}

/* Enqueues one row; false when the queue is full. */
static bool enqueue(client_t *client, const columns_t *columns, int row, rd_kafka_vu_t *fields) {
  written_t *written = client->producer->topics[columns->topics[row]];
  int32_t key = columns->key_lengths[row], value = columns->value_lengths[row], extra = columns->header_lengths[row];
  size_t count = 7;
  rd_kafka_headers_t *headers = NULL;
  fields[0].u.rkt = written->topic;
  fields[1].u.i32 = columns->partitions[row] < 0 ? RD_KAFKA_PARTITION_UA : columns->partitions[row];
  /* librdkafka takes 0 for "now"; the patch gives the epoch a number of its own. */
  fields[3].u.i64 = columns->timestamps[row] == 0 ? INT64_MIN : (int64_t)columns->timestamps[row];
  fields[4].u.ptr = (void *)(intptr_t)columns->tags[row];
  fields[5].u.mem.ptr = key >= 0 ? columns->slab + columns->key_starts[row] : NULL;
  fields[5].u.mem.size = key > 0 ? (size_t)key : 0;
  fields[6].u.mem.ptr = value >= 0 ? columns->slab + columns->value_starts[row] : NULL;
  fields[6].u.mem.size = value > 0 ? (size_t)value : 0;
  if (extra > 0) {
    headers = unpack_headers(columns->slab + columns->header_starts[row], (size_t)extra);
    fields[7].u.headers = headers;
    count = 8;
  }
  rd_kafka_error_t *error = extra > 0 && !headers
                                ? rd_kafka_error_new(RD_KAFKA_RESP_ERR__INVALID_ARG, "the headers are malformed")
                                : rd_kafka_produceva(client->rk, fields, count);
  if (!error) return true;
  bool full = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
  if (!full) refuse(client, columns, row, written, error);
  if (headers) rd_kafka_headers_destroy(headers);
  rd_kafka_error_destroy(error);
  return !full;
}

static bool row_is_sound(const client_t *client, const columns_t *columns, int row) {
  return columns->topics[row] >= 0 && columns->topics[row] < client->producer->topic_count &&
         in_slab(columns, columns->key_starts[row], columns->key_lengths[row]) &&
         in_slab(columns, columns->value_starts[row], columns->value_lengths[row]) &&
         in_slab(columns, columns->header_starts[row], columns->header_lengths[row]);
}

/*
 * produce(handle, slab, slabLength, from, count, topics, partitions, timestamps, keyStarts, keyLengths, valueStarts,
 * valueLengths, headerStarts, headerLengths, tags): how many of the rows [from, count) were taken.
 */
static napi_value produce(napi_env env, napi_callback_info info) {
  napi_value given[15];
  columns_t columns;
  if (!arguments(env, info, 15, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  int64_t slab_length = to_int64(env, given[2]);
  int from = to_int(env, given[3]), count = to_int(env, given[4]);
  if (from < 0 || count < from || slab_length < 0) return throw_type(env, "Cannot produce as the row range is wrong");
  size_t n = (size_t)count;
  columns.slab_length = (size_t)slab_length;
  if (!column(env, given[1], napi_uint8_array, columns.slab_length, &columns.slab) ||
      !column(env, given[5], napi_int32_array, n, &columns.topics) ||
      !column(env, given[6], napi_int32_array, n, &columns.partitions) ||
      !column(env, given[7], napi_float64_array, n, &columns.timestamps) ||
      !column(env, given[8], napi_int32_array, n, &columns.key_starts) ||
      !column(env, given[9], napi_int32_array, n, &columns.key_lengths) ||
      !column(env, given[10], napi_int32_array, n, &columns.value_starts) ||
      !column(env, given[11], napi_int32_array, n, &columns.value_lengths) ||
      !column(env, given[12], napi_int32_array, n, &columns.header_starts) ||
      !column(env, given[13], napi_int32_array, n, &columns.header_lengths) ||
      !column(env, given[14], napi_int32_array, n, &columns.tags))
    return NULL;
  rd_kafka_vu_t fields[8] = {
      {.vtype = RD_KAFKA_VTYPE_RKT},       {.vtype = RD_KAFKA_VTYPE_PARTITION}, {.vtype = RD_KAFKA_VTYPE_MSGFLAGS},
      {.vtype = RD_KAFKA_VTYPE_TIMESTAMP}, {.vtype = RD_KAFKA_VTYPE_OPAQUE},    {.vtype = RD_KAFKA_VTYPE_KEY},
      {.vtype = RD_KAFKA_VTYPE_VALUE},     {.vtype = RD_KAFKA_VTYPE_HEADERS}};
  fields[2].u.i = RD_KAFKA_MSG_F_COPY;
  serve(client);
  int row = from;
  for (; row < count; row++) {
    if (!row_is_sound(client, &columns, row))
      return throw_type(env, "Cannot produce as a row points outside the slab or names no topic");
    if (!enqueue(client, &columns, row, fields)) break;
  }
  return number_value(env, row - from);
}

/* serve(handle): takes delivery reports and errors; gives how many records were reported on. */
static napi_value serve_producer(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  return number_value(env, (double)serve(client));
}

/* arm(handle): asks for one onWake at the next event; gives true, and asks for nothing, when one is there already. */
static napi_value arm(napi_env env, napi_callback_info info) {
  napi_value given[1], result;
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  atomic_store(&client->armed, true);
  bool ready = rd_kafka_queue_length(client->producer->queue) > 0;
  if (ready) atomic_store(&client->armed, false);
  napi_get_boolean(env, ready, &result);
  return result;
}

static napi_value failure_value(napi_env env, const failure_t *failure) {
  napi_value object;
  napi_create_object(env, &object);
  set(env, object, "topic", text_value(env, failure->topic));
  set(env, object, "partition", number_value(env, failure->partition));
  set(env, object, "error",
      error_value(env, "deliver a record", failure->code, failure->text, NULL, failure->fatal));
  set(env, object, "key", bytes_value(env, failure->key, failure->key_length));
  set(env, object, "value", bytes_value(env, failure->value, failure->value_length));
  set(env, object, "headers", bytes_value(env, failure->headers, failure->headers_length));
  set(env, object, "timestamp", number_value(env, (double)failure->timestamp));
  set(env, object, "tag", number_value(env, failure->tag));
  return object;
}

/* takeFailures(handle): an array, or undefined. */
static napi_value take_failures(napi_env env, napi_callback_info info) {
  napi_value given[1], array;
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  producer_t *producer = client->producer;
  if (!producer->failures) return undefined_value(env);
  failure_t *failure = producer->failures;
  producer->failures = producer->last_failure = NULL;
  napi_create_array(env, &array);
  for (uint32_t i = 0; failure; i++) {
    failure_t *next = failure->next;
    napi_set_element(env, array, i, failure_value(env, failure));
    free_failure(failure);
    failure = next;
  }
  return array;
}

/* takeDelivered(handle): [{ topic, partition, offset }]. */
static napi_value take_delivered(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  producer_t *producer = client->producer;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
  for (int i = 0; i < producer->topic_count; i++) {
    written_t *written = producer->topics[i];
    if (!written->any) continue;
    written->any = false;
    for (int32_t p = 0; p < written->partitions; p++) {
      if (written->delivered[p] < 0) continue;
      rd_kafka_topic_partition_list_add(list, written->name, p)->offset = written->delivered[p];
      written->delivered[p] = -1;
    }
  }
  napi_value array = partitions_value(env, list);
  rd_kafka_topic_partition_list_destroy(list);
  return array;
}

/* queued(handle): records that are not reported on yet. */
static napi_value queued(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  return number_value(env, rd_kafka_outq_len(client->rk));
}

void producer_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "producerNew", producer_new);
  export_function(env, exports, "topicNumber", topic_number);
  export_function(env, exports, "produce", produce);
  export_function(env, exports, "serveProducer", serve_producer);
  export_function(env, exports, "armProducer", arm);
  export_function(env, exports, "takeFailures", take_failures);
  export_function(env, exports, "takeDelivered", take_delivered);
  export_function(env, exports, "queued", queued);
  transaction_functions(env, exports);
}
