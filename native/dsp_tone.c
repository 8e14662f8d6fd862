#include "dsp_tone.h"

#include <math.h>

#include "dsp_level.h"

double dsp_tone_amplitude(int32_t level_cdbm0) {
  return DSP_FULL_SCALE * pow(10.0, ((double)level_cdbm0 / 100.0 - DSP_FULL_SCALE_SINE_DBM0) / 20.0);
}

void dsp_tone_render(const double *frequencies_hz, const double *amplitudes, int tones, double start, int16_t *out,
                     int count) {
  double phase[DSP_TONE_MAX];
  double step[DSP_TONE_MAX];
  for (int t = 0; t < tones; t++) {
    step[t] = frequencies_hz[t] / DSP_SAMPLE_RATE_HZ;
    /* Whole turns are dropped first: after an hour the plain product has lost its phase. */
    phase[t] = fmod(step[t] * start, 1.0);
  }
  for (int i = 0; i < count; i++) {
    double sum = 0.0;
    for (int t = 0; t < tones; t++) sum += amplitudes[t] * sin(2.0 * M_PI * (phase[t] + step[t] * i));
    out[i] = (int16_t)lrint(fmax(-32768.0, fmin(32767.0, sum)));
  }
}
