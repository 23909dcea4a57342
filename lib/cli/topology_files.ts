import { readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { TopologyException } from "../errors.ts";
import { Topology } from "../topology/topology.ts";

/** A file that exports a topology. */
export interface TopologyFile {
  readonly path: string;
  /** The file's address, which Workers import too. */
  readonly url: string;
  /** What tells it from the others of an application: the file's name without its ending. */
  readonly name: string;
}

const ENDINGS: ReadonlySet<string> = new Set([".ts", ".mts", ".js", ".mjs"]);
const NOT_A_TOPOLOGY = /(\.d|[._]test|\.spec|\.bench)\.[cm]?[jt]s$/;

/**
 * The topology files of a list of files and folders. In a folder, those that export `topology` are taken; a file that is named must.
 *
 * @throws {TopologyException} when something is missing, exports no topology, or two files have the same name
 */
export async function findTopologies(paths: readonly string[]): Promise<TopologyFile[]> {
  const found: TopologyFile[] = [];
  for (const given of paths) {
    const path = resolve(given);
    const kind = statSync(path, { throwIfNoEntry: false });
    if (kind === undefined) {
      throw new TopologyException(`there is no such file or folder: current value is ${given}`);
    }
    if (kind.isDirectory()) found.push(...await topologiesIn(path));
    else found.push(await namedTopology(path));
  }
  checkNames(found);
  return found;
}

async function topologiesIn(folder: string): Promise<TopologyFile[]> {
  const files = readdirSync(folder).sort()
    .filter((name) => ENDINGS.has(extname(name)) && !NOT_A_TOPOLOGY.test(name))
    .map((name) => fileOf(join(folder, name)));
  const found: TopologyFile[] = [];
  for (const file of files) {
    if (isTopology(await exportOf(file))) found.push(file);
  }
  if (found.length === 0) {
    throw new TopologyException(
      `no file of the folder exports \`topology\`: current value is ${folder}`,
    );
  }
  return found;
}

async function namedTopology(path: string): Promise<TopologyFile> {
  const file = fileOf(path);
  const exported = await exportOf(file);
  if (!isTopology(exported)) {
    throw new TopologyException(
      `${path} must export \`topology\`, made by defineTopology(): current value is ${
        exported === undefined ? "no such export" : typeof exported
      }`,
    );
  }
  return file;
}

function fileOf(path: string): TopologyFile {
  return { path, url: pathToFileURL(path).href, name: basename(path, extname(path)) };
}

async function exportOf(file: TopologyFile): Promise<unknown> {
  try {
    return (await import(file.url) as Record<string, unknown>).topology;
  } catch (error) {
    if (error instanceof TopologyException) throw error;
    throw new TopologyException(`${file.path} cannot be loaded: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function isTopology(exported: unknown): boolean {
  return exported instanceof Topology ||
    typeof (exported as { build?: unknown } | undefined)?.build === "function";
}

function checkNames(files: readonly TopologyFile[]): void {
  const byName = new Map<string, string>();
  for (const { name, path } of files) {
    const other = byName.get(name);
    if (other !== undefined && other !== path) {
      throw new TopologyException(
        `files of one application need different names: current value is ${other} and ${path}`,
      );
    }
    byName.set(name, path);
  }
}

/**
 * The application id of a topology: the configured one, with the file's name behind it when there are several, as each is a consumer group of its own.
 */
export function applicationIdOf(
  configured: string,
  file: TopologyFile,
  files: readonly TopologyFile[],
): string {
  return files.length === 1 ? configured : `${configured}-${file.name}`;
}
