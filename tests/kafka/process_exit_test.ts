// What the addon would have run at the end of the process: at that moment runtimes end their threads, which frees things a second time.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { nativeAddonPath } from "../../lib/kafka/native/build.ts";
import { run, spawnSame } from "../support/spawn.ts";
import { withTempDir } from "../support/temp_dir.ts";

/** Names the library of each function that is registered to run when the process exits. */
const SHIM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int __cxa_atexit(void (*run)(void *), void *argument, void *library) {
  static int (*real)(void (*)(void *), void *, void *);
  Dl_info found;
  if (!real) real = dlsym(RTLD_NEXT, "__cxa_atexit");
  fprintf(stderr, "at exit: %s\\n", dladdr(run, &found) ? found.dli_fname : "?");
  return real(run, argument, library);
}
`;

test(
  "the addon leaves nothing to run at the end of the process, when threads end as well",
  { skip: process.platform !== "linux" },
  () =>
    withTempDir(async (dir) => {
      await nativeAddonPath();
      const source = join(dir, "shim.c");
      const shim = join(dir, "shim.so");
      writeFileSync(source, SHIM);
      await run("cc", ["-shared", "-fPIC", "-o", shim, source, "-ldl"]);
      const child = spawnSame("tests/kafka/tls_client_child.ts", [], { env: { LD_PRELOAD: shim } });
      assertEquals((await child.exited).code, 0, child.stderr);
      assert(child.stdout.includes("closed"), child.stdout);
      const libraries = [...child.stderr.matchAll(/^at exit: (.*)$/gm)].map(([, path]) => path);
      assert(libraries.length > 0, "the shim saw no function at all");
      assertEquals(libraries.filter((path) => path.endsWith("weir.node")), []);
    }),
);
