/**
 * Stands in the binary for native parts that are left out; the packages that want them go on without.
 *
 * @module
 */

/** Tells the package that it has no native part. */
export default function refuse(): never {
  throw new Error("This native part is not in the binary");
}
