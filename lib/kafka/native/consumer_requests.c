/* What a consumer asks the cluster, or knows of its own. */
#include "consumer.h"

/* A task with partitions and a time-out: arguments (handle, partitions, timeoutMs). */
static task_t *partitions_task(napi_env env, napi_callback_info info, const char *action) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_topic_partition_list_t *list = to_partitions(env, given[1]);
  if (!list) return NULL;
  task_t *task = task_new(client, action);
  task->partitions = list;
  task->timeout_ms = to_int(env, given[2]);
  return task;
}

static napi_value settle_partitions(napi_env env, task_t *task) {
  return partitions_value(env, task->partitions);
}

/* The first error of a partition becomes the error of the task. */
static void raise_first(task_t *task) {
  for (int i = 0; !task->code && i < task->partitions->cnt; i++) {
    rd_kafka_topic_partition_t *entry = &task->partitions->elems[i];
    if (!entry->err) continue;
    task->code = entry->err;
    snprintf(task->message, sizeof(task->message), "%s [%d]: %s", entry->topic, (int)entry->partition,
             rd_kafka_err2str(entry->err));
  }
}

static void run_committed(task_t *task) {
  task->code = rd_kafka_committed(task->client->rk, task->partitions, task->timeout_ms);
  if (!task->code) raise_first(task);
}

static napi_value committed(napi_env env, napi_callback_info info) {
  task_t *task = partitions_task(env, info, "fetch the committed offsets");
  if (!task) return NULL;
  task->run = run_committed;
  task->settle = settle_partitions;
  return task_start(env, task);
}

static void run_commit(task_t *task) {
  task->code = rd_kafka_commit(task->client->rk, task->partitions, 0);
  if (!task->code) raise_first(task);
}

static napi_value commit(napi_env env, napi_callback_info info) {
  task_t *task = partitions_task(env, info, "commit offsets");
  if (!task) return NULL;
  task->run = run_commit;
  return task_start(env, task);
}

static void run_times(task_t *task) {
  task->code = rd_kafka_offsets_for_times(task->client->rk, task->partitions, task->timeout_ms);
  if (!task->code) raise_first(task);
}

static napi_value offsets_for_times(napi_env env, napi_callback_info info) {
  task_t *task = partitions_task(env, info, "look up offsets by time");
  if (!task) return NULL;
  task->run = run_times;
  task->settle = settle_partitions;
  return task_start(env, task);
}

static void run_watermarks(task_t *task) {
  rd_kafka_topic_partition_t *entry = &task->partitions->elems[0];
  task->code = rd_kafka_query_watermark_offsets(task->client->rk, entry->topic, entry->partition,
                                                &task->numbers[0], &task->numbers[1], task->timeout_ms);
}

static napi_value watermarks_value(napi_env env, int64_t low, int64_t high) {
  napi_value object;
  napi_create_object(env, &object);
  set(env, object, "low", number_value(env, low < 0 ? -1 : (double)low));
  set(env, object, "high", number_value(env, high < 0 ? -1 : (double)high));
  return object;
}

static napi_value settle_watermarks(napi_env env, task_t *task) {
  return watermarks_value(env, task->numbers[0], task->numbers[1]);
}

static napi_value query_watermarks(napi_env env, napi_callback_info info) {
  task_t *task = partitions_task(env, info, "query the watermarks");
  if (!task) return NULL;
  if (task->partitions->cnt != 1) {
    task_free(task);
    return throw_type(env, "Cannot query the watermarks as exactly one partition is needed");
  }
  task->run = run_watermarks;
  task->settle = settle_watermarks;
  return task_start(env, task);
}

static void run_seek(task_t *task) {
  task->error = rd_kafka_seek_partitions(task->client->rk, task->partitions, task->timeout_ms);
  if (!task->error) raise_first(task);
}

/* seek(handle, [{…, offset}], timeoutMs): poll gives nothing of the partition until seekDone. */
static napi_value seek(napi_env env, napi_callback_info info) {
  task_t *task = partitions_task(env, info, "seek");
  if (!task) return NULL;
  for (int i = 0; i < task->partitions->cnt; i++) {
    rd_kafka_topic_partition_t *entry = &task->partitions->elems[i];
    partition_t *partition = consumer_find(task->client->consumer, entry->topic, entry->partition);
    if (!partition) continue;
    partition_forget(partition);
    partition->seeking = true;
  }
  task->run = run_seek;
  return task_start(env, task);
}

/* seekDone(handle, partitions): the partitions flow again. */
static napi_value seek_done(napi_env env, napi_callback_info info) {
  napi_value given[2];
  if (!arguments(env, info, 2, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_topic_partition_list_t *list = to_partitions(env, given[1]);
  if (!list) return NULL;
  for (int i = 0; i < list->cnt; i++) {
    partition_t *partition = consumer_find(client->consumer, list->elems[i].topic, list->elems[i].partition);
    if (partition) partition->seeking = false;
  }
  rd_kafka_topic_partition_list_destroy(list);
  return undefined_value(env);
}

/* position(handle, topic, partition): the next offset to be given out; -1 when there is none. */
static napi_value position(napi_env env, napi_callback_info info) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  char *topic = to_text(env, given[1]);
  if (!topic) return NULL;
  int32_t number = to_int(env, given[2]);
  int64_t offset = -1;
  partition_t *partition = consumer_find(client->consumer, topic, number);
  if (partition && partition->next < partition->end && !partition->taken[partition->next]->err) {
    offset = partition->taken[partition->next]->offset;
  } else if (partition) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, number);
    if (!rd_kafka_position(client->rk, list) && list->elems[0].offset >= 0) offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
  }
  free(topic);
  return number_value(env, (double)offset);
}

/* cachedWatermarks(handle, topic, partition) */
static napi_value cached_watermarks(napi_env env, napi_callback_info info) {
  napi_value given[3];
  int64_t low = -1, high = -1;
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  char *topic = to_text(env, given[1]);
  if (!topic) return NULL;
  if (rd_kafka_get_watermark_offsets(client->rk, topic, to_int(env, given[2]), &low, &high)) low = high = -1;
  free(topic);
  return watermarks_value(env, low, high);
}

/* arm(handle): asks for one onWake at the next event; gives true, and asks for nothing, when something is there already. */
static napi_value arm(napi_env env, napi_callback_info info) {
  napi_value given[1], result;
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  consumer_t *consumer = client->consumer;
  atomic_store(&client->armed, true);
  /* What nobody takes does not make every wait return at once: it counts when it is new. */
  bool ready = atomic_exchange(&client->fresh, false) || rd_kafka_queue_length(consumer->queue) > 0;
  for (int i = 0; !ready && i < consumer->count; i++) {
    partition_t *partition = consumer->partitions[i];
    if (atomic_load(&partition->held) || partition->seeking) continue;
    ready = partition->next < partition->end || rd_kafka_queue_length(partition->queue) > 0;
  }
  if (ready) atomic_store(&client->armed, false);
  napi_get_boolean(env, ready, &result);
  return result;
}

static void free_group(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  rd_kafka_consumer_group_metadata_destroy(data);
}

/*
 * groupMetadata(handle): a handle for sendOffsets, or undefined when this is no member now. Without a member's id and generation a
 * broker takes the offsets from anybody: nothing would be fenced.
 */
static napi_value group_metadata(napi_env env, napi_callback_info info) {
  napi_value given[1], external;
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(client->rk);
  if (!group) return undefined_value(env);
  if (!*rd_kafka_consumer_group_metadata_member_id(group) || rd_kafka_consumer_group_metadata_generation_id(group) < 0) {
    rd_kafka_consumer_group_metadata_destroy(group);
    return undefined_value(env);
  }
  if (napi_create_external(env, group, free_group, NULL, &external) != napi_ok) {
    rd_kafka_consumer_group_metadata_destroy(group);
    return throw_type(env, "Cannot give the group metadata as its handle could not be made");
  }
  return external;
}

static napi_value member_id(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  char *id = rd_kafka_memberid(client->rk);
  napi_value value = id && *id ? text_value(env, id) : undefined_value(env);
  if (id) rd_kafka_mem_free(client->rk, id);
  return value;
}

void consumer_request_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "committed", committed);
  export_function(env, exports, "commit", commit);
  export_function(env, exports, "offsetsForTimes", offsets_for_times);
  export_function(env, exports, "queryWatermarks", query_watermarks);
  export_function(env, exports, "seek", seek);
  export_function(env, exports, "seekDone", seek_done);
  export_function(env, exports, "position", position);
  export_function(env, exports, "cachedWatermarks", cached_watermarks);
  export_function(env, exports, "armConsumer", arm);
  export_function(env, exports, "groupMetadata", group_metadata);
  export_function(env, exports, "memberId", member_id);
}
