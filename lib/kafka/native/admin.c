/* Requests that change and describe topics. Each runs on a thread of its own, with its own queue for the answer. */
#include "admin_request.h"

/* Hands the request to librdkafka and waits for its event. `send` gets the task, the options and the queue. */
void admin_ask(task_t *task, rd_kafka_admin_op_t op,
               void (*send)(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue)) {
  rd_kafka_t *rk = task->client->rk;
  char reason[256];
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, op);
  rd_kafka_AdminOptions_set_request_timeout(options, task->timeout_ms, reason, sizeof(reason));
  if (op == RD_KAFKA_ADMIN_OP_CREATETOPICS || op == RD_KAFKA_ADMIN_OP_DELETETOPICS ||
      op == RD_KAFKA_ADMIN_OP_DELETERECORDS)
    rd_kafka_AdminOptions_set_operation_timeout(options, task->timeout_ms, reason, sizeof(reason));
  if (op == RD_KAFKA_ADMIN_OP_LISTOFFSETS) {
    rd_kafka_error_t *error = rd_kafka_AdminOptions_set_isolation_level(
        options, task->numbers[1] ? RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED
                                  : RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED);
    if (error) rd_kafka_error_destroy(error);
  }
  send(task, options, queue);
  rd_kafka_AdminOptions_destroy(options);
  task->event = rd_kafka_queue_poll(queue, task->timeout_ms + 1000);
  rd_kafka_queue_destroy(queue);
  if (!task->event) {
    task->code = RD_KAFKA_RESP_ERR__TIMED_OUT;
  } else if (rd_kafka_event_error(task->event)) {
    task->code = rd_kafka_event_error(task->event);
    const char *text = rd_kafka_event_error_string(task->event);
    snprintf(task->message, sizeof(task->message), "%s", text ? text : "");
  }
}

client_t *admin_of(napi_env env, napi_value value) {
  client_t *client = client_of(env, value);
  if (client && !client->producer) {
    throw_type(env, "Cannot call a Kafka admin as the handle is another client");
    return NULL;
  }
  return client;
}

/* [error or undefined] from topic results. */
static napi_value topic_errors(napi_env env, const char *action, const rd_kafka_topic_result_t **results,
                               size_t count) {
  napi_value array;
  napi_create_array_with_length(env, count, &array);
  for (size_t i = 0; i < count; i++) {
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    char text[512];
    const char *reason = rd_kafka_topic_result_error_string(results[i]);
    snprintf(text, sizeof(text), "%s: %s", rd_kafka_topic_result_name(results[i]),
             reason ? reason : rd_kafka_err2str(code));
    napi_set_element(env, array, (uint32_t)i,
                     code ? error_value(env, action, code, text, NULL, false) : undefined_value(env));
  }
  return array;
}

/* createTopics(handle, [name, partitions, replication, configs], timeoutMs), each topic an array of four. */
static void free_new_topic(void *object) { rd_kafka_NewTopic_destroy(object); }

static void send_create(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_CreateTopics(task->client->rk, (rd_kafka_NewTopic_t **)task->objects, task->object_count, options, queue);
}
static void run_create(task_t *task) { admin_ask(task, RD_KAFKA_ADMIN_OP_CREATETOPICS, send_create); }
static napi_value settle_create(napi_env env, task_t *task) {
  size_t count;
  const rd_kafka_topic_result_t **results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(task->event), &count);
  return topic_errors(env, task->action, results, count);
}

static rd_kafka_NewTopic_t *new_topic(napi_env env, napi_value value) {
  napi_value field;
  char reason[256];
  size_t config_count = 0;
  napi_get_element(env, value, 0, &field);
  char *name = to_text(env, field);
  if (!name) return NULL;
  napi_get_element(env, value, 1, &field);
  int partitions = to_int(env, field);
  napi_get_element(env, value, 2, &field);
  int replication = to_int(env, field);
  napi_get_element(env, value, 3, &field);
  char **configs = to_texts(env, field, &config_count);
  rd_kafka_NewTopic_t *topic = NULL;
  if (configs) {
    topic = rd_kafka_NewTopic_new(name, partitions, replication, reason, sizeof(reason));
    if (!topic) throw_code(env, "create topics", RD_KAFKA_RESP_ERR__INVALID_ARG, reason);
    for (size_t i = 0; topic && i + 1 < config_count; i += 2)
      rd_kafka_NewTopic_set_config(topic, configs[i], configs[i + 1]);
  }
  free_texts(configs, config_count);
  free(name);
  return topic;
}

static napi_value create_topics(napi_env env, napi_callback_info info) {
  napi_value given[3];
  uint32_t count = 0;
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = admin_of(env, given[0]);
  if (!client) return NULL;
  napi_get_array_length(env, given[1], &count);
  task_t *task = task_new(client, "create topics");
  task->objects = calloc(count + 1, sizeof(*task->objects));
  task->free_object = free_new_topic;
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, given[1], i, &element);
    rd_kafka_NewTopic_t *topic = new_topic(env, element);
    if (!topic) {
      task_free(task);
      return NULL;
    }
    task->objects[task->object_count++] = topic;
  }
  task->timeout_ms = to_int(env, given[2]);
  task->run = run_create;
  task->settle = settle_create;
  return task_start(env, task);
}

/* A task with texts and a time-out: arguments (handle, texts, timeoutMs). */
task_t *admin_texts_task(napi_env env, napi_callback_info info, const char *action) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = admin_of(env, given[0]);
  if (!client) return NULL;
  size_t count;
  char **texts = to_texts(env, given[1], &count);
  if (!texts) return NULL;
  task_t *task = task_new(client, action);
  task->texts = texts;
  task->text_count = count;
  task->timeout_ms = to_int(env, given[2]);
  return task;
}

static void free_delete_topic(void *object) { rd_kafka_DeleteTopic_destroy(object); }

static void send_delete(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_DeleteTopics(task->client->rk, (rd_kafka_DeleteTopic_t **)task->objects, task->object_count, options,
                        queue);
}
static void run_delete(task_t *task) {
  task->objects = calloc(task->text_count + 1, sizeof(*task->objects));
  task->free_object = free_delete_topic;
  for (size_t i = 0; i < task->text_count; i++)
    task->objects[task->object_count++] = rd_kafka_DeleteTopic_new(task->texts[i]);
  admin_ask(task, RD_KAFKA_ADMIN_OP_DELETETOPICS, send_delete);
}
static napi_value settle_delete(napi_env env, task_t *task) {
  size_t count;
  const rd_kafka_topic_result_t **results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(task->event), &count);
  return topic_errors(env, task->action, results, count);
}
static napi_value delete_topics(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "delete topics");
  if (!task) return NULL;
  task->run = run_delete;
  task->settle = settle_delete;
  return task_start(env, task);
}

/* A topic, with the replicas of its least replicated partition; `topic` is NULL when it does not exist. */
static napi_value topic_value(napi_env env, const char *name, const rd_kafka_metadata_topic_t *topic) {
  napi_value object;
  int partitions = topic ? topic->partition_cnt : 0;
  int replicas = partitions ? topic->partitions[0].replica_cnt : 0;
  for (int i = 1; i < partitions; i++)
    if (topic->partitions[i].replica_cnt < replicas) replicas = topic->partitions[i].replica_cnt;
  napi_create_object(env, &object);
  set(env, object, "topic", text_value(env, name));
  set(env, object, "partitions", number_value(env, partitions));
  set(env, object, "replicas", number_value(env, replicas));
  return object;
}

/* describeTopics(handle, names, timeoutMs): [{ topic, partitions, replicas }]; a request for all, so that none is made by asking. */
static void run_metadata(task_t *task) {
  task->code = rd_kafka_metadata(task->client->rk, 1, NULL, &task->metadata, task->timeout_ms);
}
static napi_value settle_describe(napi_env env, task_t *task) {
  napi_value array;
  napi_create_array_with_length(env, task->text_count, &array);
  for (size_t i = 0; i < task->text_count; i++) {
    const rd_kafka_metadata_topic_t *found = NULL;
    for (int t = 0; t < task->metadata->topic_cnt; t++) {
      const rd_kafka_metadata_topic_t *topic = &task->metadata->topics[t];
      if (!topic->err && !strcmp(topic->topic, task->texts[i])) found = topic;
    }
    napi_set_element(env, array, (uint32_t)i, topic_value(env, task->texts[i], found));
  }
  return array;
}
static napi_value describe_topics(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "describe topics");
  if (!task) return NULL;
  task->run = run_metadata;
  task->settle = settle_describe;
  return task_start(env, task);
}

/* listTopics(handle, [], timeoutMs) */
static napi_value settle_list(napi_env env, task_t *task) {
  napi_value array;
  napi_create_array(env, &array);
  uint32_t at = 0;
  for (int t = 0; t < task->metadata->topic_cnt; t++) {
    const rd_kafka_metadata_topic_t *topic = &task->metadata->topics[t];
    if (!topic->err) napi_set_element(env, array, at++, topic_value(env, topic->topic, topic));
  }
  return array;
}
static napi_value list_topics(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "list topics");
  if (!task) return NULL;
  task->run = run_metadata;
  task->settle = settle_list;
  return task_start(env, task);
}

/* topicConfig(handle, [topic], timeoutMs): [name, value, …] */
static void send_config(task_t *task, rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue) {
  rd_kafka_DescribeConfigs(task->client->rk, (rd_kafka_ConfigResource_t **)task->objects, task->object_count, options,
                           queue);
}
static void free_resource(void *object) { rd_kafka_ConfigResource_destroy(object); }
static void run_config(task_t *task) {
  size_t count;
  task->objects = calloc(1, sizeof(*task->objects));
  task->objects[0] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, task->texts[0]);
  task->object_count = 1;
  task->free_object = free_resource;
  admin_ask(task, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, send_config);
  if (task->code) return;
  const rd_kafka_ConfigResource_t **resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(task->event), &count);
  if (count == 0) {
    task->code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  } else if ((task->code = rd_kafka_ConfigResource_error(resources[0]))) {
    const char *reason = rd_kafka_ConfigResource_error_string(resources[0]);
    snprintf(task->message, sizeof(task->message), "%s: %s", task->texts[0], reason ? reason : "");
  }
}
static napi_value settle_config(napi_env env, task_t *task) {
  size_t count, entries;
  napi_value array;
  const rd_kafka_ConfigResource_t **resources =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(task->event), &count);
  const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(resources[0], &entries);
  napi_create_array(env, &array);
  uint32_t at = 0;
  for (size_t i = 0; i < entries; i++) {
    const char *value = rd_kafka_ConfigEntry_value(entry[i]);
    if (!value) continue; /* sensitive */
    napi_set_element(env, array, at++, text_value(env, rd_kafka_ConfigEntry_name(entry[i])));
    napi_set_element(env, array, at++, text_value(env, value));
  }
  return array;
}
static napi_value topic_config(napi_env env, napi_callback_info info) {
  task_t *task = admin_texts_task(env, info, "describe a topic's configuration");
  if (!task) return NULL;
  if (task->text_count != 1) {
    task_free(task);
    return throw_type(env, "Cannot describe a topic's configuration as exactly one topic is needed");
  }
  task->run = run_config;
  task->settle = settle_config;
  return task_start(env, task);
}

void admin_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "createTopics", create_topics);
  export_function(env, exports, "deleteTopics", delete_topics);
  export_function(env, exports, "describeTopics", describe_topics);
  export_function(env, exports, "listTopics", list_topics);
  export_function(env, exports, "topicConfig", topic_config);
  admin_offset_functions(env, exports);
  admin_group_functions(env, exports);
}
