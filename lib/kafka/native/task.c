/*
 * Blocking calls: each runs on a thread of its own and settles a promise.
 * The runtimes' own pools are not used: they have as few as two threads, which a commit that waits for a broker would hold.
 */
#include "addon.h"

#define STACK_BYTES (512 * 1024)

/* A task of an open client; NULL when the client is closed. */
task_t *task_new(client_t *client, const char *action) {
  if (!client_use(client)) return NULL;
  task_t *task = calloc(1, sizeof(*task));
  client_retain(client);
  task->client = client;
  task->holds_rk = true;
  task->action = action;
  return task;
}

static void *task_thread(void *data) {
  task_t *task = data;
  addon_t *addon = task->client->addon;
  addon_retain(addon);
  task->run(task);
  pthread_mutex_lock(&addon->lock);
  bool alive = addon->bell != NULL;
  if (alive) {
    task->next = NULL;
    if (addon->last_finished)
      addon->last_finished->next = task;
    else
      addon->finished = task;
    addon->last_finished = task;
  }
  pthread_mutex_unlock(&addon->lock);
  if (alive)
    addon_ring(addon, NULL);
  else
    task_free(task);
  addon_release(addon);
  return NULL;
}

/* Starts it and gives the promise. The process stays while tasks run. */
napi_value task_start(napi_env env, task_t *task) {
  addon_t *addon = task->client->addon;
  napi_value promise;
  pthread_t thread;
  pthread_attr_t attributes;
  if (napi_create_promise(env, &task->deferred, &promise) != napi_ok) {
    task_free(task);
    return throw_type(env, "Cannot start a Kafka request as no promise could be made");
  }
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (addon->running_tasks++ == 0) napi_ref_threadsafe_function(env, addon->bell);
  if (pthread_create(&thread, &attributes, task_thread, task) != 0) {
    task->code = RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
    snprintf(task->message, sizeof(task->message), "no thread could be started");
    task_settle(env, task);
    task_free(task);
  }
  pthread_attr_destroy(&attributes);
  return promise;
}

/* On the isolate's thread: resolves or rejects. */
void task_settle(napi_env env, task_t *task) {
  addon_t *addon = task->client->addon;
  napi_handle_scope scope;
  if (--addon->running_tasks == 0) napi_unref_threadsafe_function(env, addon->bell);
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (task->error || task->code) {
    napi_reject_deferred(env, task->deferred,
                         error_value(env, task->action, task->code, task->message, task->error, false));
  } else {
    napi_value value = task->settle ? task->settle(env, task) : NULL;
    napi_resolve_deferred(env, task->deferred, value ? value : undefined_value(env));
  }
  napi_close_handle_scope(env, scope);
}

/* Frees what it holds, and lets go of the client. From any thread. */
void task_free(task_t *task) {
  if (task->partitions) rd_kafka_topic_partition_list_destroy(task->partitions);
  if (task->group) rd_kafka_consumer_group_metadata_destroy(task->group);
  if (task->event) rd_kafka_event_destroy(task->event);
  if (task->metadata) rd_kafka_metadata_destroy(task->metadata);
  if (task->error) rd_kafka_error_destroy(task->error);
  for (size_t i = 0; i < task->object_count; i++) task->free_object(task->objects[i]);
  free(task->objects);
  free(task->text);
  free_texts(task->texts, task->text_count);
  client_t *client = task->client;
  if (task->holds_rk) client_unuse(client);
  free(task);
  client_release(client);
}
