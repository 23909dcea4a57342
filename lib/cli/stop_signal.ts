import process from "node:process";

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Waits for the first SIGINT or SIGTERM; a second one ends the process at once. */
export interface StopSignal {
  /** Resolves with the first signal. */
  readonly received: Promise<keyof typeof SIGNALS>;
  /** Stops listening. */
  dispose(): void;
}

/** Begins to listen. */
export function listenForStop(
  exit: (code: number) => void = (code) => process.exit(code),
): StopSignal {
  let first: ((signal: keyof typeof SIGNALS) => void) | undefined;
  const received = new Promise<keyof typeof SIGNALS>((resolve) => void (first = resolve));
  const listeners = (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).map((signal) => {
    const listener = () => {
      if (first === undefined) return exit(128 + SIGNALS[signal]);
      first(signal);
      first = undefined;
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return {
    received,
    dispose: () => listeners.forEach(({ signal, listener }) => process.off(signal, listener)),
  };
}
