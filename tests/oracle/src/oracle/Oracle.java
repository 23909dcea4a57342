package oracle;

import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.time.*;
import java.util.*;
import oracle.Fns.*;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.kstream.internals.NamedInternal;
import org.apache.kafka.streams.processor.*;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

/** Runs one scenario on TopologyTestDriver: what goes in, what comes out, what the stores hold. */
@SuppressWarnings({"unchecked", "rawtypes", "deprecation"})
final class Oracle extends Steps {
    Oracle(JsonNode sc) { super(sc); }

    static final Map<String, String> CLASSES = Map.of(
        "failOnInvalid", FailOnInvalidTimestamp.class.getName(),
        "logAndSkipOnInvalid", LogAndSkipOnInvalidTimestamp.class.getName(),
        "usePartitionTimeOnInvalid", UsePartitionTimeOnInvalidTimestamp.class.getName(),
        "logAndContinue", "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler",
        "logAndFail", "org.apache.kafka.streams.errors.LogAndFailExceptionHandler",
        "logAndContinueProcessing", "org.apache.kafka.streams.errors.LogAndContinueProcessingExceptionHandler");

    static byte[] hex(String h) {
        byte[] b = new byte[h.length() / 2];
        for (int i = 0; i < b.length; i++) b[i] = (byte) Integer.parseInt(h.substring(2 * i, 2 * i + 2), 16);
        return b;
    }

    /** Topic sets are written sorted (Kafka prints a hash set); the class of a topic name extractor is replaced. */
    static String normalize(String d) {
        d = d.replaceAll("extractor class: [^)]*\\)", "extractor class: *)");
        var m = java.util.regex.Pattern.compile("\\(topics: \\[([^\\]]*)\\]\\)").matcher(d);
        return m.replaceAll(x -> { String[] t = x.group(1).split(", "); Arrays.sort(t); return java.util.regex.Matcher.quoteReplacement("(topics: [" + String.join(", ", t) + "])"); });
    }

    ObjectNode run(boolean inMemory, Path stateDir) throws Exception {
        ObjectNode exp = M.createObjectNode();
        Properties props = new Properties();
        props.put("application.id", "conformance");
        props.put("bootstrap.servers", "none:9092");
        props.put("state.dir", stateDir.toString());
        long wall = 0;
        JsonNode cfg = sc.path("config");
        for (Iterator<Map.Entry<String, JsonNode>> it = cfg.fields(); it.hasNext();) {
            Map.Entry<String, JsonNode> e = it.next();
            if (e.getKey().equals("initialWallClockMs")) wall = e.getValue().asLong();
            else props.put(e.getKey(), CLASSES.getOrDefault(e.getValue().asText(), e.getValue().asText()));
        }
        if (inMemory) props.put("dsl.store.suppliers.class", BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class.getName());
        Topology topo;
        try {
            build(inMemory, props);
            topo = builder.build(props);
        } catch (RuntimeException e) {
            if (e instanceof IllegalArgumentException && e.getStackTrace()[0].getClassName().startsWith("oracle.")) throw e;
            ObjectNode er = exp.putObject("error");
            er.put("phase", "build"); er.put("exception", e.getClass().getSimpleName());
            return exp;
        }
        String describe = normalize(topo.describe().toString());
        ObjectNode outs = exp.putObject("outputs");
        TopologyTestDriver td = new TopologyTestDriver(topo, props, Instant.ofEpochMilli(wall));
        ObjectNode error = null;
        try {
            Map<String, TestInputTopic<byte[], byte[]>> ins = new HashMap<>();
            int i = 0;
            for (JsonNode in : sc.get("inputs")) {
                try {
                    if (in.has("advanceWallClockMs")) td.advanceWallClockTime(Duration.ofMillis(in.get("advanceWallClockMs").asLong()));
                    else {
                        String topic = in.get("topic").asText();
                        Ty[] t = inTypes.get(topic);
                        if (t == null) throw new IllegalArgumentException("input topic " + topic);
                        TestInputTopic<byte[], byte[]> it = ins.computeIfAbsent(topic, x -> td.createInputTopic(x, RAW, RAW));
                        byte[] kb = base(t[0].base).serializer().serialize(topic, Fns.conv(in.get("key"), t[0]));
                        byte[] vb = in.has("valueHex") ? hex(in.get("valueHex").asText()) : base(t[1].base).serializer().serialize(topic, Fns.conv(in.get("value"), t[1]));
                        RecordHeaders h = new RecordHeaders();
                        for (JsonNode x : in.path("headers")) h.add(x.get(0).asText(), x.get(1).isNull() ? null : x.get(1).asText().getBytes(StandardCharsets.UTF_8));
                        it.pipeInput(new TestRecord<>(kb, vb, h, Instant.ofEpochMilli(in.get("timestamp").asLong())));
                    }
                } catch (RuntimeException e) {
                    if (e.getStackTrace().length > 0 && e.getStackTrace()[0].getClassName().matches("oracle\\.(Oracle|Steps).*")) throw e;
                    error = M.createObjectNode();
                    error.put("phase", "input"); error.put("atInput", i); error.put("exception", e.getClass().getSimpleName());
                    if (e.getCause() != null && e.getCause() != e) {
                        Throwable c = e; while (c.getCause() != null && c.getCause() != c) c = c.getCause();
                        error.put("rootCause", c.getClass().getSimpleName());
                    }
                    break;
                }
                i++;
            }
            Map<String, Ty[]> all = new LinkedHashMap<>(outTypes);
            TreeSet<String> internal = new TreeSet<>();
            for (String t : new TreeSet<>(td.producedTopicNames())) {
                for (Map.Entry<String, Ty[]> e : outPrefixes.entrySet()) if (t.startsWith(e.getKey())) all.putIfAbsent(t, e.getValue());
                if (t.startsWith("conformance-")) internal.add(t);
            }
            for (Map.Entry<String, Ty[]> e : all.entrySet()) outs.set(e.getKey(), read(td, e.getKey(), e.getValue()));
            if (sc.has("stores") && error == null) {
                ObjectNode st = exp.putObject("stores");
                for (JsonNode s : sc.get("stores")) st.set(s.asText(), store(td, s.asText()));
            }
            double dropped = 0;
            for (Map.Entry<org.apache.kafka.common.MetricName, ? extends Metric> e : td.metrics().entrySet())
                if (e.getKey().name().equals("dropped-records-total")) dropped += ((Number) e.getValue().metricValue()).doubleValue();
            exp.put("droppedRecords", (long) dropped);
            if (error != null) exp.set("error", error);
            ArrayNode ia = exp.putArray("internalTopics");
            internal.forEach(ia::add);
        } finally {
            try { td.close(); } catch (RuntimeException e) { if (error == null) throw e; }
        }
        exp.put("describe", describe);
        return exp;
    }

    static void putVal(ObjectNode o, String f, Object v) {
        if (v == null) o.putNull(f);
        else if (v instanceof Long x) o.put(f, x);
        else if (v instanceof Integer x) o.put(f, x);
        else if (v instanceof Double x) o.put(f, x);
        else o.put(f, v.toString());
    }
    static void putKey(ObjectNode o, Object k) {
        putVal(o, "key", Fns.inner(k));
        if (k instanceof Windowed<?> w) { o.put("windowStart", w.window().start()); o.put("windowEnd", w.window().end()); }
    }

    ArrayNode read(TopologyTestDriver td, String topic, Ty[] t) {
        ArrayNode a = M.createArrayNode();
        TestOutputTopic out = td.createOutputTopic(topic, serde(t[0]).deserializer(), serde(t[1]).deserializer());
        while (!out.isEmpty()) {
            TestRecord r = out.readRecord();
            ObjectNode o = a.addObject();
            putKey(o, r.key());
            putVal(o, "value", r.value());
            o.put("timestamp", r.timestamp());
            if (r.headers() != null && r.headers().toArray().length > 0) {
                ArrayNode ha = o.putArray("headers");
                for (Header h : r.headers()) { ArrayNode x = ha.addArray(); x.add(h.key()); if (h.value() == null) x.addNull(); else x.add(new String(h.value(), StandardCharsets.UTF_8)); }
            }
        }
        return a;
    }

    ObjectNode store(TopologyTestDriver td, String name) {
        ObjectNode res = M.createObjectNode();
        StateStore s = td.getAllStateStores().get(name);
        if (s == null) throw new IllegalArgumentException("no store " + name + " of " + td.getAllStateStores().keySet());
        List<ObjectNode> es = new ArrayList<>();
        String kind;
        if (s instanceof VersionedKeyValueStore vs) {
            kind = "versioned";
            Ty kt = storeKeyTypes.get(name);
            Map<String, Object> keys = new TreeMap<>();
            for (JsonNode in : sc.get("inputs")) if (in.hasNonNull("key")) { Object k = Fns.conv(in.get("key"), kt); keys.put(k.toString(), k); }
            for (Object k : keys.values()) { VersionedRecord r = vs.get(k); if (r != null) { ObjectNode o = M.createObjectNode(); putKey(o, k); putVal(o, "value", r.value()); o.put("timestamp", r.timestamp()); es.add(o); } }
        } else if (s instanceof SessionStore ss) {
            kind = "session";
            try (KeyValueIterator it = ss.fetch(null, null)) { while (it.hasNext()) { KeyValue e = (KeyValue) it.next(); es.add(entry(e.key, e.value)); } }
        } else if (s instanceof WindowStore ws) {
            kind = s instanceof TimestampedWindowStore ? "timestampedWindow" : "window";
            try (KeyValueIterator it = ws.all()) { while (it.hasNext()) { KeyValue e = (KeyValue) it.next(); es.add(entry(e.key, e.value)); } }
        } else {
            kind = s instanceof TimestampedKeyValueStore ? "timestampedKeyValue" : "keyValue";
            try (KeyValueIterator it = ((KeyValueStore) s).all()) { while (it.hasNext()) { KeyValue e = (KeyValue) it.next(); es.add(entry(e.key, e.value)); } }
        }
        if (!kind.endsWith("eyValue")) es.sort(Comparator.<ObjectNode>comparingLong(o -> o.path("windowStart").asLong()).thenComparingLong(o -> o.path("windowEnd").asLong()).thenComparing(o -> o.path("key").asText()));
        res.put("kind", kind);
        ArrayNode a = res.putArray("entries");
        es.forEach(a::add);
        return res;
    }
    static ObjectNode entry(Object k, Object v) {
        ObjectNode o = M.createObjectNode();
        putKey(o, k);
        if (v instanceof ValueAndTimestamp vt) { putVal(o, "value", vt.value()); o.put("timestamp", vt.timestamp()); }
        else putVal(o, "value", v);
        return o;
    }
}
