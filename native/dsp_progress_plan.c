/* dsp_progress_plan.c — tones as data into tables, and a block of samples into each sound's share of it. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "dsp_level.h"
#include "dsp_progress.h"

#define UNIT_SAMPLES   (DSHIM_BLOCK_SAMPLES / DSP_PROGRESS_UNITS)
#define TABLE_SCALE    2047 /* 40 products of it with full scale fit 31 bits */
#define APART_CHZ      4000
#define GATE_CDBM0     (-4300) /* ITU-T T.30: the least that a fax receiver must hear */
#define QUICK_SHIFT    3       /* 160 squares of 13 bits fit 32 */
#define LOW_CHZ        20000
#define HIGH_CHZ       380000
#define MAX_PHASE_MS   10000
#define SAMPLES_PER_MS 8

/* A frequency that is off by f turns 2π f t away from the middle of a window of T; 0.35 rad rms, which is where a
 * tenth of the energy is lost, is reached at f = 0.19 / T. */
static int32_t coherent_units(int32_t tolerance_chz) {
  return tolerance_chz <= 960 ? 4 : tolerance_chz <= 1930 ? 2 : 1;
}

static bool is_tone(const struct dshim_progress_tone *tone) {
  if (tone->id < 1 || tone->sines < 1 || tone->sines > DSHIM_PROGRESS_SINES || tone->sure_ms < 0) return false;
  if (tone->tolerance_chz < 0 || (tone->sines > 1 && coherent_units(tone->tolerance_chz) < DSP_PROGRESS_UNITS))
    return false;
  if (tone->phases < 0 || tone->phases > DSHIM_PROGRESS_PHASES || tone->phases % 2 != 0) return false;
  for (int i = 0; i < tone->sines; i++) {
    if (tone->frequencies_chz[i] < LOW_CHZ || tone->frequencies_chz[i] > HIGH_CHZ) return false;
    for (int k = 0; k < i; k++) {
      if (tone->frequencies_chz[i] == tone->frequencies_chz[k]) return false;
    }
  }
  for (int i = 0; i < tone->phases; i++) {
    if (tone->cadence_ms[i] < 1 || tone->cadence_ms[i] > MAX_PHASE_MS) return false;
  }
  return tone_cadence_runs(tone) <= TONE_RUNS;
}

/* The place of the frequency in the table, which it may take; −1 no room. */
static int32_t place_frequency(struct dsp_progress_plan *plan, int32_t chz) {
  for (int32_t f = 0; f < plan->frequencies; f++) {
    if (plan->frequency_chz[f] == chz) return f;
  }
  if (plan->frequencies == DSP_PROGRESS_FREQUENCIES) return -1;
  int32_t f = plan->frequencies++;
  plan->frequency_chz[f] = chz;
  double step = 2.0 * M_PI * (chz / 100.0) / DSP_SAMPLE_RATE_HZ;
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    plan->table[f][0][i] = (int16_t)lrint(TABLE_SCALE * cos(step * i));
    plan->table[f][1][i] = (int16_t)lrint(TABLE_SCALE * sin(step * i));
  }
  plan->turn[f][0] = (float)cos(step * DSHIM_BLOCK_SAMPLES);
  plan->turn[f][1] = (float)sin(step * DSHIM_BLOCK_SAMPLES);
  return f;
}

/* The inverse of the Gram matrix of the sound's cosines and sines over a block, by Gauss and Jordan. */
static void solve(const struct dsp_progress_plan *plan, struct dsp_progress_sound *sound) {
  enum { MOST = 2 * DSHIM_PROGRESS_SINES };
  double rows[MOST][2 * MOST] = {{0}};
  int size = 2 * sound->sines;
  for (int a = 0; a < size; a++) {
    for (int b = 0; b < size; b++) {
      const int16_t *one = plan->table[sound->frequency[a / 2]][a % 2];
      const int16_t *other = plan->table[sound->frequency[b / 2]][b % 2];
      for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++)
        rows[a][b] += (double)one[i] * other[i] / TABLE_SCALE / TABLE_SCALE;
    }
    rows[a][a] *= 1.001; /* sines 16 Hz apart are nearly one in 20 ms: what cannot be told apart stays small */
    rows[a][size + a] = 1.0;
  }
  for (int pivot = 0; pivot < size; pivot++) {
    double scale = rows[pivot][pivot];
    for (int i = 0; i < 2 * size; i++) rows[pivot][i] /= scale;
    for (int a = 0; a < size; a++) {
      if (a == pivot) continue;
      double factor = rows[a][pivot];
      for (int i = 0; i < 2 * size; i++) rows[a][i] -= factor * rows[pivot][i];
    }
  }
  for (int a = 0; a < size; a++) {
    for (int b = 0; b < size; b++) sound->inverse[a][b] = (float)rows[a][size + b];
  }
}

static bool same_sound(const struct dsp_progress_sound *a, const struct dsp_progress_sound *b) {
  return a->sines == b->sines && a->coherent_units == b->coherent_units &&
         memcmp(a->frequency, b->frequency, sizeof(a->frequency)) == 0;
}

static int32_t place_sound(struct dsp_progress_plan *plan, const struct dshim_progress_tone *tone) {
  struct dsp_progress_sound sound = {.sines = tone->sines, .coherent_units = coherent_units(tone->tolerance_chz)};
  int32_t nearest_chz = INT32_MAX;
  for (int i = 0; i < tone->sines; i++) {
    sound.frequency[i] = place_frequency(plan, tone->frequencies_chz[i]);
    if (sound.frequency[i] < 0) return -1;
    for (int k = 0; k < i; k++) {
      int32_t between_chz = tone->frequencies_chz[i] - tone->frequencies_chz[k];
      if (between_chz < 0) between_chz = -between_chz;
      if (between_chz < nearest_chz) nearest_chz = between_chz;
    }
  }
  for (int32_t s = 0; s < plan->sounds; s++) {
    if (same_sound(&plan->sound[s], &sound)) return s;
  }
  sound.apart = nearest_chz >= APART_CHZ;
  solve(plan, &sound);
  plan->sound[plan->sounds] = sound;
  return plan->sounds++;
}

int dsp_progress_plan(struct dsp_progress_plan *plan, const struct dshim_progress_tone *tones, int count) {
  memset(plan, 0, sizeof(*plan));
  if (count < 0 || count > DSHIM_PROGRESS_TONES) return -EINVAL;
  plan->gate = (float)(dsp_mean_square(GATE_CDBM0) * DSHIM_BLOCK_SAMPLES);
  for (int t = 0; t < count; t++) {
    if (!is_tone(&tones[t])) return -EINVAL;
    plan->tone[t] = tones[t];
    plan->sound_of[t] = place_sound(plan, &tones[t]);
    if (plan->sound_of[t] < 0) return -EINVAL;
  }
  for (int t = 0; t < count; t++) {
    plan->sure_samples[t] = (int64_t)tones[t].sure_ms * SAMPLES_PER_MS;
    for (int other = 0; other < count; other++) {
      if (plan->sound_of[other] != plan->sound_of[t]) continue;
      for (int i = 0; i < tones[other].phases; i += 2) {
        int64_t longer = tone_cadence_longest(tones[other].cadence_ms[i]) + DSHIM_BLOCK_SAMPLES;
        if (plan->sure_samples[t] < longer) plan->sure_samples[t] = longer;
      }
    }
  }
  plan->tones = count;
  return 0;
}

static float transform_unit(const int16_t *samples, const int16_t *table) {
  int32_t sum = 0;
  for (int i = 0; i < UNIT_SAMPLES; i++) sum += samples[i] * table[i];
  return (float)sum * (1.0F / TABLE_SCALE);
}

bool dsp_progress_transform(const struct dsp_progress_plan *plan, const int16_t *samples,
                            struct dsp_progress_spectrum *spectrum, float *quick_energy) {
  uint32_t quick = 0; /* of a block at full scale 2.7 · 10⁹ */
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    int16_t less = (int16_t)(samples[i] >> QUICK_SHIFT);
    quick += (uint32_t)(less * less);
  }
  *quick_energy = (float)quick * (float)(1 << (2 * QUICK_SHIFT));
  spectrum->energy = 0.0F;
  if (*quick_energy < plan->gate) return false;
  int32_t sum = 0;
  int64_t squares = 0;
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    sum += samples[i];
    squares += samples[i] * samples[i];
  }
  spectrum->energy = (float)squares - (float)sum * (float)sum / DSHIM_BLOCK_SAMPLES;
  if (spectrum->energy < plan->gate) {
    spectrum->energy = 0.0F;
    return false;
  }
  for (int32_t f = 0; f < plan->frequencies; f++) {
    struct dsp_progress_line *line = &spectrum->line[f];
    for (int u = 0; u < DSP_PROGRESS_UNITS; u++) {
      line->re[u] = transform_unit(&samples[u * UNIT_SAMPLES], &plan->table[f][0][u * UNIT_SAMPLES]);
      line->im[u] = transform_unit(&samples[u * UNIT_SAMPLES], &plan->table[f][1][u * UNIT_SAMPLES]);
    }
  }
  return true;
}

float dsp_progress_share(const struct dsp_progress_sound *sound, const struct dsp_progress_spectrum *spectrum) {
  float explained = 0.0F;
  if (sound->coherent_units < DSP_PROGRESS_UNITS) {
    const struct dsp_progress_line *line = &spectrum->line[sound->frequency[0]];
    for (int from = 0; from < DSP_PROGRESS_UNITS; from += sound->coherent_units) {
      float re = 0.0F;
      float im = 0.0F;
      for (int u = from; u < from + sound->coherent_units; u++) {
        re += line->re[u];
        im += line->im[u];
      }
      explained += (re * re + im * im) * 2.0F / (float)(UNIT_SAMPLES * sound->coherent_units);
    }
    return explained / spectrum->energy;
  }
  float sums[2 * DSHIM_PROGRESS_SINES];
  for (int k = 0; k < sound->sines; k++) {
    const struct dsp_progress_line *line = &spectrum->line[sound->frequency[k]];
    sums[2 * k] = line->re[0] + line->re[1] + line->re[2] + line->re[3];
    sums[2 * k + 1] = line->im[0] + line->im[1] + line->im[2] + line->im[3];
  }
  for (int a = 0; a < 2 * sound->sines; a++) {
    for (int b = 0; b < 2 * sound->sines; b++) explained += sums[a] * sound->inverse[a][b] * sums[b];
  }
  return explained / spectrum->energy;
}
