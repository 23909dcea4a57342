/* What the files of the producer share. */
#ifndef WEIR_PRODUCER_H
#define WEIR_PRODUCER_H

#include "addon.h"

/* A topic that is written to, with the highest offset delivered to each of its partitions since the last asking. */
typedef struct written {
  char *name;
  rd_kafka_topic_t *topic;
  int64_t *delivered; /* -1: none */
  int32_t partitions; /* length of delivered */
  bool any;
} written_t;

/* A record that was not delivered. */
typedef struct failure {
  struct failure *next;
  char *topic;
  int32_t partition;
  rd_kafka_resp_err_t code;
  bool fatal;
  char *text;
  uint8_t *key, *value, *headers;
  size_t key_length, value_length, headers_length;
  int64_t timestamp;
  int32_t tag;
} failure_t;

struct producer {
  rd_kafka_queue_t *queue;
  written_t **topics;
  int topic_count, topic_capacity;
  failure_t *failures, *last_failure;
};

client_t *producer_of(napi_env env, napi_value value);

#endif
