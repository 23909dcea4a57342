import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { withTempDir } from "./temp_dir.ts";
import { runTestFile, type Runtime } from "./test_process.ts";

const HEAD = `import { test } from "node:test";\nimport process from "node:process";\n`;
const FILES: Record<string, { code: string; passed: number; failed: number; says: string }> = {
  "passes": { code: `test("a", () => {}); test("b", () => {});`, passed: 2, failed: 0, says: "" },
  "fails once": {
    code: `test("a", () => {}); test("b", () => { throw new Error("because"); });`,
    passed: 1,
    failed: 1,
    says: "because",
  },
  "crashes": {
    code: `test("a", () => { process.kill(process.pid, "SIGKILL"); });`,
    passed: 0,
    failed: 1,
    says: "ended with SIGKILL before its tests were counted",
  },
  "cannot be loaded": {
    code: `throw new Error("at once");`,
    passed: 0,
    failed: 1,
    says: "at once",
  },
  "hangs": {
    code: `// time limit: 2 s\ntest("a", () => { for (;;); });`,
    passed: 0,
    failed: 1,
    says: "ended after its time limit of 2 s",
  },
};

for (const runtime of ["deno", "bun"] as Runtime[]) {
  for (const [name, { code, passed, failed, says }] of Object.entries(FILES)) {
    test(`A test file that ${name} on ${runtime} counts ${passed} passed and ${failed} failed`, async () => {
      await withTempDir(async (dir) => {
        const file = join(dir, "thing_test.ts");
        writeFileSync(file, HEAD + code);
        const result = await runTestFile(runtime, file, {});
        assertEquals([result.passed, result.failed], [passed, failed], result.output);
        assertStringIncludes(result.output, says);
      });
    });
  }
}
