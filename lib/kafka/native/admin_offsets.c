/* Admin requests about the offsets of partitions and the records before them. */
#include "admin_request.h"

static void fail_with(task_t *task, rd_kafka_resp_err_t code, const char *topic, int32_t partition) {
  task->code = code;
  snprintf(task->message, sizeof(task->message), "%s [%d]: %s", topic, (int)partition, rd_kafka_err2str(code));
}

/* A task with partitions and a time-out: arguments (handle, partitions, timeoutMs). */
static task_t *partitions_task(napi_env env, napi_value *given, const char *action) {
  client_t *client = admin_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_topic_partition_list_t *list = to_partitions(env, given[1]);
  if (!list) return NULL;
  task_t *task = task_new(client, action);
  task->partitions = list;
  task->timeout_ms = to_int(env, given[2]);
  return task;
}

/* deleteRecords(handle, [{…, offset}], timeoutMs) */
static void free_delete(void *object) { rd_kafka_DeleteRecords_destroy(object); }
static void send_delete(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_DeleteRecords(task->client->rk, (rd_kafka_DeleteRecords_t **)task->objects, task->object_count, options,
                         queue);
}
static void run_delete(task_t *task) {
  task->objects = calloc(1, sizeof(*task->objects));
  task->objects[0] = rd_kafka_DeleteRecords_new(task->partitions);
  task->object_count = 1;
  task->free_object = free_delete;
  admin_ask(task, RD_KAFKA_ADMIN_OP_DELETERECORDS, send_delete);
  if (task->code) return;
  const rd_kafka_topic_partition_list_t *list =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(task->event));
  for (int i = 0; list && !task->code && i < list->cnt; i++)
    if (list->elems[i].err) fail_with(task, list->elems[i].err, list->elems[i].topic, list->elems[i].partition);
}
static napi_value delete_records(napi_env env, napi_callback_info info) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  task_t *task = partitions_task(env, given, "delete records");
  if (!task) return NULL;
  task->run = run_delete;
  return task_start(env, task);
}

/* listOffsets(handle, partitions, timeoutMs, which, readCommitted): which is -2 for the first, -1 for the next offset. */
static void send_list(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_ListOffsets(task->client->rk, task->partitions, options, queue);
}
static void run_list(task_t *task) {
  size_t count;
  admin_ask(task, RD_KAFKA_ADMIN_OP_LISTOFFSETS, send_list);
  if (task->code) return;
  const rd_kafka_ListOffsetsResultInfo_t **infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(task->event), &count);
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_topic_partition_t *found = rd_kafka_ListOffsetsResultInfo_topic_partition(infos[i]);
    if (found->err) {
      fail_with(task, found->err, found->topic, found->partition);
      return;
    }
    rd_kafka_topic_partition_t *entry =
        rd_kafka_topic_partition_list_find(task->partitions, found->topic, found->partition);
    if (entry) entry->offset = found->offset;
  }
}
static napi_value settle_list(napi_env env, task_t *task) { return partitions_value(env, task->partitions); }
static napi_value list_offsets(napi_env env, napi_callback_info info) {
  napi_value given[5];
  bool committed = false;
  if (!arguments(env, info, 5, given)) return NULL;
  napi_get_value_bool(env, given[4], &committed);
  task_t *task = partitions_task(env, given, "list offsets");
  if (!task) return NULL;
  int64_t which = to_int64(env, given[3]);
  for (int i = 0; i < task->partitions->cnt; i++) task->partitions->elems[i].offset = which;
  task->numbers[1] = committed;
  task->run = run_list;
  task->settle = settle_list;
  return task_start(env, task);
}

void admin_offset_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "deleteRecords", delete_records);
  export_function(env, exports, "listOffsets", list_offsets);
}
