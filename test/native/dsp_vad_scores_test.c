/*
 * The detector's scores on talk that is made here: a source and a filter, no recording and no network.
 *
 *   pulses at 90–220 Hz ─┐
 *                        ├─ three formants ─ syllables of a fricative and a vowel ─ phrases ─ pauses
 *   noise ───────────────┘
 *
 * What is voice is told by the clean signal's energy: above its active level less 30 dB, gaps of up to 200 ms
 * bridged, as in bench/dsp, where recorded voices are used. A plain threshold must fail here, or the test is none.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"
#include "dsp_vad.h"
#include "tap.h"

#define SECONDS        40
#define SAMPLES        (SECONDS * 8000)
#define FRAME          160
#define FRAMES         (SAMPLES / FRAME)
#define SPEECH_CDBM0   (-2000)
#define BABBLE_TALKERS 8
#define ONSET_PAUSE    15 /* frames without voice before an onset that counts: 300 ms */

static uint32_t state;
static double uniform(double from, double to) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return from + (to - from) * state / 4294967296.0;
}
static double white(void) { return uniform(-1, 1) + uniform(-1, 1) + uniform(-1, 1); }

struct resonator {
  double a1, a2, gain, y1, y2;
};

static void tune(struct resonator *r, double hz, double bandwidth_hz) {
  double radius = exp(-M_PI * bandwidth_hz / 8000);
  r->a1 = 2 * radius * cos(2 * M_PI * hz / 8000);
  r->a2 = -radius * radius;
  r->gain = 1 - radius;
}

static double ring(struct resonator *r, double in) {
  double out = r->gain * in + r->a1 * r->y1 + r->a2 * r->y2;
  r->y2 = r->y1;
  r->y1 = out;
  return out;
}

/* One sound of a length, its loudness rising and falling; returns where it ends. */
static int sound(float *out, int at, int length, double pitch_hz, double loudness) {
  struct resonator formants[3] = {0};
  const double lowest[3] = {280, 850, 2100}, highest[3] = {800, 2200, 3200};
  for (int f = 0; f < 3; f++) {
    if (pitch_hz > 0) tune(&formants[f], uniform(lowest[f], highest[f]), 60 + 40 * f);
    else tune(&formants[f], uniform(1800, 3600), 500);
  }
  double phase = 0, glide = uniform(0.9, 1.1);
  for (int i = 0; i < length && at < SAMPLES; i++, at++) {
    double part = (double)i / length;
    double source = pitch_hz > 0 ? 0.02 * white() : white();
    phase += pitch_hz * (1 + (glide - 1) * part) / 8000;
    if (phase >= 1) {
      phase -= 1;
      source += 8;
    }
    double sum = 0;
    for (int f = 0; f < 3; f++) sum += ring(&formants[f], source) / (1 + f);
    out[at] += (float)(sum * loudness * sqrt(sin(M_PI * part)));
  }
  return at;
}

static double active_power(const float *speech) {
  double power = 0;
  for (int pass = 0; pass < 4; pass++) {
    double sum = 0, threshold = power / 1000;
    int active = 0;
    for (int f = 0; f < FRAMES; f++) {
      double energy = 0;
      for (int i = 0; i < FRAME; i++) energy += (double)speech[f * FRAME + i] * speech[f * FRAME + i];
      if (energy <= threshold * FRAME) continue;
      sum += energy / FRAME;
      active++;
    }
    power = sum / active;
  }
  return power;
}

static void talk(float *out, uint32_t seed, int pauses) {
  state = seed * 2654435761U + 1;
  memset(out, 0, sizeof(*out) * SAMPLES);
  double voice_hz = uniform(90, 220);
  int at = pauses ? 8000 : 0;
  while (at < SAMPLES) {
    for (int syllables = (int)uniform(3, 12); syllables > 0; syllables--) {
      if (uniform(0, 1) < 0.6) at = sound(out, at, (int)uniform(320, 900), 0, uniform(0.1, 0.5));
      at = sound(out, at, (int)uniform(700, 2000), voice_hz * uniform(0.85, 1.2), uniform(0.4, 1.0));
      at += (int)uniform(0, 600);
    }
    at += pauses ? (int)(8000 * 0.3 * pow(10, uniform(0, 1))) : 0;
  }
  double by = sqrt(dsp_mean_square(SPEECH_CDBM0) / active_power(out));
  for (int i = 0; i < SAMPLES; i++) out[i] = (float)(out[i] * by);
}

static float speech[SAMPLES], babble[SAMPLES], noise[SAMPLES];
static int16_t line[SAMPLES];
static uint8_t labels[FRAMES];

static void label(void) {
  double threshold = active_power(speech) / 1000 * FRAME;
  for (int f = 0, last = -1; f < FRAMES; f++) {
    double energy = 0;
    for (int i = 0; i < FRAME; i++) energy += (double)speech[f * FRAME + i] * speech[f * FRAME + i];
    labels[f] = energy > threshold;
    if (!labels[f]) continue;
    if (last >= 0 && f - last <= 11) memset(&labels[last], 1, (size_t)(f - last)); /* 200 ms between */
    last = f;
  }
}

enum kind { CLEAN, WHITE, HISS, HUM, BABBLE };

static void mix(enum kind kind, int snr_db, int level_db) {
  double before[2] = {0, 0}, sum = 0;
  for (int i = 0; i < SAMPLES; i++) {
    double now = white(), hum = 0;
    for (int h = 1; kind == HUM && h < 10; h++) hum += sin(2 * M_PI * 50 * h * i / 8000 + h * h) / h;
    double sample[] = {[CLEAN] = 0,
                       [WHITE] = now,
                       [HISS] = now - 1.6 * before[0] + 0.64 * before[1],
                       [HUM] = hum,
                       [BABBLE] = babble[i]};
    noise[i] = (float)sample[kind];
    sum += sample[kind] * sample[kind];
    before[1] = before[0];
    before[0] = now;
  }
  double by = kind == CLEAN ? 0 : sqrt(dsp_mean_square(SPEECH_CDBM0 - 100 * snr_db) * SAMPLES / sum);
  double gain = pow(10, level_db / 20.0);
  double line_noise = sqrt(dsp_mean_square(-7000));
  for (int i = 0; i < SAMPLES; i++) {
    double mixed = (speech[i] + by * noise[i]) * gain + line_noise * white();
    line[i] = (int16_t)lrint(fmax(-32768, fmin(32767, mixed)));
  }
}

struct score {
  double f1, balanced, onset_ms;
};

static struct score judge(const uint8_t *voice) {
  double hits = 0, misses = 0, alarms = 0, quiet = 0, latency_ms = 0, onsets = 0;
  for (int f = 0; f < FRAMES; f++) {
    if (labels[f]) voice[f] ? hits++ : misses++;
    else voice[f] ? alarms++ : quiet++;
  }
  for (int f = 1, pause = 0; f < FRAMES; f++) {
    pause = labels[f - 1] ? 0 : pause + 1;
    if (!labels[f] || pause < ONSET_PAUSE) continue;
    onsets++;
    for (int g = f; g < FRAMES && labels[g] && !voice[g]; g++) latency_ms += 20;
  }
  return (struct score){2 * hits / (2 * hits + misses + alarms),
                        0.5 * (hits / (hits + misses) + quiet / (quiet + alarms)), latency_ms / onsets};
}

static struct score ours(void) {
  static struct dsp_vad vad;
  static uint8_t voice[FRAMES];
  struct dsp_vad_event events[3];
  dsp_vad_init(&vad);
  for (int f = 0; f < FRAMES; f++) {
    dsp_vad_process(&vad, &line[f * FRAME], FRAME, events, 3);
    voice[f] = (uint8_t)dsp_vad_active(&vad);
  }
  return judge(voice);
}

static struct score threshold(void) {
  static uint8_t voice[FRAMES];
  for (int f = 0; f < FRAMES; f++) {
    double energy = 0;
    for (int i = 0; i < FRAME; i++) energy += (double)line[f * FRAME + i] * line[f * FRAME + i];
    voice[f] = energy / FRAME > DSP_FULL_SCALE * DSP_FULL_SCALE * 1e-5; /* −50 dBFS */
  }
  return judge(voice);
}

int main(void) {
  static const struct {
    const char *name;
    enum kind kind;
    int snr_db, level_db;
    double onset_ms; /* the most it may be late, mean; 0: not asked for */
  } conditions[] = {
      {"clean", CLEAN, 0, 0, 10},         {"20 dB quieter", CLEAN, 0, -20, 0}, {"30 dB quieter", CLEAN, 0, -30, 0},
      {"white 10 dB", WHITE, 10, 0, 30},  {"white 0 dB", WHITE, 0, 0, 0},      {"hiss 10 dB", HISS, 10, 0, 30},
      {"hiss 0 dB", HISS, 0, 0, 0},       {"hum 10 dB", HUM, 10, 0, 30},       {"hum 0 dB", HUM, 0, 0, 0},
      {"babble 20 dB", BABBLE, 20, 0, 0}, {"babble 10 dB", BABBLE, 10, 0, 0},  {"babble 5 dB", BABBLE, 5, 0, 0},
  };
  const int count = (int)(sizeof(conditions) / sizeof(conditions[0]));
  for (int t = 0; t < BABBLE_TALKERS; t++) {
    talk(speech, 100 + (uint32_t)t, 0);
    for (int i = 0; i < SAMPLES; i++) babble[i] += speech[i];
  }
  talk(speech, 7, 1);
  label();
  struct score mean = {0, 0, 0}, plain = {0, 0, 0};
  for (int c = 0; c < count; c++) {
    mix(conditions[c].kind, conditions[c].snr_db, conditions[c].level_db);
    struct score mine = ours(), other = threshold();
    mean.f1 += mine.f1 / count;
    mean.balanced += mine.balanced / count;
    plain.f1 += other.f1 / count;
    plain.balanced += other.balanced / count;
    tap_ok(mine.f1 >= 0.80 && mine.balanced >= 0.75, "%s: F1 %.3f, balanced accuracy %.3f, onset %.0f ms",
           conditions[c].name, mine.f1, mine.balanced, mine.onset_ms);
    if (conditions[c].onset_ms == 0) continue;
    tap_ok(mine.onset_ms <= conditions[c].onset_ms, "%s: onset within %.0f ms", conditions[c].name,
           conditions[c].onset_ms);
  }
  tap_ok(mean.f1 >= 0.93, "mean F1 %.3f", mean.f1);
  tap_ok(mean.balanced >= 0.90, "mean balanced accuracy %.3f", mean.balanced);
  tap_ok(plain.f1 < 0.93 && plain.balanced < 0.70, "a −50 dBFS threshold does not pass: %.3f, %.3f", plain.f1,
         plain.balanced);
  return tap_done();
}
