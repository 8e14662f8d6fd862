/** A journal on a log's keeper without a thread: a virtual clock, and a disk that fails when the test says so. */
import { EventBus } from "../../../src/events/bus";
import { EventLog } from "../../../src/events/event_log";
import { Journal } from "../../../src/events/journal";
import { LogKeeper } from "../../../src/events/log_keeper";
import type { FromLogThread, ToLogThread } from "../../../src/events/log_messages";
import { T0 } from "./sink";

export function virtualClock() {
  const timers = new Set<{ atMs: number; call: () => void }>();
  const clock = {
    ms: T0,
    after: (ms: number, call: () => void): (() => void) => {
      const timer = { atMs: clock.ms + ms, call };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    /** Timers due in between are called in their order, and what they start settles. */
    pass: async (ms: number): Promise<void> => {
      const untilMs = clock.ms + ms;
      for (;;) {
        await settled();
        const [next] = [...timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
        if (!next) break;
        clock.ms = Math.max(clock.ms, next.atMs);
        timers.delete(next);
        next.call();
      }
      clock.ms = untilMs;
    },
  };
  return clock;
}

/** All microtasks and messages on their way. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function steppedJournal(folder: string | null, capacity = 100, stalls = false, laterMs = 0) {
  const clock = virtualClock();
  clock.ms += laterMs;
  const bus = new EventBus(null, capacity);
  const said: string[] = [];
  const disk = {
    /** Thrown by every write while it is set. */
    fails: null as string | null,
    /** Messages wait while it is set, as behind a card that stalls. */
    stalls,
    writes: 0,
    opens: 0,
    kill: (why: string): void => died(why),
  };
  let died: (why: string) => void = () => undefined;
  const waiting: (() => void)[] = [];
  const journal = new Journal({
    bus,
    store: { folder, maxBytes: 64 * 1024 * 1024, maxAgeMs: 1e12 },
    startThread: (hear, ended) => {
      const keeper = new LogKeeper((message: FromLogThread) => setImmediate(() => alive && hear(message)), {
        nowMs: () => clock.ms,
        steadyMs: () => clock.ms,
        after: clock.after,
      });
      let alive = true;
      died = (why) => {
        alive = false;
        keeper.abandon();
        ended(why);
      };
      const handle = (message: ToLogThread): void => {
        if (message.do === "write") {
          disk.writes++;
        }
        if (message.do === "open") disk.opens++;
        const { store } = keeper;
        if (disk.fails !== null && store) {
          store.write = store.beginAt = () => {
            throw Object.assign(new Error(), { code: disk.fails });
          };
        } else if (store) {
          delete (store as Partial<typeof store>).write;
          delete (store as Partial<typeof store>).beginAt;
        }
        keeper.handle(message);
      };
      return {
        post: (message) => {
          const deliver = (): unknown => alive && handle(structuredClone(message));
          if (disk.stalls) waiting.push(deliver);
          else setImmediate(deliver);
        },
        end: () => {
          alive = false;
        },
      };
    },
    nowMs: () => clock.ms,
    after: clock.after,
    log: {
      info: (message) => said.push(message),
      warning: (message, fields) => said.push(`${message}: ${fields?.problem ?? fields?.renamed_to}`),
    },
  });
  journal.start();
  const flow = async (): Promise<void> => {
    disk.stalls = false;
    for (const deliver of waiting.splice(0)) deliver();
    await settled();
  };
  return { clock, bus, journal, log: new EventLog(bus, journal), disk, said, flow };
}
