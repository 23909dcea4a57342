/*
 * The addon's shared declarations.
 *
 * Threads. JavaScript runs on its isolate's thread, and each isolate (main or Worker) has an addon_t of its own.
 * librdkafka's threads call log, error and queue callbacks; blocking calls run on a thread of their own (task_t).
 * Neither touches JavaScript: they put what they have into a list and ring the isolate's bell (port.c), whose
 * handler runs on the isolate's thread.
 *
 * Lifetime. addon_t and client_t are counted, since threads outlive isolates. A rd_kafka_t is destroyed when the last
 * of its users (JavaScript and the running tasks) lets go, so no call ever meets a freed handle.
 */
#ifndef WEIR_ADDON_H
#define WEIR_ADDON_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rdkafka.h"

typedef struct addon addon_t;
typedef struct client client_t;
typedef struct task task_t;
typedef struct consumer consumer_t;
typedef struct producer producer_t;

/* What a client tells, on its way to JavaScript. */
typedef enum { TOLD_LOG = 0, TOLD_STATS = 1, TOLD_OAUTH = 2 } told_kind_t;

typedef struct told {
  struct told *next;
  told_kind_t kind;
  int level;
  char *facility;
  char *text;
} told_t;

/* An error that no call has reported yet. */
typedef struct fault {
  struct fault *next;
  rd_kafka_resp_err_t code;
  bool fatal;
  char *text;
} fault_t;

/* The state of one isolate. */
struct addon {
  atomic_int references;
  pthread_mutex_t lock; /* guards bell, rung, finished, woken */
  napi_threadsafe_function bell; /* NULL once the isolate is gone */
  bool rung;
  task_t *finished, *last_finished;
  client_t *woken;
  /* Below: only on the isolate's thread. */
  napi_env env;
  napi_ref make_error;
  client_t *clients;
  int running_tasks;
};

/* A consumer, producer or admin client. */
struct client {
  atomic_int references; /* of this struct */
  atomic_int users;      /* of rk */
  addon_t *addon;
  rd_kafka_t *rk;
  rd_kafka_type_t type;
  atomic_bool armed;   /* JavaScript waits for this client's next event */
  atomic_bool fresh;   /* an error, an end or a rebalance came since the last wait */
  atomic_bool closing; /* callbacks answer for themselves: JavaScript takes part no more */
  client_t *next_woken;
  bool is_woken; /* under addon->lock */
  pthread_mutex_t told_lock;
  told_t *told, *last_told;
  size_t told_count, told_dropped;
  fault_t *faults, *last_fault;
  size_t fault_count;
  /* Below: only on the isolate's thread. */
  napi_ref on_wake;
  client_t *next, *previous;
  bool closed;
  consumer_t *consumer;
  producer_t *producer;
};

/* A blocking call on a thread of its own, settled as a promise. */
struct task {
  task_t *next;
  client_t *client;
  const char *action; /* completes "Cannot <action>" */
  napi_deferred deferred;
  void (*run)(task_t *task);
  napi_value (*settle)(napi_env env, task_t *task); /* the promise's value; NULL is undefined */
  int timeout_ms;
  bool holds_rk; /* counts as a user of the client's rk */
  /* The outcome. */
  rd_kafka_resp_err_t code;
  rd_kafka_error_t *error;
  char message[512];
  /* What the calls need; freed by task_free. */
  rd_kafka_topic_partition_list_t *partitions;
  rd_kafka_consumer_group_metadata_t *group;
  rd_kafka_event_t *event;
  const struct rd_kafka_metadata *metadata;
  char *text;
  char **texts;
  size_t text_count;
  void **objects;
  size_t object_count;
  void (*free_object)(void *object);
  int64_t numbers[2];
};

/* port.c: the bell, counting, teardown. */
napi_status addon_start(napi_env env, napi_value make_error, addon_t **out);
void addon_retain(addon_t *addon);
void addon_release(addon_t *addon);
void addon_ring(addon_t *addon, client_t *client);
void client_wake(client_t *client);
addon_t *addon_of(napi_env env);

/* task.c */
task_t *task_new(client_t *client, const char *action);
napi_value task_start(napi_env env, task_t *task);
void task_settle(napi_env env, task_t *task);
void task_free(task_t *task);

/* client.c: what all clients share. */
napi_value client_new(napi_env env, napi_callback_info info, rd_kafka_type_t type, client_t **out);
client_t *client_of(napi_env env, napi_value value);
void client_retain(client_t *client);
void client_release(client_t *client);
bool client_use(client_t *client);
void client_unuse(client_t *client);
void client_abandon(client_t *client);
napi_value client_close(napi_env env, client_t *client, void (*run)(task_t *task));
void client_tell(client_t *client, told_kind_t kind, int level, const char *facility, const char *text,
                 size_t length);
void client_fault(client_t *client, rd_kafka_resp_err_t code, bool fatal, const char *text);
void client_functions(napi_env env, napi_value exports);

/* consumer.c, consumer_poll.c, consumer_requests.c */
void consumer_functions(napi_env env, napi_value exports);
void consumer_request_functions(napi_env env, napi_value exports);
void consumer_free(client_t *client);
void consumer_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                           void *opaque);

/* producer.c, transaction.c */
void producer_functions(napi_env env, napi_value exports);
void transaction_functions(napi_env env, napi_value exports);
void producer_free(client_t *client);

/* admin.c, admin_groups.c */
void admin_functions(napi_env env, napi_value exports);
void admin_group_functions(napi_env env, napi_value exports);

/* mock.c */
void mock_functions(napi_env env, napi_value exports);
void mock_env_gone(const addon_t *addon);

/* values.c: between C and JavaScript. */
#define MAX_ARGUMENTS 16
bool arguments(napi_env env, napi_callback_info info, size_t count, napi_value *out);
void export_function(napi_env env, napi_value exports, const char *name, napi_callback callback);
napi_value error_value(napi_env env, const char *action, rd_kafka_resp_err_t code, const char *message,
                       rd_kafka_error_t *error, bool fatal);
napi_value throw_code(napi_env env, const char *action, rd_kafka_resp_err_t code, const char *message);
napi_value throw_error(napi_env env, const char *action, rd_kafka_error_t *error);
napi_value throw_type(napi_env env, const char *message);
char *to_text(napi_env env, napi_value value);
char **to_texts(napi_env env, napi_value value, size_t *count);
void free_texts(char **texts, size_t count);
int32_t to_int(napi_env env, napi_value value);
int64_t to_int64(napi_env env, napi_value value);
bool is_undefined(napi_env env, napi_value value);
napi_value text_value(napi_env env, const char *text);
napi_value number_value(napi_env env, double number);
napi_value undefined_value(napi_env env);
napi_value bytes_value(napi_env env, const void *bytes, size_t length);
void set(napi_env env, napi_value object, const char *name, napi_value value);
rd_kafka_topic_partition_list_t *to_partitions(napi_env env, napi_value value);
napi_value partitions_value(napi_env env, const rd_kafka_topic_partition_list_t *list);

#endif
