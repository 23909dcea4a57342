/**
 * What happens, as it happens: server-sent events (`text/event-stream`) of states, errors and what moves.
 *
 * @module
 */
import { callAfter } from "../record/time.ts";
import type { ApplicationSource } from "./source.ts";

/** How often it is looked for changes, and how often what moves is told (ms). */
const LOOK_MS = 250;
const LIVE_MS = 1_000;

const ENCODER = new TextEncoder();

/**
 * Events for one listener, until it goes: `state` when the state of an application or thread changes (and at the beginning), `error` for each new error,
 * `live` once a second.
 */
export function eventStream(
  applications: () => readonly ApplicationSource[],
  live: (application: ApplicationSource) => unknown,
): ReadableStream<Uint8Array> {
  const states = new Map<string, string>();
  const errors = new Map<string, number>();
  let sinceLive = LIVE_MS;
  let callOff = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (event: string, data: unknown) =>
        controller.enqueue(ENCODER.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
      const look = () => {
        // A listener that does not read is not written to: what moves is told by the next event just as well.
        if ((controller.desiredSize ?? 0) > 0) {
          for (const application of applications()) tellChanges(application, send);
          if (sinceLive >= LIVE_MS) {
            sinceLive = 0;
            const all = applications().map((each) => [each.applicationId, live(each)]);
            send("live", Object.fromEntries(all));
          }
        }
        sinceLive += LOOK_MS;
        callOff = callAfter(LOOK_MS, look);
      };
      look();
    },
    cancel: () => callOff(),
  }, { highWaterMark: 16 });

  function tellChanges(
    application: ApplicationSource,
    send: (event: string, data: unknown) => void,
  ): void {
    const { applicationId } = application;
    const { state, paused, threads } = application.status();
    const shown = {
      application: applicationId,
      state,
      paused,
      threads: Object.fromEntries(threads.map((thread) => [thread.name, thread.state])),
    };
    const text = JSON.stringify(shown);
    if (states.get(applicationId) !== text) send("state", shown);
    states.set(applicationId, text);
    const last = errors.get(applicationId) ?? Number.NEGATIVE_INFINITY;
    const fresh = application.errors().filter(({ atMs }) => atMs > last);
    for (const error of fresh.toReversed()) send("error", { application: applicationId, ...error });
    if (fresh.length > 0) errors.set(applicationId, fresh[0].atMs);
  }
}
