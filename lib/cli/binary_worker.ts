/**
 * Where a stream thread's Worker begins in the binary.
 *
 * @module
 */
import "./binary_parts.ts";
import "../worker.ts";
