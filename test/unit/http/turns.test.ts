import { expect, test } from "bun:test";
import { Turns } from "../../../src/http/turns";

/** An event loop by hand: what was put off to the next turn runs in it, and what that puts off in the one after. */
class Loop {
  nowMs = 0;
  #later: (() => void)[] = [];
  readonly turns = new Turns(
    () => this.nowMs,
    (callback) => void this.#later.push(callback),
  );
  /** [turn, request] in the order in which they were answered. */
  readonly answered: [turn: number, request: number][] = [];
  #turn = 0;

  ask(request: number, costMs: number): void {
    const answer = (): void => {
      this.nowMs += costMs;
      this.answered.push([this.#turn, request]);
    };
    const turn = this.turns.mine();
    if (turn) void turn.then(answer);
    else answer();
  }

  async next(): Promise<void> {
    this.#turn++;
    const due = this.#later;
    this.#later = [];
    for (const callback of due) {
      callback();
      await Promise.resolve(); // as between two of setImmediate's
    }
  }

  get idle(): boolean {
    return this.#later.length === 0;
  }
}

test("cheap requests are answered as they come", async () => {
  const loop = new Loop();
  for (let request = 0; request < 100; request++) loop.ask(request, 0.01);
  expect(loop.answered).toHaveLength(100);
  await loop.next();
  expect(loop.idle).toBe(true);
});

test("of dear ones a turn has a few milliseconds, and all are answered in their order", async () => {
  const loop = new Loop();
  for (let request = 0; request < 10; request++) loop.ask(request, 3);
  expect(loop.answered).toEqual([
    [0, 0],
    [0, 1],
  ]);
  await loop.next();
  loop.ask(10, 3); // in the middle: behind those who wait
  while (!loop.idle) {
    const fromMs = loop.nowMs;
    await loop.next();
    expect(loop.nowMs - fromMs).toBeLessThanOrEqual(6);
  }
  expect(loop.answered.map(([, request]) => request)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  loop.ask(11, 3);
  expect(loop.answered.at(-1)?.[1]).toBe(11);
});

test("one that is dear by itself has its turn to itself", async () => {
  const loop = new Loop();
  for (let request = 0; request < 4; request++) loop.ask(request, 50);
  while (!loop.idle) await loop.next();
  expect(loop.answered.map(([turn]) => turn)).toEqual([0, 1, 2, 3]);
});

test("many cheap ones behind a dear one are not counted out one by one", async () => {
  const loop = new Loop();
  loop.ask(0, 50);
  for (let request = 1; request <= 320; request++) loop.ask(request, 0.01);
  let turns = 0;
  for (; !loop.idle; turns++) await loop.next();
  expect(loop.answered).toHaveLength(321);
  expect(turns).toBeLessThan(30);
});
