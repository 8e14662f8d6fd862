/** ITU-T G.711: bytes of a companded file, or of a card, to S16. */

const table = (decode: (code: number) => number): Int16Array =>
  Int16Array.from({ length: 256 }, (_, code) => decode(code));

const ULAW_BIAS = 132;

export const ULAW_TO_S16 = table((code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + ULAW_BIAS) << ((bits >> 4) & 7)) - ULAW_BIAS;
  return bits & 0x80 ? -magnitude : magnitude;
});

export const ALAW_TO_S16 = table((code) => {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return bits & 0x80 ? magnitude : -magnitude;
});

const ULAW_CLIP = 32_635;

/** The coder sees 14 bits, so the table has an entry for each: the lowest two are dropped first, downwards. */
const ULAW_OF_14_BITS = Uint8Array.from({ length: 1 << 14 }, (_, index) => {
  const sample = (index - (1 << 13)) << 2;
  const magnitude = Math.min(Math.abs(sample), ULAW_CLIP) + ULAW_BIAS;
  const segment = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
});

const ALAW_OF_12_BITS = Uint8Array.from({ length: 1 << 12 }, (_, index) => {
  const sample = index - (1 << 11);
  const magnitude = sample < 0 ? ~sample : sample;
  const segment = magnitude < 16 ? 0 : 31 - Math.clz32(magnitude) - 3;
  const step = (segment < 2 ? magnitude : magnitude >> (segment - 1)) & 0x0f;
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ 0x55;
});

/** What a card's codec makes of S16: native/g711.h. */
export const ulawOfS16 = (sample: number): number => ULAW_OF_14_BITS[(sample >> 2) + (1 << 13)] as number;
export const alawOfS16 = (sample: number): number => ALAW_OF_12_BITS[(sample >> 4) + (1 << 11)] as number;
