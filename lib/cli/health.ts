import { EXIT } from "./exit_codes.ts";

/** Which probe is asked, and where. */
export interface HealthOptions {
  readonly url: string;
  readonly probe: "live" | "ready" | "started";
  readonly timeoutMs: number;
}

const PATHS = { live: "/livez", ready: "/readyz", started: "/startupz" } as const;

/**
 * Asks a running instance's admin server, for images that have no curl. Gives the exit code.
 * @param print where the answer goes
 */
export async function health(
  options: HealthOptions,
  print: (text: string) => void,
): Promise<number> {
  const address = `${options.url.replace(/\/$/, "")}${PATHS[options.probe]}?verbose`;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(options.timeoutMs) });
    print((await response.text()).trimEnd());
    return response.ok ? EXIT.ok : EXIT.unhealthy;
  } catch (error) {
    print(`${address} does not answer: ${(error as Error).message}`);
    return EXIT.unhealthy;
  }
}
