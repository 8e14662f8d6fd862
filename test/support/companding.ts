import { ULAW_TO_S16 } from "../../src/audio/g711";

/** What a mu-law channel makes of samples: the decoder's values stand in the middle of their intervals,
 *  and the coder sees 14 bits. */
export function throughMulaw(samples: Int16Array): Int16Array {
  const levels = [...new Set(ULAW_TO_S16)].filter((level) => level >= 0).sort((a, b) => a - b);
  const bounds: number[] = [];
  for (const level of levels) bounds.push(bounds.length === 0 ? 4 : 2 * level - (bounds.at(-1) ?? 0));
  return samples.map((sample) => {
    const index = bounds.findIndex((bound) => Math.abs(sample & ~3) < bound);
    return Math.sign(sample) * (levels[index] ?? levels.at(-1) ?? 0);
  });
}
