/* The addon's entry. JavaScript calls `start` once per isolate, and then has all functions. */
#include "addon.h"

#ifdef __GLIBC__
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

/*
 * glibc gives nearly every thread an arena of its own, up to eight for each core. librdkafka has many threads that do little, allocates in one and frees in
 * another: the arenas keep tens of megabytes apart that none of them uses. One for each core is enough; MALLOC_ARENA_MAX overrules.
 */
static void bound_arenas(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  if (!getenv("MALLOC_ARENA_MAX")) mallopt(M_ARENA_MAX, cores < 2 ? 2 : cores > 16 ? 16 : (int)cores);
}
#endif

/* start(makeError): the functions of this isolate. */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value given[1], functions;
  addon_t *addon = addon_of(env);
  if (!arguments(env, info, 1, given)) return NULL;
  if (!addon && addon_start(env, given[0], &addon) != napi_ok)
    return throw_type(env, "Cannot start the Kafka addon as its isolate refuses the thread-safe function");
  napi_create_object(env, &functions);
  set(env, functions, "version", text_value(env, rd_kafka_version_str()));
  client_functions(env, functions);
  consumer_functions(env, functions);
  producer_functions(env, functions);
  admin_functions(env, functions);
  mock_functions(env, functions);
  return functions;
}

NAPI_MODULE_INIT() {
#ifdef __GLIBC__
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, bound_arenas);
#endif
  export_function(env, exports, "start", start);
  return exports;
}
