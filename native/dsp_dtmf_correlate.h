/*
 * dsp_dtmf_correlate.h — a sub-block's energy, and how much of each function it holds. Internal to dsp_dtmf.
 *
 * All in integers, so that the scalar, the SSE2 and the NEON twin agree to the bit. -DDSP_SCALAR takes the scalar
 * one.
 */
#ifndef DSP_DTMF_CORRELATE_H
#define DSP_DTMF_CORRELATE_H

#include <stdint.h>

#include "dsp_dtmf.h"

#define DTMF_FUNCTIONS 12 /* rows 0–3, columns 4–7, low basis 8–10, and one that is zero */

struct dtmf_correlation {
  int32_t even[DTMF_FUNCTIONS], odd[DTMF_FUNCTIONS];
};

#define DTMF_HALF   (DSP_DTMF_SUB_SAMPLES / 2)
#define DTMF_PAIRS  (DTMF_HALF / 2) /* of samples: what one multiply-add takes */
#define DTMF_GROUPS (DTMF_FUNCTIONS / 4)

/* For each two samples and four functions: f0[k] f0[k+1] f1[k] f1[k+1] … Made by dtmf_tones_init. */
struct dtmf_functions {
  _Alignas(16) int16_t even[DTMF_PAIRS][DTMF_GROUPS][8];
  _Alignas(16) int16_t odd[DTMF_PAIRS][DTMF_GROUPS][8];
};
extern struct dtmf_functions dtmf_functions;

/* 1/32 of the sub-block's sum of squares, DC included: it fits 32 bits. */
uint32_t dtmf_energy(const int16_t *samples);
uint32_t dtmf_energy_scalar(const int16_t *samples);
void dtmf_correlate(const int16_t *samples, struct dtmf_correlation *out);
void dtmf_correlate_scalar(const int16_t *samples, struct dtmf_correlation *out);

#endif
