import type { RecordingLevel } from "../telemetry/definition.ts";
import type { LogLevel } from "../telemetry/logger.ts";

/** Levels that are changed while the application runs; what is absent stays as it is. Plain data, so that it crosses to Workers. */
export interface Levels {
  /** `metrics.recording.level` */
  readonly recording?: RecordingLevel;
  /** The level of the loggers of a name, or of all that have none of their own (`root`). */
  readonly log?: { readonly name: string; readonly level: LogLevel };
}

/** The changes so far: what a thread that starts later has to be told. */
export class LevelChanges {
  #recording: RecordingLevel | undefined = undefined;
  readonly #logs = new Map<string, LogLevel>();

  add({ recording, log }: Levels): void {
    if (recording !== undefined) this.#recording = recording;
    if (log !== undefined) this.#logs.set(log.name, log.level);
  }

  all(): Levels[] {
    const logs = [...this.#logs].map(([name, level]) => ({ log: { name, level } }));
    return this.#recording === undefined ? logs : [{ recording: this.#recording }, ...logs];
  }
}
