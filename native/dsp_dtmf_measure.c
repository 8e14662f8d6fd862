#include "dsp_dtmf_measure.h"

#include <math.h>
#include <pthread.h>

#include "dsp_level.h"

#define SUB         DSP_DTMF_SUB_SAMPLES
#define LONGEST_RUN 12    /* sub-blocks that are measured as one */
#define MIN_LEAD    4.0F  /* 6 dB, the strongest of a group over the next, over 20 ms */
#define MOST_SNR_DB 60.0F /* beyond is a rounding error */
#define BEFORE_SUBS 4     /* 20 ms: a whole period of 50 Hz, more than one of 60 Hz */

#define WHITE        0.55F /* of noise meets the tones when it is white: 16 of 34 dimensions, 0.47; of a voice more */
#define MAX_COLOURED 3.0F /* all of it, and the tones overlap: beyond is a rounding error */
#define WHITE_SPREAD 1.3F /* 15 ms of white noise may be so much over its mean */
#define LOOKS        5    /* × 20 ms: how long before the onset a noise must have been there to be one */

static struct {
  float turn_re[DTMF_WINDOW_SUBS][DSP_DTMF_TONES]; /* k sub-blocks on */
  float turn_im[DTMF_WINDOW_SUBS][DSP_DTMF_TONES];
} tables;

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
  for (int t = 0; t < DSP_DTMF_TONES; t++) {
    for (int k = 0; k < DTMF_WINDOW_SUBS; k++) {
      double turn = 2.0 * M_PI * (double)dtmf_tones_hz[t] * SUB / DSP_SAMPLE_RATE_HZ * k;
      tables.turn_re[k][t] = (float)cos(turn);
      tables.turn_im[k][t] = (float)sin(turn);
    }
  }
}

void dtmf_measure_init(void) {
  dtmf_tones_init();
  pthread_once(&tables_once, make_tables);
}

/* Before the first one there are only zeros. What was only kept is correlated now. */
static const struct dsp_dtmf_sub *sub_at(struct dsp_dtmf *dtmf, int64_t number) {
  struct dsp_dtmf_sub *sub = &dtmf->history[number & (DSP_DTMF_HISTORY - 1)];
  if (!sub->correlated && sub->energy > 0.0F) (void)dtmf_tones_sub(sub);
  return sub;
}

struct dtmf_fit dtmf_fit_at(struct dsp_dtmf *dtmf, int64_t number, int pair) {
  struct dtmf_fit fit;
  fit.explained = dtmf_tones_fit(sub_at(dtmf, number), pair, fit.tone);
  for (int which = 0; which < 2; which++)
    fit.height[which] = sqrtf(fit.tone[which].re * fit.tone[which].re + fit.tone[which].im * fit.tone[which].im);
  return fit;
}

static struct dtmf_phasor times_conjugate(struct dtmf_phasor a, struct dtmf_phasor b) {
  return (struct dtmf_phasor){a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im};
}

/* The strongest of a group's tones; −1 when it leads too little. */
static int strongest(const float power[4]) {
  int best = power[1] > power[0];
  int other = 2 + (power[3] > power[2]);
  int which = power[other] > power[best] ? other : best;
  float lead = power[which] / MIN_LEAD;
  for (int t = 0; t < 4; t++)
    if (t != which && power[t] > lead) return -1;
  return which;
}

int dtmf_strongest_pair(struct dsp_dtmf *dtmf) {
  float re[DSP_DTMF_TONES] = {0.0F};
  float im[DSP_DTMF_TONES] = {0.0F};
  for (int k = 0; k < DTMF_WINDOW_SUBS; k++) {
    const struct dsp_dtmf_sub *sub = sub_at(dtmf, dtmf->sub_blocks - DTMF_WINDOW_SUBS + k);
    const float *c = tables.turn_re[k];
    const float *s = tables.turn_im[k];
    for (int t = 0; t < DSP_DTMF_TONES; t++) {
      re[t] += sub->even[t] * c[t] - sub->odd[t] * s[t];
      im[t] += sub->odd[t] * c[t] + sub->even[t] * s[t];
    }
  }
  float power[DSP_DTMF_TONES];
  for (int t = 0; t < DSP_DTMF_TONES; t++) power[t] = re[t] * re[t] + im[t] * im[t];
  int row = strongest(power);
  int column = strongest(&power[4]);
  return row < 0 || column < 0 ? -1 : row * 4 + column;
}

struct dtmf_run dtmf_measure(struct dsp_dtmf *dtmf, int pair, int64_t from, int64_t to) {
  struct dtmf_fit fits[LONGEST_RUN];
  struct dtmf_run run = {.explained = 0.0F};
  if (from < to - LONGEST_RUN + 1) from = to - LONGEST_RUN + 1;
  int count = (int)(to - from) + 1;
  float part = 1.0F / (float)count;
  for (int k = 0; k < count; k++) {
    fits[k] = dtmf_fit_at(dtmf, from + k, pair);
    run.explained += fits[k].explained * part;
    run.in_band += sub_at(dtmf, from + k)->in_band * part;
    run.low += sub_at(dtmf, from + k)->low * part;
  }
  for (int which = 0; which < 2; which++) {
    int tone = which == 0 ? pair / 4 : 4 + pair % 4;
    struct dtmf_phasor step = {0.0F, 0.0F};
    float power = 1e-9F;
    float lowest = fits[0].height[which] + 1e-9F;
    float highest = lowest;
    for (int k = 0; k < count; k++) {
      lowest = fminf(lowest, fits[k].height[which] + 1e-9F);
      highest = fmaxf(highest, fits[k].height[which]);
      power += fits[k].height[which] * fits[k].height[which] * part;
      if (k == 0) continue;
      struct dtmf_phasor turn = times_conjugate(fits[k].tone[which], fits[k - 1].tone[which]);
      step.re += turn.re;
      step.im += turn.im;
    }
    struct dtmf_phasor beyond =
        times_conjugate(step, (struct dtmf_phasor){tables.turn_re[1][tone], tables.turn_im[1][tone]});
    run.offset_hz[which] = atan2f(beyond.im, beyond.re) / (2.0F * (float)M_PI) * (float)(DSP_SAMPLE_RATE_HZ / SUB);
    float length = sqrtf(step.re * step.re + step.im * step.im) + 1e-9F;
    step.re /= length;
    step.im /= length;
    struct dtmf_phasor sum = {0.0F, 0.0F};
    for (int k = count - 1; k >= 0; k--) { /* Horner */
      sum = times_conjugate(sum, step);
      sum.re += fits[k].tone[which].re;
      sum.im += fits[k].tone[which].im;
    }
    float coherent = (sum.re * sum.re + sum.im * sum.im) * part * part;
    run.height[which] = sqrtf(coherent);
    run.coherence[which] = coherent / power;
    run.step[which] = highest / lowest;
    run.low_leak += dtmf_tones_low_leak(tone) * power;
  }
  return run;
}

struct dsp_dtmf_detail dtmf_detail_of(const struct dtmf_run *run) {
  float residue = run->in_band - run->explained;
  float snr_db = residue > 0.0F ? 10.0F * log10f(run->explained / residue) : MOST_SNR_DB;
  return (struct dsp_dtmf_detail){
      .low_cdbm0 = dsp_level_cdbm0((double)run->height[0] * (double)run->height[0] / 2.0),
      .high_cdbm0 = dsp_level_cdbm0((double)run->height[1] * (double)run->height[1] / 2.0),
      .low_offset_chz = (int32_t)(100.0F * run->offset_hz[0]),
      .high_offset_chz = (int32_t)(100.0F * run->offset_hz[1]),
      .snr_cdb = (int32_t)(100.0F * fmaxf(-MOST_SNR_DB, fminf(snr_db, MOST_SNR_DB))),
  };
}

/* The sub-block before the run may hold its edge. */
struct dtmf_background dtmf_background_of(struct dsp_dtmf *dtmf, int pair, int64_t first) {
  struct dtmf_background background = {.in_band = 0.0F};
  float meets = 0.0F;
  float in_band = 1.0F;
  for (int look = 0; look < LOOKS; look++) {
    int64_t to = first - 2 - BEFORE_SUBS * look;
    int64_t from = to - BEFORE_SUBS + 1;
    if (from < 0 && look == 0) from = 0; /* the stream has just begun: what there is must do */
    if (from < 0 || to < from) break;
    float part = 1.0F / (float)(to - from + 1);
    float energy = 0.0F;
    float low = 0.0F;
    for (int64_t number = from; number <= to; number++) {
      energy += sub_at(dtmf, number)->in_band * part;
      low += sub_at(dtmf, number)->low * part;
    }
    if (look == 0 || energy < background.in_band) background.in_band = energy;
    if (look == 0 || low < background.low) background.low = low;
  }
  for (int64_t number = first - BEFORE_SUBS; number <= first - 2 && first >= BEFORE_SUBS; number++) {
    struct dtmf_fit fit = dtmf_fit_at(dtmf, number, pair);
    for (int which = 0; which < 2; which++)
      background.pair[which] += fit.height[which] * fit.height[which] / (BEFORE_SUBS - 1);
    meets += dtmf_tones_power(sub_at(dtmf, number));
    in_band += sub_at(dtmf, number)->in_band;
  }
  background.white = fminf(background.in_band, WHITE_SPREAD * meets / (WHITE * (BEFORE_SUBS - 1)));
  background.coloured = fminf(MAX_COLOURED, fmaxf(1.0F, meets / (WHITE * in_band)));
  return background;
}
