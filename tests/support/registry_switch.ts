/** A schema registry of a test's own that can be switched off, made slow, or made to refuse. @module */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MockSchemaRegistry } from "../../lib/serde/mock_registry.ts";
import type { RegisteredSchema, SchemaRegistryError } from "../../lib/serde/registry.ts";
import { freePort } from "./free_port.ts";

/** What it does with requests. */
export type RegistryMode = "answers" | "fails" | "hangs" | "forbids";

const JSON_TYPE = { "content-type": "application/vnd.schemaregistry.v1+json" };

/** Confluent's REST API, as far as applications need it, in this process. */
export class RegistrySwitch {
  readonly schemas: MockSchemaRegistry = new MockSchemaRegistry();
  readonly url: string;
  mode: RegistryMode = "answers";
  /** Requests so far. */
  asked = 0;
  readonly #port: number;
  #server: Server | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** A registry that does not listen yet. */
  static async make(): Promise<RegistrySwitch> {
    return new RegistrySwitch(await freePort());
  }

  /** Listens. */
  async up(): Promise<void> {
    const server = createServer((request, response) => void this.#serve(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    if ((server.address() as AddressInfo).port !== this.#port) throw new Error("Another port");
  }

  /** Breaks all connections off and listens no more. */
  async down(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked++;
    let body = "";
    for await (const chunk of request) body += chunk;
    if (this.mode === "hangs") return;
    if (this.mode === "fails") return answer(response, 503, { error_code: 50301, message: "down" });
    if (this.mode === "forbids") {
      return answer(response, 401, { error_code: 40101, message: "Unauthorized" });
    }
    try {
      answer(response, 200, this.#answer(request.method!, request.url!, body));
    } catch (error) {
      const { status, code, message } = error as SchemaRegistryError;
      answer(response, status, { error_code: code, message });
    }
  }

  #answer(method: string, url: string, body: string): unknown {
    const [, room, name, part, version] = url.split("?")[0].split("/").map(decodeURIComponent);
    if (room === "schemas") return this.schemas.byId(Number(part));
    if (method === "POST") {
      const { schema, references = [] } = JSON.parse(body) as RegisteredSchema;
      const given = { schema, schemaType: "AVRO", references } as const;
      if (part === undefined) return { id: this.schemas.lookup(name, given) };
      return { id: this.schemas.register(name, given) };
    }
    if (part === "versions" && version === undefined) return this.schemas.versions(name);
    return this.schemas.version(name, Number(version));
  }
}

function answer(response: ServerResponse, status: number, content: unknown): void {
  response.writeHead(status, JSON_TYPE);
  response.end(JSON.stringify(content));
}
