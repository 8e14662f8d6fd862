/**
 * ADPCM as WAV files hold it: blocks that can each be decoded without the others, four bits a sample. IMA's (also
 * called DVI) and Microsoft's.
 */

/** One block into samples of each channel, interleaved, S16. */
export type DecodeBlock = (block: Uint8Array, channels: number) => Int16Array;

const IMA_INDEX_STEPS = [-1, -1, -1, -1, 2, 4, 6, 8];
const IMA_MAX_INDEX = 88;
const IMA_HEAD_BYTES = 4;
/** Of one channel, before the next one's turn. */
const IMA_RUN_BYTES = 4;
const MS_HEAD_BYTES = 7;
const MS_MIN_STEP = 16;
/** How the step grows with what was found, in 256ths; 4 bits of two's complement. */
const MS_STEPS = [230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230];

/** IMA's table: each step is a tenth above the one before, in the rounding of 1992. */
const IMA_STEPS = [
  7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
  118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876,
  963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358,
  5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086,
  29794, 32767,
];

const clamped = (value: number): number => Math.max(-32768, Math.min(32767, value));

/** Samples of each channel in a block of so many bytes. */
export const imaSamples = (bytes: number, channels: number): number =>
  Math.max(0, Math.floor((bytes / channels - IMA_HEAD_BYTES) / IMA_RUN_BYTES) * IMA_RUN_BYTES * 2 + 1);
export const msSamples = (bytes: number, channels: number): number =>
  Math.max(0, Math.floor(((bytes - MS_HEAD_BYTES * channels) * 2) / channels) + 2);

export const decodeIma: DecodeBlock = (block, channels) => {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const count = imaSamples(block.length, channels);
  const samples = new Int16Array(count * channels);
  for (let channel = 0; channel < channels; channel++) {
    let value = view.getInt16(channel * IMA_HEAD_BYTES, true);
    let index = Math.min(IMA_MAX_INDEX, view.getUint8(channel * IMA_HEAD_BYTES + 2));
    samples[channel] = value;
    for (let i = 1; i < count; i++) {
      const nibble = i - 1;
      const run = Math.floor(nibble / (IMA_RUN_BYTES * 2));
      const at = ((1 + run) * channels + channel) * IMA_RUN_BYTES + ((nibble >> 1) % IMA_RUN_BYTES);
      const code = (view.getUint8(at) >> (nibble % 2 === 0 ? 0 : 4)) & 15;
      const step = IMA_STEPS[index] as number;
      const change = (step >> 3) + (code & 4 ? step : 0) + (code & 2 ? step >> 1 : 0) + (code & 1 ? step >> 2 : 0);
      value = clamped(code & 8 ? value - change : value + change);
      index = Math.max(0, Math.min(IMA_MAX_INDEX, index + (IMA_INDEX_STEPS[code & 7] as number)));
      samples[i * channels + channel] = value;
    }
  }
  return samples;
};

/** coefficients: pairs by which the next sample is foretold from the two before it, in 256ths; the file brings them. */
export const decodeMs = (coefficients: readonly (readonly [number, number])[]): DecodeBlock => {
  return (block, channels) => {
    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
    const count = msSamples(block.length, channels);
    const samples = new Int16Array(count * channels);
    const states = Array.from({ length: channels }, (_, channel) => ({
      pair: coefficients[view.getUint8(channel)] ?? ([256, 0] as const),
      step: view.getInt16(channels + channel * 2, true),
    }));
    for (let channel = 0; channel < channels; channel++) {
      samples[channels + channel] = view.getInt16(3 * channels + channel * 2, true);
      samples[channel] = view.getInt16(5 * channels + channel * 2, true);
    }
    for (let at = 2 * channels; at < samples.length; at++) {
      const nibble = at - 2 * channels;
      const code = (view.getUint8(MS_HEAD_BYTES * channels + (nibble >> 1)) >> (nibble % 2 === 0 ? 4 : 0)) & 15;
      const state = states[at % channels] as (typeof states)[number];
      const [first, second] = state.pair;
      const foretold =
        ((samples[at - channels] as number) * first + (samples[at - 2 * channels] as number) * second) >> 8;
      samples[at] = clamped(foretold + (code < 8 ? code : code - 16) * state.step);
      state.step = Math.max(MS_MIN_STEP, ((MS_STEPS[code] as number) * state.step) >> 8);
    }
    return samples;
  };
};
