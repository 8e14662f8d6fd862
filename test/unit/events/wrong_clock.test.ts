/** A clock that is wrong for a while, as on a Pi without a battery: history outlives it, and is forgotten in its time. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BelievedClock } from "../../../src/events/believed_clock";
import { LogKeeper } from "../../../src/events/log_keeper";
import type { FromLogThread, StoreState } from "../../../src/events/log_messages";
import { LogStore } from "../../../src/events/log_store";
import { T0 } from "./sink";
import { virtualClock } from "./stepped_disk";

const root = mkdtempSync(join(tmpdir(), "dahdi-wrong-clock-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const folder = (): string => join(root, String(++folders));
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const IN_2099 = Date.UTC(2099, 5, 1);
const IN_1970 = 40_000;
const MAX_AGE_MS = 30 * DAY_MS;

/** One process's log, written and pruned by a wall clock that the test sets. */
function process(where: string, wallMs: number) {
  const clock = virtualClock();
  let aheadMs = wallMs - clock.ms;
  const told: FromLogThread[] = [];
  const keeper = new LogKeeper((message) => told.push(message), {
    nowMs: () => clock.ms + aheadMs,
    steadyMs: () => clock.ms,
    after: (ms, call) => void clock.after(ms, call),
  });
  keeper.handle({
    do: "open",
    options: { folder: where, maxBytes: 64 * 1024 * 1024, maxAgeMs: MAX_AGE_MS },
    request: { nowUs: wallMs * 1000, inMemory: null },
  });
  const opened = told.find((message) => message.told === "opened");
  if (opened?.told !== "opened") throw new Error(JSON.stringify(told));
  let state: StoreState = opened.state;
  return {
    clock,
    told,
    set: (ms: number) => {
      aheadMs = ms - clock.ms;
    },
    write: (atMs = clock.ms + aheadMs) => {
      const id = state.position + 1;
      const rows: [number, number, number, string, string][] = [[id, 1, Math.trunc(atMs), "flash", "{}"]];
      keeper.handle({ do: "write", after: state.position, rows, gap: null, cursors: [] });
      const last = told.at(-1);
      if (last?.told !== "written") throw new Error(JSON.stringify(last));
      state = last.state;
    },
    /** When they happened, as they were told. */
    kept: (): number[] => {
      const filter = { types: null, lines: null };
      keeper.handle({ do: "read", ticket: 1, which: "after", id: 0, limit: 1000, filter });
      const last = told.at(-1);
      return last?.told === "piece" ? (last.piece?.rows ?? []).map(([, , atMs]) => atMs) : [];
    },
    close: () => keeper.handle({ do: "close" }),
    kill: () => keeper.abandon(),
  };
}

/** A log of one event a day for a week. */
async function week(where: string, end: "close" | "kill" = "close") {
  const one = process(where, T0);
  const times: number[] = [];
  for (let day = 0; day < 7; day++) {
    times.push(T0 + day * DAY_MS);
    one.write();
    await one.clock.pass(DAY_MS);
  }
  expect(one.kept()).toEqual(times);
  one[end]();
  return times;
}

describe("a clock far in the future", () => {
  test("for an hour costs no history", async () => {
    const where = folder();
    const times = await week(where);
    const one = process(where, T0 + 7 * DAY_MS);
    await one.clock.pass(HOUR_MS);
    one.set(IN_2099);
    one.write();
    await one.clock.pass(HOUR_MS);
    expect(one.kept()).toEqual([...times, IN_2099]);
    one.set(T0 + 7 * DAY_MS + 2 * HOUR_MS);
    one.write();
    await one.clock.pass(HOUR_MS);
    expect(one.kept()).toEqual([...times, IN_2099, T0 + 7 * DAY_MS + 2 * HOUR_MS]);
    one.close();
  });

  test.each(["close", "kill"] as const)("from the start, twice, costs none either (%s)", async (end) => {
    const where = folder();
    const times = await week(where, end);
    for (const day of [0, 1]) {
      const one = process(where, IN_2099 + day * DAY_MS);
      one.write();
      await one.clock.pass(20 * HOUR_MS);
      expect(one.kept().slice(0, 7)).toEqual(times);
      one[end]();
    }
    const right = process(where, T0 + 9 * DAY_MS);
    await right.clock.pass(HOUR_MS);
    expect(right.kept()).toEqual([...times, IN_2099, IN_2099 + DAY_MS]);
    right.close();
  });

  test("that goes on that way for a day is believed: a machine that was put away for months forgets", async () => {
    const where = folder();
    await week(where);
    const one = process(where, T0 + 90 * DAY_MS);
    one.write();
    await one.clock.pass(23 * HOUR_MS);
    expect(one.kept()).toHaveLength(8);
    await one.clock.pass(2 * HOUR_MS);
    expect(one.kept()).toEqual([T0 + 90 * DAY_MS]);
    one.close();
  });

  test("leaves events that do not keep those before them for ever", async () => {
    const where = folder();
    const one = process(where, T0);
    one.write(IN_2099);
    one.write(IN_1970);
    one.write(T0);
    one.write(IN_2099 + 1);
    one.write(T0 + 10 * DAY_MS);
    one.write(IN_1970 + 1);
    for (let day = 0; day < 29; day++) await one.clock.pass(DAY_MS);
    expect(one.kept()).toHaveLength(6);
    await one.clock.pass(2 * DAY_MS);
    // 1970 comes after one that is young, so it is as young; 2099 says nothing, and goes with the next.
    expect(one.kept()).toEqual([IN_2099 + 1, T0 + 10 * DAY_MS, IN_1970 + 1]);
    for (let day = 0; day < 10; day++) await one.clock.pass(DAY_MS);
    expect(one.kept()).toEqual([IN_1970 + 1]);
    one.close();
  });
});

describe("a clock that starts in 1970 and is set a minute later", () => {
  test("costs no history, and events are forgotten in their time", async () => {
    const where = folder();
    const times = await week(where, "kill");
    const one = process(where, IN_1970);
    one.write();
    await one.clock.pass(60_000);
    one.set(T0 + 7 * DAY_MS + HOUR_MS);
    one.write();
    await one.clock.pass(2 * DAY_MS);
    expect(one.kept()).toEqual([...times, IN_1970, T0 + 7 * DAY_MS + HOUR_MS]);
    for (let day = 0; day < 23; day++) await one.clock.pass(DAY_MS);
    expect(one.kept()).toEqual([...times.slice(2), IN_1970, T0 + 7 * DAY_MS + HOUR_MS]);
    one.close();
  });
});

test("what is believed is kept with what is written, also while the clock says 1970", async () => {
  const where = folder();
  await week(where, "kill");
  const one = process(where, IN_1970);
  await one.clock.pass(3 * HOUR_MS);
  one.write();
  one.kill();
  const store = new LogStore({ folder: where, maxBytes: 1e9, maxAgeMs: 1e12 }, { nowUs: 1, inMemory: null });
  const ahead = (store.believedMs ?? 0) - T0;
  store.close();
  // As noted with the last event of the week, and three hours of having run.
  expect(ahead).toBeGreaterThan(6 * DAY_MS);
  expect(ahead).toBeLessThan(7 * DAY_MS + 4 * HOUR_MS);
});

describe("the believed clock", () => {
  test("a step of less than a day is taken at once, either way", () => {
    const clock = new BelievedClock(T0, 0);
    expect(clock.look(T0 + 23 * HOUR_MS, 1000)).toBe(T0 + 23 * HOUR_MS);
    expect(clock.look(T0, 2000)).toBe(T0);
  });

  test("one that jumps about is never believed", () => {
    const clock = new BelievedClock(T0, 0);
    for (let hour = 1; hour < 1000; hour++) {
      const wrongMs = IN_2099 + (hour % 2) * 10 * DAY_MS;
      expect(clock.look(wrongMs, hour * HOUR_MS)).toBe(T0 + hour * HOUR_MS);
    }
    expect(clock.believedMs(1000 * HOUR_MS)).toBe(T0 + 1000 * HOUR_MS);
  });

  test("one in the past lets nothing be forgotten, and what is right again is at once right", () => {
    const clock = new BelievedClock(T0, 0);
    expect(clock.look(IN_1970, 1000)).toBe(IN_1970);
    expect(clock.look(T0 + 2000, 2000)).toBe(T0 + 2000);
  });
});
