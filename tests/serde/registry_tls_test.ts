// Real certificates and a real TLS server: what Deno and Bun are told differently must come to the same.
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SchemaRegistryError } from "../../lib/serde/registry.ts";
import {
  SchemaRegistryClient,
  type SchemaRegistryOptions,
} from "../../lib/serde/schema_registry_client.ts";
import { type Certificates, makeCertificates } from "../support/certificates.ts";
import { makeTempDir, removeDir } from "../support/temp_dir.ts";

let dir: string;
let files: Certificates;
let open: Server;
let guarded: Server;
const seen: (string | undefined)[] = [];

async function serve(requestCert: boolean): Promise<Server> {
  const server = createServer({
    key: readFileSync(files.serverKeyFile),
    cert: readFileSync(files.serverCertificateFile),
    ...(requestCert
      ? { ca: readFileSync(files.caFile), requestCert, rejectUnauthorized: true }
      : {}),
  }, (request, response) => {
    seen.push(request.headers.authorization);
    response.end(JSON.stringify({ schema: '"string"' }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

before(async () => {
  dir = makeTempDir("registry-tls");
  files = await makeCertificates(dir);
  open = await serve(false);
  guarded = await serve(true);
});
after(async () => {
  for (const server of [open, guarded]) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  removeDir(dir);
});

function client(server: Server, options: Partial<SchemaRegistryOptions>): SchemaRegistryClient {
  const { port } = server.address() as AddressInfo;
  return new SchemaRegistryClient({
    baseURLs: [`https://127.0.0.1:${port}`],
    tries: 1,
    ...options,
  });
}

test("SchemaRegistryClient trusts the authority of its CA file, and sends its credentials", async () => {
  const registry = client(open, {
    caFile: files.caFile,
    basicAuth: { user: "u", password: "p" },
  });
  assertEquals((await registry.byId(1)).schema, '"string"');
  assertEquals(seen.pop(), `Basic ${Buffer.from("u:p").toString("base64")}`);
});

test("SchemaRegistryClient refuses a registry whose authority it does not know", async () => {
  const error = await assertRejects(
    async () => await client(open, {}).byId(1),
    SchemaRegistryError,
  );
  assertEquals(error.status, 0);
});

test("SchemaRegistryClient shows its certificate, whose key may have a password", async () => {
  const { caFile, clientCertificateFile: certificateFile, clientKeyFile: keyFile } = files;
  const plain = client(guarded, { caFile, certificateFile, keyFile });
  assertEquals((await plain.byId(1)).schema, '"string"');
  const locked = join(dir, "locked.key");
  const pass = ["-passout", "pass:wordy"];
  execFileSync("openssl", ["pkcs8", "-topk8", "-in", keyFile, "-out", locked, ...pass]);
  const opened = { caFile, certificateFile, keyFile: locked, keyPassword: "wordy" };
  assertEquals((await client(guarded, opened).byId(1)).schema, '"string"');
  assertThrows(() => client(guarded, { ...opened, keyPassword: "wrong" }));
});

test("SchemaRegistryClient is refused without a certificate where one is asked for", async () => {
  const registry = client(guarded, { caFile: files.caFile });
  await assertRejects(async () => await registry.byId(1), SchemaRegistryError);
});

test("SchemaRegistryClient wants certificate and key together", () => {
  const { clientKeyFile: keyFile, clientCertificateFile: certificateFile } = files;
  assertThrows(() => client(open, { keyFile }), TypeError, "a key without a certificate");
  assertThrows(() => client(open, { certificateFile }), TypeError, "a certificate without a key");
});
