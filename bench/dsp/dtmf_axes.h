/*
 * dtmf_axes.h — the axes a DTMF detector is measured along: each a condition with one dial. A limit is the last x,
 * going outwards, up to which at least 99 % of the groups came out exactly right.
 */
#ifndef DTMF_AXES_H
#define DTMF_AXES_H

#include "dtmf_corpus.h"

struct axis {
  const char *name, *unit;
  double from, to, step;
  int reject;      /* right is: nothing heard */
  double required; /* x that our detector must reach */
  void (*set)(struct corpus_condition *condition, double x, uint64_t seed);
};

static inline double axes_one_of(uint64_t seed, double a, double b) {
  return corpus_random(&seed) >> 40 & 1 ? a : b;
}

static inline void set_duration(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->on_ms = x;
}
static inline void set_pause(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->same = 1;
  c->off_ms = x;
}
static inline void set_silent_break(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->on_ms = 120;
  c->break_ms = x;
  c->break_kind = CORPUS_SILENT_BREAK;
}
static inline void set_zeroed(struct corpus_condition *c, double x, uint64_t seed) {
  set_silent_break(c, x, seed);
  c->break_kind = CORPUS_LOST_ZEROED;
}
static inline void set_frozen(struct corpus_condition *c, double x, uint64_t seed) {
  set_silent_break(c, x, seed);
  c->break_kind = CORPUS_LOST_FROZEN;
}
/* Short tones too: the frame may be lost before the digit is sure. */
static inline void set_short_zeroed(struct corpus_condition *c, double x, uint64_t seed) {
  set_zeroed(c, x, seed);
  c->on_ms = 80 + x;
}
static inline void set_short_frozen(struct corpus_condition *c, double x, uint64_t seed) {
  set_frozen(c, x, seed);
  c->on_ms = 80 + x;
}
/* The corners: each group ±. */
static inline void set_corners(struct corpus_condition *c, double x, uint64_t seed) {
  for (int i = 0; i < 2; i++) {
    double sign = axes_one_of(seed * 2 + (uint64_t)i + 77, 1, -1);
    c->offset_ratio[i] = sign * x / 100;
    c->offset_hz[i] = sign * 2;
  }
}
static inline void set_one_off(struct corpus_condition *c, double x, uint64_t seed) {
  c->offset_ratio[seed & 1] = axes_one_of(seed + 5, 1, -1) * x / 100;
}
static inline void set_low_louder(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->twist_db = -x;
}
static inline void set_high_louder(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->twist_db = x;
}
static inline void set_level(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->level_dbm0 = x;
}
static inline void set_snr(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->snr_db = x;
}
static inline void set_combined(struct corpus_condition *c, double x, uint64_t seed) {
  c->on_ms = 45;
  c->off_ms = 45;
  c->snr_db = x;
  for (int i = 0; i < 2; i++) c->offset_ratio[i] = axes_one_of(seed * 2 + (uint64_t)i + 99, 1, -1) * 0.015;
  uint64_t state = seed + 1234567;
  for (int i = 0; i < 4; i++) (void)corpus_random(&state);
  c->twist_db = 4 - 12 * corpus_uniform(&state); /* low group louder: 8 dB … −4 dB */
}
static inline void set_dial(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->interferer_hz[0] = 350;
  c->interferer_hz[1] = 440;
  c->interferer_db = x;
  c->level_dbm0 = -18;
}
static inline void set_dial_425(struct corpus_condition *c, double x, uint64_t seed) {
  set_dial(c, x, seed);
  c->interferer_hz[0] = 425;
  c->interferer_hz[1] = 0;
}
static inline void set_hum_50(struct corpus_condition *c, double x, uint64_t seed) {
  set_dial(c, x, seed);
  c->interferer_hz[0] = 50;
  c->interferer_hz[1] = 0;
}
static inline void set_hum_60(struct corpus_condition *c, double x, uint64_t seed) {
  set_hum_50(c, x, seed);
  c->interferer_hz[0] = 60;
}
static inline void set_dc(struct corpus_condition *c, double x, uint64_t seed) {
  c->dc = axes_one_of(seed, x, -x);
}
static inline void set_echo_20(struct corpus_condition *c, double x, uint64_t seed) {
  (void)seed;
  c->on_ms = 60;
  c->off_ms = 60;
  c->echo_ms = 20;
  c->echo_db = x;
}
static inline void set_echo_delay(struct corpus_condition *c, double x, uint64_t seed) {
  set_echo_20(c, -10, seed);
  c->echo_ms = x;
}

static const struct axis axes[] = {
    {"shortest tone accepted", "ms", 60, 22, -1, 0, 32, set_duration},
    {"longest tone rejected", "ms", 10, 40, 1, 1, 23, set_duration},
    {"same-digit pause", "ms", 60, 10, -1, 0, 25, set_pause},
    {"silent break not splitting", "ms", 0, 30, 1, 0, 20, set_silent_break},
    {"lost frame, zeroed, 120 ms tone", "ms", 0, 30, 1, 0, 20, set_zeroed},
    {"lost frame, frozen, 120 ms tone", "ms", 0, 30, 1, 0, 20, set_frozen},
    {"lost frame, zeroed, short tone", "ms", 0, 30, 1, 0, 20, set_short_zeroed},
    {"lost frame, frozen, short tone", "ms", 0, 30, 1, 0, 20, set_short_frozen},
    {"corners ±(x % + 2 Hz) accepted", "%", 0, 3, 0.1, 0, 1.5, set_corners},
    {"one tone off by x % rejected", "%", 6, 1.5, -0.1, 1, 3.5, set_one_off},
    {"twist, low group louder", "dB", 0, 16, 0.5, 0, 10, set_low_louder},
    {"twist, high group louder", "dB", 0, 16, 0.5, 0, 8, set_high_louder},
    {"lowest level", "dBm0", -20, -50, -1, 0, -44, set_level},
    {"highest level", "dBm0", -20, 3, 1, 0, 0, set_level},
    {"SNR", "dB", 20, -4, -1, 0, 4, set_snr},
    {"45 ms, 1.5 % off, twist 8 … −4, SNR", "dB", 30, 0, -1, 0, 10, set_combined},
    {"behind dial tone 350 + 440", "dB", -20, 15, 1, 0, 0, set_dial},
    {"behind dial tone 425", "dB", -20, 20, 1, 0, 6, set_dial_425},
    {"hum 50 Hz", "dB", -20, 20, 1, 0, 12, set_hum_50},
    {"hum 60 Hz", "dB", -20, 20, 1, 0, 12, set_hum_60},
    {"DC offset", "steps", 0, 12000, 500, 0, 8000, set_dc},
    {"echo 20 ms", "dB", -30, 0, 1, 0, -10, set_echo_20},
    {"echo of -10 dB, delay", "ms", 0, 60, 2.5, 0, 40, set_echo_delay},
};
#define AXES ((int)(sizeof(axes) / sizeof(axes[0])))

#endif
