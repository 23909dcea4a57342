/* Poll: messages of all partitions, in turn, into one slab and rows of numbers. */
#include "consumer.h"

/* The rows, in one ArrayBuffer: two columns of float64, then six of int32 (librdkafka.ts lays out the same). */
typedef struct rows {
  uint8_t *slab;
  size_t slab_length, used;
  double *offsets, *timestamps;
  int32_t *key_starts, *key_lengths, *value_starts, *value_lengths, *header_starts, *header_lengths;
  int capacity, count;
  int32_t *runs; /* [slot, from, to] each */
  int run_capacity, run_count;
  size_t needed; /* bytes that the first message that did not fit takes */
} rows_t;

static void put_length(uint8_t *at, uint32_t length) {
  at[0] = (uint8_t)length;
  at[1] = (uint8_t)(length >> 8);
  at[2] = (uint8_t)(length >> 16);
  at[3] = (uint8_t)(length >> 24);
}

/* How many bytes the headers take in the slab: [u32 name length, name, i32 value length or -1, value] each. */
static size_t header_bytes(const rd_kafka_headers_t *headers) {
  size_t total = 0, size;
  const char *name;
  const void *value;
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
    total += 8 + strlen(name) + (value ? size : 0);
  return total;
}

static void put_headers(uint8_t *at, const rd_kafka_headers_t *headers) {
  const char *name;
  const void *value;
  size_t size;
  for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
    size_t length = strlen(name);
    put_length(at, (uint32_t)length);
    memcpy(at + 4, name, length);
    at += 4 + length;
    put_length(at, value ? (uint32_t)size : UINT32_MAX);
    at += 4;
    if (value) {
      memcpy(at, value, size);
      at += size;
    }
  }
}

/* Copies one message; false when the slab has no room for it. */
static bool put_row(rows_t *rows, const rd_kafka_message_t *message) {
  rd_kafka_headers_t *headers = NULL;
  rd_kafka_timestamp_type_t kind;
  size_t key = message->key ? message->key_len : 0, value = message->payload ? message->len : 0, extra = 0;
  bool with_headers = !rd_kafka_message_headers(message, &headers);
  if (with_headers) extra = header_bytes(headers);
  if (rows->used + key + value + extra > rows->slab_length) {
    rows->needed = key + value + extra;
    return false;
  }
  int row = rows->count++;
  rows->offsets[row] = (double)message->offset;
  rows->timestamps[row] = (double)rd_kafka_message_timestamp(message, &kind);
  rows->key_starts[row] = (int32_t)rows->used;
  rows->key_lengths[row] = message->key ? (int32_t)key : -1;
  if (key) memcpy(rows->slab + rows->used, message->key, key);
  rows->used += key;
  rows->value_starts[row] = (int32_t)rows->used;
  rows->value_lengths[row] = message->payload ? (int32_t)value : -1;
  if (value) memcpy(rows->slab + rows->used, message->payload, value);
  rows->used += value;
  rows->header_starts[row] = (int32_t)rows->used;
  rows->header_lengths[row] = with_headers ? (int32_t)extra : -1;
  if (with_headers) put_headers(rows->slab + rows->used, headers);
  rows->used += extra;
  return true;
}

static void note_place(client_t *client, rd_kafka_topic_partition_list_t *places, const rd_kafka_message_t *message) {
  const char *topic = rd_kafka_topic_name(message->rkt);
  rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_find(places, topic, message->partition);
  if (!place) place = rd_kafka_topic_partition_list_add(places, topic, message->partition);
  place->offset = message->offset;
  atomic_store(&client->fresh, true);
}

/* Keeps what a message without data says: an end that was reached, a position where nothing is, or an error. */
static void note(client_t *client, const rd_kafka_message_t *message) {
  if (message->rkt && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
    return note_place(client, client->consumer->ends, message);
  if (message->rkt && message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    return note_place(client, client->consumer->gone, message);
  char text[512];
  if (message->err == RD_KAFKA_RESP_ERR__FATAL) {
    /* What it is that cannot be healed, not merely that. */
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client->rk, text, sizeof(text));
    if (fatal) return client_fault(client, fatal, true, text);
  }
  if (message->rkt)
    snprintf(text, sizeof(text), "%s [%d]: %s", rd_kafka_topic_name(message->rkt), (int)message->partition,
             rd_kafka_message_errstr(message));
  else
    snprintf(text, sizeof(text), "%s", rd_kafka_message_errstr(message));
  client_fault(client, message->err, message->err == RD_KAFKA_RESP_ERR__FATAL, text);
}

/* Takes more messages out of the queue; false when there are none. */
static bool refill(partition_t *partition, int wanted) {
  size_t ready = rd_kafka_queue_length(partition->queue);
  if (ready == 0) return false;
  size_t size = (size_t)wanted < ready ? (size_t)wanted : ready;
  if (size > TAKEN) size = TAKEN;
  ssize_t got = rd_kafka_consume_batch_queue(partition->queue, 0, partition->taken, size);
  partition->next = 0;
  partition->end = got > 0 ? (int)got : 0;
  return got > 0;
}

/* Gives out at most `quota` rows of a partition. */
static void drain(client_t *client, rows_t *rows, int slot, int quota) {
  partition_t *partition = client->consumer->partitions[slot];
  int from = rows->count, limit = from + quota;
  if (limit > rows->capacity) limit = rows->capacity;
  while (rows->count < limit && !rows->needed) {
    if (partition->next == partition->end && !refill(partition, limit - rows->count)) break;
    while (partition->next < partition->end && rows->count < limit) {
      rd_kafka_message_t *message = partition->taken[partition->next];
      if (message->err)
        note(client, message);
      else if (!put_row(rows, message))
        break;
      rd_kafka_message_destroy(message);
      partition->next++;
    }
  }
  if (rows->count == from) return;
  int32_t *last = rows->run_count ? rows->runs + 3 * (rows->run_count - 1) : NULL;
  if (last && last[0] == slot && last[2] == from) {
    last[2] = rows->count;
    return;
  }
  int32_t *run = rows->runs + 3 * rows->run_count++;
  run[0] = slot;
  run[1] = from;
  run[2] = rows->count;
}

/* Two rounds: a fair share for each partition, then what is left to those that have more. */
static void gather(client_t *client, rows_t *rows, int wanted) {
  consumer_t *consumer = client->consumer;
  int count = consumer->count;
  if (count == 0) return;
  int share = wanted / count;
  if (share < 1) share = 1;
  consumer->turn = (consumer->turn + 1) % count;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < count; i++) {
      int left = wanted - rows->count;
      if (left <= 0 || rows->needed || rows->run_count == rows->run_capacity) return;
      int slot = (consumer->turn + i) % count;
      partition_t *partition = consumer->partitions[slot];
      if (atomic_load(&partition->held) || partition->seeking) continue;
      drain(client, rows, slot, round == 0 && share < left ? share : left);
    }
  }
}

/* Serves rebalances, statistics and errors. It also counts as a poll for max.poll.interval.ms. */
static void serve(client_t *client) {
  rd_kafka_message_t *message;
  while ((message = rd_kafka_consumer_poll(client->rk, 0))) {
    if (message->err) note(client, message);
    rd_kafka_message_destroy(message);
  }
}

/*
 * consumerPoll(handle, slab, columns, capacity, wanted, runs): how many rows; runs[0] is how many runs, from runs[3] on
 * each is [slot, from, to]. Gives -1 when not even the first message fits: runs[1] is how many bytes it takes.
 * When the slab was too small for all that was wanted, runs[1] is not 0.
 */
napi_value consumer_poll(napi_env env, napi_callback_info info) {
  napi_value given[6];
  void *slab, *columns, *runs;
  size_t slab_length, columns_length, run_length;
  if (!arguments(env, info, 6, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  if (napi_get_typedarray_info(env, given[1], NULL, &slab_length, &slab, NULL, NULL) != napi_ok ||
      napi_get_arraybuffer_info(env, given[2], &columns, &columns_length) != napi_ok ||
      napi_get_typedarray_info(env, given[5], NULL, &run_length, &runs, NULL, NULL) != napi_ok)
    return throw_type(env, "Cannot poll as the slab, its columns or runs are no buffers");
  int capacity = to_int(env, given[3]), wanted = to_int(env, given[4]);
  if (capacity < 1 || columns_length < (size_t)capacity * 40 || run_length < 6)
    return throw_type(env, "Cannot poll as the columns are shorter than their capacity");
  if (wanted > capacity) wanted = capacity;
  if (slab_length > INT32_MAX) slab_length = INT32_MAX;
  serve(client);
  double *wide = columns;
  int32_t *narrow = (int32_t *)(wide + 2 * (size_t)capacity);
  size_t n = (size_t)capacity;
  rows_t rows = {.slab = slab,
                 .slab_length = slab_length,
                 .offsets = wide,
                 .timestamps = wide + n,
                 .key_starts = narrow,
                 .key_lengths = narrow + n,
                 .value_starts = narrow + 2 * n,
                 .value_lengths = narrow + 3 * n,
                 .header_starts = narrow + 4 * n,
                 .header_lengths = narrow + 5 * n,
                 .capacity = capacity,
                 .runs = (int32_t *)runs + 3,
                 .run_capacity = (int)(run_length / 3) - 1};
  gather(client, &rows, wanted);
  int32_t *head = runs;
  head[0] = rows.run_count;
  head[1] = rows.needed > INT32_MAX ? INT32_MAX : (int32_t)rows.needed;
  return number_value(env, rows.count == 0 && rows.needed ? -1 : rows.count);
}
