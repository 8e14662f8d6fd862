/** Time in a process that may stand still. */
import { afterEach, expect, setSystemTime, test } from "bun:test";
import { systemClock } from "../../../src/exchange/clock";

afterEach(() => {
  setSystemTime();
});

/** The engine's event that waits when time runs out. */
async function ranOut(happens: (cancel: () => void) => void): Promise<string[]> {
  const log: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let cancel = (): void => undefined;
  const clock = systemClock(
    () => 0,
    () => {
      log.push("event");
      happens(cancel);
      setImmediate(resolve);
    },
  );
  cancel = clock.after(1, () => log.push("time"));
  await promise;
  return log;
}

test("what happened before a time ran out is heard before it", async () => {
  expect(await ranOut(() => undefined)).toEqual(["event", "time"]);
});

test("what it was waited for comes in the last moment: time does not run out any more", async () => {
  expect(await ranOut((cancel) => cancel())).toEqual(["event"]);
});

test("the wall clock is followed through every step, and dates the same moment the same while nobody sets it", () => {
  const startMs = Date.UTC(2026, 0, 1);
  let engineNs = 5e9;
  const clock = systemClock(
    () => engineNs,
    () => undefined,
  );
  const pass = (ms: number, wallMs = ms): void => {
    engineNs += ms * 1e6;
    setSystemTime(new Date(Date.now() + wallMs));
  };
  setSystemTime(new Date(startMs));
  expect(clock.wallMs(5e9)).toBe(startMs);
  pass(1000.7, 1000); // a clock that is read in whole milliseconds
  expect([clock.wallMs(5e9), clock.wallMs(6e9), clock.nowMs()]).toEqual([
    startMs,
    startMs + 1000,
    startMs + 1000.7,
  ]);
  for (const byMs of [3_600_000, -7_200_000, 20]) {
    pass(0, byMs);
    expect(clock.nowMs()).toBe(Date.now());
    expect(clock.wallMs(engineNs - 5e8)).toBe(Date.now() - 500);
  }
  expect(clock.engineMs()).toBe(6000.7);
});
