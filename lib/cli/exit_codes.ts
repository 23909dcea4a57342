/** What the exit code of `weir` says. A second signal ends with 128 and the signal's number. */
export const EXIT = {
  /** All went well, or it was stopped in order. */
  ok: 0,
  /** It failed while running. */
  failed: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  /** The topology is wrong. */
  topology: 3,
  /** `weir health`: the instance is not healthy. */
  unhealthy: 4,
  /** It did not stop within `shutdown.timeout.ms`. */
  notDrained: 5,
} as const;
