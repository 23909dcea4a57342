/**
 * Stands in the binary for the package by which LMDB finds its native file at run time, as there are no packages there.
 *
 * @module
 */
import { createRequire } from "node:module";
import { extractNative } from "./native_extract.ts";

/** Loads LMDB's native part. */
export default function loadLmdb(): unknown {
  return createRequire(import.meta.url)(extractNative("lmdb"));
}
