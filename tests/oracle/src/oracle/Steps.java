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

/** Builds a topology from a scenario's steps. */
@SuppressWarnings({"unchecked", "rawtypes", "deprecation"})
abstract class Steps {
    static final ObjectMapper M = new ObjectMapper();
    static final Serializer<byte[]> RAW = new ByteArraySerializer();

    public static final class ValueTimestamp implements TimestampExtractor {
        @Override public long extract(ConsumerRecord<Object, Object> r, long partitionTime) {
            return r.value() instanceof Number n ? n.longValue() : -1L;
        }
    }

    static final class Node {
        Object dsl; Ty k; Ty v;
        Node(Object d, Ty k, Ty v) { dsl = d; this.k = k; this.v = v; }
    }

    static Serde base(String t) {
        return switch (t) {
            case "string" -> Serdes.String(); case "long" -> Serdes.Long();
            case "int" -> Serdes.Integer(); case "double" -> Serdes.Double();
            default -> throw new IllegalArgumentException("serde " + t);
        };
    }
    static Serde serde(Ty t) {
        Serde b = base(t.base);
        if (t.win == null) return b;
        return t.win.equals("time") ? new WindowedSerdes.TimeWindowedSerde(b, t.size) : new WindowedSerdes.SessionWindowedSerde(b);
    }

    final JsonNode sc;
    StreamsBuilder builder;
    final Map<String, Node> nodes = new HashMap<>();
    final Map<String, Ty[]> inTypes = new LinkedHashMap<>();
    final Map<String, Ty[]> outTypes = new LinkedHashMap<>();
    final Map<String, Ty[]> outPrefixes = new LinkedHashMap<>();
    final Map<String, Ty> storeKeyTypes = new HashMap<>();

    Steps(JsonNode sc) { this.sc = sc; }

    static Duration ms(JsonNode n) { return Duration.ofMillis(n.asLong()); }
    static String str(JsonNode s, String f) { return s.hasNonNull(f) ? s.get(f).asText() : null; }
    static Named named(JsonNode s) { return s.hasNonNull("name") ? Named.as(s.get("name").asText()) : NamedInternal.empty(); }

    /** Materialized with serdes; with the store name where the step has one. */
    Materialized mat(JsonNode s, Ty k, Ty v) {
        Materialized m;
        if (s.hasNonNull("versionedHistoryMs")) {
            m = Materialized.as(Stores.persistentVersionedKeyValueStore(str(s, "store"), ms(s.get("versionedHistoryMs"))));
        } else if (s.hasNonNull("store")) {
            m = Materialized.as(str(s, "store"));
        } else {
            m = Materialized.with(base(k.base), serde(v));
        }
        if (k.win != null) m = m.withKeySerde(serde(k)); else m = m.withKeySerde(base(k.base));
        m = m.withValueSerde(serde(v));
        if (s.has("caching")) m = s.get("caching").asBoolean() ? m.withCachingEnabled() : m.withCachingDisabled();
        if (s.has("logging")) m = s.get("logging").asBoolean() ? m.withLoggingEnabled(Map.of()) : m.withLoggingDisabled();
        if (s.hasNonNull("retentionMs")) m = m.withRetention(ms(s.get("retentionMs")));
        if (s.hasNonNull("store")) storeKeyTypes.put(str(s, "store"), k);
        return m;
    }

    static Windows timeWindows(JsonNode s) {
        TimeWindows w = s.hasNonNull("graceMs") ? TimeWindows.ofSizeAndGrace(ms(s.get("sizeMs")), ms(s.get("graceMs")))
            : TimeWindows.ofSizeWithNoGrace(ms(s.get("sizeMs")));
        return s.hasNonNull("advanceMs") ? w.advanceBy(ms(s.get("advanceMs"))) : w;
    }
    static SlidingWindows sliding(JsonNode s) {
        return s.hasNonNull("graceMs") ? SlidingWindows.ofTimeDifferenceAndGrace(ms(s.get("sizeMs")), ms(s.get("graceMs")))
            : SlidingWindows.ofTimeDifferenceWithNoGrace(ms(s.get("sizeMs")));
    }
    static SessionWindows session(JsonNode s) {
        return s.hasNonNull("graceMs") ? SessionWindows.ofInactivityGapAndGrace(ms(s.get("gapMs")), ms(s.get("graceMs")))
            : SessionWindows.ofInactivityGapWithNoGrace(ms(s.get("gapMs")));
    }
    static EmitStrategy emit(JsonNode s) {
        return "onWindowClose".equals(str(s, "emit")) ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
    }

    Node from(JsonNode s) { return get(s.get("from").asText()); }
    Node get(String id) {
        Node n = nodes.get(id);
        if (n == null) throw new IllegalArgumentException("no step " + id);
        return n;
    }
    void put(JsonNode s, Node n) { if (s.hasNonNull("id")) nodes.put(s.get("id").asText(), n); }

    void build(boolean inMemory, Properties props) {
        builder = inMemory ? new StreamsBuilder(new TopologyConfig(new StreamsConfig(props))) : new StreamsBuilder();
        for (JsonNode s : sc.get("topology")) step(s);
    }

    void step(JsonNode s) {
        String op = s.get("op").asText();
        JsonNode arg = s.path("arg");
        switch (op) {
            case "stream": case "table": case "globalTable": {
                Ty k = new Ty(s.path("key").asText("string")), v = new Ty(s.path("value").asText("string"));
                Consumed c = Consumed.with(base(k.base), base(v.base));
                if (s.hasNonNull("timestampExtractor")) c = c.withTimestampExtractor(extractor(s.get("timestampExtractor").asText()));
                if (s.hasNonNull("name")) c = c.withName(str(s, "name"));
                List<String> topics = new ArrayList<>();
                if (s.has("topics")) s.get("topics").forEach(t -> topics.add(t.asText())); else topics.add(str(s, "topic"));
                for (String t : topics) inTypes.put(t, new Ty[]{k, v});
                Object d;
                if (op.equals("stream")) d = builder.stream(topics, c);
                else if (op.equals("table")) d = hasMat(s) ? builder.table(topics.get(0), c, mat(s, k, v)) : builder.table(topics.get(0), c);
                else d = hasMat(s) ? builder.globalTable(topics.get(0), c, mat(s, k, v)) : builder.globalTable(topics.get(0), c);
                put(s, new Node(d, k, v));
                return;
            }
            case "addStore": {
                Ty k = new Ty(s.path("key").asText("string")), v = new Ty(s.path("value").asText("long"));
                addStore(str(s, "store"), k, v, s);
                return;
            }
            case "cogroup": {
                CogroupedKStream cg = null; Ty k = null; Ty out = new Ty(s.get("result").asText());
                for (JsonNode src : s.get("sources")) {
                    Node g = get(src.get("from").asText());
                    F2 f = Fns.combine(src.get("fn").asText());
                    Aggregator ag = (kk, vv, aa) -> f.apply(aa, vv);
                    k = g.k;
                    cg = cg == null ? ((KGroupedStream) g.dsl).cogroup(ag) : cg.cogroup((KGroupedStream) g.dsl, ag);
                }
                put(s, new Node(cg, k, out));
                return;
            }
            default: break;
        }
        Node n = from(s);
        if (n.dsl instanceof KStream ks) streamStep(s, op, arg, n, ks);
        else if (n.dsl instanceof KTable kt) tableStep(s, op, arg, n, kt);
        else groupedStep(s, op, n);
    }

    static boolean hasMat(JsonNode s) { return s.hasNonNull("store") || s.has("caching") || s.has("logging"); }

    static TimestampExtractor extractor(String n) {
        return switch (n) {
            case "value" -> new ValueTimestamp();
            case "failOnInvalid" -> new FailOnInvalidTimestamp();
            case "logAndSkipOnInvalid" -> new LogAndSkipOnInvalidTimestamp();
            case "usePartitionTimeOnInvalid" -> new UsePartitionTimeOnInvalidTimestamp();
            case "wallClock" -> new WallclockTimestampExtractor();
            default -> throw new IllegalArgumentException(n);
        };
    }

    void addStore(String name, Ty k, Ty v, JsonNode s) {
        StoreBuilder b = Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), base(k.base), base(v.base));
        if (s.path("logging").isBoolean() && !s.get("logging").asBoolean()) b = b.withLoggingDisabled();
        if (s.path("caching").asBoolean(false)) b = b.withCachingEnabled();
        storeKeyTypes.put(name, k);
        builder.addStateStore(b);
    }

    static Object keyArg(Object k) { return k; }

    void streamStep(JsonNode s, String op, JsonNode arg, Node n, KStream ks) {
        String fn = str(s, "fn");
        Ty k = n.k, v = n.v;
        switch (op) {
            case "filter": { P2 p = Fns.predicate(fn, arg, k, v); put(s, new Node(ks.filter(p::test, named(s)), k, v)); return; }
            case "filterNot": { P2 p = Fns.predicate(fn, arg, k, v); put(s, new Node(ks.filterNot(p::test, named(s)), k, v)); return; }
            case "mapValues": { Fn f = Fns.mapper(fn, arg, k, v); F2 ff = f.f();
                put(s, new Node(ks.mapValues((ValueMapperWithKey) (kk, vv) -> ff.apply(kk, vv), named(s)), k, f.out())); return; }
            case "selectKey": { Fn f = Fns.mapper(fn, arg, k, v); F2 ff = f.f();
                put(s, new Node(ks.selectKey((KeyValueMapper) (kk, vv) -> ff.apply(kk, vv), named(s)), f.out(), v)); return; }
            case "map": { Fn kf = Fns.mapper(str(s, "keyFn"), s.path("keyArg"), k, v), vf = Fns.mapper(str(s, "valueFn"), s.path("valueArg"), k, v);
                put(s, new Node(ks.map((KeyValueMapper) (kk, vv) -> KeyValue.pair(kf.f().apply(kk, vv), vf.f().apply(kk, vv)), named(s)), kf.out(), vf.out())); return; }
            case "flatMap": { Fn[] f = Fns.flatPairs(fn, k, v); F2 ff = f[0].f();
                put(s, new Node(ks.flatMap((KeyValueMapper) (kk, vv) -> ff.apply(kk, vv), named(s)), f[0].out(), f[1].out())); return; }
            case "flatMapValues": { Fn f = Fns.flatValues(fn, arg, k, v); F2 ff = f.f();
                put(s, new Node(ks.flatMapValues((ValueMapperWithKey) (kk, vv) -> ff.apply(kk, vv), named(s)), k, f.out())); return; }
            case "peek": put(s, new Node(ks.peek((a, b) -> { }, named(s)), k, v)); return;
            case "merge": put(s, new Node(ks.merge((KStream) get(str(s, "with")).dsl, named(s)), k, v)); return;
            case "repartition": { Repartitioned r = Repartitioned.with(serde(k), serde(v));
                if (s.hasNonNull("name")) r = r.withName(str(s, "name"));
                if (s.hasNonNull("partitions")) r = r.withNumberOfPartitions(s.get("partitions").asInt());
                put(s, new Node(ks.repartition(r), k, v)); return; }
            case "toTable": put(s, new Node(ks.toTable(named(s), mat(s, k, v)), k, v)); return;
            case "branch": {
                BranchedKStream b = ks.split(named(s));
                for (JsonNode br : s.get("branches")) {
                    P2 p = Fns.predicate(str(br, "fn"), br.path("arg"), k, v);
                    String id = str(br, "id");
                    java.util.function.Consumer<KStream> c = x -> nodes.put(id, new Node(x, k, v));
                    b = br.hasNonNull("name") ? b.branch(p::test, Branched.withConsumer((java.util.function.Consumer) c, str(br, "name")))
                        : b.branch(p::test, Branched.withConsumer((java.util.function.Consumer) c));
                }
                if (s.hasNonNull("default")) {
                    JsonNode br = s.get("default");
                    String id = str(br, "id");
                    java.util.function.Consumer<KStream> c = x -> nodes.put(id, new Node(x, k, v));
                    if (br.hasNonNull("name")) b.defaultBranch(Branched.withConsumer((java.util.function.Consumer) c, str(br, "name")));
                    else b.defaultBranch(Branched.withConsumer((java.util.function.Consumer) c));
                } else b.noDefaultBranch();
                return;
            }
            case "groupByKey": { Grouped g = Grouped.with(serde(k), serde(v)); if (s.hasNonNull("name")) g = g.withName(str(s, "name"));
                put(s, new Node(ks.groupByKey(g), k, v)); return; }
            case "groupBy": { Fn f = Fns.mapper(fn, arg, k, v); F2 ff = f.f();
                Grouped g = Grouped.with(serde(f.out()), serde(v)); if (s.hasNonNull("name")) g = g.withName(str(s, "name"));
                put(s, new Node(ks.groupBy((KeyValueMapper) (kk, vv) -> ff.apply(kk, vv), g), f.out(), v)); return; }
            case "to": {
                Produced p = Produced.with(serde(k), serde(v)); if (s.hasNonNull("name")) p = p.withName(str(s, "name"));
                if (s.hasNonNull("topicPrefix")) {
                    String pre = str(s, "topicPrefix"); outPrefixes.put(pre, new Ty[]{k, v});
                    ks.to((TopicNameExtractor) (kk, vv, ctx) -> pre + Fns.text(Fns.inner(kk)), p);
                } else { outTypes.put(str(s, "topic"), new Ty[]{k, v}); ks.to(str(s, "topic"), p); }
                return;
            }
            case "process": case "processValues": {
                String store = str(s, "store");
                Ty out = Procs.outType(fn, v);
                Ty outKey = fn.equals("cancellingPunctuator") ? new Ty("string") : k;
                if (store != null && !s.path("shared").asBoolean(false)) addStore(store, k, Procs.storeValueType(fn, v), s);
                String[] stores = store == null ? new String[0] : new String[]{store};
                ProcessorSupplier ps = () -> Procs.create(s);
                FixedKeyProcessorSupplier fs = () -> Procs.createFixed(s);
                boolean nm = s.hasNonNull("name");
                KStream r = op.equals("process") ? (nm ? ks.process(ps, named(s), stores) : ks.process(ps, stores))
                    : (nm ? ks.processValues(fs, named(s), stores) : ks.processValues(fs, stores));
                put(s, new Node(r, outKey, out)); return;
            }
            case "join": case "leftJoin": case "outerJoin": streamJoin(s, op, n, ks); return;
            default: throw new IllegalArgumentException("stream op " + op);
        }
    }

    void streamJoin(JsonNode s, String op, Node n, KStream ks) {
        Node o = get(str(s, "with"));
        Fns.Joiner j = Fns.joiner(s.path("joiner").asText("concat"), n.v, o.v);
        Fns.J3 f = j.f();
        ValueJoinerWithKey vj = (kk, l, r) -> f.apply(kk, l, r);
        ValueJoiner vjn = (l, r) -> f.apply(null, l, r);
        boolean wk = j.withKey();
        Object res;
        switch (s.get("kind").asText()) {
            case "stream-stream": {
                long b = s.get("beforeMs").asLong(), a = s.get("afterMs").asLong();
                Duration wide = Duration.ofMillis(Math.max(Math.max(a, b), 0));
                JoinWindows w = s.hasNonNull("graceMs") ? JoinWindows.ofTimeDifferenceAndGrace(wide, ms(s.get("graceMs"))) : JoinWindows.ofTimeDifferenceWithNoGrace(wide);
                // the larger bound stays as it is, so before + after never goes below zero in between
                if (b != wide.toMillis()) w = w.before(Duration.ofMillis(b));
                if (a != wide.toMillis()) w = w.after(Duration.ofMillis(a));
                StreamJoined sj = StreamJoined.with(serde(n.k), serde(n.v), serde(o.v));
                if (s.hasNonNull("name")) sj = sj.withName(str(s, "name"));
                if (s.hasNonNull("store")) sj = sj.withStoreName(str(s, "store"));
                if (s.has("logging") && !s.get("logging").asBoolean()) sj = sj.withLoggingDisabled();
                KStream os = (KStream) o.dsl;
                res = switch (op) {
                    case "join" -> wk ? ks.join(os, vj, w, sj) : ks.join(os, vjn, w, sj);
                    case "leftJoin" -> wk ? ks.leftJoin(os, vj, w, sj) : ks.leftJoin(os, vjn, w, sj);
                    default -> wk ? ks.outerJoin(os, vj, w, sj) : ks.outerJoin(os, vjn, w, sj);
                };
                break;
            }
            case "stream-table": {
                Joined jd = Joined.with(serde(n.k), serde(n.v), serde(o.v));
                if (s.hasNonNull("name")) jd = jd.withName(str(s, "name"));
                if (s.hasNonNull("graceMs")) jd = jd.withGracePeriod(ms(s.get("graceMs")));
                KTable ot = (KTable) o.dsl;
                res = op.equals("join") ? (wk ? ks.join(ot, vj, jd) : ks.join(ot, vjn, jd)) : (wk ? ks.leftJoin(ot, vj, jd) : ks.leftJoin(ot, vjn, jd));
                break;
            }
            case "stream-globaltable": {
                GlobalKTable g = (GlobalKTable) o.dsl;
                Fn kf = Fns.mapper(str(s, "keyFn"), s.path("keyArg"), n.k, n.v);
                KeyValueMapper km = (kk, vv) -> kf.f().apply(kk, vv);
                res = op.equals("join") ? (wk ? ks.join(g, km, vj, named(s)) : ks.join(g, km, vjn, named(s))) : (wk ? ks.leftJoin(g, km, vj, named(s)) : ks.leftJoin(g, km, vjn, named(s)));
                break;
            }
            default: throw new IllegalArgumentException("kind");
        }
        put(s, new Node(res, n.k, j.out()));
    }

    void tableStep(JsonNode s, String op, JsonNode arg, Node n, KTable kt) {
        String fn = str(s, "fn");
        Ty k = n.k, v = n.v;
        boolean m = hasMat(s);
        switch (op) {
            case "filter": { P2 p = Fns.predicate(fn, arg, k, v); put(s, new Node(m ? kt.filter(p::test, named(s), mat(s, k, v)) : kt.filter(p::test, named(s)), k, v)); return; }
            case "filterNot": { P2 p = Fns.predicate(fn, arg, k, v); put(s, new Node(m ? kt.filterNot(p::test, named(s), mat(s, k, v)) : kt.filterNot(p::test, named(s)), k, v)); return; }
            case "mapValues": { Fn f = Fns.mapper(fn, arg, k, v); F2 ff = f.f(); ValueMapperWithKey vm = (kk, vv) -> ff.apply(kk, vv);
                put(s, new Node(m ? kt.mapValues(vm, named(s), mat(s, k, f.out())) : kt.mapValues(vm, named(s)), k, f.out())); return; }
            case "transformValues": {
                Ty out = new Ty("string");
                String use = str(s, "useStore");
                if (use != null) addStore(use, k, new Ty("long"), M.createObjectNode());
                String[] st = use == null ? new String[0] : new String[]{use};
                ValueTransformerWithKeySupplier sup = () -> Procs.transformer(s);
                put(s, new Node(m ? kt.transformValues(sup, mat(s, k, out), named(s), st) : kt.transformValues(sup, named(s), st), k, out)); return; }
            case "toStream": {
                if (fn != null) { Fn f = Fns.mapper(fn, arg, k, v); F2 ff = f.f();
                    put(s, new Node(kt.toStream((KeyValueMapper) (kk, vv) -> ff.apply(kk, vv), named(s)), f.out(), v)); return; }
                put(s, new Node(kt.toStream(named(s)), k, v)); return; }
            case "suppress": put(s, new Node(kt.suppress(suppressed(s)), k, v)); return;
            case "groupBy": {
                Fn kf = Fns.mapper(str(s, "keyFn"), s.path("keyArg"), k, v), vf = Fns.mapper(s.path("valueFn").asText("identity"), s.path("valueArg"), k, v);
                Grouped g = Grouped.with(serde(kf.out()), serde(vf.out())); if (s.hasNonNull("name")) g = g.withName(str(s, "name"));
                put(s, new Node(kt.groupBy((KeyValueMapper) (kk, vv) -> KeyValue.pair(kf.f().apply(kk, vv), vf.f().apply(kk, vv)), g), kf.out(), vf.out())); return; }
            case "join": case "leftJoin": case "outerJoin": {
                Node o = get(str(s, "with"));
                KTable ot = (KTable) o.dsl;
                Fns.Joiner j = Fns.joiner(s.path("joiner").asText("concat"), v, o.v);
                Fns.J3 f = j.f();
                ValueJoiner vj = (l, r) -> f.apply(null, l, r);
                Object res;
                if (s.get("kind").asText().equals("fk")) {
                    Fn ex = Fns.mapper(str(s, "keyFn"), s.path("keyArg"), k, v);
                    java.util.function.Function ef = vv -> ex.f().apply(null, vv);
                    TableJoined tj = s.hasNonNull("name") ? TableJoined.as(str(s, "name")) : TableJoined.with(null, null);
                    Materialized mm = mat(s, k, j.out());
                    res = op.equals("join") ? kt.join(ot, ef, vj, tj, mm) : kt.leftJoin(ot, ef, vj, tj, mm);
                } else {
                    Named nm = named(s);
                    if (m) { Materialized mm = mat(s, k, j.out());
                        res = op.equals("join") ? kt.join(ot, vj, nm, mm) : op.equals("leftJoin") ? kt.leftJoin(ot, vj, nm, mm) : kt.outerJoin(ot, vj, nm, mm);
                    } else res = op.equals("join") ? kt.join(ot, vj, nm) : op.equals("leftJoin") ? kt.leftJoin(ot, vj, nm) : kt.outerJoin(ot, vj, nm);
                }
                put(s, new Node(res, k, j.out())); return;
            }
            default: throw new IllegalArgumentException("table op " + op);
        }
    }

    static Suppressed suppressed(JsonNode s) {
        String until = s.get("until").asText();
        Suppressed r;
        boolean shut = "shutDown".equals(str(s, "whenFull"));
        if (until.equals("windowCloses")) {
            Suppressed.StrictBufferConfig c = Suppressed.BufferConfig.unbounded();
            if (s.hasNonNull("maxRecords")) c = Suppressed.BufferConfig.maxRecords(s.get("maxRecords").asLong()).shutDownWhenFull();
            if (s.has("logging") && !s.get("logging").asBoolean()) c = (Suppressed.StrictBufferConfig) c.withLoggingDisabled();
            r = Suppressed.untilWindowCloses(c);
        } else {
            Suppressed.BufferConfig c;
            if (s.hasNonNull("maxRecords")) { Suppressed.EagerBufferConfig e = Suppressed.BufferConfig.maxRecords(s.get("maxRecords").asLong()); c = shut ? e.shutDownWhenFull() : e; }
            else if (s.hasNonNull("maxBytes")) { Suppressed.EagerBufferConfig e = Suppressed.BufferConfig.maxBytes(s.get("maxBytes").asLong()); c = shut ? e.shutDownWhenFull() : e; }
            else c = Suppressed.BufferConfig.unbounded();
            if (s.has("logging") && !s.get("logging").asBoolean()) c = c.withLoggingDisabled();
            r = Suppressed.untilTimeLimit(ms(s.get("timeLimitMs")), c);
        }
        return s.hasNonNull("name") ? r.withName(str(s, "name")) : r;
    }

    Initializer init(JsonNode s, Ty out) {
        Object i = Fns.conv(s.path("init"), out);
        return () -> i;
    }

    void groupedStep(JsonNode s, String op, Node n) {
        Object d = n.dsl;
        Ty k = n.k, v = n.v;
        if (op.equals("windowedBy")) {
            String kind = s.get("kind").asText();
            Object r; Ty wk;
            if (d instanceof KGroupedStream g) {
                switch (kind) {
                    case "tumbling", "hopping" -> { TimeWindowedKStream t = g.windowedBy(timeWindows(s)); if (s.hasNonNull("emit")) t = t.emitStrategy(emit(s)); r = t; wk = new Ty(k.base, "time", s.get("sizeMs").asLong()); }
                    case "sliding" -> { TimeWindowedKStream t = g.windowedBy(sliding(s)); if (s.hasNonNull("emit")) t = t.emitStrategy(emit(s)); r = t; wk = new Ty(k.base, "time", s.get("sizeMs").asLong()); }
                    default -> { SessionWindowedKStream t = g.windowedBy(session(s)); if (s.hasNonNull("emit")) t = t.emitStrategy(emit(s)); r = t; wk = new Ty(k.base, "session", 0); }
                }
            } else {
                CogroupedKStream g = (CogroupedKStream) d;
                switch (kind) {
                    case "tumbling", "hopping" -> { r = g.windowedBy(timeWindows(s)); wk = new Ty(k.base, "time", s.get("sizeMs").asLong()); }
                    case "sliding" -> { r = g.windowedBy(sliding(s)); wk = new Ty(k.base, "time", s.get("sizeMs").asLong()); }
                    default -> { r = g.windowedBy(session(s)); wk = new Ty(k.base, "session", 0); }
                }
            }
            put(s, new Node(r, wk, v));
            return;
        }
        Ty in = k.inner();
        Named nm = named(s);
        String fn = str(s, "fn");
        switch (op) {
            case "count": {
                Ty out = new Ty("long");
                Materialized m = mat(s, in, out);
                Object r;
                if (d instanceof KGroupedStream g) r = g.count(nm, m);
                else if (d instanceof KGroupedTable g) r = g.count(nm, m);
                else if (d instanceof TimeWindowedKStream g) r = g.count(nm, m);
                else r = ((SessionWindowedKStream) d).count(nm, m);
                put(s, new Node(r, k, out)); return;
            }
            case "reduce": {
                F2 f = Fns.combine(fn);
                Reducer red = (a, b) -> f.apply(a, b);
                Materialized m = mat(s, in, v);
                Object r;
                if (d instanceof KGroupedStream g) r = g.reduce(red, nm, m);
                else if (d instanceof KGroupedTable g) { F2 sf = Fns.combine(str(s, "subtractor")); Reducer sub = (a, b) -> sf.apply(a, b); r = g.reduce(red, sub, nm, m); }
                else if (d instanceof TimeWindowedKStream g) r = g.reduce(red, nm, m);
                else r = ((SessionWindowedKStream) d).reduce(red, nm, m);
                put(s, new Node(r, k, v)); return;
            }
            case "aggregate": {
                Ty out = s.hasNonNull("result") ? new Ty(str(s, "result")) : v;
                Initializer in0 = init(s, out);
                Materialized m = mat(s, in, out);
                F2 mf = s.hasNonNull("merger") ? Fns.combine(str(s, "merger")) : null;
                Merger mg = mf == null ? null : (kk, a, b) -> mf.apply(a, b);
                Object r;
                if (d instanceof CogroupedKStream g) r = g.aggregate(in0, nm, m);
                else if (d instanceof TimeWindowedCogroupedKStream g) r = g.aggregate(in0, nm, m);
                else if (d instanceof SessionWindowedCogroupedKStream g) r = g.aggregate(in0, mg, nm, m);
                else {
                    F2 f = Fns.combine(fn);
                    Aggregator ag = (kk, vv, aa) -> f.apply(aa, vv);
                    if (d instanceof KGroupedStream g) r = g.aggregate(in0, ag, nm, m);
                    else if (d instanceof KGroupedTable g) { F2 sf = Fns.combine(str(s, "subtractor")); Aggregator sub = (kk, vv, aa) -> sf.apply(aa, vv); r = g.aggregate(in0, ag, sub, nm, m); }
                    else if (d instanceof TimeWindowedKStream g) r = g.aggregate(in0, ag, nm, m);
                    else r = ((SessionWindowedKStream) d).aggregate(in0, ag, mg, nm, m);
                }
                put(s, new Node(r, k, out)); return;
            }
            default: throw new IllegalArgumentException("grouped op " + op);
        }
    }
}
