/**
 * Five requests of Kafka's protocol over a plain socket, so that a test can prepare a broker without the client it tests.
 *
 * @module
 */
import { connect, type Socket } from "node:net";

/** A topic to be created. */
export interface NewTopic {
  readonly name: string;
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Creates topics, with one replica each; a topic that exists already is an error. */
export async function createTopics(bootstrap: string, topics: readonly NewTopic[]): Promise<void> {
  const body = new Writer();
  body.int32(topics.length);
  for (const topic of topics) {
    body.string(topic.name).int32(topic.partitions ?? 1).int16(1).int32(0);
    const config = Object.entries(topic.config ?? {});
    body.int32(config.length);
    for (const [key, value] of config) body.string(key).string(value);
  }
  body.int32(30_000).int8(0);
  const answer = await request(bootstrap, 19, 4, body);
  answer.int32();
  for (let n = answer.int32(); n > 0; n--) {
    const name = answer.string();
    const code = answer.int16();
    const message = answer.string();
    if (code !== 0) throw new Error(`Cannot create topic "${name}": error ${code} ${message}`);
  }
  await settled(bootstrap, topics);
}

/** Deletes topics; one that does not exist is an error. */
export async function deleteTopics(bootstrap: string, names: readonly string[]): Promise<void> {
  const body = new Writer().int32(names.length);
  for (const name of names) body.string(name);
  body.int32(30_000);
  const answer = await request(bootstrap, 20, 3, body);
  answer.int32();
  for (let n = answer.int32(); n > 0; n--) {
    const name = answer.string();
    const code = answer.int16();
    if (code !== 0) throw new Error(`Cannot delete topic "${name}": error ${code}`);
  }
}

/** How many partitions each topic has; 0 for one that does not exist. All topics when none are named. */
export async function describeTopics(
  bootstrap: string,
  names?: readonly string[],
): Promise<Map<string, number>> {
  const body = new Writer().int32(names ? names.length : -1);
  for (const name of names ?? []) body.string(name);
  body.int8(0);
  const answer = await request(bootstrap, 3, 4, body);
  answer.int32();
  for (let n = answer.int32(); n > 0; n--) {
    answer.int32();
    answer.string();
    answer.int32();
    answer.string();
  }
  answer.string();
  answer.int32();
  const found = new Map<string, number>();
  for (let n = answer.int32(); n > 0; n--) {
    const code = answer.int16();
    const name = answer.string()!;
    answer.int8();
    const partitions = answer.int32();
    let led = 0;
    for (let p = 0; p < partitions; p++) {
      const fault = answer.int16();
      answer.int32();
      if (answer.int32() >= 0 && fault === 0) led++;
      answer.skipInt32s();
      answer.skipInt32s();
    }
    found.set(name, code === 0 ? led : 0);
  }
  return found;
}

/** Resolves when the broker answers requests and has coordinators for groups and transactions, whose topics are made on demand. */
export async function answers(bootstrap: string): Promise<void> {
  const found = await request(bootstrap, 3, 4, new Writer().int32(0).int8(0));
  found.int32();
  if (found.int32() === 0) throw new Error(`The broker at ${bootstrap} knows of no broker yet`);
  for (const kind of [0, 1]) {
    const coordinator = await request(bootstrap, 10, 2, new Writer().string("any").int8(kind));
    coordinator.int32();
    const code = coordinator.int16();
    if (code !== 0) throw new Error(`The broker at ${bootstrap} has no coordinator yet: ${code}`);
  }
}

/** Metadata lags behind creation by some milliseconds; a client that asks at once would be told that there is no such topic. */
async function settled(bootstrap: string, topics: readonly NewTopic[]): Promise<void> {
  const names = topics.map((topic) => topic.name);
  for (let attempt = 0; attempt < 200; attempt++) {
    const found = await describeTopics(bootstrap, names);
    if (topics.every((topic) => found.get(topic.name) === (topic.partitions ?? 1))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Topics ${names.join(", ")} have no leaders`);
}

/** One request on a connection of its own. */
function request(bootstrap: string, api: number, version: number, body: Writer): Promise<Reader> {
  const [host, port] = bootstrap.split(":");
  const frame = new Writer().int16(api).int16(version).int32(1).string("weir-tests").raw(body);
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ host, port: Number(port) });
    let received = new Uint8Array(0);
    socket.setTimeout(35_000, () => socket.destroy(new Error(`No answer from ${bootstrap}`)));
    socket.on(
      "connect",
      () => socket.write(new Writer().int32(frame.bytes.length).raw(frame).data),
    );
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`Connection to ${bootstrap} was closed`)));
    socket.on("data", (chunk: Uint8Array) => {
      const joined = new Uint8Array(received.length + chunk.length);
      joined.set(received);
      joined.set(chunk, received.length);
      received = joined;
      if (received.length < 4) return;
      const reader = new Reader(received);
      if (received.length < 4 + reader.int32()) return;
      reader.int32();
      resolve(reader);
      socket.destroy();
    });
  });
}

class Writer {
  readonly bytes: number[] = [];
  get data(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
  int8(value: number): this {
    this.bytes.push(value & 255);
    return this;
  }
  int16(value: number): this {
    return this.int8(value >> 8).int8(value);
  }
  int32(value: number): this {
    return this.int16(value >> 16).int16(value);
  }
  string(text: string): this {
    const encoded = new TextEncoder().encode(text);
    this.int16(encoded.length);
    this.bytes.push(...encoded);
    return this;
  }
  raw(other: Writer): this {
    for (const byte of other.bytes) this.bytes.push(byte);
    return this;
  }
}

class Reader {
  #view: DataView;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  int8(): number {
    return this.#view.getInt8(this.#at++);
  }
  int16(): number {
    this.#at += 2;
    return this.#view.getInt16(this.#at - 2);
  }
  int32(): number {
    this.#at += 4;
    return this.#view.getInt32(this.#at - 4);
  }
  string(): string | undefined {
    const length = this.int16();
    if (length < 0) return undefined;
    const bytes = new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#at, length);
    this.#at += length;
    return new TextDecoder().decode(bytes);
  }
  skipInt32s(): void {
    const count = this.int32();
    this.#at += 4 * count;
  }
}
