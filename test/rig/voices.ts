/** What is said, and what of it was heard: sample by sample, as a line of G.711 carries it. */
import { expect } from "bun:test";
import { SAMPLE_FORMATS } from "../../src/audio/sample_format";
import { bestLag } from "../support/correlation";
import { noise } from "../support/stepped";

export const SAMPLES_PER_MS = 8;
export const UTTERANCE = 1600;
export const PAUSE_MS = 400;
/** What begins and what ends is faded over so much. */
const FADE = 40;
/** Parts of another's voice or of silence are found with so much of it. */
const PROBE = 1000;
const MAX_DELAY = 4000;

export const bytesOf = ({ buffer, byteOffset, byteLength }: Int16Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array((buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength));
export const samplesOf = (bytes: Uint8Array): Int16Array => new Int16Array(new Uint8Array(bytes).buffer);
export const joined = (...parts: Int16Array[]): Int16Array<ArrayBuffer> => {
  const whole = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};
export const silence = (ms: number): Int16Array => new Int16Array(ms * SAMPLES_PER_MS);

/** As a line of G.711 carries it. */
function companded(samples: Int16Array): Int16Array {
  const { encode, decode } = SAMPLE_FORMATS.mulaw;
  return decode(encode(samples));
}

/** Where it begins in what was heard (before it: −), and how many of its samples there are not what was sent, companded. */
export function heardAs(heard: Int16Array, sent: Int16Array): { at: number; wrong: number } {
  const middle = sent.length >> 1;
  const { lag, likeness } = bestLag(heard, sent.subarray(middle, middle + PROBE));
  if (likeness < 0.95) return { at: Number.NaN, wrong: sent.length };
  const at = lag - middle;
  const expected = companded(sent);
  let wrong = 0;
  for (let i = Math.max(FADE, -at); i < sent.length - FADE; i++) {
    const want = expected[i] as number;
    // Half a step up or down, where the driver's table and ours part: G.711's steps are a 16th of the value.
    if (!(Math.abs((heard[at + i] as number) - want) <= Math.max(16, Math.abs(want) / 14))) wrong++;
  }
  return { at, wrong };
}

/** One after another in the mouth: by how much later each is in the ear; those that are not there as they were said. */
export function delays(mouth: Int16Array, ear: Int16Array, utterances: readonly Int16Array[]): number[] {
  let from = 0;
  return utterances.map((utterance) => {
    const said = bestLag(mouth.subarray(from), utterance);
    from += said.lag;
    const heard = bestLag(ear.subarray(from, from + utterance.length + MAX_DELAY), utterance);
    expect([said.likeness > 0.99, heard.likeness > 0.99, heard.likeness]).toEqual([true, true, heard.likeness]);
    return heard.lag / SAMPLES_PER_MS;
  });
}
export const utterances = (seed: number): Int16Array[] =>
  Array.from({ length: 6 }, (_, i) => noise(UTTERANCE, seed + i, 6000));
export const spoken = (warmUpMs: number, said: readonly Int16Array[]): Int16Array<ArrayBuffer> =>
  joined(silence(warmUpMs), ...said.flatMap((utterance) => [utterance, silence(PAUSE_MS)]));
