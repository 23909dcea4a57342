package peer;

import static peer.Machine.*;
import static peer.Wire.JSON;

import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/** How fast the Java clients alone carry records: the same keys, values and settings as in bench/transport.ts. */
final class Transport {
  static void run(Args a) throws Exception {
    int n = (int) a.lng("records", 2_000_000);
    if (a.has("topic")) {
      for (int round = 0; round < a.lng("rounds", 3); round++) consume(a, a.need("topic"), n);
      return;
    }
    String topic = "transport-java-" + UUID.randomUUID().toString().substring(0, 8);
    try (var admin = Load.admin(a)) {
      Load.createTopic(admin, topic, (int) a.lng("partitions", 4));
      print("produce to acknowledgement", n, produce(a, topic, n));
      for (int round = 0; round < a.lng("rounds", 3); round++) consume(a, topic, n);
      admin.deleteTopics(List.of(topic)).all().get();
    }
  }

  /** From the first poll that gives records until all n have been seen; every key and value is looked at. */
  static void consume(Args a, String topic, int n) throws Exception {
    Map<String, Object> c = new HashMap<>();
    c.put("bootstrap.servers", a.bootstrap());
    c.put("enable.auto.commit", "false");
    c.put("max.poll.records", 2000);
    c.put("isolation.level", "read_committed");
    try (var k = new KafkaConsumer<>(c, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all = k.partitionsFor(topic).stream().map(p -> new TopicPartition(topic, p.partition())).toList();
      k.assign(all);
      k.seekToBeginning(all);
      long[] start = new long[2];
      long seen = 0, bytes = 0;
      while (seen < n) {
        ConsumerRecords<byte[], byte[]> batch = k.poll(Duration.ofSeconds(30));
        if (batch.isEmpty()) throw new IllegalStateException("only " + seen + " of " + n + " records came");
        if (seen == 0) start = now();
        for (ConsumerRecord<byte[], byte[]> r : batch) { bytes += r.key().length + r.value().length; seen++; }
      }
      print("consume", seen, elapsed(start));
    }
  }

  /** From the first send until everything is acknowledged. */
  static double[] produce(Args a, String topic, int n) {
    int partitions = (int) a.lng("partitions", 4);
    Map<String, Object> c = new HashMap<>();
    c.put("bootstrap.servers", a.bootstrap());
    c.put("compression.type", "lz4");
    c.put("linger.ms", "10");
    c.put("batch.size", "262144");
    byte[][] values = new byte[2000][100];
    for (int i = 0; i < values.length; i++) {
      int random = i;
      for (int b = 0; b < 100; b++) {
        random = random * 1664525 + 1013904223;
        values[i][b] = (byte) (b < 50 ? (b * 7) & 0x3f : random >>> 26);
      }
    }
    try (var p = new KafkaProducer<>(c, new ByteArraySerializer(), new ByteArraySerializer())) {
      p.partitionsFor(topic);
      long[] start = now();
      for (int i = 0; i < n; i++) {
        byte[] key = java.nio.ByteBuffer.allocate(8).putLong(i % values.length).array();
        p.send(new ProducerRecord<>(topic, i % partitions, key, values[i % values.length]));
      }
      p.flush();
      return elapsed(start);
    }
  }

  static long[] now() { return new long[] {System.nanoTime(), OS.getProcessCpuTime()}; }
  static double[] elapsed(long[] start) {
    return new double[] {(System.nanoTime() - start[0]) / 1e9, (OS.getProcessCpuTime() - start[1]) / 1e9};
  }

  static void print(String measure, long n, double[] took) throws Exception {
    var j = JSON.createObjectNode();
    j.put("engine", "kafka-clients").put("measure", measure).put("records", n).put("seconds", r3(took[0]));
    j.put("records_per_s", Math.round(n / took[0])).put("cpu_seconds", r3(took[1])).put("rss_mb", Math.round(procStatusMb("VmRSS")));
    System.out.println(JSON.writeValueAsString(j));
  }
}
