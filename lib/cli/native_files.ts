/**
 * The native files that the binary carries. In a checkout there are none; the build puts a module of the same shape in this one's place.
 *
 * @module
 */

/** Paths within the binary, and the hashes of the contents (SHA-256, hexadecimal). */
export interface NativeFiles {
  readonly addon: { readonly path: string; readonly hash: string };
  readonly lmdb: { readonly path: string; readonly hash: string };
}

/** The files, or undefined outside the binary. */
export const nativeFiles: NativeFiles | undefined = undefined;
