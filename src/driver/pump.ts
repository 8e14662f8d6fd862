/**
 * Native events into JavaScript: a doorbell wakes us, a slow timer catches what a lost ring would leave.
 * Bun.connect is the one way to read a descriptor promptly (33 µs idle); a threadsafe callback has no bound.
 */

import type { DriverEvent } from "./decode";
import type { DriverEngine } from "./engine";

const SAFETY_DRAIN_MS = 100;

export class Pump {
  #timer: ReturnType<typeof setInterval> | undefined;
  #socket: { end(): void } | undefined;

  constructor(
    private readonly engine: DriverEngine,
    private readonly deliver: (event: DriverEvent) => void,
    /** Called at every safety drain. */
    private readonly afterSafetyDrain: () => void,
  ) {}

  /** Stepped engines have no doorbell to wait for: their caller drains after each step. */
  drain(): void {
    this.engine.drain(this.deliver);
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => {
      this.drain();
      this.afterSafetyDrain();
    }, SAFETY_DRAIN_MS);
    this.#socket = await Bun.connect({
      fd: this.engine.doorbell(),
      socket: { data: () => this.drain(), error: () => undefined },
    } as unknown as Parameters<typeof Bun.connect>[0]);
    this.drain();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket?.end();
  }
}
