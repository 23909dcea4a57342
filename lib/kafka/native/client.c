/* What consumers, producers and admin clients share: configuration, callbacks from librdkafka's threads, the end. */
#include "addon.h"

/* What is told and not yet taken is bounded: a client in trouble can log faster than a busy isolate listens. */
#define MAX_TOLD 4096
#define MAX_FAULTS 1024

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text) {
  client_t *client = rd_kafka_opaque(rk);
  if (client) client_tell(client, TOLD_LOG, level, facility, text, strlen(text));
}

static int on_stats(rd_kafka_t *rk, char *json, size_t length, void *opaque) {
  (void)rk;
  client_tell(opaque, TOLD_STATS, 0, "", json, length);
  return 0; /* librdkafka frees the text */
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque) {
  char text[512];
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(rk, text, sizeof(text));
    client_fault(opaque, fatal, true, text);
  } else {
    client_fault(opaque, code, false, reason);
  }
}

static void on_token_refresh(rd_kafka_t *rk, const char *config, void *opaque) {
  (void)rk;
  client_tell(opaque, TOLD_OAUTH, 0, "", config ? config : "", config ? strlen(config) : 0);
}

/* From any thread. */
void client_tell(client_t *client, told_kind_t kind, int level, const char *facility, const char *text,
                 size_t length) {
  told_t *told = calloc(1, sizeof(*told));
  told->kind = kind;
  told->level = level;
  told->facility = strdup(facility);
  told->text = malloc(length + 1);
  memcpy(told->text, text, length);
  told->text[length] = '\0';
  pthread_mutex_lock(&client->told_lock);
  bool kept = client->told_count < MAX_TOLD || kind == TOLD_OAUTH;
  if (kept) {
    if (client->last_told)
      client->last_told->next = told;
    else
      client->told = told;
    client->last_told = told;
    client->told_count++;
  } else {
    client->told_dropped++;
  }
  pthread_mutex_unlock(&client->told_lock);
  if (!kept) {
    free(told->facility);
    free(told->text);
    free(told);
  }
  addon_ring(client->addon, client);
}

/* Keeps an error for takeFault. From any thread. */
void client_fault(client_t *client, rd_kafka_resp_err_t code, bool fatal, const char *text) {
  pthread_mutex_lock(&client->told_lock);
  if (client->fault_count < MAX_FAULTS || fatal) {
    fault_t *fault = calloc(1, sizeof(*fault));
    fault->code = code;
    fault->fatal = fatal;
    fault->text = strdup(text ? text : "");
    if (client->last_fault)
      client->last_fault->next = fault;
    else
      client->faults = fault;
    client->last_fault = fault;
    client->fault_count++;
  }
  pthread_mutex_unlock(&client->told_lock);
  atomic_store(&client->fresh, true);
  client_wake(client);
}

static void free_told(told_t *told) {
  while (told) {
    told_t *next = told->next;
    free(told->facility);
    free(told->text);
    free(told);
    told = next;
  }
}

void client_retain(client_t *client) { atomic_fetch_add(&client->references, 1); }

void client_release(client_t *client) {
  if (atomic_fetch_sub(&client->references, 1) != 1) return;
  free_told(client->told);
  for (fault_t *fault = client->faults; fault;) {
    fault_t *next = fault->next;
    free(fault->text);
    free(fault);
    fault = next;
  }
  pthread_mutex_destroy(&client->told_lock);
  addon_release(client->addon);
  free(client);
}

/* Counts a user of rk; false when the client is closed. On the isolate's thread. */
bool client_use(client_t *client) {
  if (client->closed) return false;
  atomic_fetch_add(&client->users, 1);
  return true;
}

/* The last user destroys rk. A consumer that was not closed does not leave its group: its session runs out. */
void client_unuse(client_t *client) {
  if (atomic_fetch_sub(&client->users, 1) != 1) return;
  if (client->rk) rd_kafka_destroy_flags(client->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  client->rk = NULL;
}

/* JavaScript takes part no more: unlinks the client and frees what belongs to the isolate's thread. */
static void detach(client_t *client) {
  addon_t *addon = client->addon;
  client->closed = true;
  atomic_store(&client->closing, true);
  if (client->consumer) consumer_free(client);
  if (client->producer) producer_free(client);
  if (client->on_wake && addon->env) napi_delete_reference(addon->env, client->on_wake);
  client->on_wake = NULL;
  if (client->previous)
    client->previous->next = client->next;
  else
    addon->clients = client->next;
  if (client->next) client->next->previous = client->previous;
  client->next = client->previous = NULL;
}

/* Drops an open client without closing it: its isolate ends, or nobody holds it any more. */
void client_abandon(client_t *client) {
  detach(client);
  client_unuse(client);
}

/* Runs `run` (may be NULL) and destroys rk on a thread; the client counts as closed at once. */
static void run_destroy(task_t *task) {
  client_t *client = task->client;
  task->holds_rk = false;
  client_unuse(client); /* JavaScript's */
  client_unuse(client); /* the task's */
}

napi_value client_close(napi_env env, client_t *client, void (*run)(task_t *task)) {
  task_t *task = task_new(client, "close the client");
  if (!task) return undefined_value(env);
  detach(client);
  task->run = run ? run : run_destroy;
  return task_start(env, task);
}

static void on_external_gone(napi_env env, void *data, void *hint) {
  client_t *client = data;
  (void)env;
  (void)hint;
  if (!client->closed) client_abandon(client);
  client_release(client);
}

/* The client of a handle; throws when it is none or closed. */
client_t *client_of(napi_env env, napi_value value) {
  void *data = NULL;
  if (napi_get_value_external(env, value, &data) != napi_ok || !data) {
    throw_type(env, "Cannot call a Kafka client as the handle is not one");
    return NULL;
  }
  client_t *client = data;
  if (client->closed) {
    throw_code(env, "use the client", RD_KAFKA_RESP_ERR__DESTROY, "it is closed");
    return NULL;
  }
  return client;
}

/* Fills `conf` from [name, value, name, value, …]; throws and gives false when a setting is refused. */
static bool configure(napi_env env, rd_kafka_conf_t *conf, napi_value settings) {
  size_t count;
  char **texts = to_texts(env, settings, &count);
  if (!texts) return false;
  for (size_t i = 0; i + 1 < count; i += 2) {
    char reason[512];
    if (rd_kafka_conf_set(conf, texts[i], texts[i + 1], reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
      throw_code(env, "make the client", RD_KAFKA_RESP_ERR__INVALID_ARG, reason);
      free_texts(texts, count);
      return false;
    }
  }
  free_texts(texts, count);
  return true;
}

/* Arguments: settings, onWake, withStats, withTokens. Gives the handle, or NULL when it threw. */
napi_value client_new(napi_env env, napi_callback_info info, rd_kafka_type_t type, client_t **out) {
  napi_value given[4], external;
  bool with_stats = false, with_tokens = false;
  char reason[512];
  if (!arguments(env, info, 4, given)) return NULL;
  napi_get_value_bool(env, given[2], &with_stats);
  napi_get_value_bool(env, given[3], &with_tokens);
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  if (!configure(env, conf, given[0])) {
    rd_kafka_conf_destroy(conf);
    return NULL;
  }
  client_t *client = calloc(1, sizeof(*client));
  atomic_init(&client->references, 1);
  atomic_init(&client->users, 1);
  pthread_mutex_init(&client->told_lock, NULL);
  client->addon = addon_of(env);
  addon_retain(client->addon);
  client->type = type;
  rd_kafka_conf_set_opaque(conf, client);
  rd_kafka_conf_set_log_cb(conf, on_log);
  rd_kafka_conf_set_error_cb(conf, on_error);
  if (with_stats) rd_kafka_conf_set_stats_cb(conf, on_stats);
  if (with_tokens) {
    rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_refresh);
    rd_kafka_conf_enable_sasl_queue(conf, 1);
  }
  if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set_rebalance_cb(conf, consumer_on_rebalance);
  if (type == RD_KAFKA_PRODUCER) {
    /* Delivery reports come as events: the isolate's thread alone serves them, also while another flushes. */
    rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR |
                                       (with_stats ? RD_KAFKA_EVENT_STATS : 0));
  }
  client->rk = rd_kafka_new(type, conf, reason, sizeof(reason));
  if (!client->rk) {
    rd_kafka_conf_destroy(conf);
    client->closed = true;
    client_release(client);
    return throw_code(env, "make the client", RD_KAFKA_RESP_ERR__INVALID_ARG, reason);
  }
  if (with_tokens) {
    rd_kafka_error_t *error = rd_kafka_sasl_background_callbacks_enable(client->rk);
    if (error) rd_kafka_error_destroy(error); /* another mechanism than OAUTHBEARER is configured */
  }
  napi_create_reference(env, given[1], 1, &client->on_wake);
  client->next = client->addon->clients;
  if (client->next) client->next->previous = client;
  client->addon->clients = client;
  if (napi_create_external(env, client, on_external_gone, NULL, &external) != napi_ok) {
    client_abandon(client);
    client_release(client);
    return throw_type(env, "Cannot make the client as its handle could not be made");
  }
  *out = client;
  return external;
}

/* takeTold(handle): [kind, level, facility, text, …] since the last call. */
static napi_value take_told(napi_env env, napi_callback_info info) {
  napi_value given[1], array;
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = client_of(env, given[0]);
  if (!client) return NULL;
  pthread_mutex_lock(&client->told_lock);
  told_t *told = client->told;
  size_t dropped = client->told_dropped;
  client->told = client->last_told = NULL;
  client->told_count = client->told_dropped = 0;
  pthread_mutex_unlock(&client->told_lock);
  if (!told) return undefined_value(env);
  napi_create_array(env, &array);
  uint32_t at = 0;
  for (told_t *each = told; each; each = each->next) {
    napi_set_element(env, array, at++, number_value(env, each->kind));
    napi_set_element(env, array, at++, number_value(env, each->level));
    napi_set_element(env, array, at++, text_value(env, each->facility));
    napi_set_element(env, array, at++, text_value(env, each->text));
  }
  free_told(told);
  if (dropped > 0) {
    char text[96];
    snprintf(text, sizeof(text), "%zu messages were dropped as they came faster than they were taken", dropped);
    napi_set_element(env, array, at++, number_value(env, TOLD_LOG));
    napi_set_element(env, array, at++, number_value(env, 4));
    napi_set_element(env, array, at++, text_value(env, "DROPPED"));
    napi_set_element(env, array, at++, text_value(env, text));
  }
  return array;
}

/* takeFault(handle): the next unreported error, or undefined. */
static napi_value take_fault(napi_env env, napi_callback_info info) {
  napi_value given[1];
  if (!arguments(env, info, 1, given)) return NULL;
  client_t *client = client_of(env, given[0]);
  if (!client) return NULL;
  pthread_mutex_lock(&client->told_lock);
  fault_t *fault = client->faults;
  if (fault) {
    client->faults = fault->next;
    if (!client->faults) client->last_fault = NULL;
    client->fault_count--;
  }
  pthread_mutex_unlock(&client->told_lock);
  if (!fault) return undefined_value(env);
  napi_value error = error_value(env, "go on", fault->code, fault->text, NULL, fault->fatal);
  free(fault->text);
  free(fault);
  return error;
}

/* setToken(handle, token, lifetimeMs, principal), or setToken(handle, undefined, 0, reason) when none could be had. */
static napi_value set_token(napi_env env, napi_callback_info info) {
  napi_value given[4];
  char reason[512];
  rd_kafka_resp_err_t code;
  if (!arguments(env, info, 4, given)) return NULL;
  client_t *client = client_of(env, given[0]);
  if (!client) return NULL;
  char *last = to_text(env, given[3]);
  if (!last) return NULL;
  if (is_undefined(env, given[1])) {
    code = rd_kafka_oauthbearer_set_token_failure(client->rk, last);
    snprintf(reason, sizeof(reason), "%s", rd_kafka_err2str(code));
  } else {
    char *token = to_text(env, given[1]);
    code = token ? rd_kafka_oauthbearer_set_token(client->rk, token, to_int64(env, given[2]), last, NULL, 0,
                                                  reason, sizeof(reason))
                 : RD_KAFKA_RESP_ERR__INVALID_ARG;
    free(token);
  }
  free(last);
  if (code) return throw_code(env, "set the OAUTHBEARER token", code, reason);
  return undefined_value(env);
}

void client_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "takeTold", take_told);
  export_function(env, exports, "takeFault", take_fault);
  export_function(env, exports, "setToken", set_token);
}
