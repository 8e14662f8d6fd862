/** Time in a process that may stand still. */
import { expect, test } from "bun:test";
import { systemClock } from "../../../src/exchange/clock";

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
