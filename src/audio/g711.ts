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
