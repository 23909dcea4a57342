"""Reads a topic from its beginning to its end with read_committed and prints one JSON line a record.

The value is Avro by the registry's schema; the key is text.
"""

import argparse
import json
import sys

from confluent_kafka import DeserializingConsumer, KafkaError, TopicPartition
from confluent_kafka.error import ConsumeError
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import StringDeserializer


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--timeout", type=float, default=60.0)
    options = parser.parse_args()

    consumer = DeserializingConsumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": "read-avro",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "key.deserializer": StringDeserializer("utf_8"),
            "value.deserializer": AvroDeserializer(
                SchemaRegistryClient({"url": options.registry})
            ),
        }
    )
    partitions = consumer.list_topics(options.topic, options.timeout).topics[options.topic].partitions
    consumer.assign([TopicPartition(options.topic, number, 0) for number in partitions])
    open_partitions = set(partitions)
    while open_partitions:
        try:
            message = consumer.poll(options.timeout)
        except ConsumeError as fault:
            if fault.code != KafkaError._PARTITION_EOF:
                raise
            open_partitions.discard(fault.kafka_message.partition())
            continue
        if message is None:
            print(f"nothing came in {options.timeout} s", file=sys.stderr)
            return 1
        record = {
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
            "timestamp": message.timestamp()[1],
            "key": message.key(),
            "value": message.value(),
        }
        print(json.dumps(record, default=str))
    consumer.close()
    return 0


sys.exit(main())
