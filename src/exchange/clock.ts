/** Engine time (ns, monotonic or virtual) to the wall clock (Unix ms). */
export interface Clock {
  /** Unix ms now. */
  nowMs(): number;
  /** Unix ms of an engine time that has passed. */
  wallMs(engineNs: number): number;
}

/** Follows the wall clock through every step that NTP makes: only ages are taken from the engine. */
export const systemClock = (engineNowNs: () => number): Clock => ({
  nowMs: () => Date.now(),
  wallMs: (engineNs) => Date.now() - (engineNowNs() - engineNs) / 1e6,
});

/** For stepped engines: the wall clock is the virtual one, from `epochMs` on. */
export const steppedClock = (engineNowNs: () => number, epochMs: number): Clock => ({
  nowMs: () => epochMs + engineNowNs() / 1e6,
  wallMs: (engineNs) => epochMs + engineNs / 1e6,
});
