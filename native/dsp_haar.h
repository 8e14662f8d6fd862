/*
 * dsp_haar.h — the energy of 10 ms in four bands an octave wide, in integers.
 *
 *   x ─┬─ sum ─┬─ sum ─┬─ sum ─┬─ sum   below 250 Hz: mains hum, no use
 *      │       │       │       └─ difference  250–500 Hz   8 samples apart
 *      │       │       └───────── difference  0.5–1 kHz    4
 *      │       └───────────────── difference  1–2 kHz      2
 *      └───────────────────────── difference  2–4 kHz      1 sample apart
 *
 * A Haar tree without decimation: every output sample is kept. That costs vector instructions of which there are
 * few, needs no shuffling, does not depend on where the frame begins, and halves the scatter of the energies. The
 * samples are brought to 11 bits first (block floating point), so that squares of 16-bit words sum up in 32 bits.
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

/* log2 in Q8, within 0.01 (0.03 dB): a parabola between powers of two. x must not be 0. */
static inline int32_t dsp_log2_q8(uint32_t x) {
  int32_t exponent = 31 - __builtin_clz(x);
  uint32_t fraction = (x << (31 - exponent) & 0x7FFFFFFFU) >> 15; /* Q16 */
  uint32_t bulge = (fraction * (65536U - fraction) >> 16) * 88U >> 8;
  return exponent * 256 + (int32_t)((fraction + bulge) >> 8);
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

static inline int32_t dsp_haar_square_sum(const int16_t *in) {
  int32_t sum = 0;
  for (int i = 0; i < DSP_HAAR_SAMPLES; i++) sum += in[i] * in[i];
  return sum;
}

/* One stage: low gets the sums, as many as the next stage reads; the squared differences are returned. The casts
 * keep the compiler in 16 bits. */
static inline int32_t dsp_haar_stage(const int16_t *restrict in, int16_t *restrict low, int apart, int halve) {
  int32_t sum = 0;
  for (int i = 0; i < DSP_HAAR_SAMPLES; i++) {
    int16_t difference = (int16_t)((int16_t)(in[i] - in[i + apart]) >> halve);
    sum += difference * difference;
    low[i] = (int16_t)((int16_t)(in[i] + in[i + apart]) >> halve);
  }
  for (int i = DSP_HAAR_SAMPLES; i < DSP_HAAR_ALL; i++) {
    low[i] = (int16_t)((int16_t)(in[i] + in[i + apart]) >> halve);
  }
  return sum;
}

/* samples: DSP_HAAR_ALL of them, the history first. log2_q8: of each band's energy times DSP_HAAR_GAIN, from the
 * lowest band up. Returns the frame's sum of squares over the whole spectrum. */
static inline int64_t dsp_haar_bands(const int16_t *samples, int32_t *log2_q8) {
  /* The last sums reach past the samples: whatever stands there does not come to count. */
  int16_t a[DSP_HAAR_ALL + 8], b[DSP_HAAR_ALL + 8];
  for (int i = DSP_HAAR_ALL; i < DSP_HAAR_ALL + 8; i++) a[i] = b[i] = 0;
  int up = dsp_haar_normalise(samples, a);
  int64_t sum = dsp_haar_square_sum(&a[DSP_HAAR_HISTORY]);
  int32_t energies[DSP_HAAR_BANDS];
  energies[3] = dsp_haar_stage(a, b, 1, 0);
  energies[2] = dsp_haar_stage(b, a, 2, 1);
  energies[1] = dsp_haar_stage(a, b, 4, 1);
  energies[0] = dsp_haar_stage(b, a, 8, 1);
  for (int k = 0; k < DSP_HAAR_BANDS; k++) log2_q8[k] = dsp_log2_q8((uint32_t)energies[k] | 1U) - 512 * up;
  return up >= 0 ? sum >> (2 * up) : sum << (-2 * up);
}

#endif
