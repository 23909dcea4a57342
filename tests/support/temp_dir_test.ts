import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { assert, assertRejects } from "@std/assert";
import { repositoryRoot, spawnSame } from "./spawn.ts";
import { withTempDir } from "./temp_dir.ts";

test("withTempDir removes its directory after a failure too", async () => {
  let path = "";
  await assertRejects(() =>
    withTempDir((dir) => {
      path = dir;
      writeFileSync(join(dir, "file"), "text");
      throw new Error("on purpose");
    })
  );
  assert(path !== "" && !existsSync(path));
});

for (const end of ["exits", "is killed"]) {
  test(`makeTempDir's directory goes when its process ${end}`, async () => {
    await withTempDir(async (dir) => {
      const script = join(dir, "child.ts");
      const module = pathToFileURL(join(repositoryRoot, "tests/support/temp_dir.ts"));
      const wait = end === "exits" ? "" : "setInterval(() => {}, 1000);";
      writeFileSync(
        script,
        `import { makeTempDir } from "${module}";\nconsole.log("dir " + makeTempDir());\n${wait}`,
      );
      const child = spawnSame(script);
      const [, made] = await child.waitForLine(/^dir (.+)$/);
      if (end === "exits") await child.exited;
      else await child.kill();
      for (let attempt = 0; attempt < 500 && existsSync(made); attempt++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert(!existsSync(made));
    });
  });
}
