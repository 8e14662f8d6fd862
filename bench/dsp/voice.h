/*
 * voice.h — a synthetic voice, seeded: glottal pulses of a gliding pitch through four gliding formants, with
 * stops, fricatives and pauses between. It speaks no language; it only passes over everything a voice can be.
 */
#ifndef VOICE_H
#define VOICE_H

#include "dtmf_corpus.h"

static inline double voice_between(uint64_t *state, double low, double high) {
  return low + (high - low) * corpus_uniform(state);
}

static inline void voice_render(int16_t *out, int count, uint64_t seed) {
  uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 99;
  double y[4][2] = {{0}};
  double phase = 0;
  double speaker_hz = voice_between(&state, 80, 280);
  int at = 0;
  while (at < count) {
    int length = (int)voice_between(&state, 320, 2400);
    int kind = (int)(corpus_random(&state) >> 61); /* 0 pause, 1 fricative, else vowel */
    double from_hz = speaker_hz * voice_between(&state, 0.7, 1.4);
    double to_hz = from_hz * voice_between(&state, 0.85, 1.15);
    double from[4], to[4], width[4];
    static const double LOW[4] = {250, 800, 1800, 2900};
    static const double HIGH[4] = {950, 2300, 3000, 3700};
    for (int f = 0; f < 4; f++) {
      from[f] = voice_between(&state, LOW[f], HIGH[f]);
      to[f] = from[f] * voice_between(&state, 0.8, 1.25);
      width[f] = voice_between(&state, 30, 150);
    }
    double loudness = kind == 0 ? 0.02 : kind == 1 ? 0.3 : voice_between(&state, 0.3, 1);
    double rise = voice_between(&state, 16, 400);
    for (int n = 0; n < length && at < count; n++, at++) {
      double part = (double)n / length;
      phase += (from_hz + (to_hz - from_hz) * part) / CORPUS_RATE;
      double x = 0.02 * corpus_gauss(&state);
      if (kind == 1) x = 0.3 * corpus_gauss(&state);
      if (phase >= 1) {
        phase -= 1;
        if (kind > 1) x += 1;
      }
      x *= loudness * fmin(1, fmin(n / rise, (length - n) / rise));
      double sum = 0;
      for (int f = 0; f < 4; f++) {
        double radius = exp(-M_PI * width[f] / CORPUS_RATE);
        double hz = from[f] + (to[f] - from[f]) * part;
        double next = x + 2 * radius * cos(2 * M_PI * hz / CORPUS_RATE) * y[f][0] - radius * radius * y[f][1];
        y[f][1] = y[f][0];
        y[f][0] = next;
        sum += next / (1 + f);
      }
      out[at] = (int16_t)lrint(fmax(-32768, fmin(32767, 4000 * sum)));
    }
  }
}

#endif
