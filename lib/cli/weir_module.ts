/** What Bun's plugin API offers, as far as it is used. */
interface BunPlugins {
  plugin(plugin: {
    name: string;
    setup(build: {
      module(
        name: string,
        load: () => Promise<{ exports: Record<string, unknown>; loader: "object" }>,
      ): void;
    }): void;
  }): void;
}

/**
 * Lets topology files import `weir` wherever they lie. On Deno the import map does that; Bun, and the binary, where there is no package on the disk, get
 * a module of that name. Each isolate needs it, so Workers call it too.
 */
export function provideWeirModule(): void {
  const bun = (globalThis as { Bun?: BunPlugins }).Bun;
  bun?.plugin({
    name: "weir",
    setup(build) {
      build.module("weir", async () => ({
        exports: { ...await import("../../mod.ts") },
        loader: "object",
      }));
    },
  });
}
