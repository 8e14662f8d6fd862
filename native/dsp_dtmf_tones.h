/*
 * dsp_dtmf_tones.h — one sub-block of 5 ms against the eight tones of ITU-T Q.23. Internal to dsp_dtmf.
 *
 * A sub-block is folded about its centre: what is even about it meets the cosines, what is odd the sines. That
 * halves the multiplications, needs no recursion, and leaves the two parts orthogonal. The tones are made
 * orthogonal beforehand to a low basis (three even, three odd functions) that holds nearly all of what lies below
 * 480 Hz in 5 ms: dial tone, hum and DC are not subtracted, they are not seen, and it costs no instruction.
 *
 *   left of a tone after that: 697 Hz −0.3 dB; of 425 Hz −28 dB, 440 Hz −28, 350 Hz −19, 60 Hz −29, 50 Hz −32, DC
 * 0
 */
#ifndef DSP_DTMF_TONES_H
#define DSP_DTMF_TONES_H

#include <stdint.h>

#include "dsp_dtmf.h"

/* A tone's amplitude and phase at the sub-block's centre: in-phase and quadrature, S16 steps. */
struct dtmf_phasor {
  float re, im;
};

/* Hz, as Q.23 has them. */
extern const float dtmf_tones_hz[DSP_DTMF_TONES];

/* Makes the tables, once; any thread. */
void dtmf_tones_init(void);

/* Correlates a sub-block that has its energy and samples. Returns the part of its in-band energy that the
 * strongest row and column hold, each taken for itself: roughly what both together explain. */
float dtmf_tones_sub(struct dsp_dtmf_sub *sub);

/* The energy that meets the eight tones, each taken for itself. */
float dtmf_tones_power(const struct dsp_dtmf_sub *sub);

/* What a tone of height 1 puts into the low energy. */
float dtmf_tones_low_leak(int tone);

/* Row and column of a pair (row * 4 + column) by joint least squares: each freed of what leaks from the other.
 * Returns the energy they explain of sub->in_band. */
float dtmf_tones_fit(const struct dsp_dtmf_sub *sub, int pair, struct dtmf_phasor out[2]);

#endif
