/*
 * The embedded cluster: librdkafka's mock brokers on loopback. The registry below is the addon's only mutable global,
 * so that every isolate of the process reaches a cluster by its bootstrap address.
 */
#include "addon.h"
#include "rdkafka_mock.h"

/* How long a new group waits for more members, and a complete one for its leader. */
#define FIRST_REBALANCE_MS 3
/* Of groups whose members the brokers assign (KIP-848): loopback answers at once. */
#define HEARTBEAT_MS 200
#define SESSION_MS 10000

/* A topic's configuration as JSON text: the brokers keep none. */
typedef struct config {
  struct config *next;
  char *topic;
  char *text;
} config_t;

typedef struct cluster {
  struct cluster *next;
  config_t *configs;
  char *bootstrap;
  const addon_t *owner;
  rd_kafka_t *rk;
  rd_kafka_mock_cluster_t *mock;
} cluster_t;

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static cluster_t *registry;

static void free_config(config_t *config) {
  free(config->topic);
  free(config->text);
  free(config);
}

/* Forgets the configuration of a topic, if there is one. */
static void forget_config(cluster_t *cluster, const char *topic) {
  config_t **link = &cluster->configs;
  while (*link && strcmp((*link)->topic, topic)) link = &(*link)->next;
  config_t *found = *link;
  if (!found) return;
  *link = found->next;
  free_config(found);
}

static void destroy(cluster_t *cluster) {
  while (cluster->configs) forget_config(cluster, cluster->configs->topic);
  rd_kafka_mock_cluster_destroy(cluster->mock);
  rd_kafka_destroy(cluster->rk);
  free(cluster->bootstrap);
  free(cluster);
}

/* Destroys the clusters of an isolate that ends. */
void mock_env_gone(const addon_t *addon) {
  pthread_mutex_lock(&registry_lock);
  cluster_t **link = &registry, *gone = NULL;
  while (*link) {
    cluster_t *cluster = *link;
    if (cluster->owner != addon) {
      link = &cluster->next;
      continue;
    }
    *link = cluster->next;
    cluster->next = gone;
    gone = cluster;
  }
  pthread_mutex_unlock(&registry_lock);
  while (gone) {
    cluster_t *next = gone->next;
    destroy(gone);
    gone = next;
  }
}

/* The cluster of a bootstrap address, with the registry locked; NULL (unlocked, and an exception) when there is none. */
static cluster_t *lock_cluster(napi_env env, napi_value value) {
  char *bootstrap = to_text(env, value);
  if (!bootstrap) return NULL;
  pthread_mutex_lock(&registry_lock);
  cluster_t *cluster = registry;
  while (cluster && strcmp(cluster->bootstrap, bootstrap)) cluster = cluster->next;
  if (!cluster) {
    pthread_mutex_unlock(&registry_lock);
    throw_code(env, "reach the embedded cluster", RD_KAFKA_RESP_ERR__UNKNOWN_BROKER, bootstrap);
  }
  free(bootstrap);
  return cluster;
}

static void unlock(void) { pthread_mutex_unlock(&registry_lock); }

/* mockNew(brokers, defaultPartitions): the bootstrap address. */
static napi_value mock_new(napi_env env, napi_callback_info info) {
  napi_value given[2];
  char reason[256];
  if (!arguments(env, info, 2, given)) return NULL;
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set(conf, "client.id", "embedded-broker", NULL, 0);
  rd_kafka_conf_set_log_cb(conf, NULL); /* it has no brokers of its own to talk to, and would say so */
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof(reason));
  if (!rk) {
    rd_kafka_conf_destroy(conf);
    return throw_code(env, "start the embedded cluster", RD_KAFKA_RESP_ERR__FAIL, reason);
  }
  rd_kafka_mock_cluster_t *mock = rd_kafka_mock_cluster_new(rk, to_int(env, given[0]));
  if (!mock) {
    rd_kafka_destroy(rk);
    return throw_code(env, "start the embedded cluster", RD_KAFKA_RESP_ERR__FAIL, "no loopback port could be opened");
  }
  rd_kafka_mock_default_partition_cnt(mock, to_int(env, given[1]));
  rd_kafka_mock_group_initial_rebalance_delay_ms(mock, FIRST_REBALANCE_MS);
  rd_kafka_mock_set_group_consumer_heartbeat_interval_ms(mock, HEARTBEAT_MS);
  rd_kafka_mock_set_group_consumer_session_timeout_ms(mock, SESSION_MS);
  cluster_t *cluster = calloc(1, sizeof(*cluster));
  cluster->bootstrap = strdup(rd_kafka_mock_cluster_bootstraps(mock));
  cluster->owner = addon_of(env);
  cluster->rk = rk;
  cluster->mock = mock;
  pthread_mutex_lock(&registry_lock);
  cluster->next = registry;
  registry = cluster;
  pthread_mutex_unlock(&registry_lock);
  return text_value(env, cluster->bootstrap);
}

/* mockClose(bootstrap): false when there is no such cluster. */
static napi_value mock_close(napi_env env, napi_callback_info info) {
  napi_value given[1], result;
  if (!arguments(env, info, 1, given)) return NULL;
  char *bootstrap = to_text(env, given[0]);
  if (!bootstrap) return NULL;
  pthread_mutex_lock(&registry_lock);
  cluster_t **link = &registry, *found = NULL;
  while (*link && strcmp((*link)->bootstrap, bootstrap)) link = &(*link)->next;
  if (*link) {
    found = *link;
    *link = found->next;
  }
  pthread_mutex_unlock(&registry_lock);
  free(bootstrap);
  if (found) destroy(found);
  napi_get_boolean(env, found != NULL, &result);
  return result;
}

static napi_value outcome(napi_env env, const char *action, rd_kafka_resp_err_t code) {
  if (code) return throw_code(env, action, code, NULL);
  return undefined_value(env);
}

/* mockCreateTopic(bootstrap, topic, partitions, replication) */
static napi_value mock_create_topic(napi_env env, napi_callback_info info) {
  napi_value given[4];
  if (!arguments(env, info, 4, given)) return NULL;
  char *topic = to_text(env, given[1]);
  if (!topic) return NULL;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  cluster_t *cluster = lock_cluster(env, given[0]);
  if (cluster) {
    code = rd_kafka_mock_topic_create(cluster->mock, topic, to_int(env, given[2]), to_int(env, given[3]));
    unlock();
  }
  free(topic);
  return cluster ? outcome(env, "create the topic", code) : NULL;
}

/* mockDeleteTopic(bootstrap, topic) */
static napi_value mock_delete_topic(napi_env env, napi_callback_info info) {
  napi_value given[2];
  if (!arguments(env, info, 2, given)) return NULL;
  char *topic = to_text(env, given[1]);
  if (!topic) return NULL;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  cluster_t *cluster = lock_cluster(env, given[0]);
  if (cluster) {
    code = rd_kafka_mock_topic_delete(cluster->mock, topic);
    forget_config(cluster, topic);
    unlock();
  }
  free(topic);
  return cluster ? outcome(env, "delete the topic", code) : NULL;
}

/* mockDeleteRecords(bootstrap, topic, partition, before) */
static napi_value mock_delete_records(napi_env env, napi_callback_info info) {
  napi_value given[4];
  if (!arguments(env, info, 4, given)) return NULL;
  char *topic = to_text(env, given[1]);
  if (!topic) return NULL;
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  cluster_t *cluster = lock_cluster(env, given[0]);
  if (cluster) {
    code = rd_kafka_mock_partition_delete_records(cluster->mock, topic, to_int(env, given[2]), to_int64(env, given[3]));
    unlock();
  }
  free(topic);
  return cluster ? outcome(env, "delete the records", code) : NULL;
}

/* mockSetConfig(bootstrap, topic, json) */
static napi_value mock_set_config(napi_env env, napi_callback_info info) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  char *topic = to_text(env, given[1]);
  char *text = topic ? to_text(env, given[2]) : NULL;
  cluster_t *cluster = text ? lock_cluster(env, given[0]) : NULL;
  if (!cluster) {
    free(topic);
    free(text);
    return NULL;
  }
  forget_config(cluster, topic);
  config_t *config = calloc(1, sizeof(*config));
  config->topic = topic;
  config->text = text;
  config->next = cluster->configs;
  cluster->configs = config;
  unlock();
  return undefined_value(env);
}

/* mockConfig(bootstrap, topic): what mockSetConfig kept, or undefined. */
static napi_value mock_config(napi_env env, napi_callback_info info) {
  napi_value given[2], value;
  if (!arguments(env, info, 2, given)) return NULL;
  char *topic = to_text(env, given[1]);
  cluster_t *cluster = topic ? lock_cluster(env, given[0]) : NULL;
  if (!cluster) {
    free(topic);
    return NULL;
  }
  config_t *config = cluster->configs;
  while (config && strcmp(config->topic, topic)) config = config->next;
  value = text_value(env, config ? config->text : NULL);
  unlock();
  free(topic);
  return value;
}

/* mockSetRoundTrip(bootstrap, broker, ms): broker -1 is all of them. */
static napi_value mock_set_round_trip(napi_env env, napi_callback_info info) {
  napi_value given[3];
  if (!arguments(env, info, 3, given)) return NULL;
  cluster_t *cluster = lock_cluster(env, given[0]);
  if (!cluster) return NULL;
  rd_kafka_resp_err_t code = rd_kafka_mock_broker_set_rtt(cluster->mock, to_int(env, given[1]), to_int(env, given[2]));
  unlock();
  return outcome(env, "set the round trip time", code);
}

/* mockFailNext(bootstrap, apiKey, [code, …]): an empty list forgets what was to fail. */
static napi_value mock_fail_next(napi_env env, napi_callback_info info) {
  napi_value given[3];
  uint32_t count = 0;
  if (!arguments(env, info, 3, given)) return NULL;
  napi_get_array_length(env, given[2], &count);
  cluster_t *cluster = lock_cluster(env, given[0]);
  if (!cluster) return NULL;
  rd_kafka_resp_err_t *codes = calloc(count + 1, sizeof(*codes));
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, given[2], i, &element);
    codes[i] = (rd_kafka_resp_err_t)to_int(env, element);
  }
  int16_t key = (int16_t)to_int(env, given[1]);
  if (count == 0)
    rd_kafka_mock_clear_request_errors(cluster->mock, key);
  else
    rd_kafka_mock_push_request_errors_array(cluster->mock, key, count, codes);
  unlock();
  free(codes);
  return undefined_value(env);
}

/* mockSetBroker(bootstrap, broker, up) */
static napi_value mock_set_broker(napi_env env, napi_callback_info info) {
  napi_value given[3];
  bool up = true;
  if (!arguments(env, info, 3, given)) return NULL;
  napi_get_value_bool(env, given[2], &up);
  int32_t broker = to_int(env, given[1]);
  cluster_t *cluster = lock_cluster(env, given[0]);
  if (!cluster) return NULL;
  rd_kafka_resp_err_t code =
      up ? rd_kafka_mock_broker_set_up(cluster->mock, broker) : rd_kafka_mock_broker_set_down(cluster->mock, broker);
  unlock();
  return outcome(env, "set the broker up or down", code);
}

void mock_functions(napi_env env, napi_value exports) {
  export_function(env, exports, "mockNew", mock_new);
  export_function(env, exports, "mockClose", mock_close);
  export_function(env, exports, "mockCreateTopic", mock_create_topic);
  export_function(env, exports, "mockDeleteTopic", mock_delete_topic);
  export_function(env, exports, "mockDeleteRecords", mock_delete_records);
  export_function(env, exports, "mockSetConfig", mock_set_config);
  export_function(env, exports, "mockConfig", mock_config);
  export_function(env, exports, "mockSetRoundTrip", mock_set_round_trip);
  export_function(env, exports, "mockFailNext", mock_fail_next);
  export_function(env, exports, "mockSetBroker", mock_set_broker);
}
