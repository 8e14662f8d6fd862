/**
 * Takes turns with everything else that JavaScript has to do. The event loop hands over every request that has arrived,
 * one after the other: a flood of dear ones would stand before live audio and events until the last is answered. After a
 * few milliseconds of one turn the rest wait for the next, in their order; between two turns the loop looks at all sockets.
 */

/** A block is 20 ms, and half of the least buffer of live audio is that again. */
const BUDGET_MS = 4;
/** Those who wait are woken in so many pieces, because what one does is only known once it has been left alone to do it. */
const MAX_WOKEN = 16;

export class Turns {
  readonly #waiting: (() => void)[] = [];
  /** Callbacks of this turn that have not run yet; 0: no request has come in it. */
  #pending = 0;
  #startedAtMs = 0;
  #fresh = true;

  constructor(
    private readonly nowMs: () => number,
    /** Calls back in the loop's next turn, each with what it sets off done before the next one. */
    private readonly afterTurn: (callback: () => void) => void,
  ) {}

  /** null: go on at once. */
  mine(): Promise<void> | null {
    if (this.#pending === 0) {
      this.#startedAtMs = this.nowMs();
      this.#arm(1);
      return null;
    }
    if (this.#waiting.length === 0 && this.nowMs() - this.#startedAtMs < BUDGET_MS) return null;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #arm(callbacks: number): void {
    this.#pending = callbacks;
    this.#fresh = true;
    for (let i = 0; i < callbacks; i++) this.afterTurn(this.#woken);
  }

  readonly #woken = (): void => {
    this.#pending--;
    if (this.#fresh) {
      this.#fresh = false;
      this.#startedAtMs = this.nowMs();
    }
    if (this.#waiting.length > 0 && this.nowMs() - this.#startedAtMs < BUDGET_MS) this.#waiting.shift()?.();
    if (this.#pending === 0 && this.#waiting.length > 0) this.#arm(Math.min(this.#waiting.length, MAX_WOKEN));
  };
}
