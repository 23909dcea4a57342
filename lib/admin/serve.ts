import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { callAfter } from "../record/time.ts";
import type { AdminApp } from "./app.ts";

/** Where to listen. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** A server that listens. */
export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** `http://host:port` */
  readonly url: string;
  /** Stops listening; requests that are being answered end first. */
  close(): Promise<void>;
}

/**
 * Serves an app by `node:http`, which Deno, Bun and the binary all have.
 *
 * @throws {Error} when the address is taken or not ours; the cause is kept
 */
export async function serve(app: AdminApp, options: ListenOptions): Promise<RunningServer> {
  const answering = new Set<Promise<void>>();
  let end = () => {};
  const ending = new Promise<void>((resolve) => void (end = resolve));
  const server = createServer((request, response) => {
    const answered = answer(app, request, response, ending).finally(() =>
      answering.delete(answered)
    );
    answering.add(answered);
  });
  server.keepAliveTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new Error(
          `Cannot start the admin server as it cannot listen (${error.message}): current value is ${options.host}:${options.port}. Set admin.host or admin.port, or admin.enabled=false`,
          { cause: error },
        ),
      ));
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host;
  return {
    host,
    port,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    close: async () => {
      end();
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeIdleConnections?.();
      await within(CLOSE_MS, Promise.all(answering));
      // A connection that is kept alive, or whose request came only in part, would be waited for without end.
      server.closeAllConnections?.();
      await within(CLOSE_MS, closed);
    },
  };
}

/** How long the end waits for requests that are being answered (ms). */
const CLOSE_MS = 2_000;

function within(ms: number, promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const callOff = callAfter(ms, resolve);
    void promise.then(() => {
      callOff();
      resolve();
    });
  });
}

/** A body larger than this is refused: what the server takes are single settings. */
const MAX_BODY_BYTES = 65_536;

async function answer(
  app: AdminApp,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  ending: Promise<void>,
): Promise<void> {
  try {
    const body = await bodyOf(incoming);
    if (body === undefined) {
      outgoing.writeHead(413, { Connection: "close" }).end();
      return;
    }
    const response = await app.fetch(requestOf(incoming, body));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.headers.get("content-type") === "text/event-stream") {
      await pipe(response.body!, outgoing, ending);
    } else outgoing.end(new Uint8Array(await response.arrayBuffer()));
  } catch {
    // The app answers its own errors; what comes here is a request that cannot be read, or a client that has gone.
    if (!outgoing.headersSent) outgoing.writeHead(400);
    outgoing.end();
  }
}

/** Writes what comes, for as long as the client listens and the server runs. */
async function pipe(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  ending: Promise<void>,
): Promise<void> {
  const reader = body.getReader();
  const gone = new Promise<void>((resolve) => void outgoing.once("close", () => resolve()));
  const over = Promise.race([gone, ending]).then(() => undefined);
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), over]);
      if (next === undefined || next.done) break;
      // A client that does not read fast enough is waited for; the stream drops what is then too much.
      if (!outgoing.write(next.value)) {
        const drained = new Promise<void>((resolve) =>
          void outgoing.once("drain", () => resolve())
        );
        await Promise.race([drained, over]);
      }
    }
  } finally {
    await reader.cancel();
    outgoing.end();
  }
}

function requestOf(incoming: IncomingMessage, body: Uint8Array): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  // Only the path counts; a Host header of the client's choice must not become part of an address.
  const url = new URL(incoming.url ?? "/", "http://localhost");
  const method = incoming.method ?? "GET";
  const hasBody = body.length > 0 && method !== "GET" && method !== "HEAD";
  return new Request(url, hasBody ? { method, headers, body: body.slice() } : { method, headers });
}

async function bodyOf(incoming: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    // What is too much is read on and dropped, as a client that is still sending may not see an answer; up to a bound.
    if (size > 64 * MAX_BODY_BYTES) break;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES) return undefined;
  return chunks.length === 0 ? new Uint8Array() : new Uint8Array(Buffer.concat(chunks));
}
