/** A voice of which only its beginning, its end and its level are known: noise as long and as loud. Pure. */
import { FULL_SCALE_SINE_DBM0 } from "../audio/source";
import type { SpokenBlock } from "./sound_track";
import type { Stimulus } from "./stimuli";

const BLOCK_SAMPLES = 160;
const BLOCK_MS = 20;
const NS_PER_MS = 1e6;
const FULL_SCALE = 32_767;

/** Uniform noise has a root mean square of amplitude/√3, a sine of amplitude/√2. */
const noiseAmplitude = (levelDbm0: number): number =>
  Math.min(FULL_SCALE, FULL_SCALE * 10 ** ((levelDbm0 - FULL_SCALE_SINE_DBM0) / 20) * Math.sqrt(3 / 2));

export function noiseTrack(stimuli: readonly Stimulus[]): SpokenBlock[] {
  let state = 1;
  const noise = (amplitude: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.round((state / 2 ** 31 - 1) * amplitude);
  };
  return stimuli.flatMap(({ atNs, move }) => {
    if (move.kind !== "talk") return [];
    const amplitude = noiseAmplitude(move.levelDbm0);
    const blocks = Math.max(1, Math.round(move.durationMs / BLOCK_MS));
    return Array.from({ length: blocks }, (_, i) => ({
      atNs: atNs + i * BLOCK_MS * NS_PER_MS,
      heard: Int16Array.from({ length: BLOCK_SAMPLES }, () => noise(amplitude)),
      sent: null,
    }));
  });
}
