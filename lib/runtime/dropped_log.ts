import type { DropReason } from "../state/store.ts";
import { traceFacts } from "../telemetry/tracing.ts";
import type { RuntimeLog } from "./runtime_log.ts";
import type { StreamTask } from "./task.ts";

/** Logs each record that is left out, with where it came from and its trace. */
export function logDropped(
  log: RuntimeLog,
): (reason: DropReason, task: StreamTask, detail: string | undefined) => void {
  return (reason, { taskId, record: { topic, partition, offset, headers } }, detail) =>
    log.debug(detail ?? `Skipping record: ${reason}`, {
      task_id: taskId,
      topic,
      partition,
      offset,
      ...traceFacts(headers),
    });
}
