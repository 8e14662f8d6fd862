/** How a server goes, and how it takes a changed configuration. */
import type { ConfigEditor } from "../config/editor";
import { ConfigError } from "../config/fault";
import type { LogControl, Logs } from "../observe/log";
import type { Listener } from "./listen";

export interface LifecycleNeeds {
  logs: Logs;
  logControl: LogControl;
  editor: ConfigEditor;
  /** Another certificate may lie there now. */
  lookAtCertificate(): void;
  /** To systemd. */
  notify(state: string): void;
  stopWatchdog(): void;
  exchange: { lines: readonly number[]; stopRing(line: number): Promise<unknown>; endWaits(): void };
  /** They are told, so that they come back instead of waiting. */
  clients: readonly { closeAll(): void }[];
  listeners: readonly Listener[];
  /** When what is written and told elsewhere is. */
  settled(): Promise<unknown>;
  /** The I/O thread ends, which leaves every line on-hook; the event log is closed. */
  end(): Promise<void>;
}

/** Together less than two seconds, whatever a disk or a client does: what they leave undone, the next start mends. */
const BELLS_MS = 200;
const REQUESTS_MS = 900;
const CUT_OFF_MS = 100;
const SETTLED_MS = 500;
const LOGGED_MS = 50;
const TOGETHER_MS = 1850;

const within = (ms: number, work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work.catch(() => undefined), Bun.sleep(ms)]);

/** Signals are taken from now on. */
export function lifecycle(needs: LifecycleNeeds): void {
  const { clients, editor, exchange, listeners, logControl, logs, notify } = needs;
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    const until = performance.now() + TOGETHER_MS;
    logs.server.info("stopping", { signal });
    notify("STOPPING=1");
    needs.stopWatchdog();
    exchange.endWaits();
    // First of all silence; clients are told of it before they are told to go.
    await within(BELLS_MS, Promise.allSettled(exchange.lines.map((line) => exchange.stopRing(line))));
    for (const all of clients) all.closeAll();
    await within(REQUESTS_MS, Promise.all(listeners.map((listener) => listener.stop(false))));
    await within(CUT_OFF_MS, Promise.all(listeners.map((listener) => listener.stop(true))));
    await within(SETTLED_MS, needs.settled());
    await within(until - performance.now(), needs.end());
    await within(LOGGED_MS, logControl.flushed());
    process.exit(0);
  };
  const reload = async (): Promise<void> => {
    notify("RELOADING=1");
    logControl.reopen();
    needs.lookAtCertificate();
    try {
      const { applied, restart_required } = await editor.reload();
      logs.server.info("reloaded", { applied: applied.join(" "), restart_required: restart_required.join(" ") });
    } catch (error) {
      // Whatever it is: nobody edits a file in order to end telephone calls.
      const said = error instanceof ConfigError ? error.oneLine : (error as Error).message;
      logs.server.error("the configuration stays as it was", { error: said });
    }
    notify("READY=1");
  };
  // logrotate, and systemctl reload.
  process.on("SIGHUP", () => void reload());
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));
}
