package peer;

import static peer.Wire.*;
import static peer.Machine.*;

import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.Stores;
import java.io.IOException;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

/** The topologies, and the probe that counts what goes through them. */
final class Topologies {
  /** Counts processed records; the first one starts the clock, the last one asks for a commit. */
  static final class Probe {
    final long n; final AtomicLong c = new AtomicLong(); final CountDownLatch last = new CountDownLatch(1);
    volatile boolean done; volatile long t0, tHalf, tLast, cpu0; volatile long[] sys0;
    final long brokerPid; volatile double broker0;
    Probe(long n, long brokerPid) { this.n = n; this.brokerPid = brokerPid; }
    long before() {
      long i = c.incrementAndGet();
      if (i == 1) { cpu0 = OS.getProcessCpuTime(); sys0 = sysCpu(); broker0 = pidCpu(brokerPid); t0 = System.nanoTime(); }
      return i;
    }
    boolean after(long i) {
      if (i == n / 2) tHalf = System.nanoTime();
      if (i != n) return false;
      tLast = System.nanoTime(); done = true; last.countDown(); return true;
    }
    <K, V> KStream<K, V> tap(KStream<K, V> s) {
      return s.processValues(() -> new ContextualFixedKeyProcessor<K, V, V>() {
        boolean asked;
        @Override public void init(FixedKeyProcessorContext<K, V> ctx) {
          super.init(ctx);
          // with several threads, the tasks of the other threads learn here that the last record is through
          ctx.schedule(Duration.ofMillis(20), PunctuationType.WALL_CLOCK_TIME, ts -> { if (done && !asked) { asked = true; context().commit(); } });
        }
        @Override public void process(FixedKeyRecord<K, V> r) {
          long i = before();
          context().forward(r);
          if (after(i)) { asked = true; context().commit(); }
        }
      });
    }
  }

  record Built(Topology topology, List<String> inputs) {}

  static Built build(String name, String in, String payments, String out, Probe probe, boolean generic) {
    StreamsBuilder b = new StreamsBuilder();
    Serde<String> str = Serdes.String(); Serde<byte[]> raw = Serdes.ByteArray();
    switch (name) {
      case "passthrough" -> {
        probe.tap(b.stream(in, Consumed.with(raw, raw))).mapValues(v -> v).to(out, Produced.with(raw, raw));
        return new Built(b.build(), List.of(in));
      }
      case "stateless" -> {
        probe.tap(b.stream(in, Consumed.with(str, jsonSerde(Order.class))))
            .filter((k, o) -> o.Amount > 100.0)
            .mapValues(o -> { OrderOut x = new OrderOut(); x.OrderId = o.OrderId; x.CustomerId = o.CustomerId; x.AmountWithTax = o.Amount * 1.2; x.Timestamp = o.Timestamp; return x; })
            .to(out, Produced.with(str, jsonSerde(OrderOut.class)));
        return new Built(b.build(), List.of(in));
      }
      case "count" -> {
        probe.tap(b.stream(in, Consumed.with(str, raw)))
            .groupByKey(Grouped.with(str, raw))
            .count(Materialized.<String, Long>as(Stores.persistentKeyValueStore("counts")).withKeySerde(str).withValueSerde(Serdes.Long()).withCachingEnabled().withLoggingEnabled(Map.of()))
            .toStream().to(out, Produced.with(str, Serdes.Long()));
        return new Built(b.build(), List.of(in));
      }
      case "agg", "agg-suppress" -> {
        String src = in + "-avro"; Duration size = Duration.ofMinutes(1), grace = Duration.ofSeconds(10);
        KTable<Windowed<String>, Agg> t = probe.tap(b.stream(src, Consumed.with(str, orderSerde(generic))))
            .groupByKey(Grouped.with(str, orderSerde(generic)))
            .windowedBy(TimeWindows.ofSizeAndGrace(size, grace))
            .aggregate(Agg::new, (k, o, acc) -> { Agg x = new Agg(); x.count = acc.count + 1; x.total = acc.total + o.Amount; return x; },
                Materialized.<String, Agg>as(Stores.persistentWindowStore("agg", size.plus(grace), size, false)).withKeySerde(str).withValueSerde(aggSerde()).withCachingEnabled().withLoggingEnabled(Map.of()));
        if (name.equals("agg-suppress")) t = t.suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()));
        t.toStream().to(out, Produced.with(WindowedSerdes.timeWindowedSerdeFrom(String.class, size.toMillis()), aggSerde()));
        return new Built(b.build(), List.of(src));
      }
      case "join" -> {
        String l = in + "-avro-by-order", r = payments + "-avro";
        Serde<Order> os = orderSerde(generic); Serde<Payment> ps = serde(Wire::enc, Wire::decPayment);
        KStream<String, Order> orders = probe.tap(b.stream(l, Consumed.with(str, os)));
        KStream<String, Payment> paid = probe.tap(b.stream(r, Consumed.with(str, ps)));
        orders.join(paid, (o, p) -> { OrderPaid x = new OrderPaid(); x.OrderId = o.OrderId; x.CustomerId = o.CustomerId; x.Amount = o.Amount; x.Status = p.Status; x.PaidAt = p.PaidAt; return x; },
                JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(30), Duration.ofSeconds(10)), StreamJoined.with(str, os, ps))
            .to(out, Produced.with(str, serde(Wire::enc, x -> { throw new IOException("write only"); })));
        return new Built(b.build(), List.of(l, r));
      }
      default -> throw new IllegalArgumentException("no topology " + name);
    }
  }
}
