/* Transactions, flush and the end of a producer: what blocks. */
#include "producer.h"

#include <time.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* A task with a time-out: arguments (handle, timeoutMs). */
static task_t *timed_task(napi_env env, napi_callback_info info, const char *action) {
  napi_value given[2];
  if (!arguments(env, info, 2, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  task_t *task = task_new(client, action);
  task->timeout_ms = to_int(env, given[1]);
  return task;
}

/*
 * A flush ends with all of its records freed, tens of megabytes after a commit of many, which glibc keeps between blocks that are in use. They go back to the
 * system, once a second at most in the whole process: it takes some milliseconds.
 */
static void give_memory_back(void) {
#ifdef __GLIBC__
  static _Atomic int64_t last = 0;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t before = atomic_load(&last), seconds = (int64_t)now.tv_sec;
  if (seconds > before && atomic_compare_exchange_strong(&last, &before, seconds)) malloc_trim(0);
#endif
}

static void run_flush(task_t *task) {
  task->code = rd_kafka_flush(task->client->rk, task->timeout_ms);
  if (!task->code) give_memory_back();
}

static napi_value flush(napi_env env, napi_callback_info info) {
  task_t *task = timed_task(env, info, "flush the producer");
  if (!task) return NULL;
  task->run = run_flush;
  return task_start(env, task);
}

static void run_init(task_t *task) { task->error = rd_kafka_init_transactions(task->client->rk, task->timeout_ms); }

static napi_value init_transactions(napi_env env, napi_callback_info info) {
  task_t *task = timed_task(env, info, "initialize transactions");
  if (!task) return NULL;
  task->run = run_init;
  return task_start(env, task);
}

static napi_value begin_transaction(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_error_t *error = rd_kafka_begin_transaction(client->rk);
  if (error) return throw_error(env, "begin a transaction", error);
  return undefined_value(env);
}

static void run_send_offsets(task_t *task) {
  task->error = rd_kafka_send_offsets_to_transaction(task->client->rk, task->partitions, task->group,
                                                     task->timeout_ms);
}

/* A copy, since the handle may be collected while the request runs. */
static rd_kafka_consumer_group_metadata_t *copy_group(const rd_kafka_consumer_group_metadata_t *group) {
  void *bytes = NULL;
  size_t length = 0;
  rd_kafka_consumer_group_metadata_t *out = NULL;
  rd_kafka_error_t *error = rd_kafka_consumer_group_metadata_write(group, &bytes, &length);
  if (!error) error = rd_kafka_consumer_group_metadata_read(&out, bytes, length);
  if (error) rd_kafka_error_destroy(error);
  if (bytes) rd_kafka_mem_free(NULL, bytes);
  return out;
}

/* sendOffsets(handle, offsets, group, timeoutMs) */
static napi_value send_offsets(napi_env env, napi_callback_info info) {
  napi_value given[4];
  void *group = NULL;
  if (!arguments(env, info, 4, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  if (napi_get_value_external(env, given[2], &group) != napi_ok || !group)
    return throw_type(env, "Cannot send offsets as the group metadata is not a handle");
  rd_kafka_topic_partition_list_t *list = to_partitions(env, given[1]);
  if (!list) return NULL;
  task_t *task = task_new(client, "send offsets to the transaction");
  task->partitions = list;
  task->group = copy_group(group);
  task->timeout_ms = to_int(env, given[3]);
  if (!task->group) {
    task_free(task);
    return throw_type(env, "Cannot send offsets as the group metadata could not be copied");
  }
  task->run = run_send_offsets;
  return task_start(env, task);
}

static void run_commit(task_t *task) {
  task->error = rd_kafka_commit_transaction(task->client->rk, task->timeout_ms);
}

static napi_value commit_transaction(napi_env env, napi_callback_info info) {
  task_t *task = timed_task(env, info, "commit the transaction");
  if (!task) return NULL;
  task->run = run_commit;
  return task_start(env, task);
}

static void run_abort(task_t *task) {
  task->error = rd_kafka_abort_transaction(task->client->rk, task->timeout_ms);
}

static napi_value abort_transaction(napi_env env, napi_callback_info info) {
  task_t *task = timed_task(env, info, "abort the transaction");
  if (!task) return NULL;
  task->run = run_abort;
  return task_start(env, task);
}

static void run_partition_count(task_t *task) {
  task->code = rd_kafka_metadata(task->client->rk, 0, task->objects[0], &task->metadata, task->timeout_ms);
  if (!task->code && task->metadata->topic_cnt != 1) task->code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (!task->code) task->code = task->metadata->topics[0].err;
}

static napi_value settle_partition_count(napi_env env, task_t *task) {
  return number_value(env, task->metadata->topics[0].partition_cnt);
}

static void free_topic(void *topic) { rd_kafka_topic_destroy(topic); }

/* partitionCount(handle, topicNumber, timeoutMs) */
static napi_value partition_count(napi_env env, napi_callback_info info) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  int number = to_int(env, given[1]);
  if (number < 0 || number >= client->producer->topic_count)
    return throw_type(env, "Cannot look up the partitions of a topic as its number is unknown");
  task_t *task = task_new(client, "look up the partitions of a topic");
  task->objects = calloc(1, sizeof(*task->objects));
  /* Another handle of the same topic: it outlives a close that comes meanwhile. */
  task->objects[0] = rd_kafka_topic_new(client->rk, client->producer->topics[number]->name, NULL);
  task->object_count = 1;
  task->free_object = free_topic;
  task->timeout_ms = to_int(env, given[2]);
  task->run = run_partition_count;
  task->settle = settle_partition_count;
  return task_start(env, task);
}

/* purge(handle): drops what is queued and on its way, so that a flush that waits for it ends. */
static napi_value purge(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_purge(client->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
  return undefined_value(env);
}

/* closeProducer(handle): a promise. */
static napi_value close_producer(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = producer_of(env, given[0]);
  if (!client) return NULL;
  return client_close(env, client, NULL);
}

void transaction_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "flush", flush);
  export_function(env, exports, "initTransactions", init_transactions);
  export_function(env, exports, "beginTransaction", begin_transaction);
  export_function(env, exports, "sendOffsets", send_offsets);
  export_function(env, exports, "commitTransaction", commit_transaction);
  export_function(env, exports, "abortTransaction", abort_transaction);
  export_function(env, exports, "partitionCount", partition_count);
  export_function(env, exports, "purge", purge);
  export_function(env, exports, "closeProducer", close_producer);
}
