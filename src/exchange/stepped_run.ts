/**
 * An exchange on a virtual clock: the engine's own code, and time that passes when it is told to. An hour of telephone
 * life takes seconds, and nothing waits.
 */
import type { DriverEvent } from "../driver/decode";
import type { DriverEngine } from "../driver/engine";
import type { SteppedClock } from "./clock";

const SLICE_MS = 20;

export class SteppedRun {
  constructor(
    private readonly engine: DriverEngine,
    private readonly clock: SteppedClock,
    private readonly handle: (event: DriverEvent) => void,
  ) {}

  /** Delivers what has happened, and lets what awaited it go on. */
  async drain(): Promise<void> {
    this.engine.drain(this.handle);
    this.clock.runDue();
    await Bun.sleep(0);
  }

  /** Moves the clock, 20 ms at a time, delivering events on the way. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= SLICE_MS) {
      this.engine.step(Math.min(left, SLICE_MS));
      await this.drain();
    }
  }

  /** Moves the clock until the promise settles; fails after `limitMs` of virtual time. */
  async until<T>(promise: Promise<T>, limitMs = 60_000): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    await this.drain();
    for (let spent = 0; !settled; spent += SLICE_MS) {
      if (spent >= limitMs) throw new Error(`not settled within ${limitMs} ms of the telephone's time`);
      await this.advance(SLICE_MS);
    }
    return promise;
  }
}
