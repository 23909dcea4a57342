/** A certificate authority of our own with one server's and one client's certificate, made by openssl. @module */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./spawn.ts";

/** Paths of PEM files. */
export interface Certificates {
  readonly caFile: string;
  readonly serverKeyFile: string;
  readonly serverCertificateFile: string;
  readonly clientKeyFile: string;
  readonly clientCertificateFile: string;
}

/** Makes the files in `dir`: valid for a day, for 127.0.0.1 and localhost; the client is called `weir-client`. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  const openssl = (...args: string[]) => run("openssl", args, { cwd: dir });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "1",
    "-subj",
    "/CN=Weir test CA",
  );
  for (
    const [name, subject, extension] of [
      ["server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ["client", "/CN=weir-client", "extendedKeyUsage=clientAuth"],
    ]
  ) {
    writeFileSync(join(dir, `${name}.ext`), extension);
    await openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    const request = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-extfile", `${name}.ext`];
    await openssl("x509", "-req", ...request, ...authority, "-days", "1");
  }
  return {
    caFile: join(dir, "ca.crt"),
    serverKeyFile: join(dir, "server.key"),
    serverCertificateFile: join(dir, "server.crt"),
    clientKeyFile: join(dir, "client.key"),
    clientCertificateFile: join(dir, "client.crt"),
  };
}

/** Key, certificate and authority in one file, as Kafka's PEM key stores want them; gives its path. */
export function pemKeyStore(dir: string, files: Certificates): string {
  const path = join(dir, "keystore.pem");
  const parts = [files.serverKeyFile, files.serverCertificateFile, files.caFile];
  writeFileSync(path, parts.map((part) => readFileSync(part, "utf8")).join(""));
  return path;
}
