/** Engine time (ns, monotonic or virtual) to the wall clock (Unix ms). */
export interface Clock {
  /** Unix ms now. */
  nowMs(): number;
  /** Unix ms of an engine time that has passed. */
  wallMs(engineNs: number): number;
  /** Calls once after `ms`, unless the function that it returns was called before. */
  after(ms: number, call: () => void): () => void;
}

/**
 * Follows the wall clock through every step that NTP makes: only ages are taken from the engine. `catchUp` delivers what
 * the engine has told: after a standstill of the process a timer may be due before the doorbell is read, and what
 * happened in time must not come too late.
 */
export const systemClock = (engineNowNs: () => number, catchUp: () => void): Clock => ({
  nowMs: () => Date.now(),
  wallMs: (engineNs) => Date.now() - (engineNowNs() - engineNs) / 1e6,
  after: (ms, call) => {
    let cancelled = false;
    const timer = setTimeout(() => {
      catchUp();
      if (!cancelled) call();
    }, ms);
    return () => {
      cancelled = true;
      clearTimeout(timer);
    };
  },
});

export interface SteppedClock extends Clock {
  /** Makes every call that has fallen due: once after each step of the engine. */
  runDue(): void;
}

/** For stepped engines: the wall clock is the virtual one, from `epochMs` on. */
export function steppedClock(engineNowNs: () => number, epochMs: number): SteppedClock {
  const nowMs = (): number => epochMs + engineNowNs() / 1e6;
  const waiting = new Set<{ atMs: number; call: () => void }>();
  return {
    nowMs,
    wallMs: (engineNs) => epochMs + engineNs / 1e6,
    after: (ms, call) => {
      const timer = { atMs: nowMs() + ms, call };
      waiting.add(timer);
      return () => waiting.delete(timer);
    },
    runDue: () => {
      for (const timer of [...waiting].sort((a, b) => a.atMs - b.atMs)) {
        if (timer.atMs <= nowMs() && waiting.delete(timer)) timer.call();
      }
    },
  };
}
