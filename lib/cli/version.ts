import process from "node:process";
import project from "../../package.json" with { type: "json" };

/** Weir's version. */
export const VERSION: string = project.version;

/** What runs it. */
export function runtimeName(): { readonly runtime: string; readonly runtimeVersion: string } {
  const { deno, bun, node } = process.versions as Readonly<Record<string, string | undefined>>;
  if (deno !== undefined) return { runtime: "deno", runtimeVersion: deno };
  if (bun !== undefined) return { runtime: "bun", runtimeVersion: bun };
  return { runtime: "node", runtimeVersion: String(node) };
}

/** What `weir version` prints. */
export function versionText(): string {
  const { runtime, runtimeVersion } = runtimeName();
  return `weir ${VERSION} (${runtime} ${runtimeVersion}, ${process.platform} ${process.arch})`;
}
