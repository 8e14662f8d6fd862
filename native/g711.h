/* g711.h — ITU-T G.711 companding, as a card's codec does it. S16 in, S16 out. */
#ifndef G711_H
#define G711_H

#include <stdint.h>

/* mu-law: 14-bit magnitude, bias 33, segments of 16 steps; here on S16, so everything is times 4. */
#define G711_ULAW_BIAS 132
#define G711_ULAW_CLIP 32635

/* The coder sees 14 bits: the lowest two are dropped first, downwards, as DAHDI's table does. */
static inline uint8_t g711_ulaw_encode(int16_t sample16) {
  int32_t sample = sample16 & ~3;
  int32_t sign = sample < 0 ? 0x80 : 0;
  int32_t magnitude = sample < 0 ? -sample : sample;
  if (magnitude > G711_ULAW_CLIP) magnitude = G711_ULAW_CLIP;
  magnitude += G711_ULAW_BIAS;
  int32_t segment = 7;
  while (segment > 0 && (magnitude & (0x80 << segment)) == 0) segment--;
  int32_t step = (magnitude >> (segment + 3)) & 0x0F;
  return (uint8_t) ~(sign | (segment << 4) | step);
}

static inline int16_t g711_ulaw_decode(uint8_t code) {
  int32_t bits = ~code & 0xFF;
  int32_t segment = (bits >> 4) & 7;
  int32_t magnitude = ((((bits & 0x0F) << 3) + G711_ULAW_BIAS) << segment) - G711_ULAW_BIAS;
  return (int16_t)((bits & 0x80) ? -magnitude : magnitude);
}

static inline uint8_t g711_alaw_encode(int16_t sample) {
  int32_t sign = sample >= 0 ? 0x80 : 0;
  int32_t magnitude = (sample >= 0 ? sample : -(int32_t)sample - 1) >> 4; /* 12 bits */
  int32_t segment = 7;
  while (segment > 1 && (magnitude & (0x08 << segment)) == 0) segment--;
  if (magnitude < 16) segment = 0;
  int32_t step = (segment < 2 ? magnitude : magnitude >> (segment - 1)) & 0x0F;
  return (uint8_t)((sign | (segment << 4) | step) ^ 0x55);
}

static inline int16_t g711_alaw_decode(uint8_t code) {
  int32_t bits = code ^ 0x55;
  int32_t segment = (bits >> 4) & 7;
  int32_t magnitude = ((bits & 0x0F) << 4) + 8;
  if (segment > 0) magnitude = (magnitude + 0x100) << (segment - 1);
  return (int16_t)((bits & 0x80) ? magnitude : -magnitude);
}

enum g711_law { G711_NONE = 0, G711_ULAW = 1, G711_ALAW = 2 };

/* What comes out at the other end of a companded channel. */
static inline int16_t g711_through(enum g711_law law, int16_t sample) {
  if (law == G711_ULAW) return g711_ulaw_decode(g711_ulaw_encode(sample));
  if (law == G711_ALAW) return g711_alaw_decode(g711_alaw_encode(sample));
  return sample;
}

#endif
