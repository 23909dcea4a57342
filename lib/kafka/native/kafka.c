/* The addon's entry. JavaScript calls `start` once per isolate, and then has all functions. */
#include "addon.h"

#include <openssl/crypto.h>

#ifdef __GLIBC__
#include <malloc.h>
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

/*
 * OpenSSL registers a handler that frees what it holds for each thread when the process exits. A runtime ends its threads at that same moment, and each frees
 * its own: twice, and the process aborts after all its work is done. There is nothing to free in a process that ends.
 */
static void keep_openssl(void) {
#ifdef OPENSSL_INIT_NO_ATEXIT
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
#endif
}

static void once_a_process(void) {
#ifdef __GLIBC__
  bound_arenas();
#endif
  keep_openssl();
}

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
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, once_a_process);
  export_function(env, exports, "start", start);
  return exports;
}
