package peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.common.serialization.*;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Orders and payments, as JSON and as Avro in the Confluent wire format. */
final class Wire {
  static final ObjectMapper JSON = new ObjectMapper();
  /** First event time: a whole minute, fixed, so that two loads with one seed give the same bytes. */
  static final long BASE_TS = 28_333_333L * 60_000L;
  static final long JITTER_MS = 2_000;
  static final int ORDER_SCHEMA_ID = 1, PAYMENT_SCHEMA_ID = 2, ORDER_PAID_SCHEMA_ID = 3;

  static final String ORDER_AVSC = "{\"type\":\"record\",\"name\":\"OrderRecord\",\"fields\":["
      + "{\"name\":\"OrderId\",\"type\":\"string\"},{\"name\":\"CustomerId\",\"type\":\"string\"},"
      + "{\"name\":\"Amount\",\"type\":\"double\"},{\"name\":\"Timestamp\",\"type\":\"long\"}]}";
  static final String PAYMENT_AVSC = "{\"type\":\"record\",\"name\":\"PaymentRecord\",\"fields\":["
      + "{\"name\":\"OrderId\",\"type\":\"string\"},{\"name\":\"Status\",\"type\":\"string\"},"
      + "{\"name\":\"PaidAt\",\"type\":\"long\"}]}";

  public static final class Order { public String OrderId; public String CustomerId; public double Amount; public long Timestamp; }
  public static final class Payment { public String OrderId; public String Status; public long PaidAt; }
  public static final class OrderOut { public String OrderId; public String CustomerId; public double AmountWithTax; public long Timestamp; }
  public static final class Agg { public long count; public double total; }
  public static final class OrderPaid { String OrderId, CustomerId, Status; double Amount; long PaidAt; }

  static final class Out {
    byte[] b = new byte[128]; int n;
    void room(int k) { if (n + k > b.length) b = Arrays.copyOf(b, Math.max(b.length * 2, n + k)); }
    Out head(int id) { n = 0; room(5); b[0] = 0; b[1] = (byte) (id >>> 24); b[2] = (byte) (id >>> 16); b[3] = (byte) (id >>> 8); b[4] = (byte) id; n = 5; return this; }
    Out lng(long v) { room(10); long z = (v << 1) ^ (v >> 63); while ((z & ~0x7fL) != 0) { b[n++] = (byte) (z & 0x7f | 0x80); z >>>= 7; } b[n++] = (byte) z; return this; }
    Out str(String s) { byte[] u = s.getBytes(StandardCharsets.UTF_8); lng(u.length); room(u.length); System.arraycopy(u, 0, b, n, u.length); n += u.length; return this; }
    Out dbl(double d) { room(8); long x = Double.doubleToRawLongBits(d); for (int i = 0; i < 8; i++) { b[n++] = (byte) x; x >>>= 8; } return this; }
    byte[] bytes() { return Arrays.copyOf(b, n); }
  }

  static final class In {
    final byte[] b; int n;
    In(byte[] b, int wantId) {
      if (b.length < 5 || b[0] != 0) throw new IllegalArgumentException("not in the Confluent wire format");
      int id = ByteBuffer.wrap(b).getInt(1);
      if (id != wantId) throw new IllegalArgumentException("schema id " + id + ", wanted " + wantId);
      this.b = b; this.n = 5;
    }
    long lng() { long z = 0; int s = 0; byte x; do { x = b[n++]; z |= (long) (x & 0x7f) << s; s += 7; } while (x < 0); return (z >>> 1) ^ -(z & 1); }
    String str() { int k = (int) lng(); String s = new String(b, n, k, StandardCharsets.UTF_8); n += k; return s; }
    double dbl() { long x = 0; for (int i = 7; i >= 0; i--) x = x << 8 | b[n + i] & 0xffL; n += 8; return Double.longBitsToDouble(x); }
  }

  static final ThreadLocal<Out> OUT = ThreadLocal.withInitial(Out::new);

  static byte[] enc(Order o) { return OUT.get().head(ORDER_SCHEMA_ID).str(o.OrderId).str(o.CustomerId).dbl(o.Amount).lng(o.Timestamp).bytes(); }
  static Order decOrder(byte[] b) { In i = new In(b, ORDER_SCHEMA_ID); Order o = new Order(); o.OrderId = i.str(); o.CustomerId = i.str(); o.Amount = i.dbl(); o.Timestamp = i.lng(); return o; }
  static byte[] enc(Payment p) { return OUT.get().head(PAYMENT_SCHEMA_ID).str(p.OrderId).str(p.Status).lng(p.PaidAt).bytes(); }
  static Payment decPayment(byte[] b) { In i = new In(b, PAYMENT_SCHEMA_ID); Payment p = new Payment(); p.OrderId = i.str(); p.Status = i.str(); p.PaidAt = i.lng(); return p; }
  static byte[] enc(OrderPaid p) { return OUT.get().head(ORDER_PAID_SCHEMA_ID).str(p.OrderId).str(p.CustomerId).dbl(p.Amount).str(p.Status).lng(p.PaidAt).bytes(); }

  /** The same reading through Apache Avro's GenericDatumReader (option --avro generic). */
  static final class GenericOrders {
    final Schema schema = new Schema.Parser().parse(ORDER_AVSC);
    final GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(schema);
    BinaryDecoder dec; GenericRecord reuse;
    Order read(byte[] b) {
      try {
        dec = DecoderFactory.get().binaryDecoder(b, 5, b.length - 5, dec);
        reuse = reader.read(reuse, dec);
        Order o = new Order();
        o.OrderId = reuse.get(0).toString(); o.CustomerId = reuse.get(1).toString();
        o.Amount = (Double) reuse.get(2); o.Timestamp = (Long) reuse.get(3);
        return o;
      } catch (IOException e) { throw new RuntimeException(e); }
    }
  }

  interface Fn<A, B> { B at(A a) throws IOException; }
  static <T> Serde<T> serde(Fn<T, byte[]> e, Fn<byte[], T> d) {
    return Serdes.serdeFrom(
        (t, v) -> { try { return v == null ? null : e.at(v); } catch (IOException x) { throw new RuntimeException(x); } },
        (t, b) -> { try { return b == null ? null : d.at(b); } catch (IOException x) { throw new RuntimeException(x); } });
  }
  static <T> Serde<T> jsonSerde(Class<T> c) { var w = JSON.writerFor(c); var r = JSON.readerFor(c); return serde(w::writeValueAsBytes, b -> r.readValue(b)); }
  static Serde<Order> orderSerde(boolean generic) {
    if (!generic) return serde(Wire::enc, Wire::decOrder);
    ThreadLocal<GenericOrders> g = ThreadLocal.withInitial(GenericOrders::new);
    return serde(Wire::enc, b -> g.get().read(b));
  }
  static Serde<Agg> aggSerde() {
    return serde(a -> ByteBuffer.allocate(16).putLong(a.count).putDouble(a.total).array(),
        b -> { ByteBuffer x = ByteBuffer.wrap(b); Agg a = new Agg(); a.count = x.getLong(); a.total = x.getDouble(); return a; });
  }

  /** The hand-written codec against Apache Avro. */
  static void selfCheck() throws Exception {
    SplittableRandom r = new SplittableRandom(7); GenericOrders g = new GenericOrders();
    var pr = new GenericDatumReader<GenericRecord>(new Schema.Parser().parse(PAYMENT_AVSC));
    for (int i = 0; i < 20_000; i++) {
      Order o = new Order(); o.OrderId = "ö-" + r.nextInt(); o.CustomerId = "c".repeat(r.nextInt(200)); o.Amount = r.nextInt() / 100.0; o.Timestamp = r.nextLong() >> r.nextInt(64);
      byte[] b = enc(o); Order x = g.read(b), y = decOrder(b);
      for (Order z : List.of(x, y)) if (!z.OrderId.equals(o.OrderId) || !z.CustomerId.equals(o.CustomerId) || z.Amount != o.Amount || z.Timestamp != o.Timestamp) throw new IllegalStateException("order codec differs");
      Payment p = new Payment(); p.OrderId = o.OrderId; p.Status = o.CustomerId; p.PaidAt = o.Timestamp;
      byte[] c = enc(p); Payment q = decPayment(c); GenericRecord gp = pr.read(null, DecoderFactory.get().binaryDecoder(c, 5, c.length - 5, null));
      if (!q.OrderId.equals(p.OrderId) || !q.Status.equals(p.Status) || q.PaidAt != p.PaidAt || !gp.get(0).toString().equals(p.OrderId) || !gp.get(1).toString().equals(p.Status) || (Long) gp.get(2) != p.PaidAt) throw new IllegalStateException("payment codec differs");
    }
    System.out.println("codec agrees with Apache Avro on 20000 records of each type");
  }
}
