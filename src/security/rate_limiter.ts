/**
 * How often somebody may. One number for each: when all that was asked for would have been asked for at the steady
 * rate (the generic cell rate algorithm). The table is bounded.
 */

export interface Rate {
  perSecond: number;
  /** As many at once. */
  burst: number;
}

export interface RateState {
  admitted: boolean;
  /** As many more at once. */
  remaining: number;
  /** Until all of the burst is there again. */
  fullInMs: number;
  /** Until one more is admitted; 0: now. */
  retryInMs: number;
}

const MAX_KEYS = 4096;

/** Whole seconds until then, never fewer; what a clock's last digits add counts for nothing. */
export const secondsUntil = (ms: number): number => Math.ceil(ms / 1000 - 1e-6);

export class RateLimiter {
  readonly #dueMs = new Map<string, number>();
  readonly #intervalMs: number;
  readonly #depthMs: number;

  constructor(readonly rate: Rate) {
    this.#intervalMs = 1000 / rate.perSecond;
    this.#depthMs = this.#intervalMs * rate.burst;
  }

  get size(): number {
    return this.#dueMs.size;
  }

  /** Would one more be admitted? Counts nothing. */
  look(key: string, nowMs: number): RateState {
    return this.#state(Math.max(this.#dueMs.get(key) ?? 0, nowMs), nowMs, 0);
  }

  take(key: string, nowMs: number): RateState {
    const dueMs = Math.max(this.#dueMs.get(key) ?? 0, nowMs);
    const state = this.#state(dueMs, nowMs, this.#intervalMs);
    if (state.admitted) {
      // The oldest first: whoever was not here for longest goes when there is no more room.
      this.#dueMs.delete(key);
      this.#dueMs.set(key, dueMs + this.#intervalMs);
      if (this.#dueMs.size > MAX_KEYS) this.#forget(nowMs);
    }
    return state;
  }

  #state(dueMs: number, nowMs: number, costMs: number): RateState {
    const roomMs = this.#depthMs - (dueMs - nowMs);
    const admitted = roomMs >= this.#intervalMs - 1e-6;
    const afterMs = admitted ? dueMs + costMs - nowMs : dueMs - nowMs;
    return {
      admitted,
      remaining: Math.max(0, Math.floor((this.#depthMs - afterMs) / this.#intervalMs + 1e-6)),
      fullInMs: Math.max(0, afterMs),
      retryInMs: admitted ? 0 : this.#intervalMs - roomMs,
    };
  }

  #forget(nowMs: number): void {
    for (const [key, dueMs] of this.#dueMs) {
      if (this.#dueMs.size <= MAX_KEYS && dueMs > nowMs) break;
      this.#dueMs.delete(key);
    }
  }
}

/** Whom an address stands for: of IPv6 a network, since its owner has 2⁶⁴ of them. */
export function clientOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  if (!address.includes(":") || !process.getBuiltinModule("node:net").isIPv6(address)) return address;
  const [head = "", tail = ""] = (address.split("%")[0] ?? "").toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === "" ? [] : tail.split(":");
  if (address.includes("::")) while (groups.length + after.length < 8) groups.push("0");
  return `${[...groups, ...after].slice(0, 4).join(":")}::/64`;
}

export const isLoopback = (address: string): boolean => /^(::ffff:)?127\./i.test(address) || address === "::1";
