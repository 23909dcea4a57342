// What a restore of random keys leaves behind. Byte counts, not the resident size, which depends on the machine.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { LmdbEnvironment } from "../../lib/state/lmdb_environment.ts";
import { rowCopy } from "../../lib/state/row_bytes.ts";
import { seededRandom } from "../support/random.ts";
import { withTempDir } from "../support/temp_dir.ts";

const ROWS = 150_000;
const ROWS_PER_BATCH = 10_000;
const KEY_BYTES = 24;
const VALUE_BYTES = 100;
const MAPS = "/proc/self/maps";

test("A restore of random keys leaves a file of at most four times its rows, mapped once", () =>
  withTempDir((directory) => {
    const random = seededRandom("restore memory");
    const environment = new LmdbEnvironment({ directory });
    const store = environment.open("rows");
    const value = new Uint8Array(VALUE_BYTES);
    for (let from = 0; from < ROWS; from += ROWS_PER_BATCH) {
      store.bulk(Array.from({ length: ROWS_PER_BATCH }, () =>
        [
          rowCopy(random.bytes(KEY_BYTES), 0, KEY_BYTES),
          rowCopy(value, 0, VALUE_BYTES),
        ] as const));
      assert(environment.uncommittedBytes < 8 * 1024 * 1024);
    }
    environment.commit(new Map([["rows", ROWS]]));
    assertEquals(store.approximateCount(), ROWS);
    const size = statSync(join(directory, "state.mdb")).size;
    assert(size < 4 * ROWS * (KEY_BYTES + VALUE_BYTES), `the file has ${size} bytes`);
    if (existsSync(MAPS)) {
      const maps = readFileSync(MAPS, "utf8").split("\n").filter((line) =>
        line.endsWith(join(directory, "state.mdb"))
      );
      assertEquals(maps.length, 1, maps.join("\n"));
    }
    environment.close({ clean: true });
  }));
