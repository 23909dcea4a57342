/**
 * The part of the build that Bun runs: bundles the entry points, with the native files, into one executable. `build.ts` calls it.
 *
 * @module
 */
import process from "node:process";
import type { NativeFiles } from "./native_files.ts";

/** What `build.ts` hands over, as JSON in the first argument. */
export interface BundleOrder {
  readonly entryPoints: readonly string[];
  readonly outfile: string;
  readonly native: NativeFiles;
}

interface BunBuild {
  build(
    options: unknown,
  ): Promise<{ readonly success: boolean; readonly logs: readonly unknown[] }>;
}
interface PluginBuilder {
  onResolve(
    at: { filter: RegExp },
    resolve: (args: { importer: string }) => { path: string },
  ): void;
  onLoad(at: { filter: RegExp }, load: () => { contents: string; loader: "js" }): void;
}

const here = import.meta.dirname!;

function nativeParts({ addon, lmdb }: NativeFiles) {
  return {
    name: "native parts",
    setup(build: PluginBuilder): void {
      build.onResolve({ filter: /^node-gyp-build-optional-packages$/ }, ({ importer }) => ({
        path: /[\\/]lmdb[\\/]/.test(importer)
          ? `${here}/lmdb_loader.ts`
          : `${here}/no_native_part.ts`,
      }));
      // The files are imported under an ending that Bun does not know, as it would load `.node` files itself, and from a temporary copy.
      build.onLoad({ filter: /[\\/]cli[\\/]native_files\.ts$/ }, () => ({
        loader: "js",
        contents: `import addon from ${JSON.stringify(addon.path)} with { type: "file" };
import lmdb from ${JSON.stringify(lmdb.path)} with { type: "file" };
const nativeFiles = {
  addon: { path: addon, hash: ${JSON.stringify(addon.hash)} },
  lmdb: { path: lmdb, hash: ${JSON.stringify(lmdb.hash)} },
};
export { nativeFiles };`,
      }));
    },
  };
}

async function bundle(order: BundleOrder): Promise<void> {
  const { Bun } = globalThis as unknown as { Bun: BunBuild };
  const result = await Bun.build({
    entrypoints: order.entryPoints,
    // Topology files and tracing modules import packages that lie beside them.
    compile: { outfile: order.outfile, autoloadPackageJson: true },
    target: "bun",
    // Names of classes and functions stand in messages, so they stay.
    minify: { whitespace: true, syntax: true, identifiers: false },
    plugins: [nativeParts(order.native)],
  });
  for (const line of result.logs) console.error(String(line));
  if (!result.success) process.exit(1);
}

if (import.meta.main) await bundle(JSON.parse(process.argv[2]) as BundleOrder);
