/* Admin requests about consumer groups and what they committed. */
#include "admin_request.h"

/* listGroups(handle, [], timeoutMs): ids. */
static void send_list(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_ListConsumerGroups(task->client->rk, options, queue);
}
static void run_list(task_t *task) {
  admin_ask(task, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, send_list);
  if (task->code) return;
  size_t count;
  const rd_kafka_error_t **errors =
      rd_kafka_ListConsumerGroups_result_errors(rd_kafka_event_ListConsumerGroups_result(task->event), &count);
  if (count == 0) return;
  task->code = rd_kafka_error_code(errors[0]);
  snprintf(task->message, sizeof(task->message), "%s", rd_kafka_error_string(errors[0]));
}
static napi_value settle_list(napi_env env, task_t *task) {
  size_t count;
  napi_value array;
  const rd_kafka_ConsumerGroupListing_t **groups =
      rd_kafka_ListConsumerGroups_result_valid(rd_kafka_event_ListConsumerGroups_result(task->event), &count);
  napi_create_array_with_length(env, count, &array);
  for (size_t i = 0; i < count; i++)
    napi_set_element(env, array, (uint32_t)i, text_value(env, rd_kafka_ConsumerGroupListing_group_id(groups[i])));
  return array;
}
static napi_value list_groups(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "list groups");
  if (!task) return NULL;
  task->run = run_list;
  task->settle = settle_list;
  return task_start(env, task);
}

/* describeGroups(handle, ids, timeoutMs) */
static void send_describe(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_DescribeConsumerGroups(task->client->rk, (const char **)task->texts, task->text_count, options, queue);
}
static void run_describe(task_t *task) {
  size_t count;
  admin_ask(task, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, send_describe);
  if (task->code) return;
  const rd_kafka_ConsumerGroupDescription_t **groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(task->event), &count);
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(groups[i]);
    /* A group that is gone is described as dead, as older brokers do. */
    if (!error || rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) continue;
    task->code = rd_kafka_error_code(error);
    snprintf(task->message, sizeof(task->message), "%s: %s", rd_kafka_ConsumerGroupDescription_group_id(groups[i]),
             rd_kafka_error_string(error));
    return;
  }
}

static napi_value member_value(napi_env env, const rd_kafka_MemberDescription_t *member) {
  napi_value object;
  const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);
  napi_create_object(env, &object);
  set(env, object, "memberId", text_value(env, rd_kafka_MemberDescription_consumer_id(member)));
  set(env, object, "instanceId", text_value(env, rd_kafka_MemberDescription_group_instance_id(member)));
  set(env, object, "clientId", text_value(env, rd_kafka_MemberDescription_client_id(member)));
  set(env, object, "host", text_value(env, rd_kafka_MemberDescription_host(member)));
  set(env, object, "partitions",
      partitions_value(env, assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL));
  return object;
}

static napi_value settle_describe(napi_env env, task_t *task) {
  size_t count;
  napi_value array;
  const rd_kafka_ConsumerGroupDescription_t **groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(task->event), &count);
  napi_create_array_with_length(env, count, &array);
  for (size_t i = 0; i < count; i++) {
    napi_value object, members;
    const rd_kafka_ConsumerGroupDescription_t *group = groups[i];
    bool gone = rd_kafka_ConsumerGroupDescription_error(group) != NULL;
    size_t member_count = gone ? 0 : rd_kafka_ConsumerGroupDescription_member_count(group);
    napi_create_object(env, &object);
    napi_create_array_with_length(env, member_count, &members);
    for (size_t m = 0; m < member_count; m++)
      napi_set_element(env, members, (uint32_t)m,
                       member_value(env, rd_kafka_ConsumerGroupDescription_member(group, m)));
    set(env, object, "groupId", text_value(env, rd_kafka_ConsumerGroupDescription_group_id(group)));
    set(env, object, "state",
        text_value(env, gone ? "Dead"
                             : rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(group))));
    set(env, object, "members", members);
    napi_set_element(env, array, (uint32_t)i, object);
  }
  return array;
}
static napi_value describe_groups(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "describe groups");
  if (!task) return NULL;
  task->run = run_describe;
  task->settle = settle_describe;
  return task_start(env, task);
}

/* deleteGroups(handle, ids, timeoutMs): [error or undefined] */
static void free_delete(void *object) { rd_kafka_DeleteGroup_destroy(object); }
static void send_delete(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_DeleteGroups(task->client->rk, (rd_kafka_DeleteGroup_t **)task->objects, task->object_count, options,
                        queue);
}
static void run_delete(task_t *task) {
  task->objects = calloc(task->text_count + 1, sizeof(*task->objects));
  task->free_object = free_delete;
  for (size_t i = 0; i < task->text_count; i++)
    task->objects[task->object_count++] = rd_kafka_DeleteGroup_new(task->texts[i]);
  admin_ask(task, RD_KAFKA_ADMIN_OP_DELETEGROUPS, send_delete);
}
static napi_value settle_delete(napi_env env, task_t *task) {
  size_t count;
  napi_value array;
  const rd_kafka_group_result_t **results =
      rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(task->event), &count);
  napi_create_array_with_length(env, count, &array);
  for (size_t i = 0; i < count; i++) {
    const rd_kafka_error_t *error = rd_kafka_group_result_error(results[i]);
    char text[512];
    snprintf(text, sizeof(text), "%s: %s", rd_kafka_group_result_name(results[i]),
             error ? rd_kafka_error_string(error) : "");
    napi_set_element(env, array, (uint32_t)i,
                     error ? error_value(env, task->action, rd_kafka_error_code(error), text, NULL, false)
                           : undefined_value(env));
  }
  return array;
}
static napi_value delete_groups(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "delete groups");
  if (!task) return NULL;
  task->run = run_delete;
  task->settle = settle_delete;
  return task_start(env, task);
}

/* The outcome of one group: its error, or the first error of its partitions. */
static void raise_group(task_t *task, const rd_kafka_group_result_t **results, size_t count) {
  if (count == 0) return;
  const rd_kafka_error_t *error = rd_kafka_group_result_error(results[0]);
  if (error) {
    task->code = rd_kafka_error_code(error);
    snprintf(task->message, sizeof(task->message), "%s: %s", rd_kafka_group_result_name(results[0]),
             rd_kafka_error_string(error));
    return;
  }
  const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(results[0]);
  for (int i = 0; list && i < list->cnt; i++) {
    if (!list->elems[i].err) continue;
    task->code = list->elems[i].err;
    snprintf(task->message, sizeof(task->message), "%s [%d]: %s", list->elems[i].topic,
             (int)list->elems[i].partition, rd_kafka_err2str(list->elems[i].err));
    return;
  }
}

/* groupOffsets(handle, [group], timeoutMs) */
static void free_list_offsets(void *object) { rd_kafka_ListConsumerGroupOffsets_destroy(object); }
static void send_group_offsets(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_ListConsumerGroupOffsets(task->client->rk, (rd_kafka_ListConsumerGroupOffsets_t **)task->objects,
                                    task->object_count, options, queue);
}
static void run_group_offsets(task_t *task) {
  size_t count;
  task->objects = calloc(1, sizeof(*task->objects));
  task->objects[0] = rd_kafka_ListConsumerGroupOffsets_new(task->texts[0], NULL);
  task->object_count = 1;
  task->free_object = free_list_offsets;
  admin_ask(task, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, send_group_offsets);
  if (task->code) return;
  const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(task->event), &count);
  raise_group(task, results, count);
}
static napi_value settle_group_offsets(napi_env env, task_t *task) {
  size_t count;
  const rd_kafka_group_result_t **results = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(task->event), &count);
  return partitions_value(env, count ? rd_kafka_group_result_partitions(results[0]) : NULL);
}
static napi_value group_offsets(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "read a group's offsets");
  if (!task) return NULL;
  if (task->text_count != 1) {
    task_free(task);
    return throw_type(env, "Cannot read a group's offsets as exactly one group is needed");
  }
  task->run = run_group_offsets;
  task->settle = settle_group_offsets;
  return task_start(env, task);
}

/* alterGroupOffsets(handle, group, offsets, timeoutMs) */
static void free_alter(void *object) { rd_kafka_AlterConsumerGroupOffsets_destroy(object); }
static void send_alter(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_AlterConsumerGroupOffsets(task->client->rk, (rd_kafka_AlterConsumerGroupOffsets_t **)task->objects,
                                     task->object_count, options, queue);
}
static void run_alter(task_t *task) {
  size_t count;
  task->objects = calloc(1, sizeof(*task->objects));
  task->objects[0] = rd_kafka_AlterConsumerGroupOffsets_new(task->text, task->partitions);
  task->object_count = 1;
  task->free_object = free_alter;
  admin_ask(task, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, send_alter);
  if (task->code) return;
  const rd_kafka_group_result_t **results = rd_kafka_AlterConsumerGroupOffsets_result_groups(
      rd_kafka_event_AlterConsumerGroupOffsets_result(task->event), &count);
  raise_group(task, results, count);
}
static napi_value alter_group_offsets(napi_env env, napi_callback_info info) {
  napi_value given[4];
  if (!arguments(env, info, 4, given)) return NULL;
  client_t *client = admin_of(env, given[0]);
  if (!client) return NULL;
  char *group = to_text(env, given[1]);
  if (!group) return NULL;
  rd_kafka_topic_partition_list_t *list = to_partitions(env, given[2]);
  if (!list) {
    free(group);
    return NULL;
  }
  task_t *task = task_new(client, "set a group's offsets");
  task->text = group;
  task->partitions = list;
  task->timeout_ms = to_int(env, given[3]);
  task->run = run_alter;
  return task_start(env, task);
}

void admin_group_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "listGroups", list_groups);
  export_function(env, exports, "describeGroups", describe_groups);
  export_function(env, exports, "deleteGroups", delete_groups);
  export_function(env, exports, "groupOffsets", group_offsets);
  export_function(env, exports, "alterGroupOffsets", alter_group_offsets);
}
