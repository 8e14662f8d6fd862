import { expect, test } from "bun:test";
import { SampleBacklog } from "../../../src/exchange/sample_backlog";
import { noise } from "../../support/stepped";

test("gives what was pushed, in order, however it is cut, and never keeps more than it may", () => {
  const backlog = new SampleBacklog(1000);
  const all = noise(20_000, 1);
  const out: number[] = [];
  let pushed = 0;
  for (let i = 0; pushed < all.length; i++) {
    pushed += backlog.push(all.subarray(pushed, pushed + ((i * 37) % 400)));
    expect(backlog.length).toBeLessThanOrEqual(1000);
    let room = (i * 53) % 350;
    const poured = backlog.pour((samples) => {
      const taken = samples.subarray(0, room);
      room -= taken.length;
      out.push(...taken);
      return taken.length;
    });
    expect(poured).toBeLessThanOrEqual(350);
  }
  expect(backlog.push(new Int16Array(2000))).toBe(1000 - (pushed - out.length));
  backlog.clear();
  expect(backlog.length).toBe(0);
  expect(Int16Array.from(out)).toEqual(all.slice(0, out.length));
  expect(out.length).toBeGreaterThan(19_000);
});
