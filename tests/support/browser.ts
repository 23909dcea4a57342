/** Debian's Chromium, without a window, driven by its own protocol (CDP) over a WebSocket. @module */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Buffer } from "node:buffer";
import process from "node:process";
import { guard, unguard } from "./process_guard.ts";
import { requireTool } from "./system_tools.ts";
import { makeTempDir } from "./temp_dir.ts";

/** A page that is open. */
export interface BrowserPage {
  /** The value of an expression in the page; promises are awaited. @throws {Error} with the page's own error */
  evaluate<T>(expression: string): Promise<T>;
  /** What went wrong in it so far: exceptions, refused resources, errors on the console. */
  readonly faults: readonly string[];
  /** The addresses that it asked for. */
  readonly requests: readonly string[];
  /** Writes what it looks like to a PNG file. */
  screenshot(path: string): Promise<void>;
}

/** A browser that runs. */
export interface Browser {
  open(url: string): Promise<BrowserPage>;
  close(): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: any;
  readonly result?: any;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

const PATIENCE_MS = 30_000;

/** Starts Chromium; as root without its sandbox, which root cannot have. */
export async function startBrowser(): Promise<Browser> {
  const chromium = await requireTool("chromium");
  const child = spawn(chromium, [
    "--headless=new",
    "--remote-debugging-port=0",
    `--user-data-dir=${makeTempDir("chromium")}`,
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--window-size=1400,1200",
    "about:blank",
  ], { stdio: ["ignore", "ignore", "pipe"] });
  if (child.pid !== undefined) guard(child.pid);
  try {
    const connection = await connect(await addressOf(child));
    return {
      open: (url) => openPage(connection, url),
      async close() {
        connection.close();
        await ended(child);
      },
    };
  } catch (error) {
    await ended(child);
    throw error;
  }
}

/** Chromium tells on standard error where it listens. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const late = setTimeout(
      () => reject(new Error(`Chromium did not start in time\n${text}`)),
      PATIENCE_MS,
    );
    child.stderr!.on("data", (chunk: Uint8Array) => {
      text += new TextDecoder().decode(chunk);
      const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (address === undefined) return;
      clearTimeout(late);
      resolve(address);
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`Chromium has ended with ${code}\n${text}`));
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const hard = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await gone;
  if (child.pid !== undefined) unguard(child.pid);
  clearTimeout(hard);
}

interface Connection {
  send(method: string, params?: object, sessionId?: string): Promise<any>;
  on(listener: (event: Answer) => void): void;
  close(): void;
}

function connect(address: string): Promise<Connection> {
  const socket = new WebSocket(address);
  const waiting = new Map<number, (answer: Answer) => void>();
  const listeners: ((event: Answer) => void)[] = [];
  let next = 1;
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(String(data)) as Answer;
    if (answer.id === undefined) { for (const listener of listeners) listener(answer); }
    else waiting.get(answer.id)?.(answer);
  };
  const connection: Connection = {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = next++;
        waiting.set(id, ({ result, error }) => {
          waiting.delete(id);
          if (error === undefined) resolve(result);
          else reject(new Error(`${method}: ${error.message}`));
        });
        socket.send(JSON.stringify({ id, method, params, sessionId }));
      }),
    on: (listener) => void listeners.push(listener),
    close: () => socket.close(),
  };
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(connection);
    socket.onerror = () => reject(new Error(`Chromium does not answer on ${address}`));
  });
}

async function openPage(connection: Connection, url: string): Promise<BrowserPage> {
  const { targetId } = await connection.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await connection.send("Target.attachToTarget", { targetId, flatten: true });
  const faults: string[] = [];
  const requests: string[] = [];
  connection.on(({ method, params, sessionId: from }) => {
    if (from !== sessionId) return;
    if (method === "Runtime.exceptionThrown") {
      const { exception, text } = params.exceptionDetails;
      faults.push(exception?.description ?? text);
    } else if (method === "Log.entryAdded" && params.entry.level === "error") {
      faults.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    } else if (method === "Network.requestWillBeSent") requests.push(params.request.url);
  });
  const send = (method: string, params?: object) => connection.send(method, params, sessionId);
  await Promise.all(
    ["Runtime", "Log", "Network", "Page"].map((domain) => send(`${domain}.enable`)),
  );
  await send("Page.navigate", { url });
  return {
    faults,
    requests,
    async evaluate(expression) {
      const { result, exceptionDetails } = await send("Runtime.evaluate", {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails !== undefined) {
        throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      }
      return result.value;
    },
    async screenshot(path) {
      const { data } = await send("Page.captureScreenshot", { captureBeyondViewport: true });
      writeFileSync(path, Buffer.from(data, "base64"));
    },
  };
}
