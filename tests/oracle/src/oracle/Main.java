package oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Fills in what Kafka Streams gives for each scenario file of a directory. With two arguments it does one directory and ends; with
 * none it reads `IN<tab>OUT` lines from standard input, and answers each with `done WRITTEN FAILED` when that directory is done, so
 * that the JVM stays warm.
 */
public final class Main {
    private static final ObjectMapper M = Steps.M;

    public static void main(String[] args) throws Exception {
        if (args.length == 2) {
            int[] counts = runAll(Path.of(args[0]), Path.of(args[1]));
            System.err.println(counts[0] + " written, " + counts[1] + " failed");
            System.exit(counts[1] > 0 ? 1 : 0);
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null;) {
            String[] dirs = line.split("\t");
            int[] counts = runAll(Path.of(dirs[0]), Path.of(dirs[1]));
            System.out.println("done " + counts[0] + " " + counts[1]);
        }
        System.exit(0);
    }

    private static int[] runAll(Path in, Path out) throws Exception {
        Files.createDirectories(out);
        List<Path> files;
        try (var found = Files.walk(in)) { files = found.filter(p -> p.toString().endsWith(".json")).sorted().toList(); }
        int written = 0, failed = 0;
        for (Path file : files) {
            try {
                ObjectNode scenario = (ObjectNode) M.readTree(file.toFile());
                scenario.remove("expected");
                scenario.set("expected", expected(scenario));
                Files.writeString(out.resolve(file.getFileName()), format(scenario, 0) + "\n");
                written++;
            } catch (Throwable fault) {
                failed++;
                System.err.println("FAILED " + file.getFileName() + ": " + fault);
                fault.printStackTrace();
            }
        }
        return new int[] {written, failed};
    }

    /**
     * What comes out, with the persistent stores. Where the in-memory ones give something else, the scenario depends on the kind of
     * store and says so; a count of dropped records that differs is left out.
     */
    private static ObjectNode expected(JsonNode scenario) throws Exception {
        ObjectNode persistent = runOnce(scenario, false);
        ObjectNode inMemory = runOnce(scenario, true);
        if (!persistent.path("droppedRecords").equals(inMemory.path("droppedRecords"))) {
            persistent.remove("droppedRecords");
            inMemory.remove("droppedRecords");
        }
        if (!persistent.equals(inMemory)) persistent.put("dependsOnStore", true);
        return persistent;
    }

    private static ObjectNode runOnce(JsonNode scenario, boolean inMemory) throws Exception {
        Path dir = Files.createTempDirectory("weir-oracle");
        try {
            return new Oracle(scenario).run(inMemory, dir);
        } finally {
            try (var all = Files.walk(dir)) { all.sorted(Comparator.reverseOrder()).forEach(p -> p.toFile().delete()); }
        }
    }

    /** JSON with one record a line. */
    private static String format(JsonNode node, int depth) throws Exception {
        String line = M.writeValueAsString(node);
        if (!node.isContainerNode() || node.isEmpty()) return line;
        boolean records = node.isArray() && node.get(0).isObject();
        if (line.length() + depth <= 140 && !records && depth > 0) return line;
        String pad = "  ".repeat(depth + 1), end = "  ".repeat(depth);
        StringBuilder text = new StringBuilder(node.isArray() ? "[\n" : "{\n");
        if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                text.append(pad).append(M.writeValueAsString(node.get(i))).append(i + 1 < node.size() ? ",\n" : "\n");
            }
            return text.append(end).append("]").toString();
        }
        for (Iterator<Map.Entry<String, JsonNode>> fields = node.fields(); fields.hasNext();) {
            Map.Entry<String, JsonNode> field = fields.next();
            text.append(pad).append(M.writeValueAsString(field.getKey())).append(": ");
            text.append(format(field.getValue(), depth + 1)).append(fields.hasNext() ? ",\n" : "\n");
        }
        return text.append(end).append("}").toString();
    }
}
