/**
 * `fetch` with a certificate authority of one's own: the one thing here that Deno and Bun do differently.
 *
 * @module
 */
import { readFileSync } from "node:fs";

interface DenoHttp {
  createHttpClient(options: { caCerts: string[] }): unknown;
}

/** A `fetch` that trusts the authority in that PEM file, or the system's when none is given. */
export function fetchTrusting(caFile: string | undefined): typeof fetch {
  if (caFile === undefined) return fetch;
  const ca = readFileSync(caFile, "utf8");
  const deno = (globalThis as { Deno?: DenoHttp }).Deno;
  const extra = deno ? { client: deno.createHttpClient({ caCerts: [ca] }) } : { tls: { ca } };
  return ((input: RequestInfo | URL, init?: RequestInit) =>
    fetch(input, { ...init, ...extra } as RequestInit)) as typeof fetch;
}
