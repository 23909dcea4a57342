package peer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What Linux knows of this process and the machine. */
final class Machine {
  static final OperatingSystemMXBean OS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  /** Busy and stolen jiffies of the whole machine since boot, Linux only. */
  static long[] sysCpu() {
    try {
      String[] f = Files.readAllLines(Path.of("/proc/stat")).get(0).trim().split("\\s+");
      return new long[]{Long.parseLong(f[1]) + Long.parseLong(f[2]) + Long.parseLong(f[3]) + Long.parseLong(f[6]) + Long.parseLong(f[7]), Long.parseLong(f[8])};
    } catch (Exception e) { return new long[]{0, 0}; }
  }
  static double pidCpu(long pid) {
    if (pid <= 0) return 0;
    try {
      String s = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] f = s.substring(s.lastIndexOf(')') + 2).split(" ");
      return (Long.parseLong(f[11]) + Long.parseLong(f[12])) / 100.0;
    } catch (Exception e) { return 0; }
  }
  static double procStatusMb(String field) {
    try { for (String l : Files.readAllLines(Path.of("/proc/self/status"))) if (l.startsWith(field + ":")) return Long.parseLong(l.replaceAll("[^0-9]", "")) / 1024.0; } catch (Exception e) { /* not Linux */ }
    return -1;
  }

  static double r3(double d) { return Math.round(d * 1000) / 1000.0; }
}
