package peer;

import static peer.Wire.*;
import static peer.Load.*;
import static peer.Machine.*;
import static peer.Topologies.*;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.TimeUnit;

/** Runs one pipeline on Apache Kafka Streams and prints what was measured. See README.md. */
final class Peer {
  static void run(Args a) throws Exception {
    String name = a.need("topology"), guarantee = a.get("guarantee", "at_least_once");
    int threads = (int) a.lng("threads", 1); long n = a.lng("records", 1_000_000);
    long cache = a.lng("cache", 10L << 20);
    long commit = a.lng("commit", guarantee.equals("exactly_once_v2") ? 100 : 30_000);
    long timeout = a.lng("timeout", 300);
    boolean generic = a.get("avro", "hand").equals("generic");
    String appId = "peerbench-" + name + "-" + UUID.randomUUID().toString().substring(0, 8);
    String out = appId + "-out";
    double load1 = OS.getSystemLoadAverage();
    Probe probe = new Probe(n, a.lng("broker-pid", 0));
    Built built = build(name, a.get("topic", "orders"), a.get("payments", "payments"), out, probe, generic);
    if (a.bool("describe")) System.err.println(built.topology().describe());
    Path state = Files.createTempDirectory(a.has("state-dir") ? Files.createDirectories(Path.of(a.need("state-dir"))) : Path.of(System.getProperty("java.io.tmpdir")), appId);

    try (Admin admin = admin(a)) {
      long have = 0; int parts = 0;
      for (String t : built.inputs()) { var e = endOffsets(admin, t); parts = e.size(); for (long v : e.values()) have += v; }
      if (have < n) throw new IllegalStateException("the input holds " + have + " records, fewer than " + n);
      if (have > n) System.err.println("note: the input holds " + have + " records, more than " + n);
      createTopic(admin, out, parts);

      Properties c = new Properties();
      c.put(StreamsConfig.APPLICATION_ID_CONFIG, appId);
      c.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, a.bootstrap());
      c.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
      c.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads);
      c.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee);
      c.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, cache);
      c.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, commit);
      c.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
      c.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
      // event times lie in the past: keep the broker from deleting windowed changelogs during the run
      c.put(StreamsConfig.WINDOW_STORE_CHANGE_LOG_ADDITIONAL_RETENTION_MS_CONFIG, 20L * 365 * 86_400_000);
      for (String kv : a.all("set")) c.put(kv.substring(0, kv.indexOf('=')), kv.substring(kv.indexOf('=') + 1));

      KafkaStreams ks = new KafkaStreams(built.topology(), c);
      Throwable[] died = new Throwable[1];
      ks.setUncaughtExceptionHandler(e -> { died[0] = e; probe.last.countDown(); return StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse.SHUTDOWN_CLIENT; });
      ObjectNode j = JSON.createObjectNode();
      try {
        ks.start();
        if (!probe.last.await(timeout, TimeUnit.SECONDS)) throw new IllegalStateException("timed out after " + probe.c.get() + " of " + n + " records");
        if (died[0] != null) throw new IllegalStateException("stream thread died", died[0]);
        long until = System.nanoTime() + 60_000_000_000L;
        while (committed(admin, appId, built.inputs()) < n) {
          if (died[0] != null) throw new IllegalStateException("stream thread died", died[0]);
          if (System.nanoTime() > until) throw new IllegalStateException("no final commit");
          Thread.sleep(5);
        }
        long t2 = System.nanoTime(), cpu2 = OS.getProcessCpuTime(); long[] sys2 = sysCpu(); double broker2 = pidCpu(probe.brokerPid);
        double secs = (t2 - probe.t0) / 1e9, mine = (cpu2 - probe.cpu0) / 1e9, busy = (sys2[0] - probe.sys0[0]) / 100.0, broker = broker2 - probe.broker0;
        j.put("engine", "kafka-streams").put("topology", name).put("threads", threads).put("guarantee", guarantee)
            .put("cache", cache).put("commit_ms", commit).put("records", n)
            .put("seconds", r3(secs)).put("records_per_s", Math.round(n / secs))
            .put("cpu_seconds", r3(cpu2 / 1e9)).put("rss_mb", Math.round(procStatusMb("VmRSS")))
            // beyond the asked fields
            .put("cpu_seconds_measured", r3(mine)).put("rss_peak_mb", Math.round(procStatusMb("VmHWM")))
            .put("second_half_records_per_s", Math.round((n - n / 2) / ((t2 - probe.tHalf) / 1e9)))
            .put("final_commit_s", r3((t2 - probe.tLast) / 1e9))
            .put("load1_before", r3(load1)).put("machine_busy_cpu_s", r3(busy)).put("stolen_cpu_s", r3((sys2[1] - probe.sys0[1]) / 100.0));
        if (probe.brokerPid > 0) j.put("broker_cpu_s", r3(broker)).put("foreign_cpu_s", r3(Math.max(0, busy - mine - broker)));
        double dropped = 0;
        for (var m : ks.metrics().values()) if (m.metricName().name().equals("dropped-records-total")) dropped += ((Number) m.metricValue()).doubleValue();
        j.put("dropped", Math.round(dropped)).put("avro", generic ? "generic" : "hand");
      } finally {
        ks.close(Duration.ofSeconds(30));
        ks.cleanUp();
      }
      if (a.bool("verify")) verify(a, j, name, out);
      System.out.println(JSON.writeValueAsString(j));
      System.out.flush();
      if (!a.bool("keep")) {
        List<String> mineTopics = admin.listTopics().names().get().stream().filter(t -> t.startsWith(appId)).toList();
        admin.deleteTopics(mineTopics).all().get();
        // the group itself stays: its members leave only at session timeout, and its id is never used again
      }
    } finally {
      if (Files.exists(state)) try (var w = Files.walk(state)) { w.sorted(Comparator.reverseOrder()).forEach(p -> p.toFile().delete()); }
    }
  }

  static long committed(Admin admin, String group, List<String> topics) throws Exception {
    long s = 0;
    Map<TopicPartition, OffsetAndMetadata> m = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    for (var e : m.entrySet()) if (e.getValue() != null && topics.contains(e.getKey().topic())) s += e.getValue().offset();
    return s;
  }

  /** Reads the output with read_committed: the number of records, and for the aggregations the sum of the last counts per key. */
  static void verify(Args a, ObjectNode j, String name, String out) throws Exception {
    Map<String, Object> c = new HashMap<>();
    c.put("bootstrap.servers", a.bootstrap()); c.put("isolation.level", "read_committed"); c.put("enable.auto.commit", "false");
    long records = 0; Map<ByteBuffer, Long> last = new HashMap<>();
    try (KafkaConsumer<byte[], byte[]> k = new KafkaConsumer<>(c, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> tps = k.partitionsFor(out).stream().map(p -> new TopicPartition(out, p.partition())).toList();
      k.assign(tps); k.seekToBeginning(tps);
      var end = k.endOffsets(tps);
      while (tps.stream().anyMatch(tp -> k.position(tp) < end.get(tp)))
        for (ConsumerRecord<byte[], byte[]> r : k.poll(Duration.ofMillis(200))) {
          records++;
          if (name.equals("count") || name.startsWith("agg")) last.put(ByteBuffer.wrap(r.key()), ByteBuffer.wrap(r.value()).getLong());
        }
    }
    j.put("out_records", records);
    if (!last.isEmpty()) j.put("out_keys", last.size()).put("out_count_sum", last.values().stream().mapToLong(Long::longValue).sum());
  }

  public static void main(String[] argv) throws Exception {
    String cmd = argv.length == 0 ? "" : argv[0];
    Args a = new Args(argv);
    int rc = 0;
    try {
      switch (cmd) {
        case "load" -> load(a);
        case "load-payments" -> loadPayments(a);
        case "run" -> run(a);
        case "transport" -> Transport.run(a);
        case "self-check" -> selfCheck();
        default -> { System.err.println("usage: Peer load|load-payments|run|transport|self-check --name value ..."); rc = 2; }
      }
    } catch (Throwable t) { t.printStackTrace(); rc = 1; }
    System.exit(rc);
  }
}
