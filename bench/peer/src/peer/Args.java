package peer;

import java.util.*;

/** `--name value` pairs. */
final class Args {
  final Map<String, List<String>> m = new HashMap<>();
  Args(String[] argv) {
    for (int i = 1; i < argv.length; i += 2) {
      if (!argv[i].startsWith("--") || i + 1 >= argv.length) throw new IllegalArgumentException("expected --name value, got " + argv[i]);
      m.computeIfAbsent(argv[i].substring(2), k -> new ArrayList<>()).add(argv[i + 1]);
    }
  }
  boolean has(String k) { return m.containsKey(k); }
  List<String> all(String k) { return m.getOrDefault(k, List.of()); }
  String get(String k, String d) { var l = all(k); return l.isEmpty() ? d : l.get(l.size() - 1); }
  String need(String k) { String v = get(k, null); if (v == null) throw new IllegalArgumentException("--" + k + " is missing"); return v; }
  long lng(String k, long d) { String v = get(k, null); return v == null ? d : Long.parseLong(v.replace("_", "")); }
  boolean bool(String k) { return get(k, "false").equals("true"); }
  String bootstrap() { return get("bootstrap", "127.0.0.1:9092"); }
}
