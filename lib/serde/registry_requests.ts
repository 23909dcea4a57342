import { Buffer } from "node:buffer";
import type { Clock } from "../record/time.ts";
import { inRequestSpan, type RequestSpan } from "../telemetry/tracing.ts";
import { SchemaRegistryError } from "./registry.ts";
import { readError } from "./registry_answers.ts";

/** Who asks. */
export interface RegistryCredentials {
  readonly basicAuth?: { readonly user: string; readonly password: string };
  readonly bearerToken?: string;
}

/** How requests are made. */
export interface RequestOptions extends RegistryCredentials {
  readonly baseURLs: readonly string[];
  readonly tries: number;
  readonly timeoutMs: number;
  readonly requestHeaders?: () => Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
}

interface Address {
  /** Without credentials, which `fetch` refuses in an address and no message may show. */
  readonly url: string;
  readonly authorization: string | undefined;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly content: unknown;
  /** Headers that carry the trace. */
  readonly traced: Readonly<Record<string, string>>;
}

const MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/** Requests to a registry at one or several addresses, repeated while they may succeed later. */
export class RegistryRequests {
  readonly #options: RequestOptions;
  readonly #addresses: readonly Address[];
  /** The address that answered last: one that is down must not cost each request its time limit. */
  #current = 0;

  /** @throws {TypeError} when an address is none */
  constructor(options: RequestOptions) {
    this.#options = options;
    this.#addresses = options.baseURLs.map((url) => addressOf(url, options));
  }

  /** The JSON of the answer. @throws {SchemaRegistryError} when the registry refuses, or nobody answers in the end */
  async send(method: string, path: string, content?: unknown): Promise<unknown> {
    const { tries, clock } = this.#options;
    for (let attempt = 1, pause = FIRST_PAUSE_MS;; attempt++, pause *= 2) {
      try {
        return await this.#once(method, path, content);
      } catch (error) {
        if (!(error instanceof SchemaRegistryError) || !error.retriable) throw error;
        this.#current = (this.#current + 1) % this.#addresses.length;
        if (attempt >= tries) throw error;
      }
      await clock.sleep(Math.min(pause, LONGEST_PAUSE_MS));
    }
  }

  #once(method: string, path: string, content: unknown): Promise<unknown> {
    const address = this.#addresses[this.#current];
    const attributes = { "http.request.method": method, "url.full": address.url + path };
    return inRequestSpan(method, { kind: "client", attributes }, async (inject, span) => {
      const traced: Record<string, string> = {};
      inject((name, value) => void (traced[name] = value));
      return await this.#ask(address, { method, path, content, traced }, span);
    });
  }

  async #ask(
    { url, authorization }: Address,
    { method, path, content, traced }: Asked,
    span: RequestSpan,
  ): Promise<unknown> {
    const headers: Record<string, string> = {
      accept: MEDIA_TYPE,
      ...traced,
      ...this.#options.requestHeaders?.(),
    };
    if (authorization !== undefined) headers.authorization = authorization;
    if (content !== undefined) headers["content-type"] = MEDIA_TYPE;
    let response: Response;
    let body: string;
    try {
      response = await this.#options.fetch(url + path, {
        method,
        headers,
        body: content === undefined ? undefined : JSON.stringify(content),
        signal: AbortSignal.timeout(this.#options.timeoutMs),
      });
      body = await response.text();
    } catch (cause) {
      throw new SchemaRegistryError(
        `Cannot reach the schema registry at ${url}: ${(cause as Error).message}`,
        0,
        0,
        { cause },
      );
    }
    span.setAttribute("http.response.status_code", response.status);
    if (!response.ok) throw readError(method, url + path, response.status, body);
    return parse(body, url + path, response.status);
  }
}

function addressOf(text: string, credentials: RegistryCredentials): Address {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new TypeError(
      `Cannot reach a schema registry as its address must be a URL: current value is ${
        text.replace(/\/\/.*@/, "//")
      }`,
      { cause },
    );
  }
  const { username, password } = url;
  url.username = "";
  url.password = "";
  return {
    url: url.href.replace(/\/+$/, ""),
    authorization: username
      ? basic(decodeURIComponent(username), decodeURIComponent(password))
      : authorizationOf(credentials),
  };
}

function authorizationOf({ basicAuth, bearerToken }: RegistryCredentials): string | undefined {
  if (basicAuth) return basic(basicAuth.user, basicAuth.password);
  return bearerToken === undefined ? undefined : `Bearer ${bearerToken}`;
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function parse(body: string, url: string, status: number): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new SchemaRegistryError(
      `Cannot use the registry's answer from ${url} as it is not JSON`,
      status,
      status,
      { cause },
    );
  }
}
