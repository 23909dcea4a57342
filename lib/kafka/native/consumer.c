/* The consumer: membership, assignment, and the queue of each partition. */
#include "consumer.h"

client_t *consumer_of(napi_env env, napi_value value) {
  client_t *client = client_of(env, value);
  if (client && !client->consumer) {
    throw_type(env, "Cannot call a Kafka consumer as the handle is another client");
    return NULL;
  }
  return client;
}

/* On a librdkafka thread, under the queue's lock. */
static void on_partition_queue(rd_kafka_t *rk, void *opaque) {
  partition_t *partition = opaque;
  (void)rk;
  if (!atomic_load(&partition->held)) client_wake(partition->client);
}

static void on_consumer_queue(rd_kafka_t *rk, void *opaque) {
  (void)rk;
  client_wake(opaque);
}

/* Destroys the messages that are taken and not given out. */
void partition_forget(partition_t *partition) {
  while (partition->next < partition->end) rd_kafka_message_destroy(partition->taken[partition->next++]);
  partition->next = partition->end = 0;
}

static void partition_free(partition_t *partition) {
  partition_forget(partition);
  rd_kafka_queue_cb_event_enable(partition->queue, NULL, NULL);
  rd_kafka_queue_destroy(partition->queue);
  free(partition->topic);
  free(partition);
}

partition_t *consumer_find(consumer_t *consumer, const char *topic, int32_t number) {
  for (int i = 0; i < consumer->count; i++) {
    partition_t *partition = consumer->partitions[i];
    if (partition->number == number && !strcmp(partition->topic, topic)) return partition;
  }
  return NULL;
}

/* Takes its queue for us. Before the assignment starts the fetcher, so that nothing is forwarded. */
static void add_partition(client_t *client, const char *topic, int32_t number) {
  consumer_t *consumer = client->consumer;
  if (consumer_find(consumer, topic, number)) return;
  rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(client->rk, topic, number);
  if (!queue) return;
  rd_kafka_queue_forward(queue, NULL);
  partition_t *partition = calloc(1, sizeof(*partition));
  partition->topic = strdup(topic);
  partition->number = number;
  partition->client = client;
  partition->queue = queue;
  if (consumer->count == consumer->capacity) {
    consumer->capacity = consumer->capacity ? consumer->capacity * 2 : 16;
    consumer->partitions = realloc(consumer->partitions, sizeof(*consumer->partitions) * (size_t)consumer->capacity);
  }
  consumer->partitions[consumer->count++] = partition;
  rd_kafka_queue_cb_event_enable(queue, on_partition_queue, partition);
}

static void remove_partition(consumer_t *consumer, const char *topic, int32_t number) {
  for (int i = 0; i < consumer->count; i++) {
    partition_t *partition = consumer->partitions[i];
    if (partition->number != number || strcmp(partition->topic, topic)) continue;
    partition_free(partition);
    consumer->partitions[i] = consumer->partitions[--consumer->count];
    return;
  }
}

static void remove_all(consumer_t *consumer) {
  for (int i = 0; i < consumer->count; i++) partition_free(consumer->partitions[i]);
  consumer->count = 0;
}

/* Takes up `list`, whole or as an addition. */
static rd_kafka_error_t *take_up(client_t *client, rd_kafka_topic_partition_list_t *list, bool incremental) {
  if (!incremental) {
    consumer_t *consumer = client->consumer;
    for (int i = consumer->count - 1; i >= 0; i--) {
      partition_t *partition = consumer->partitions[i];
      if (!rd_kafka_topic_partition_list_find(list, partition->topic, partition->number))
        remove_partition(consumer, partition->topic, partition->number);
      else
        partition_forget(partition);
    }
  }
  for (int i = 0; i < list->cnt; i++) add_partition(client, list->elems[i].topic, list->elems[i].partition);
  if (incremental) return rd_kafka_incremental_assign(client->rk, list);
  rd_kafka_resp_err_t code = rd_kafka_assign(client->rk, list);
  return code ? rd_kafka_error_new(code, "%s", rd_kafka_err2str(code)) : NULL;
}

/* Gives up `list`, or everything. */
static rd_kafka_error_t *give_up(client_t *client, rd_kafka_topic_partition_list_t *list, bool incremental) {
  if (incremental) {
    for (int i = 0; i < list->cnt; i++)
      remove_partition(client->consumer, list->elems[i].topic, list->elems[i].partition);
    return rd_kafka_incremental_unassign(client->rk, list);
  }
  remove_all(client->consumer);
  rd_kafka_resp_err_t code = rd_kafka_assign(client->rk, NULL);
  return code ? rd_kafka_error_new(code, "%s", rd_kafka_err2str(code)) : NULL;
}

/* Answers without JavaScript. */
static void answer(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list, bool incremental) {
  if (incremental) {
    rd_kafka_error_t *error = rd_kafka_incremental_unassign(rk, list);
    if (error) rd_kafka_error_destroy(error);
  } else {
    rd_kafka_assign(rk, NULL);
  }
}

/* Called within rd_kafka_consumer_poll on the isolate's thread, or within the close on its thread. */
void consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                           void *opaque) {
  client_t *client = opaque;
  const char *protocol = rd_kafka_rebalance_protocol(rk);
  bool incremental = protocol && !strcmp(protocol, "COOPERATIVE");
  bool revokes = code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
  if (atomic_load(&client->closing)) {
    if (revokes || !incremental) answer(rk, list, incremental && revokes);
    return;
  }
  if (!revokes && code != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    client_fault(client, code, false, "the rebalance failed");
    give_up(client, list, false);
    return;
  }
  consumer_t *consumer = client->consumer;
  if (consumer->rebalance) rd_kafka_topic_partition_list_destroy(consumer->rebalance);
  consumer->rebalance = rd_kafka_topic_partition_list_copy(list);
  consumer->rebalance_revokes = revokes;
  consumer->rebalance_lost = revokes && rd_kafka_assignment_lost(rk);
  consumer->rebalance_incremental = incremental;
  consumer->rebalance_taken = false;
  atomic_store(&client->fresh, true);
}

void consumer_free(client_t *client) {
  consumer_t *consumer = client->consumer;
  client->consumer = NULL;
  if (consumer->rebalance) {
    if (consumer->rebalance_revokes || !consumer->rebalance_incremental)
      answer(client->rk, consumer->rebalance, consumer->rebalance_incremental);
    else {
      rd_kafka_error_t *error = rd_kafka_incremental_assign(client->rk, consumer->rebalance);
      if (error) rd_kafka_error_destroy(error);
    }
    rd_kafka_topic_partition_list_destroy(consumer->rebalance);
  }
  for (int i = 0; i < consumer->count; i++) partition_free(consumer->partitions[i]);
  free(consumer->partitions);
  rd_kafka_topic_partition_list_destroy(consumer->ends);
  rd_kafka_topic_partition_list_destroy(consumer->gone);
  rd_kafka_queue_cb_event_enable(consumer->queue, NULL, NULL);
  rd_kafka_queue_destroy(consumer->queue);
  free(consumer);
}

/* consumerNew(settings, onWake, withStats, withTokens) */
static napi_value consumer_new(napi_env env, napi_callback_info info) {
  client_t *client = NULL;
  napi_value handle = client_new(env, info, RD_KAFKA_CONSUMER, &client);
  if (!handle || !client) return handle;
  consumer_t *consumer = calloc(1, sizeof(*consumer));
  client->consumer = consumer;
  rd_kafka_poll_set_consumer(client->rk);
  consumer->queue = rd_kafka_queue_get_consumer(client->rk);
  consumer->ends = rd_kafka_topic_partition_list_new(8);
  consumer->gone = rd_kafka_topic_partition_list_new(8);
  if (!consumer->queue) {
    client->consumer = NULL;
    rd_kafka_topic_partition_list_destroy(consumer->ends);
    rd_kafka_topic_partition_list_destroy(consumer->gone);
    free(consumer);
    client_abandon(client);
    return throw_code(env, "make the consumer", RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, "group.id is missing");
  }
  rd_kafka_queue_cb_event_enable(consumer->queue, on_consumer_queue, client);
  return handle;
}

/* subscribe(handle, topics) */
static napi_value subscribe(napi_env env, napi_callback_info info) {
  napi_value given[2];
  size_t count;
  if (!arguments(env, info, 2, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  char **topics = to_texts(env, given[1], &count);
  if (!topics) return NULL;
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
  for (size_t i = 0; i < count; i++) rd_kafka_topic_partition_list_add(list, topics[i], RD_KAFKA_PARTITION_UA);
  free_texts(topics, count);
  rd_kafka_resp_err_t code = count ? rd_kafka_subscribe(client->rk, list) : rd_kafka_unsubscribe(client->rk);
  rd_kafka_topic_partition_list_destroy(list);
  if (code) return throw_code(env, "subscribe", code, NULL);
  return undefined_value(env);
}

/* assign(handle, partitions, how): 0 the whole assignment, 1 an addition, 2 a removal. */
static napi_value assign(napi_env env, napi_callback_info info) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_topic_partition_list_t *list = to_partitions(env, given[1]);
  if (!list) return NULL;
  int how = to_int(env, given[2]);
  rd_kafka_error_t *error;
  if (how == 2)
    error = give_up(client, list, true);
  else if (how == 0 && list->cnt == 0)
    error = give_up(client, list, false);
  else
    error = take_up(client, list, how == 1);
  rd_kafka_topic_partition_list_destroy(list);
  if (error) return throw_error(env, "change the assignment", error);
  return undefined_value(env);
}

/* takeRebalance(handle): { kind, partitions, incremental } or undefined. */
static napi_value take_rebalance(napi_env env, napi_callback_info info) {
  napi_value given[1], object, incremental;
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  consumer_t *consumer = client->consumer;
  if (!consumer->rebalance || consumer->rebalance_taken) return undefined_value(env);
  consumer->rebalance_taken = true;
  napi_create_object(env, &object);
  set(env, object, "kind",
      text_value(env, consumer->rebalance_lost ? "lost" : consumer->rebalance_revokes ? "revoke" : "assign"));
  set(env, object, "partitions", partitions_value(env, consumer->rebalance));
  napi_get_boolean(env, consumer->rebalance_incremental, &incremental);
  set(env, object, "incremental", incremental);
  return object;
}

/* completeRebalance(handle, startAt): answers the rebalance that was taken. */
static napi_value complete_rebalance(napi_env env, napi_callback_info info) {
  napi_value given[2];
  if (!arguments(env, info, 2, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  consumer_t *consumer = client->consumer;
  rd_kafka_topic_partition_list_t *list = consumer->rebalance;
  if (!list)
    return throw_code(env, "complete the rebalance", RD_KAFKA_RESP_ERR__STATE, "none waits for an answer");
  rd_kafka_topic_partition_list_t *starts = to_partitions(env, given[1]);
  if (!starts) return NULL;
  consumer->rebalance = NULL;
  rd_kafka_error_t *error;
  if (consumer->rebalance_revokes) {
    error = give_up(client, list, consumer->rebalance_incremental);
  } else {
    for (int i = 0; i < starts->cnt; i++) {
      rd_kafka_topic_partition_t *entry =
          rd_kafka_topic_partition_list_find(list, starts->elems[i].topic, starts->elems[i].partition);
      if (entry) entry->offset = starts->elems[i].offset;
    }
    error = take_up(client, list, consumer->rebalance_incremental);
  }
  rd_kafka_topic_partition_list_destroy(starts);
  rd_kafka_topic_partition_list_destroy(list);
  if (error) return throw_error(env, "complete the rebalance", error);
  return undefined_value(env);
}

/* slots(handle): the partitions in the order of the slots that poll names. */
static napi_value slots(napi_env env, napi_callback_info info) {
  napi_value given[1], array;
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  consumer_t *consumer = client->consumer;
  napi_create_array_with_length(env, (size_t)consumer->count, &array);
  for (int i = 0; i < consumer->count; i++) {
    napi_value object;
    napi_create_object(env, &object);
    set(env, object, "topic", text_value(env, consumer->partitions[i]->topic));
    set(env, object, "partition", number_value(env, consumer->partitions[i]->number));
    napi_set_element(env, array, (uint32_t)i, object);
  }
  return array;
}

/* hold(handle, partitions, held) */
static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value given[3];
  bool held = false;
  if (!arguments(env, info, 3, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  rd_kafka_topic_partition_list_t *list = to_partitions(env, given[1]);
  if (!list) return NULL;
  napi_get_value_bool(env, given[2], &held);
  for (int i = 0; i < list->cnt; i++) {
    partition_t *partition = consumer_find(client->consumer, list->elems[i].topic, list->elems[i].partition);
    if (partition) atomic_store(&partition->held, held);
  }
  rd_kafka_topic_partition_list_destroy(list);
  return undefined_value(env);
}

static napi_value take_places(napi_env env, rd_kafka_topic_partition_list_t **places) {
  if ((*places)->cnt == 0) return undefined_value(env);
  napi_value array = partitions_value(env, *places);
  rd_kafka_topic_partition_list_destroy(*places);
  *places = rd_kafka_topic_partition_list_new(8);
  return array;
}

/* takeEnds(handle): the ends reached since the last call, or undefined. */
static napi_value take_ends(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  return client ? take_places(env, &client->consumer->ends) : NULL;
}

/* takeGone(handle): the partitions that had nothing at their position since the last call, or undefined. */
static napi_value take_gone(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  return client ? take_places(env, &client->consumer->gone) : NULL;
}

static void run_close(task_t *task) {
  client_t *client = task->client;
  task->code = rd_kafka_consumer_close(client->rk);
  task->holds_rk = false;
  client_unuse(client); /* JavaScript's */
  client_unuse(client); /* the task's */
}

/* closeConsumer(handle): a promise. */
static napi_value close_consumer(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = consumer_of(env, given[0]);
  if (!client) return NULL;
  return client_close(env, client, run_close);
}

void consumer_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "consumerNew", consumer_new);
  export_function(env, exports, "subscribe", subscribe);
  export_function(env, exports, "assign", assign);
  export_function(env, exports, "takeRebalance", take_rebalance);
  export_function(env, exports, "completeRebalance", complete_rebalance);
  export_function(env, exports, "slots", slots);
  export_function(env, exports, "hold", hold);
  export_function(env, exports, "takeEnds", take_ends);
  export_function(env, exports, "takeGone", take_gone);
  export_function(env, exports, "consumerPoll", consumer_poll);
  export_function(env, exports, "closeConsumer", close_consumer);
  consumer_request_functions(env, exports);
}
