/**
 * Tones as the tables of ITU-T E.180 write them, in one line of text:
 *
 *   425                           continuous
 *   425 0.5 0.5                   s on, s off, and again from the start
 *   400+450 0.4 0.2 0.4 2         two frequencies together; any number of times
 *   400*25                        400 Hz, its amplitude modulated by 25 Hz
 *   470 0.4, 425 0.4              one after the other
 *   425 0.4 0.4, 425@-10 0.4 0.4  the second 10 dB softer
 *   10x(425 0.1 0.1) 425          ten times, then what follows
 */
import type { ToneSegment } from "./tone_plan";

/** The DSP sums this many sines (DSP_TONE_MAX). */
export const MAX_TONE_FREQUENCIES = 4;

const ONCE = /^(\d+)x\(([^)]*)\) /;
const SOUND = /^([\d.]+(?:\+[\d.]+)*)(?:\*([\d.]+))?(?:@(-?\d+))?$/;

export interface Cadence {
  once: readonly ToneSegment[];
  segments: readonly ToneSegment[];
}

/** Throws Error where the text is not of this form: it comes from our own tables. */
export function parseTone(text: string): Cadence {
  const once = ONCE.exec(text);
  const times = Number(once?.[1] ?? 0);
  const first = once ? parts(once[2] as string) : [];
  return {
    once: Array.from({ length: times }, () => first).flat(),
    segments: parts(once ? text.slice(once[0].length) : text),
  };
}

const parts = (text: string): ToneSegment[] => text.split(",").flatMap((part) => segmentsOf(part.trim()));

function segmentsOf(part: string): ToneSegment[] {
  const [sound, ...seconds] = part.split(/\s+/);
  const [, frequencies, modulation, relative] = SOUND.exec(sound as string) ?? [];
  if (frequencies === undefined) throw new Error(`"${part}" is no tone`);
  const tone = {
    frequenciesHz: frequencies.split("+").map(Number),
    ...(modulation === undefined ? {} : { modulationHz: Number(modulation) }),
    ...(relative === undefined ? {} : { relativeDb: Number(relative) }),
  };
  const sines = tone.frequenciesHz.length * (modulation === undefined ? 1 : 2);
  if (sines > MAX_TONE_FREQUENCIES)
    throw new Error(`"${part}" is more than ${MAX_TONE_FREQUENCIES} sines at once`);
  if (seconds.length === 0) return [{ ...tone, ms: null }];
  return seconds.map((each, i) => {
    const ms = Math.round(Number(each) * 1000);
    if (!(ms > 0)) throw new Error(`"${part}" has a cadence of no length`);
    return i % 2 === 0 ? { ...tone, ms } : { frequenciesHz: [], ms };
  });
}
