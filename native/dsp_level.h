/* dsp_level.h — levels: the one place that ties S16 samples to dBm0. */
#ifndef DSP_LEVEL_H
#define DSP_LEVEL_H

#include <math.h>
#include <stdint.h>

#define DSP_SAMPLE_RATE_HZ 8000.0
#define DSP_FULL_SCALE     32768.0
/* A full-scale sine of the mu-law coder is +3.17 dBm0, of A-law +3.14 (ITU-T G.711, tables 1a and 2a). */
#define DSP_FULL_SCALE_SINE_DBM0 3.14
#define DSP_SILENCE_CDBM0        (-9000)

/* Level in cdBm0 of a signal by its mean square in S16 steps²; digital silence reads −90 dBm0. */
static inline int32_t dsp_level_cdbm0(double mean_square) {
  const double full_scale_sine = DSP_FULL_SCALE * DSP_FULL_SCALE / 2.0;
  double dbm0 = 10.0 * log10(mean_square / full_scale_sine + 1e-12) + DSP_FULL_SCALE_SINE_DBM0;
  return dbm0 < DSP_SILENCE_CDBM0 / 100.0 ? DSP_SILENCE_CDBM0 : (int32_t)lround(dbm0 * 100.0);
}

/* The inverse: mean square of a signal at level. */
static inline double dsp_mean_square(int32_t level_cdbm0) {
  return DSP_FULL_SCALE * DSP_FULL_SCALE / 2.0 *
         pow(10.0, ((double)level_cdbm0 / 100.0 - DSP_FULL_SCALE_SINE_DBM0) / 10.0);
}

#endif
