/** The journal on its real thread. */
import type { EventBus } from "./bus";
import { Journal, type JournalDependencies } from "./journal";
import type { FromLogThread } from "./log_messages";

const DAY_MS = 86_400_000;

export interface JournalSettings {
  bus: EventBus;
  /** null: none is known. */
  folder: string | null;
  maxBytes: number;
  maxAgeDays: number;
  /** Of log_thread.ts. */
  threadUrl: string;
  log: JournalDependencies["log"];
}

export function createJournal({ bus, folder, maxBytes, maxAgeDays, threadUrl, log }: JournalSettings): Journal {
  return new Journal({
    bus,
    store: { folder, maxBytes, maxAgeMs: maxAgeDays * DAY_MS },
    startThread: (hear, ended) => {
      const worker = new Worker(threadUrl, { smol: true });
      worker.onmessage = ({ data }: MessageEvent<FromLogThread>) => hear(data);
      worker.onerror = ({ message }) => ended(message);
      worker.unref();
      return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
    },
    nowMs: Date.now,
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
    log,
  });
}
