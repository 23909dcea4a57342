/**
 * The module that a stream thread's Worker runs.
 *
 * @module
 */
import { parentPort } from "node:worker_threads";
import { provideWeirModule } from "./cli/weir_module.ts";
import { serveThread } from "./runtime/worker_entry.ts";
import type { WorkerCommand } from "./runtime/worker_messages.ts";
import { hostFor } from "./streams.ts";

provideWeirModule();
serveThread({
  post: (event) => parentPort!.postMessage(event),
  onCommand: (listener) =>
    void parentPort!.on("message", (command: WorkerCommand) => listener(command)),
}, hostFor);
