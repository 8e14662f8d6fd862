#include "tone_cadence.h"

#include <math.h>

#define SAMPLES_PER_MS 8
/* ITU-T E.180 asks ±10 % of exchanges; 15 % and what our blocks and a rounded edge add. */
#define TOLERANCE_PERCENT 15
#define TOLERANCE_MS      30
/* Shorter than this, two things in a row are chance. */
#define LEAST_HEARD_MS 1500
/* "Begun again": not just the beginning of something else. */
#define BEGUN_MS 100

void tone_runs_begin(struct tone_runs *runs, int64_t at_sample) {
  runs->known = true;
  runs->on = true;
  runs->began_sample = at_sample;
  runs->completed = 0;
}

void tone_runs_turn(struct tone_runs *runs, int64_t at_sample) {
  runs->samples[runs->completed++ & (TONE_RUNS - 1)] = (int32_t)(at_sample - runs->began_sample);
  runs->began_sample = at_sample;
  runs->on = !runs->on;
}

int32_t tone_cadence_runs(const struct dshim_progress_tone *tone) {
  if (tone->phases == 0) return 0;
  if (tone->sure_ms > 0) return tone->phases - 1;
  int32_t period_ms = 0;
  for (int i = 0; i < tone->phases; i++) period_ms += tone->cadence_ms[i];
  return tone->phases * ((LEAST_HEARD_MS + period_ms - 1) / period_ms);
}

static int64_t tolerance(int32_t ms) {
  return (int64_t)ms * SAMPLES_PER_MS * TOLERANCE_PERCENT / 100 + TOLERANCE_MS * SAMPLES_PER_MS;
}

int64_t tone_cadence_longest(int32_t ms) { return (int64_t)ms * SAMPLES_PER_MS + tolerance(ms); }

/* The newest `wanted` completed runs, when the present one is number `phase` of the list. */
static bool fits(const struct dshim_progress_tone *tone, const struct tone_runs *runs, int32_t phase,
                 int64_t now_sample, int64_t wanted, struct tone_fit *fit) {
  if (now_sample - runs->began_sample > tone_cadence_longest(tone->cadence_ms[phase])) return false;
  fit->began_sample = runs->began_sample;
  fit->off = 0.0;
  for (int64_t i = 1; i <= wanted; i++) {
    int32_t nominal_ms = tone->cadence_ms[(phase + tone->phases * i - i) % tone->phases];
    int32_t samples = runs->samples[(runs->completed - i) & (TONE_RUNS - 1)];
    double away = fabs((double)samples - (double)nominal_ms * SAMPLES_PER_MS);
    if (away > (double)tolerance(nominal_ms)) return false;
    fit->began_sample -= samples;
    fit->off += away / ((double)nominal_ms * SAMPLES_PER_MS) / (double)wanted;
  }
  return true;
}

bool tone_cadence_sure(const struct dshim_progress_tone *tone, int64_t sure_samples, const struct tone_runs *runs,
                       int64_t now_sample, struct tone_fit *fit) {
  if (!runs->known) return false;
  int64_t lasts = now_sample - runs->began_sample;
  if (tone->phases == 0) {
    *fit = (struct tone_fit){.began_sample = runs->began_sample};
    return runs->on && lasts >= sure_samples;
  }
  int64_t wanted = tone_cadence_runs(tone);
  if (runs->completed < wanted) return false;
  if (tone->sure_ms > 0) {
    return !runs->on && lasts >= (int64_t)tone->sure_ms * SAMPLES_PER_MS &&
           fits(tone, runs, tone->phases - 1, now_sample, wanted, fit);
  }
  if (!runs->on || lasts < BEGUN_MS * SAMPLES_PER_MS) return false;
  bool found = false;
  for (int32_t phase = 0; phase < tone->phases; phase += 2) {
    struct tone_fit one;
    if (!fits(tone, runs, phase, now_sample, wanted, &one) || (found && one.off >= fit->off)) continue;
    *fit = one;
    found = true;
  }
  return found;
}

bool tone_cadence_goes_on(const struct dshim_progress_tone *tone, const struct tone_runs *runs,
                          int64_t now_sample) {
  if (!runs->known) return false;
  if (tone->phases == 0) return runs->on;
  int64_t wanted = runs->completed < tone->phases ? runs->completed : tone->phases;
  for (int32_t phase = runs->on ? 0 : 1; phase < tone->phases; phase += 2) {
    struct tone_fit fit;
    if (fits(tone, runs, phase, now_sample, wanted, &fit)) return true;
  }
  return false;
}
