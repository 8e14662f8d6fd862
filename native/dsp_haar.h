/*
 * dsp_haar.h — the energy of 10 ms in four bands an octave wide, in integers.
 *
 *   x ─┬─ sum, every other ─┬─ sum ─┬─ sum ─┬─ sum   below 250 Hz: mains hum, no use
 *      │                    │       │       └─ difference  250–500 Hz  8 samples apart
 *      │                    │       └───────── difference  0.5–1 kHz   4
 *      │                    └───────────────── difference  1–2 kHz     2
 *      └────────────────────────────────────── difference  2–4 kHz     1 sample apart
 *
 * A Haar tree that is decimated once only, by two: the other stages keep every sample. That costs few vector
 * instructions, does not depend on where the frame begins, and halves the scatter of the energies. The samples are
 * brought to 11 bits first (block floating point), so that squares of 16-bit words sum up in 32 bits.
 */
#ifndef DSP_HAAR_H
#define DSP_HAAR_H

#include <stdint.h>

#define DSP_HAAR_SAMPLES 80 /* 10 ms */
#define DSP_HAAR_HISTORY 16 /* samples before them that the differences reach back to; 15 are used */
#define DSP_HAAR_BANDS   4
#define DSP_HAAR_ALL     (DSP_HAAR_HISTORY + DSP_HAAR_SAMPLES)
#define DSP_HAAR_BITS    11
/* What the four bands and the rest below them sum up to, of a frame with mean square 1: each sum and difference
 * of two doubles the amplitude, the later ones are halved again. */
#define DSP_HAAR_GAIN (4 * DSP_HAAR_SAMPLES)

/* log2 in Q8, straight between powers of two: up to 0.26 dB too low, a quarter of what white noise scatters. x
 * must not be 0. */
static inline int32_t dsp_log2_q8(uint32_t x) {
  int32_t exponent = 31 - __builtin_clz(x);
  return (exponent - 1) * 256 + (int32_t)(x << (31 - exponent) >> 23);
}

/* Scales to DSP_HAAR_BITS; returns by how many bits it went up (negative: down). */
static inline int dsp_haar_normalise(const int16_t *in, int16_t *out) {
  int16_t bits = 1;
  for (int i = 0; i < DSP_HAAR_ALL; i++) bits = (int16_t)(bits | (in[i] ^ (in[i] >> 15)));
  int up = DSP_HAAR_BITS - 32 + __builtin_clz((unsigned)bits);
  if (up >= 0) {
    int16_t factor = (int16_t)(1 << up);
    for (int i = 0; i < DSP_HAAR_ALL; i++) out[i] = (int16_t)(in[i] * factor);
  } else { /* a multiplication's high half: a vector instruction, which shifts by a variable are not everywhere */
    int16_t factor = (int16_t)(1 << (16 + up));
    for (int i = 0; i < DSP_HAAR_ALL; i++) out[i] = (int16_t)(in[i] * factor >> 16);
  }
  return up;
}

static inline int32_t dsp_haar_square_sum(const int16_t *in, int count) {
  int32_t sum = 0;
  for (int i = 0; i < count; i++) sum += in[i] * in[i];
  return sum;
}

/* One stage at half rate: low gets the sums, also of the history; the squared differences are returned. The casts
 * keep the compiler in 16 bits. */
static inline int32_t dsp_haar_stage(const int16_t *restrict in, int16_t *restrict low, int apart) {
  int32_t sum = 0;
  for (int i = 0; i < DSP_HAAR_SAMPLES / 2; i++) {
    int16_t difference = (int16_t)((int16_t)(in[i] - in[i + apart]) >> 1);
    sum += difference * difference;
    low[i] = (int16_t)((int16_t)(in[i] + in[i + apart]) >> 1);
  }
  for (int i = DSP_HAAR_SAMPLES / 2; i < DSP_HAAR_ALL / 2; i++) {
    low[i] = (int16_t)((int16_t)(in[i] + in[i + apart]) >> 1);
  }
  return sum;
}

struct dsp_haar_frame {
  int32_t log2_q8[DSP_HAAR_BANDS]; /* of each band's energy times DSP_HAAR_GAIN, from the lowest band up */
  int64_t whole;                   /* sum of squares over the whole spectrum, 1 ms ago */
  int64_t bands;                   /* … and in the four bands alone */
};

/* samples: DSP_HAAR_ALL of them, the history first. */
static inline void dsp_haar_split(const int16_t *samples, struct dsp_haar_frame *out) {
  int16_t at_8khz[DSP_HAAR_ALL];
  /* The last sums reach past the samples: whatever stands there does not come to count. */
  int16_t a[DSP_HAAR_ALL / 2 + 8], b[DSP_HAAR_ALL / 2 + 8];
  for (int i = DSP_HAAR_ALL / 2; i < DSP_HAAR_ALL / 2 + 8; i++) a[i] = b[i] = 0;
  int up = dsp_haar_normalise(samples, at_8khz);
  int32_t whole = dsp_haar_square_sum(&at_8khz[DSP_HAAR_HISTORY / 2], DSP_HAAR_SAMPLES);
  int32_t differences = 0;
  for (int i = 0; i < DSP_HAAR_SAMPLES; i++) {
    int16_t difference = (int16_t)(at_8khz[i] - at_8khz[i + 1]);
    differences += difference * difference;
  }
  for (int i = 0; i < DSP_HAAR_ALL / 2; i++) a[i] = (int16_t)(at_8khz[2 * i] + at_8khz[2 * i + 1]);
  int32_t energies[DSP_HAAR_BANDS];
  energies[3] = differences;
  energies[2] = 2 * dsp_haar_stage(a, b, 1);
  energies[1] = 2 * dsp_haar_stage(b, a, 2);
  energies[0] = 2 * dsp_haar_stage(a, b, 4);
  /* What is under 250 Hz leaks upwards: of 115 Hz one eighth into the lowest band, a quarter of that into the
   * next, and so on. It is taken off, but not more than 18 dB: 50 or 60 Hz that come are no voice. */
  int32_t leak = dsp_haar_square_sum(b, DSP_HAAR_SAMPLES / 2) >> 2;
  int32_t bands = 0;
  for (int k = 0; k < DSP_HAAR_BANDS; k++, leak >>= 2) {
    int32_t least = (energies[k] >> 6) + 1;
    int32_t own = energies[k] - leak;
    own = own > least ? own : least;
    bands += own >> 2;
    out->log2_q8[k] = dsp_log2_q8((uint32_t)own) - 512 * up;
  }
  if (up >= 0) {
    out->whole = whole >> (2 * up);
    out->bands = bands >> (2 * up);
  } else {
    out->whole = (int64_t)whole << (-2 * up);
    out->bands = (int64_t)bands << (-2 * up);
  }
}

#endif
