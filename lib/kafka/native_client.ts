import { callAfter } from "../record/time.ts";
import type { Addon, Handle } from "./addon.ts";
import type { ClientConfig, ClientEvents } from "./client.ts";
import { type ClientKind, librdkafkaSettings } from "./client_config.ts";

const TOLD_LOG = 0;
const TOLD_STATS = 1;

/**
 * What consumers, producers and admin clients share on this side of the addon: the handle, the wake-up,
 * logs, statistics and tokens, and a close that lets running calls end first.
 */
export class NativeClient {
  readonly addon: Addon;
  readonly handle: Handle;
  readonly #events: ClientEvents;
  readonly #onWake: () => void;
  readonly #running = new Set<Promise<unknown>>();
  #wake: (() => void) | undefined;
  #waiting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    addon: Addon,
    kind: ClientKind,
    config: ClientConfig,
    events: ClientEvents,
    onWake: () => void,
  ) {
    this.addon = addon;
    this.#events = events;
    this.#onWake = onWake;
    const create = kind === "consumer" ? addon.consumerNew : addon.producerNew;
    const settings = librdkafkaSettings(kind, config);
    const withTokens = events.oauthBearer !== undefined;
    this.handle = create(settings, () => this.#woken(), events.stats !== undefined, withTokens);
  }

  /** Whether `close` was called. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /** Resolves at the next event of this client, or after `timeoutMs`. The caller has armed the addon. */
  nextEvent(timeoutMs: number): Promise<void> {
    if (this.#waiting) return this.#waiting;
    this.#waiting = new Promise((resolve) => {
      const callOff = callAfter(timeoutMs, () => this.#wake?.());
      this.#wake = () => {
        callOff();
        this.#wake = undefined;
        this.#waiting = undefined;
        resolve();
      };
    });
    return this.#waiting;
  }

  /** Ends a `nextEvent` that waits, if any. */
  wake(): void {
    this.#wake?.();
  }

  /** Whether somebody waits for an event. */
  get isWaitedFor(): boolean {
    return this.#waiting !== undefined;
  }

  /** Counts a call that runs, so that `close` awaits it. */
  run<T>(call: Promise<T>): Promise<T> {
    this.#running.add(call);
    const done = () => void this.#running.delete(call);
    call.then(done, done);
    return call;
  }

  /** Closes once; `begin` runs at once, `end` when no call runs any more. */
  close(begin: () => void, end: () => Promise<void>): Promise<void> {
    return this.#closing ??= this.#close(begin, end);
  }

  async #close(begin: () => void, end: () => Promise<void>): Promise<void> {
    begin();
    await Promise.allSettled([...this.#running]);
    this.#tell();
    const closed = end();
    this.#wake?.();
    await closed;
  }

  #woken(): void {
    this.#tell();
    this.#onWake();
    this.#wake?.();
  }

  #tell(): void {
    const told = this.addon.takeTold(this.handle);
    if (told === undefined) return;
    for (let i = 0; i < told.length; i += 4) {
      const text = told[i + 3] as string;
      if (told[i] === TOLD_LOG) {
        this.#events.log?.(told[i + 1] as number, told[i + 2] as string, text);
      } else if (told[i] === TOLD_STATS) {
        this.#events.stats?.(JSON.parse(text));
      } else {
        this.#answerWithToken(text);
      }
    }
  }

  async #answerWithToken(config: string): Promise<void> {
    try {
      const { token, lifetimeMs, principal } = await this.#events.oauthBearer!(config);
      if (!this.isClosing) this.addon.setToken(this.handle, token, lifetimeMs, principal);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!this.isClosing) this.addon.setToken(this.handle, undefined, 0, reason);
    }
  }
}
