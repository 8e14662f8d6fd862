/** Ring cadences: what a bell does, in bursts of on and off milliseconds. Pure. */

export interface Burst {
  onMs: number;
  offMs: number;
}

export interface Cadence {
  bursts: readonly Burst[];
  /** Times the whole list when nobody says otherwise; 0 for ever. */
  defaultRepeat: number;
}

/** The driver's table holds this many bursts (DSHIM_MAX_BURSTS). */
export const MAX_BURSTS = 32;
export const MAX_REPEAT = 1000;
/** One on- or off-time, ms: longer is not a cadence but a mistake. */
export const MAX_PHASE_MS = 60_000;

const cadence = (defaultRepeat: number, ...phases: readonly (readonly [number, number])[]): Cadence => ({
  bursts: phases.map(([onMs, offMs]) => ({ onMs, offMs })),
  defaultRepeat,
});

export const RING_CADENCES = {
  NORMAL: cadence(1, [2000, 4000]),
  DISTINCTIVE1: cadence(1, [500, 500], [500, 500], [2000, 4000]),
  DISTINCTIVE2: cadence(1, [500, 500], [2000, 500], [500, 4000]),
  CONTINUOUS: cadence(0, [5000, 100]),
  SINGLE: cadence(1, [500, 0]),
  TIMER: cadence(1, [200, 200], [200, 200], [200, 0]),
  URGENT: cadence(5, [300, 300]),
} as const satisfies Record<string, Cadence>;

export type RingPatternName = keyof typeof RING_CADENCES | "CUSTOM";
export const RING_PATTERN_NAMES: readonly RingPatternName[] = [
  ...(Object.keys(RING_CADENCES) as (keyof typeof RING_CADENCES)[]),
  "CUSTOM",
];

export interface RingOrder {
  pattern?: string;
  durationMs?: number;
  repeat?: number;
  customPattern?: { onTimesMs: readonly number[]; offTimesMs: readonly number[] };
}

/** What a display is told with the ringing: samples for the driver, which knows when. */
export interface RingData {
  samples: Int16Array;
  /** afterBurst: number from 0, since the ring's beginning. */
  when: "before_ringing" | { afterBurst: number };
  reversePolarity: boolean;
}

/** A ring as the driver times it. */
export interface RingPlan {
  pattern: RingPatternName;
  bursts: readonly Burst[];
  /** Times the whole list; 0 until capMs. */
  repeat: number;
  /** What the client asked for as `duration`, null when it did not. */
  durationMs: number | null;
  /** The earlier of durationMs and max_ring_seconds: never without an end. */
  capMs: number;
  data?: RingData;
}

export interface FieldError {
  field: string;
  message: string;
}

export type PlannedRing = { ok: true; plan: RingPlan } | { ok: false; errors: FieldError[] };

/**
 * From what a client asked for to what the driver times, or every field at fault. Without `repeat`, a
 * `duration` means "repeat until the cap".
 */
export function planRing(order: RingOrder, maxRingMs: number): PlannedRing {
  const errors: FieldError[] = [];
  const wholeNumber = (field: string, value: number | undefined, low: number, high: number): void => {
    if (value === undefined || (Number.isInteger(value) && value >= low && value <= high)) return;
    errors.push({ field, message: `must be a whole number from ${low} to ${high}` });
  };
  wholeNumber("repeat", order.repeat, 0, MAX_REPEAT);
  wholeNumber("duration", order.durationMs, 1, 24 * 3600 * 1000);

  const name = (order.pattern ?? (order.customPattern ? "CUSTOM" : "NORMAL")).toUpperCase() as RingPatternName;
  if (!RING_PATTERN_NAMES.includes(name)) {
    errors.push({ field: "pattern", message: `must be one of ${RING_PATTERN_NAMES.join(", ")}` });
    return { ok: false, errors };
  }
  if (name !== "CUSTOM" && order.customPattern) {
    errors.push({ field: "custom_pattern", message: `goes with pattern CUSTOM, not ${name}` });
  }
  const base = name === "CUSTOM" ? customCadence(order, errors) : RING_CADENCES[name];
  const repeat = order.repeat ?? (order.durationMs === undefined ? base.defaultRepeat : 0);
  const bursts = name !== "CUSTOM" && repeat !== 1 ? withGap(base.bursts) : base.bursts;
  if (errors.length > 0) return { ok: false, errors };
  return {
    ok: true,
    plan: {
      pattern: name,
      bursts,
      repeat,
      durationMs: order.durationMs ?? null,
      capMs: Math.min(order.durationMs ?? maxRingMs, maxRingMs),
    },
  };
}

/**
 * The first burst with a silence of at least `silenceMs` after it: distinctive patterns are told apart by their short
 * silences, and a display is told after them (GR-30-CORE). After the last burst silence has no end. null: never.
 */
export function burstBeforeSilence(
  { bursts, repeat }: Pick<RingPlan, "bursts" | "repeat">,
  silenceMs: number,
): number | null {
  const long = bursts.findIndex(({ offMs }) => offMs >= silenceMs);
  if (long >= 0) return long;
  return repeat > 0 ? repeat * bursts.length - 1 : null;
}

/**
 * SINGLE and TIMER end without a silence; rung more than once, their bursts would melt into one, so
 * the silence between two rounds is as long as the last burst.
 */
function withGap(bursts: readonly Burst[]): readonly Burst[] {
  const last = bursts[bursts.length - 1];
  if (!last || last.offMs > 0) return bursts;
  return [...bursts.slice(0, -1), { onMs: last.onMs, offMs: last.onMs }];
}

function customCadence(order: RingOrder, errors: FieldError[]): Cadence {
  const custom = order.customPattern;
  if (!custom) {
    errors.push({
      field: "custom_pattern",
      message: "is needed for pattern CUSTOM: on_times and off_times in ms",
    });
    return { bursts: [], defaultRepeat: 1 };
  }
  const { onTimesMs, offTimesMs } = custom;
  if (onTimesMs.length === 0 || onTimesMs.length > MAX_BURSTS) {
    errors.push({ field: "custom_pattern.on_times", message: `must hold 1 to ${MAX_BURSTS} times` });
  }
  if (offTimesMs.length !== onTimesMs.length) {
    errors.push({
      field: "custom_pattern.off_times",
      message: `must be as long as on_times (${onTimesMs.length}), not ${offTimesMs.length}`,
    });
  }
  onTimesMs.forEach((onMs, i) => {
    if (Number.isInteger(onMs) && onMs >= 1 && onMs <= MAX_PHASE_MS) return;
    errors.push({
      field: `custom_pattern.on_times[${i}]`,
      message: `must be a whole number from 1 to ${MAX_PHASE_MS} ms`,
    });
  });
  const repeats = (order.repeat ?? (order.durationMs === undefined ? 1 : 0)) !== 1;
  offTimesMs.forEach((offMs, i) => {
    const low = i < offTimesMs.length - 1 || repeats ? 1 : 0;
    if (Number.isInteger(offMs) && offMs >= low && offMs <= MAX_PHASE_MS) return;
    errors.push({
      field: `custom_pattern.off_times[${i}]`,
      message: `must be a whole number from ${low} to ${MAX_PHASE_MS} ms${low === 1 ? " between two bursts" : ""}`,
    });
  });
  return {
    bursts: onTimesMs.map((onMs, i) => ({ onMs, offMs: offTimesMs[i] ?? 0 })),
    defaultRepeat: 1,
  };
}
