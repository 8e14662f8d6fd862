/** A server of our own in its own process: from source, or the executable that is named. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "../..");
const READY_MS = 60_000; /* emulated arm64 is slow */

export interface RunningServer extends AsyncDisposable {
  rest: string;
  websocket: string;
  pid: number;
  /** Everything on standard error so far. */
  log(): Promise<string>;
  residentMb(): Promise<number>;
  stop(signal?: NodeJS.Signals): Promise<number>;
}

/** From source unless DAHDI_TEST_EXECUTABLE names a compiled one. */
export function serverCommand(): string[] {
  const executable = process.env.DAHDI_TEST_EXECUTABLE;
  return executable ? executable.split(" ") : [process.execPath, join(ROOT, "src/main.ts")];
}

export interface StartOptions {
  command?: string[];
  arguments?: string[];
  cwd?: string;
  environment?: Record<string, string>;
  /** Where the event log and recordings are; omitted: a folder of its own, gone with the server. */
  stateDir?: string;
}

export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const command = [
    ...(options.command ?? serverCommand()),
    "serve",
    "--rest-port=0",
    "--websocket-port=0",
    "--announce",
    ...(options.arguments ?? ["--simulate=4"]),
  ];
  const own = options.stateDir === undefined ? mkdtempSync(join(tmpdir(), "dahdi-state-")) : null;
  const DAHDI_API_STATE_DIR = options.stateDir ?? own ?? "";
  const child = Bun.spawn(command, {
    cwd: options.cwd ?? "/",
    env: { PATH: process.env.PATH ?? "", DAHDI_API_STATE_DIR, ...options.environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let log = "";
  void (async () => {
    for await (const chunk of child.stderr) log += new TextDecoder().decode(chunk);
  })();
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS);
  let first = "";
  for await (const chunk of child.stdout) {
    first += new TextDecoder().decode(chunk);
    if (first.includes("\n")) break;
  }
  clearTimeout(timer);
  if (!first.includes("\n")) throw new Error(`${command.join(" ")} did not become ready:\n${log}`);
  const { rest_port, websocket_port, pid } = JSON.parse(first);
  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number> => {
    child.kill(signal);
    const code = await child.exited;
    if (own !== null) rmSync(own, { recursive: true, force: true });
    return code;
  };
  return {
    rest: `http://127.0.0.1:${rest_port}`,
    websocket: `ws://127.0.0.1:${websocket_port}/ws`,
    pid,
    log: async () => log,
    residentMb: async () =>
      Number(/VmRSS:\s+(\d+)/.exec(await Bun.file(`/proc/${pid}/status`).text())?.[1]) / 1024,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

/** For a condition: a guest on a busy machine may well stand still for ten seconds. */
export const PATIENCE_MS = 45_000;

const SAID_CHARACTERS = 4000;

/** What it was in the end, in as much as somebody reads: a second of sound is 8,000 numbers. */
function said(answer: unknown): string {
  const text = JSON.stringify(answer, (_, value: unknown) =>
    ArrayBuffer.isView(value) ? `${value.constructor.name}(${value.byteLength} bytes)` : value,
  );
  return text === undefined || text.length <= SAID_CHARACTERS
    ? text
    : `${text.slice(0, SAID_CHARACTERS / 2)} … ${text.slice(-SAID_CHARACTERS / 2)}`;
}

/** Asks until it is so. */
export async function eventually<T>(
  ask: () => Promise<T> | T,
  so: (answer: T) => boolean,
  limitMs = PATIENCE_MS,
): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (so(answer)) return answer;
    if (Date.now() > until) throw new Error(`it did not become so within ${limitMs} ms: ${said(answer)}`);
    await Bun.sleep(10);
  }
}
