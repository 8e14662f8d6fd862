/** Engine time (ns, monotonic or virtual), by which everything lasts, and the wall clock (Unix ms), by which it is dated. */
export interface Clock {
  /** Of the engine, ms: nobody sets it. */
  engineMs(): number;
  /** Unix ms now. */
  nowMs(): number;
  /** Unix ms of an engine time that has passed. */
  wallMs(engineNs: number): number;
  /** Calls once after `ms`, unless the function that it returns was called before. */
  after(ms: number, call: () => void): () => void;
}

/** Nearer than this it is the same wall clock as before: what dates two ends of a thing must not jitter between them. */
const BESIDE_MS = 3;
const NS_PER_MS = 1e6;

/**
 * Follows the wall clock through every step that NTP makes; all else is taken from the engine. `catchUp` delivers what
 * the engine has told: after a standstill of the process a timer may be due before the doorbell is read, and what
 * happened in time must not come too late.
 */
export function systemClock(engineNowNs: () => number, catchUp: () => void): Clock {
  let aheadMs = Number.NEGATIVE_INFINITY;
  const engineMs = (): number => engineNowNs() / NS_PER_MS;
  const wallMs = (engineNs: number): number => {
    const seenMs = Date.now() - engineMs();
    if (Math.abs(seenMs - aheadMs) > BESIDE_MS) aheadMs = seenMs;
    return engineNs / NS_PER_MS + aheadMs;
  };
  return {
    engineMs,
    nowMs: () => wallMs(engineNowNs()),
    wallMs,
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
  };
}

export interface SteppedClock extends Clock {
  /** Makes every call that has fallen due: once after each step of the engine. */
  runDue(): void;
}

/** For stepped engines: the wall clock is the virtual one, from `epochMs` on. */
export function steppedClock(engineNowNs: () => number, epochMs: number): SteppedClock {
  const engineMs = (): number => engineNowNs() / NS_PER_MS;
  const nowMs = (): number => epochMs + engineMs();
  const waiting = new Set<{ atMs: number; call: () => void }>();
  return {
    engineMs,
    nowMs,
    wallMs: (engineNs) => epochMs + engineNs / NS_PER_MS,
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
