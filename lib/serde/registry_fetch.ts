/**
 * `fetch` with certificates of one's own: the one thing here that Deno and Bun do differently.
 *
 * @module
 */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";

/** PEM files for a registry behind TLS. */
export interface RegistryCertificates {
  /** The certificate authority of the registry, or several in one file; the system's when it is absent. */
  readonly caFile?: string;
  /** The client's certificate, where the registry asks for one; goes with `keyFile`. */
  readonly certificateFile?: string;
  /** The key of that certificate. */
  readonly keyFile?: string;
  /** The key's password, when it has one. */
  readonly keyPassword?: string;
}

interface DenoHttp {
  createHttpClient(options: { caCerts?: string[]; cert?: string; key?: string }): unknown;
}

/**
 * A `fetch` that uses these certificates. The files are read once.
 * @throws {TypeError} when only one of certificate and key is given
 * @throws {Error} when a file cannot be read or a key not be opened
 */
export function fetchWith(files: RegistryCertificates): typeof fetch {
  const { caFile, certificateFile, keyFile, keyPassword } = files;
  if ((certificateFile === undefined) !== (keyFile === undefined)) {
    throw new TypeError(
      `Cannot use the client's certificate as certificate and key go together: current value is ${
        keyFile === undefined ? "a certificate without a key" : "a key without a certificate"
      }`,
    );
  }
  if (caFile === undefined && certificateFile === undefined) return fetch;
  const ca = caFile === undefined ? undefined : readFileSync(caFile, "utf8");
  const cert = certificateFile === undefined ? undefined : readFileSync(certificateFile, "utf8");
  const key = keyFile === undefined ? undefined : openKey(readFileSync(keyFile), keyPassword);
  const deno = (globalThis as { Deno?: DenoHttp }).Deno;
  const extra = deno
    ? { client: deno.createHttpClient({ ...(ca && { caCerts: [ca] }), cert, key }) }
    : { tls: { ca, cert, key } };
  return ((input: RequestInfo | URL, init?: RequestInit) =>
    fetch(input, { ...init, ...extra } as RequestInit)) as typeof fetch;
}

/** Deno takes keys without a password only, so that one is opened here, for both alike. */
function openKey(pem: Uint8Array, passphrase: string | undefined): string {
  const text = new TextDecoder().decode(pem);
  if (passphrase === undefined) return text;
  return createPrivateKey({ key: text, passphrase })
    .export({ type: "pkcs8", format: "pem" }) as string;
}
