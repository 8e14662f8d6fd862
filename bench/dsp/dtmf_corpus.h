/*
 * dtmf_corpus.h — groups of DTMF digits under one condition, seeded: the same seed gives the same samples
 * anywhere.
 *
 * Used by the benchmark (bench/dsp) and by the detector's own tests (test/native/dsp_dtmf_test.c). Header only, so
 * that either can take it without a library.
 *
 *   lead-in      digit   pause  digit                    lead-out
 *   |···noise···|▄▄▄▄▄▄|······|▄▄▄▄▄▄|····· … ·········|··noise··|
 *    150 ms + a random part of 5 ms, so that no digit lies on a detector's blocks
 */
#ifndef DTMF_CORPUS_H
#define DTMF_CORPUS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define CORPUS_RATE        8000.0
#define CORPUS_MAX_SAMPLES 40000
#define CORPUS_MAX_DIGITS  16
/* A full-scale sine is +3.14 dBm0 (ITU-T G.711, table 1a). */
#define CORPUS_FULL_SCALE_DBM0 3.14
#define CORPUS_NONE            (-1000.0) /* dB: not there */

static const char corpus_keys[] = "123A456B789C*0#D";
static const double corpus_hz[8] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};

enum corpus_break { CORPUS_SOUNDS_ON, CORPUS_SILENT_BREAK, CORPUS_LOST_ZEROED, CORPUS_LOST_FROZEN };
enum corpus_law { CORPUS_LINEAR, CORPUS_MU_LAW, CORPUS_A_LAW };

struct corpus_condition {
  int digits; /* in a group; 0: 10 */
  int same;   /* one digit again and again */
  double on_ms, off_ms;
  double level_dbm0;                    /* of the louder tone */
  double twist_db;                      /* high group over low group */
  double offset_ratio[2], offset_hz[2]; /* low, high group */
  double snr_db;                        /* louder tone against white noise 0–4 kHz */
  double interferer_hz[2];              /* dial tone, hum; 0 none */
  double interferer_db;                 /* each over the louder tone */
  double dc;                            /* S16 steps */
  double echo_ms, echo_db;
  double break_ms, break_at_ms; /* from the digit's onset; at < 0: anywhere in its middle */
  enum corpus_break break_kind;
  enum corpus_law law;
};

static inline struct corpus_condition corpus_plain(void) {
  return (struct corpus_condition){.on_ms = 50,
                                   .off_ms = 50,
                                   .level_dbm0 = -12,
                                   .snr_db = -CORPUS_NONE,
                                   .interferer_db = CORPUS_NONE,
                                   .echo_db = CORPUS_NONE,
                                   .break_at_ms = -1};
}

struct corpus_group {
  int16_t samples[CORPUS_MAX_SAMPLES];
  int count;
  char digits[CORPUS_MAX_DIGITS + 1];
  double onset[CORPUS_MAX_DIGITS], length[CORPUS_MAX_DIGITS]; /* samples */
};

/* xorshift64*: Vigna 2014. */
static inline uint64_t corpus_random(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * 2685821657736338717ULL;
}
static inline double corpus_uniform(uint64_t *state) {
  return (double)(corpus_random(state) >> 11) / 9007199254740992.0;
}
/* The sum of four 16-bit uniforms thrice over: a deviation of 1, tails to 6. */
static inline double corpus_gauss(uint64_t *state) {
  double sum = 0.0;
  for (int i = 0; i < 3; i++) {
    uint64_t bits = corpus_random(state);
    sum += (double)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
  }
  return sum / 65536.0 - 6.0;
}

static inline double corpus_amplitude(double dbm0) {
  return dbm0 <= CORPUS_NONE / 2 ? 0.0 : 32768.0 * pow(10.0, (dbm0 - CORPUS_FULL_SCALE_DBM0) / 20.0);
}

/* A sine added to out; phase in radians. */
static inline void corpus_add_sine(double *out, int count, double hz, double amplitude, double phase) {
  double step = 2.0 * M_PI * hz / CORPUS_RATE;
  double re = amplitude * sin(phase);
  double im = amplitude * cos(phase);
  double c = cos(step);
  double s = sin(step);
  for (int n = 0; n < count; n++) {
    out[n] += re;
    double next = re * c + im * s;
    im = im * c - re * s;
    re = next;
  }
}

/* G.711 there and back: segments of 16 steps. Mu-law on 14 bits, A-law on 13. */
static inline int16_t corpus_companded(int16_t sample, enum corpus_law law) {
  int sign = sample < 0 ? -1 : 1;
  int magnitude = sample < 0 ? -(int)sample : sample;
  if (law == CORPUS_MU_LAW) {
    if (magnitude > 32635) magnitude = 32635;
    magnitude += 132;
    int segment = 0;
    while (magnitude >> (segment + 8) != 0) segment++;
    int step = 1 << (segment + 3);
    return (int16_t)(sign * (magnitude / step * step + step / 2 - 132));
  }
  if (magnitude > 32767) magnitude = 32767;
  int segment = 0;
  while (magnitude >> (segment + 9) != 0) segment++;
  int step = 16 << segment;
  return (int16_t)(sign * (magnitude / step * step + step / 2));
}

static inline void corpus_render(const struct corpus_condition *condition, uint64_t seed,
                                 struct corpus_group *group) {
  static _Thread_local double line[CORPUS_MAX_SAMPLES];
  uint64_t state = seed * 0x9E3779B97F4A7C15ULL + 0x1234567;
  for (int i = 0; i < 4; i++) (void)corpus_random(&state);
  memset(line, 0, sizeof(line));
  int digits = condition->digits > 0 ? condition->digits : 10;
  double at = 1200.0 + 40.0 * corpus_uniform(&state);
  int key = (int)(corpus_random(&state) >> 60);
  for (int i = 0; i < digits; i++) {
    if (i > 0 && !condition->same) { /* another one: the same again is its own axis */
      int next = (int)(corpus_random(&state) >> 32) % 15;
      key = (int)((unsigned)(next < 0 ? -next : next) % 15U);
      if (key >= (int)(strchr(corpus_keys, group->digits[i - 1]) - corpus_keys)) key++;
    }
    group->digits[i] = corpus_keys[key];
    double length = condition->on_ms * 8.0;
    int start = (int)at;
    int count = (int)lrint(length);
    group->onset[i] = start;
    group->length[i] = count;
    double high_over_low = condition->twist_db;
    double level[2] = {condition->level_dbm0 - (high_over_low > 0 ? high_over_low : 0),
                       condition->level_dbm0 + (high_over_low < 0 ? high_over_low : 0)};
    double phase[2] = {2 * M_PI * corpus_uniform(&state), 2 * M_PI * corpus_uniform(&state)};
    double break_at = condition->break_at_ms >= 0
                          ? condition->break_at_ms * 8
                          : (0.3 + 0.4 * corpus_uniform(&state)) * (count - condition->break_ms * 8);
    for (int t = 0; t < 2; t++) {
      double hz =
          corpus_hz[t == 0 ? key / 4 : 4 + key % 4] * (1 + condition->offset_ratio[t]) + condition->offset_hz[t];
      corpus_add_sine(&line[start], count, hz, corpus_amplitude(level[t]), phase[t]);
    }
    if (condition->break_kind == CORPUS_SILENT_BREAK)
      for (int n = 0; n < (int)(condition->break_ms * 8); n++) line[start + (int)break_at + n] = 0;
    group->onset[i] = start;
    at += length + condition->off_ms * 8.0 + 5.0 * corpus_uniform(&state);
  }
  group->digits[digits] = '\0';
  group->count = (int)at + 1200;
  if (condition->echo_db > CORPUS_NONE / 2) {
    int delay = (int)lrint(condition->echo_ms * 8.0);
    double part = pow(10.0, condition->echo_db / 20.0);
    for (int n = group->count - 1; n >= delay; n--) line[n] += part * line[n - delay];
  }
  for (int i = 0; i < 2; i++)
    if (condition->interferer_hz[i] > 0)
      corpus_add_sine(line, group->count, condition->interferer_hz[i],
                      corpus_amplitude(condition->level_dbm0 + condition->interferer_db),
                      2 * M_PI * corpus_uniform(&state));
  double noise =
      condition->snr_db < 500 ? corpus_amplitude(condition->level_dbm0 - condition->snr_db) / sqrt(2.0) : 0;
  for (int n = 0; n < group->count; n++) {
    double sample = line[n] + condition->dc;
    if (noise > 0) sample += noise * corpus_gauss(&state);
    group->samples[n] = (int16_t)lrint(fmax(-32768.0, fmin(32767.0, sample)));
  }
  /* A lost frame loses the line with everything on it. */
  if (condition->break_kind == CORPUS_LOST_ZEROED || condition->break_kind == CORPUS_LOST_FROZEN) {
    int lost = (int)(condition->break_ms * 8);
    for (int i = 0; i < digits; i++) {
      double share = condition->break_at_ms >= 0
                         ? condition->break_at_ms * 8
                         : (0.3 + 0.4 * corpus_uniform(&state)) * (group->length[i] - lost);
      int start = (int)group->onset[i] + (int)share;
      for (int n = start; n < start + lost; n++)
        group->samples[n] = condition->break_kind == CORPUS_LOST_ZEROED ? 0 : group->samples[n - lost];
    }
  }
  if (condition->law != CORPUS_LINEAR)
    for (int n = 0; n < group->count; n++) group->samples[n] = corpus_companded(group->samples[n], condition->law);
}

#endif
