/* The addon's entry. JavaScript calls `start` once per isolate, and then has all functions. */
#include "addon.h"

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
  export_function(env, exports, "start", start);
  return exports;
}
