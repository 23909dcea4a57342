/* An isolate's state and its bell: how other threads reach its JavaScript, and how it all ends. */
#include "addon.h"

static void on_bell(napi_env env, napi_value unused, void *context, void *data);
static void on_env_gone(void *data);
static void on_bell_gone(napi_env env, void *data, void *hint);

/* Makes the isolate's state. `make_error` makes a KafkaError of (action, code, name, text, retriable, fatal, abortable). */
napi_status addon_start(napi_env env, napi_value make_error, addon_t **out) {
  napi_status status;
  napi_value name;
  addon_t *addon = calloc(1, sizeof(*addon));
  atomic_init(&addon->references, 1);
  pthread_mutex_init(&addon->lock, NULL);
  addon->env = env;
  napi_create_string_utf8(env, "weir", NAPI_AUTO_LENGTH, &name);
  addon_retain(addon); /* the bell's */
  status = napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, addon, on_bell_gone, addon, on_bell,
                                           &addon->bell);
  if (status == napi_ok) status = napi_unref_threadsafe_function(env, addon->bell);
  if (status == napi_ok) status = napi_create_reference(env, make_error, 1, &addon->make_error);
  if (status == napi_ok) status = napi_set_instance_data(env, addon, NULL, NULL);
  if (status == napi_ok) status = napi_add_env_cleanup_hook(env, on_env_gone, addon);
  *out = addon;
  return status;
}

addon_t *addon_of(napi_env env) {
  void *addon = NULL;
  napi_get_instance_data(env, &addon);
  return addon;
}

void addon_retain(addon_t *addon) { atomic_fetch_add(&addon->references, 1); }

void addon_release(addon_t *addon) {
  if (atomic_fetch_sub(&addon->references, 1) != 1) return;
  pthread_mutex_destroy(&addon->lock);
  free(addon);
}

/* Rings from any thread; `client`, if any, is told to JavaScript as woken. Once an isolate is gone it does nothing. */
void addon_ring(addon_t *addon, client_t *client) {
  pthread_mutex_lock(&addon->lock);
  if (addon->bell) {
    if (client && !client->is_woken) {
      client->is_woken = true;
      client_retain(client);
      client->next_woken = addon->woken;
      addon->woken = client;
    }
    if (!addon->rung) {
      addon->rung = true;
      napi_call_threadsafe_function(addon->bell, NULL, napi_tsfn_nonblocking);
    }
  }
  pthread_mutex_unlock(&addon->lock);
}

/* Wakes the client's JavaScript if it waits. */
void client_wake(client_t *client) {
  if (atomic_exchange(&client->armed, false)) addon_ring(client->addon, client);
}

static void call_on_wake(napi_env env, client_t *client) {
  napi_value function, receiver, result;
  if (client->closed || !client->on_wake) return;
  receiver = undefined_value(env);
  if (napi_get_reference_value(env, client->on_wake, &function) != napi_ok || !function) return;
  if (napi_call_function(env, receiver, function, 0, NULL, &result) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
}

/* On the isolate's thread: settles what has finished and wakes who waits. */
static void on_bell(napi_env env, napi_value unused, void *context, void *data) {
  addon_t *addon = context;
  (void)unused;
  (void)data;
  pthread_mutex_lock(&addon->lock);
  addon->rung = false;
  task_t *task = addon->finished;
  addon->finished = addon->last_finished = NULL;
  client_t *client = addon->woken;
  addon->woken = NULL;
  pthread_mutex_unlock(&addon->lock);
  while (client) {
    /* The link is read before is_woken falls: after it another ring may link the client anew. */
    pthread_mutex_lock(&addon->lock);
    client_t *next = client->next_woken;
    client->is_woken = false;
    pthread_mutex_unlock(&addon->lock);
    if (env) call_on_wake(env, client);
    client_release(client);
    client = next;
  }
  while (task) {
    task_t *next = task->next;
    if (env) task_settle(env, task);
    task_free(task);
    task = next;
  }
}

/* The isolate ends: nothing may be called from now on; what is open is destroyed. */
static void on_env_gone(void *data) {
  addon_t *addon = data;
  pthread_mutex_lock(&addon->lock);
  napi_threadsafe_function bell = addon->bell;
  addon->bell = NULL;
  task_t *task = addon->finished;
  addon->finished = addon->last_finished = NULL;
  client_t *woken = addon->woken;
  addon->woken = NULL;
  pthread_mutex_unlock(&addon->lock);
  while (task) {
    task_t *next = task->next;
    task_free(task);
    task = next;
  }
  while (woken) {
    client_t *next = woken->next_woken;
    client_release(woken);
    woken = next;
  }
  while (addon->clients) client_abandon(addon->clients);
  mock_env_gone(addon);
  napi_delete_reference(addon->env, addon->make_error);
  addon->env = NULL;
  if (bell) napi_release_threadsafe_function(bell, napi_tsfn_abort);
  addon_release(addon);
}

static void on_bell_gone(napi_env env, void *data, void *hint) {
  addon_t *addon = data;
  (void)env;
  (void)hint;
  pthread_mutex_lock(&addon->lock);
  addon->bell = NULL;
  pthread_mutex_unlock(&addon->lock);
  addon_release(addon);
}
