/* What the files of the consumer share. */
#ifndef WEIR_CONSUMER_H
#define WEIR_CONSUMER_H

#include "addon.h"

/* How many messages are taken from a partition's queue at a time. */
#define TAKEN 1024

/*
 * A partition that is read. Its queue is not forwarded to the consumer's, so that a held partition is one that
 * nobody takes from: what was fetched stays fetched.
 */
typedef struct partition {
  char *topic;
  int32_t number;
  client_t *client;
  rd_kafka_queue_t *queue;
  atomic_bool held;
  bool seeking; /* a seek is on its way: what lies in the queue is of the old position */
  rd_kafka_message_t *taken[TAKEN]; /* [next, end) are taken from the queue and not yet given out */
  int next, end;
} partition_t;

struct consumer {
  rd_kafka_queue_t *queue;
  partition_t **partitions;
  int count, capacity;
  int turn; /* the partition that the next poll begins with */
  rd_kafka_topic_partition_list_t *ends;
  rd_kafka_topic_partition_list_t *gone; /* partitions that have nothing at the position */
  /* The rebalance that waits for an answer. */
  rd_kafka_topic_partition_list_t *rebalance;
  bool rebalance_revokes, rebalance_lost, rebalance_incremental, rebalance_taken;
};

partition_t *consumer_find(consumer_t *consumer, const char *topic, int32_t number);
void partition_forget(partition_t *partition);
client_t *consumer_of(napi_env env, napi_value value);
napi_value consumer_poll(napi_env env, napi_callback_info info);

#endif
