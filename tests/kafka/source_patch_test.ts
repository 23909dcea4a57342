import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { applyPatch } from "../../lib/kafka/native/source_patch.ts";
import { withTempDir } from "../support/temp_dir.ts";

const DIFF = `diff --git a/src/x.c b/src/x.c
index 1..2 100644
--- a/src/x.c
+++ b/src/x.c
@@ -1,3 +1,4 @@ context
 one
-two
+TWO
+two and a half
 three
@@ -5,2 +6,1 @@
-five
 six
`;

test("applyPatch changes every hunk at its place", () =>
  withTempDir((dir) => {
    mkdirSync(join(dir, "src"));
    writeFileSync(
      join(dir, "src", "x.c"),
      "one\ntwo\nthree\nfour\nfive\nsix\n".replaceAll("\\\n", "\n"),
    );
    applyPatch(dir, DIFF);
    assertEquals(
      readFileSync(join(dir, "src", "x.c"), "utf8"),
      "one\nTWO\ntwo and a half\nthree\nfour\nsix\n",
    );
  }));

test("applyPatch refuses a source that is not the expected one, and says where", () =>
  withTempDir((dir) => {
    mkdirSync(join(dir, "src"));
    writeFileSync(join(dir, "src", "x.c"), "one\nzwei\nthree\nfour\nfive\nsix\n");
    assertThrows(() => applyPatch(dir, DIFF), Error, "src/x.c as line 2");
  }));
