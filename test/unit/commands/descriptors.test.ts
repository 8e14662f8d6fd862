/** That clients are kept off the last descriptors is said once a minute; who is kept off: test/native. */
import { expect, test } from "bun:test";
import { descriptorGuard } from "../../../src/commands/descriptors";

test("what was closed in a minute is said once", () => {
  const closes = [0, 3, 4, 0, -22, 5, 0];
  const said: unknown[] = [];
  const asked: number[][] = [];
  let nowMs = 100;
  const look = descriptorGuard({
    shim: {
      dshim_refuse_clients: (...given: number[]) => {
        asked.push(given);
        return closes.shift() ?? 0;
      },
    } as never,
    ports: [8000, 8001],
    log: { warning: (_message, fields) => void said.push(fields?.closed) },
    monotonicMs: () => nowMs,
  });
  for (let i = 0; i < 6; i++) look();
  expect(said).toEqual([3]);
  nowMs += 60_000;
  look();
  expect(said).toEqual([3, 9]);
  nowMs += 60_000;
  look();
  expect(said).toEqual([3, 9]);
  expect(asked[0]).toEqual([8000, 8001, 32, 1000]);
});
