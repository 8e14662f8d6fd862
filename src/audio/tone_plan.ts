/** Tones as data, and tones as a source of samples. Sines come from the DSP, by parameter. */
import type { PcmSource } from "./source";

/** `count` samples of a sum of sines, from sample `start` of an endless tone; the level is that of each sine. */
export type RenderTone = (
  frequenciesHz: readonly number[],
  levelDbm0: number,
  start: number,
  into: Int16Array,
) => void;

export interface ToneSegment {
  /** Empty: silence. */
  frequenciesHz: readonly number[];
  /** Full amplitude modulation of every frequency by this one; omitted: none. */
  modulationHz?: number;
  /** Louder (+) or softer (−) than its plan says; omitted: 0. */
  relativeDb?: number;
  /** null: for ever. */
  ms: number | null;
}

export interface TonePlan {
  /** Of each frequency; of a modulated one, its carrier. */
  levelDbm0: number;
  /** Heard first, and not again. */
  once?: readonly ToneSegment[];
  /** Repeated from the first on until the duration is over. */
  segments: readonly ToneSegment[];
}

/** What a tone given by its frequencies alone sounds like: as loud as a key. */
export const PLAIN_TONE_LEVEL_DBM0 = -10;

/** Each sideband of a carrier modulated by 100 %: half its amplitude. */
const SIDEBAND_DB = -6.02;
/** Power of such a carrier with both sidebands over that of the carrier alone: 1 + ½. */
export const MODULATION_POWER_DB = 1.76;

const SAMPLES_PER_MS = 8;
/** A tone without an end, played once. */
const ENDLESS_ONCE_MS = 300;
/** A sine cut off in mid-wave clicks; this long a slope does not. */
const RAMP_SAMPLES = 24;

/** durationMs null: endless. */
export function toneSource(plan: TonePlan, durationMs: number | null, render: RenderTone): PcmSource {
  const total = durationMs === null ? Number.POSITIVE_INFINITY : Math.round(durationMs * SAMPLES_PER_MS);
  const once = plan.once ?? [];
  const segments = [...once, ...plan.segments];
  const sound = renderer(plan.levelDbm0, render);
  let given = 0;
  let segment = 0;
  let inSegment = 0;
  return {
    samples: durationMs === null ? null : total,
    heldBytes: 0,
    read(into) {
      const current = segments[segment] as ToneSegment;
      const length = current.ms === null ? Number.POSITIVE_INFINITY : current.ms * SAMPLES_PER_MS;
      const count = Math.min(into.length, total - given, length - inSegment);
      const chunk = into.subarray(0, count);
      sound(current, inSegment, chunk);
      if (current.frequenciesHz.length > 0) {
        slope(chunk, inSegment, Math.min(length, inSegment + (total - given)));
      }
      given += count;
      inSegment += count;
      if (inSegment >= length) {
        segment = segment + 1 < segments.length ? segment + 1 : once.length;
        inSegment = 0;
      }
      return count;
    },
  };
}

/** One round of its cadence, without the silence at its end. */
export function oncePlayed(plan: TonePlan, render: RenderTone): Int16Array {
  const last = plan.segments.findLastIndex(({ frequenciesHz }) => frequenciesHz.length > 0);
  const sounding = plan.segments.slice(0, last + 1);
  const ms = sounding.reduce((sum, segment) => sum + (segment.ms ?? ENDLESS_ONCE_MS), 0);
  const samples = new Int16Array(Math.round(ms * SAMPLES_PER_MS));
  const source = toneSource({ levelDbm0: plan.levelDbm0, segments: sounding }, ms, render);
  for (let at = 0; at < samples.length; ) at += source.read(samples.subarray(at));
  return samples;
}

/** Carriers, and the sidebands that modulation makes of them: f − m and f + m. */
function renderer(levelDbm0: number, render: RenderTone) {
  let sidebands = new Int16Array(0);
  return ({ frequenciesHz, modulationHz, relativeDb = 0 }: ToneSegment, start: number, into: Int16Array): void => {
    if (frequenciesHz.length === 0) {
      into.fill(0);
      return;
    }
    render(frequenciesHz, levelDbm0 + relativeDb, start, into);
    if (modulationHz === undefined) return;
    if (sidebands.length < into.length) sidebands = new Int16Array(into.length);
    const both = sidebands.subarray(0, into.length);
    const around = frequenciesHz.flatMap((hz) => [hz - modulationHz, hz + modulationHz]);
    render(around, levelDbm0 + relativeDb + SIDEBAND_DB, start, both);
    for (let i = 0; i < into.length; i++) {
      into[i] = Math.max(-32768, Math.min(32767, (into[i] as number) + (both[i] as number)));
    }
  };
}

/** Fades the sound in from its first sample and out towards `end`; the chunk begins at `from`. */
function slope(chunk: Int16Array, from: number, end: number): void {
  for (let i = 0; i < chunk.length; i++) {
    const gain = Math.min(from + i, end - 1 - (from + i), RAMP_SAMPLES) / RAMP_SAMPLES;
    if (gain < 1) chunk[i] = Math.round((chunk[i] as number) * gain);
  }
}
