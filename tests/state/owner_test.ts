// Two threads of one process may for a moment both believe that a task is theirs.
import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { TaskMigratedException } from "../../lib/errors.ts";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { withTempDir } from "../support/temp_dir.ts";
import { utf8 } from "./support.ts";

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

test("LmdbEnvironment refuses the writes of an owner whose task another has opened since", () =>
  withTempDir(async (directory) => {
    const late = new LmdbEnvironment({ directory });
    late.open("rows").put(utf8("k"), utf8("of the first"));
    late.commit(new Map([["rows", 1]]));
    late.save();
    late.open("rows").put(utf8("k"), utf8("too late"));
    const next = new LmdbEnvironment({ directory });
    assertEquals(next.committedOffset("rows"), 1);
    next.open("rows").put(utf8("k"), utf8("of the second"));
    next.commit(new Map([["rows", 2]]));
    late.commit(new Map([["rows", 9]]));
    assertThrows(() => late.save(), TaskMigratedException);
    const many = Array.from(
      { length: 40 },
      (_, i) => [utf8(`bulk${i}`), new Uint8Array(1 << 20)] as const,
    );
    assertThrows(() => late.open("rows").bulk(many), TaskMigratedException);
    assertThrows(() => late.wipe(), TaskMigratedException);
    late.close({ clean: true });
    assertEquals(text(next.open("rows").get(utf8("k"))), "of the second");
    next.commit(new Map([["rows", 3]]));
    next.close({ clean: true });
    const last = new LmdbEnvironment({ directory });
    assertEquals(last.committedOffset("rows"), 3);
    assertEquals(text(last.open("rows").get(utf8("k"))), "of the second");
    assertEquals(last.open("rows").approximateCount(), 1);
    last.close({ clean: true });
  }));

test("LmdbEnvironment never moves a changelog position back", () =>
  withTempDir(async (directory) => {
    const environment = new LmdbEnvironment({ directory });
    environment.commit(new Map([["rows", 7]]));
    environment.commit(new Map([["rows", 3]]));
    assertEquals(environment.committedOffset("rows"), 7);
    environment.wipe();
    environment.commit(new Map([["rows", 2]]));
    environment.close({ clean: true });
    const again = new LmdbEnvironment({ directory });
    assertEquals(again.committedOffset("rows"), 2);
    again.close({ clean: true });
  }));
