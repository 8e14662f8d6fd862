/**
 * The time by which the log forgets. A machine without a battery starts in 1970, a bad time server may say 2099: what
 * is kept for weeks must not be gone for an hour of that. So a clock that is a day or more beside what it was and what
 * has passed since is believed when it has gone on that way for a day; until then time passes as the old one had it.
 */
const DAY_MS = 86_400_000;
/** A night switched off, a time zone mixed up: taken at once, for it costs no more than itself. */
const BESIDE_MS = DAY_MS;
const PROBATION_MS = DAY_MS;

interface Reading {
  ms: number;
  steadyMs: number;
}

const later = ({ ms, steadyMs }: Reading, nowSteadyMs: number): number => ms + nowSteadyMs - steadyMs;

export class BelievedClock {
  #believed: Reading;
  #doubted: (Reading & { sinceSteadyMs: number }) | null = null;

  /** ms: Unix ms, what was believed last; steadyMs: of a clock that nobody sets. */
  constructor(ms: number, steadyMs: number) {
    this.#believed = { ms, steadyMs };
  }

  /** Unix ms that may be counted on: no later than either clock says. */
  look(wallMs: number, steadyMs: number): number {
    const now = { ms: wallMs, steadyMs };
    const expectedMs = later(this.#believed, steadyMs);
    const doubted = this.#doubted;
    const goesOn = doubted !== null && Math.abs(wallMs - later(doubted, steadyMs)) < BESIDE_MS;
    const sinceSteadyMs = goesOn ? doubted.sinceSteadyMs : steadyMs;
    if (Math.abs(wallMs - expectedMs) < BESIDE_MS || steadyMs - sinceSteadyMs >= PROBATION_MS) {
      this.#believed = now;
      this.#doubted = null;
      return wallMs;
    }
    this.#doubted = { ...now, sinceSteadyMs };
    return Math.min(wallMs, expectedMs);
  }

  /** For the next start. */
  believedMs(steadyMs: number): number {
    return later(this.#believed, steadyMs);
  }
}
