/** Named tones as data, and tones as a source of samples. Sines come from the DSP, by parameter. */
import type { PcmSource } from "./source";

/** `count` samples of a sum of sines, from sample `start` of an endless tone. */
export type RenderTone = (
  frequenciesHz: readonly number[],
  levelDbm0: number,
  start: number,
  into: Int16Array,
) => void;

export interface ToneSegment {
  /** Empty: silence. */
  frequenciesHz: readonly number[];
  /** null: for ever. */
  ms: number | null;
}

export interface TonePlan {
  levelDbm0: number;
  /** Repeated from the first on until the duration is over. */
  segments: readonly ToneSegment[];
}

const on = (ms: number | null, ...frequenciesHz: number[]): ToneSegment => ({ frequenciesHz, ms });
const off = (ms: number): ToneSegment => ({ frequenciesHz: [], ms });

/** North America: ITU-T E.180 supplement 2; levels per tone from Telcordia's LSSGR (dial −13 dBm0 and so on). */
export const NAMED_TONES = {
  dial: { levelDbm0: -13, segments: [on(null, 350, 440)] },
  busy: { levelDbm0: -24, segments: [on(500, 480, 620), off(500)] },
  reorder: { levelDbm0: -24, segments: [on(250, 480, 620), off(250)] },
  ringback: { levelDbm0: -19, segments: [on(2000, 440, 480), off(4000)] },
  stutter: {
    levelDbm0: -13,
    segments: [...Array.from({ length: 10 }, () => [on(100, 350, 440), off(100)]).flat(), on(null, 350, 440)],
  },
  call_waiting: { levelDbm0: -13, segments: [on(300, 440), off(9700)] },
  confirmation: { levelDbm0: -13, segments: [on(100, 350, 440), off(100)] },
  howler: { levelDbm0: -6, segments: [on(100, 1400, 2060, 2450, 2600), off(100)] },
} as const satisfies Record<string, TonePlan>;

export type ToneName = keyof typeof NAMED_TONES;
export const TONE_NAMES = Object.keys(NAMED_TONES) as ToneName[];

/** What a tone given by its frequencies alone sounds like: as loud as a key. */
export const PLAIN_TONE_LEVEL_DBM0 = -10;

const SAMPLES_PER_MS = 8;
/** A sine cut off in mid-wave clicks; this long a slope does not. */
const RAMP_SAMPLES = 24;

export function toneSource(plan: TonePlan, durationMs: number, render: RenderTone): PcmSource {
  const total = Math.round(durationMs * SAMPLES_PER_MS);
  let given = 0;
  let segment = 0;
  let inSegment = 0;
  const lengthOf = (which: ToneSegment): number =>
    which.ms === null ? Number.POSITIVE_INFINITY : which.ms * SAMPLES_PER_MS;
  return {
    samples: total,
    heldBytes: 0,
    read(into) {
      const current = plan.segments[segment] as ToneSegment;
      const length = lengthOf(current);
      const count = Math.min(into.length, total - given, length - inSegment);
      const chunk = into.subarray(0, count);
      if (current.frequenciesHz.length === 0) {
        chunk.fill(0);
      } else {
        render(current.frequenciesHz, plan.levelDbm0, inSegment, chunk);
        const end = Math.min(length, inSegment + (total - given));
        for (let i = 0; i < count; i++) {
          const slope = Math.min(inSegment + i, end - 1 - (inSegment + i), RAMP_SAMPLES) / RAMP_SAMPLES;
          if (slope < 1) chunk[i] = Math.round((chunk[i] as number) * slope);
        }
      }
      given += count;
      inSegment += count;
      if (inSegment >= length) {
        segment = (segment + 1) % plan.segments.length;
        inSegment = 0;
      }
      return count;
    },
  };
}
