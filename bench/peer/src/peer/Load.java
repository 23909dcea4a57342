package peer;

import static peer.Wire.*;
import static peer.Topologies.*;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Fills the input topics. Equal arguments give equal records in equal partitions. */
final class Load {
  static String orderId(long i) { return String.format("order-%010d", i); }

  static final class Loader implements AutoCloseable {
    final KafkaProducer<byte[], byte[]> p; volatile Exception failed; long bytes, count;
    Loader(String bootstrap) {
      Properties c = new Properties();
      c.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
      c.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
      c.put(ProducerConfig.LINGER_MS_CONFIG, "50");
      c.put(ProducerConfig.BATCH_SIZE_CONFIG, "262144");
      c.put(ProducerConfig.BUFFER_MEMORY_CONFIG, "67108864");
      p = new KafkaProducer<>(c, new ByteArraySerializer(), new ByteArraySerializer());
    }
    void send(String topic, long ts, String key, byte[] v) throws Exception {
      if (failed != null) throw failed;
      byte[] k = key.getBytes(StandardCharsets.UTF_8);
      bytes += v.length; count++;
      p.send(new ProducerRecord<>(topic, null, ts, k, v), (m, e) -> { if (e != null) failed = e; });
    }
    public void close() throws Exception { p.flush(); p.close(); if (failed != null) throw failed; }
  }

  /** Creates the topic, or says that it is already loaded with n records; anything else is an error unless recreate. */
  static boolean needsLoad(Admin admin, String topic, int partitions, long n, boolean recreate) throws Exception {
    if (admin.listTopics().names().get().contains(topic)) {
      long have = endOffsets(admin, topic).values().stream().mapToLong(Long::longValue).sum();
      int parts = endOffsets(admin, topic).size();
      if (!recreate) {
        if (have == n && parts == partitions) { System.err.println(topic + ": already has " + n + " records, kept"); return false; }
        throw new IllegalStateException(topic + " has " + have + " records in " + parts + " partitions, wanted " + n + " in " + partitions + "; use --recreate true");
      }
      admin.deleteTopics(List.of(topic)).all().get();
      while (admin.listTopics().names().get().contains(topic)) Thread.sleep(50);
    }
    createTopic(admin, topic, partitions);
    return true;
  }

  static void createTopic(Admin admin, String topic, int partitions) throws Exception {
    // event times lie in the past, so time retention must be off
    admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1).configs(Map.of("retention.ms", "-1")))).all().get();
    for (int i = 0; i < 200; i++) { try { if (endOffsets(admin, topic).size() == partitions) return; } catch (Exception e) { /* not there yet */ } Thread.sleep(25); }
    throw new IllegalStateException("no leader for " + topic);
  }

  static Map<TopicPartition, Long> endOffsets(Admin admin, String topic) throws Exception {
    var d = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    Map<TopicPartition, OffsetSpec> q = new HashMap<>();
    d.partitions().forEach(p -> q.put(new TopicPartition(topic, p.partition()), OffsetSpec.latest()));
    Map<TopicPartition, Long> r = new HashMap<>();
    admin.listOffsets(q).all().get().forEach((tp, o) -> r.put(tp, o.offset()));
    return r;
  }

  static Admin admin(Args a) { return Admin.create(Map.of("bootstrap.servers", a.bootstrap())); }

  static void load(Args a) throws Exception {
    String topic = a.get("topic", "orders");
    long n = a.lng("records", 1_000_000); int parts = (int) a.lng("partitions", 4); int keys = (int) a.lng("keys", 10_000);
    long seed = a.lng("seed", 1), base = a.lng("base-ts", BASE_TS); boolean recreate = a.bool("recreate");
    Set<String> variants = new HashSet<>(List.of(a.get("variants", "json,avro").split(",")));
    try (Admin admin = admin(a); Loader l = new Loader(a.bootstrap())) {
      boolean json = variants.contains("json") && needsLoad(admin, topic, parts, n, recreate);
      boolean avro = variants.contains("avro") && needsLoad(admin, topic + "-avro", parts, n, recreate);
      boolean byOrder = variants.contains("by-order") && needsLoad(admin, topic + "-avro-by-order", parts, n, recreate);
      if (!json && !avro && !byOrder) return;
      SplittableRandom r = new SplittableRandom(seed);
      Order o = new Order();
      long jsonBytes = 0, avroBytes = 0; long t = System.nanoTime();
      for (long i = 0; i < n; i++) {
        o.OrderId = orderId(i);
        o.CustomerId = String.format("customer-%06d", r.nextInt(keys));
        o.Amount = r.nextInt(1, 50_001) / 100.0;
        o.Timestamp = base + i + r.nextLong(-JITTER_MS, JITTER_MS + 1);
        if (json) { byte[] b = JSON.writeValueAsBytes(o); jsonBytes += b.length; l.send(topic, o.Timestamp, o.CustomerId, b); }
        if (avro || byOrder) {
          byte[] b = enc(o); avroBytes += b.length;
          if (avro) l.send(topic + "-avro", o.Timestamp, o.CustomerId, b);
          if (byOrder) l.send(topic + "-avro-by-order", o.Timestamp, o.OrderId, b);
        }
      }
      l.p.flush();
      System.err.printf(Locale.ROOT, "loaded %s: %d records, json %.1f B/value, avro %.1f B/value, %.1f s%n", topic, n, (double) jsonBytes / n, (double) avroBytes / n, (System.nanoTime() - t) / 1e9);
    }
  }

  static void loadPayments(Args a) throws Exception {
    String topic = a.get("topic", "payments");
    long n = a.lng("records", 1_000_000); int parts = (int) a.lng("partitions", 4);
    long seed = a.lng("seed", 1), base = a.lng("base-ts", BASE_TS), delay = a.lng("delay-ms", 5_000); boolean recreate = a.bool("recreate");
    Set<String> variants = new HashSet<>(List.of(a.get("variants", "json,avro").split(",")));
    String[] status = {"PAID", "DECLINED", "PENDING"};
    try (Admin admin = admin(a); Loader l = new Loader(a.bootstrap())) {
      boolean json = variants.contains("json") && needsLoad(admin, topic, parts, n, recreate);
      boolean avro = variants.contains("avro") && needsLoad(admin, topic + "-avro", parts, n, recreate);
      if (!json && !avro) return;
      SplittableRandom r = new SplittableRandom(seed ^ 0x7061796d656e7473L);
      Payment p = new Payment(); long unmatched = 0;
      for (long i = 0; i < n; i++) {
        boolean alien = r.nextInt(10) == 0; if (alien) unmatched++;
        p.OrderId = alien ? String.format("alien-%010d", i) : orderId(i);
        p.Status = status[r.nextInt(status.length)];
        p.PaidAt = base + i + delay + r.nextLong(-JITTER_MS, JITTER_MS + 1);
        if (json) l.send(topic, p.PaidAt, p.OrderId, JSON.writeValueAsBytes(p));
        if (avro) l.send(topic + "-avro", p.PaidAt, p.OrderId, enc(p));
      }
      l.p.flush();
      System.err.printf("loaded %s: %d records, %d of them without an order, %d expected pairs%n", topic, n, unmatched, n - unmatched);
    }
  }
}
