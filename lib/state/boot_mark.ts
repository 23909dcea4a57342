import { readFileSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";
import { systemClock } from "../record/time.ts";

/** Which boot of the kernel wrote a directory last, and whether it was closed in order. */
interface BootMark {
  readonly boot: string;
  readonly clean: boolean;
}

const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";

/**
 * What names this boot of the kernel: Linux has an id for it. Elsewhere the instant of the boot serves, in steps of ten seconds; taken for
 * another boot by mistake it costs a restore, never a wrong row.
 */
export function currentBoot(): string {
  try {
    return readFileSync(BOOT_ID_FILE, "utf8").trim();
  } catch {
    return `up-since-${Math.round((systemClock.now() / 1000 - uptime()) / 10)}`;
  }
}

/**
 * Whether files under this mark may be torn: they were written without fsync, not closed in order, and the kernel has started
 * anew since, so that its page cache is lost. A missing mark tells nothing is there yet; an unreadable one counts as torn.
 */
export function mayBeTorn(markFile: string): boolean {
  let text: string;
  try {
    text = readFileSync(markFile, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
  let mark: BootMark;
  try {
    mark = JSON.parse(text) as BootMark;
  } catch {
    return true;
  }
  return mark.clean !== true && mark.boot !== currentBoot();
}

/** Writes the mark: not clean while the environment is open, clean once all its bytes are on the disk. */
export function writeBootMark(markFile: string, state: "open" | "clean"): void {
  const mark: BootMark = { boot: currentBoot(), clean: state === "clean" };
  // On the disk before the first write after it: a mark that is older than the data would vouch for it.
  writeFileSync(markFile, `${JSON.stringify(mark)}\n`, { flush: true });
}
