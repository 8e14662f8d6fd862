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

/** What a card's codec makes of S16: native/g711.h. The coder sees 14 bits: the lowest two are dropped first, downwards. */
export function ulawOfS16(sample: number): number {
  const magnitude = Math.min(Math.abs(sample & ~3), ULAW_CLIP) + ULAW_BIAS;
  const segment = 24 - Math.clz32(magnitude);
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

/** This one sees 12. */
export function alawOfS16(sample: number): number {
  const bits = sample >> 4;
  const magnitude = bits < 0 ? ~bits : bits;
  const segment = magnitude < 16 ? 0 : 28 - Math.clz32(magnitude);
  const step = (segment < 2 ? magnitude : magnitude >> (segment - 1)) & 0x0f;
  return ((bits < 0 ? 0 : 0x80) | (segment << 4) | step) ^ 0x55;
}
