/* dsp_tone.h — sums of sines in 8 kHz S16. No thread, no malloc, no ioctl. */
#ifndef DSP_TONE_H
#define DSP_TONE_H

#include <stdint.h>

#define DSP_TONE_MAX 4

/* Peak amplitude in S16 steps of a sine at level (cdBm0): 0 dBm0 is −3.14 dBFS (mu-law, G.711). */
double dsp_tone_amplitude(int32_t level_cdbm0);

/* Writes count samples of the sum of tones sines from sample index start of an endless tone, saturating.
 * Adds to nothing, keeps no state; consecutive calls join without a click. */
void dsp_tone_render(const double *frequencies_hz, const double *amplitudes, int tones, double start, int16_t *out,
                     int count);

#endif
