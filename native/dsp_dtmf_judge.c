#include "dsp_dtmf_judge.h"

#include <math.h>
#include <pthread.h>

#include "dsp_dtmf_tones.h"
#include "dsp_level.h"

#define SUB         DSP_DTMF_SUB_SAMPLES
#define SUB_MS      5.0F
#define LONGEST_RUN 12 /* sub-blocks that are measured as one */
#define BEFORE_SUBS 4  /* 20 ms: a whole period of 50 Hz, more than one of 60 Hz */

/* Q.24: each tone operates from −25 dBm up and does not from −55 down (AT&T); from −24, and not from −29 (NTT).
 * Long loops bring less: −44, and 2 dB for what noise takes off. */
#define MIN_TONE_CDBM0 (-4600)
/* Q.24: low group louder by up to 8 dB, high group by 4 (AT&T); 5 (NTT) to 10 dB (Australia) either way. ES 201
 * 235-3: 6 dB either way. Ours are 10 and 8, and 0.9 dB for noise. */
#define MAX_NORMAL_TWIST_DB  10.9F
#define MAX_REVERSE_TWIST_DB 8.9F
/* Q.24: ±1.5 % operates and ±3.5 % does not (AT&T; TIA-464-B); ±(1.5 % + 2 Hz) operates (CEPT; ES 201 235-3). Ours
 * lies between the second and ±3.5 %: at 697 Hz between 12.5 and 24.4 Hz, at 1633 Hz between 26.5 and 57.2 Hz. */
#define MAX_OFFSET_RATIO 0.015F
#define MAX_OFFSET_HZ    5.5F
/* Q.24: 40 ms operates, 23 (AT&T) or 24 ms (NTT) do not; ES 201 235-3: 40 and 20. */
#define MIN_TONE_SUBS (27.5F / SUB_MS)
/* Below this part of its steady amplitude a tone is away: −6 dB. */
#define PRESENT 0.5F

/* A window is worth a candidate with: */
#define MIN_LEAD         4.0F  /* 6 dB, the strongest of a group over the next, over 20 ms */
#define WINDOW_SHARE     0.62F /* of the energy: white noise as loud as either tone leaves 0.7 */
#define WINDOW_COHERENCE 0.75F /* −6 dB of either tone's power is not one sine: an edge, an echo, noise */
#define WINDOW_OFFSET    1.3F  /* × the limits above: 20 ms of noisy tone tell a frequency to some Hz */
#define WINDOW_HEIGHT    0.8F  /* × the lowest level: −2 dB, an edge may lie in the window */

/*
 * A candidate becomes a key when no deviation is beyond its limit, and all of them together are small: each is
 * divided by its limit, and the sum (of squares where the deviation is an amplitude) must not exceed
 * DTMF_MAX_DEVIATION. A key on a bad line deviates in one or two ways at a time, speech in all of them. The limits
 * are ours: about twice what was measured along the axes of bench/dsp at the values that must be met.
 */
#define MAX_BEFORE      0.08F /* −11 dB: either tone's power in the 15 ms before the onset, which is abrupt */
#define MAX_INCOHERENCE 0.08F /* −11 dB of a tone's power over the run: echo and clipping make it */
#define MAX_STEP        1.7F  /* 4.6 dB between a tone's sub-blocks: an echo of −10 dB makes 1.5 */
#define MAX_RESIDUE     0.13F /* −9 dB: in-band energy that began with the tones and is not they */
#define MAX_LOW         0.2F /* −7 dB: what changed below 480 Hz. A voice's fundamental begins with its harmonics */
#define LOW_UNSTEADY    0.3F /* of the low energy: 60 Hz and 350 + 440 Hz beat in windows of 20 ms */
#define MAX_NOISE       0.6F /* in-band energy before the onset: white noise 1.5 dB louder than either tone */
/* What noise before the onset excuses ends at noise 0.5 dB below a tone: this part of its power in a sub-block. */
#define MOST_NOISE   0.045F
#define WHITE        0.55F /* of noise meets the tones when it is white: 16 of 34 dimensions, 0.47; of a voice more */
#define MAX_COLOURED 3.0F /* all of it, and the tones overlap: beyond is a rounding error */
#define WHITE_SPREAD 1.3F /* 15 ms of white noise may be so much over its mean */
#define LOOKS        5    /* × 20 ms: how long before the onset a noise must have been there to be one */
#define VOICED       4.0F /* low energy weighs this much against noise, */
#define VOICED_MOST  2.0F /* up to two keys' energy: a dial tone at the level of the key */

static struct {
  float turn_re[DTMF_WINDOW_SUBS][DSP_DTMF_TONES]; /* k sub-blocks on */
  float turn_im[DTMF_WINDOW_SUBS][DSP_DTMF_TONES];
  float min_height; /* of a tone */
} tables;

struct fit {
  struct dtmf_phasor tone[2];
  float height[2];
  float explained;
};

struct run {
  float height[2];    /* coherent, S16 steps */
  float coherence[2]; /* its power over the mean of the sub-blocks' */
  float offset_hz[2];
  float step[2];                 /* its highest sub-block over its lowest */
  float explained, in_band, low; /* a sub-block's mean */
  float low_leak;                /* what the tones themselves put into low */
};

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
  for (int t = 0; t < DSP_DTMF_TONES; t++) {
    for (int k = 0; k < DTMF_WINDOW_SUBS; k++) {
      double turn = 2.0 * M_PI * (double)dtmf_tones_hz[t] * SUB / DSP_SAMPLE_RATE_HZ * k;
      tables.turn_re[k][t] = (float)cos(turn);
      tables.turn_im[k][t] = (float)sin(turn);
    }
  }
  tables.min_height = (float)sqrt(2.0 * dsp_mean_square(MIN_TONE_CDBM0));
}

void dtmf_judge_init(void) {
  dtmf_tones_init();
  pthread_once(&tables_once, make_tables);
}

/* Before the first one there are only zeros. What was only kept is correlated now. */
static const struct dsp_dtmf_sub *sub_at(struct dsp_dtmf *dtmf, int64_t number) {
  struct dsp_dtmf_sub *sub = &dtmf->history[number & (DSP_DTMF_HISTORY - 1)];
  if (!sub->correlated && sub->energy > 0.0F) (void)dtmf_tones_sub(sub);
  return sub;
}

static struct fit fit_at(struct dsp_dtmf *dtmf, int64_t number, int pair) {
  struct fit fit;
  fit.explained = dtmf_tones_fit(sub_at(dtmf, number), pair, fit.tone);
  for (int which = 0; which < 2; which++)
    fit.height[which] = sqrtf(fit.tone[which].re * fit.tone[which].re + fit.tone[which].im * fit.tone[which].im);
  return fit;
}

static struct dtmf_phasor times_conjugate(struct dtmf_phasor a, struct dtmf_phasor b) {
  return (struct dtmf_phasor){a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im};
}

/* ---- windows: is there a pair ------------------------------------------------------------------------------- */

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

/* The strongest row and column over the last window, coherently; −1 when either leads too little. */
static int strongest_pair(struct dsp_dtmf *dtmf) {
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

/* Both tones over the sub-blocks from … to, each as one sine of free frequency. */
static struct run measure(struct dsp_dtmf *dtmf, int pair, int64_t from, int64_t to) {
  struct fit fits[LONGEST_RUN];
  struct run run = {.explained = 0.0F};
  if (from < to - LONGEST_RUN + 1) from = to - LONGEST_RUN + 1;
  int count = (int)(to - from) + 1;
  float part = 1.0F / (float)count;
  for (int k = 0; k < count; k++) {
    fits[k] = fit_at(dtmf, from + k, pair);
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

static bool on_frequency(const struct run *run, int pair, float slack) {
  for (int which = 0; which < 2; which++) {
    float hz = dtmf_tones_hz[which == 0 ? pair / 4 : 4 + pair % 4];
    if (fabsf(run->offset_hz[which]) > slack * (hz * MAX_OFFSET_RATIO + MAX_OFFSET_HZ)) return false;
  }
  return true;
}

#define MOST_SNR_DB 60.0F

static struct dsp_dtmf_detail detail_of(const struct run *run) {
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

int dtmf_window_pair(struct dsp_dtmf *dtmf, float amplitude[2], struct dtmf_near_miss *miss) {
  miss->pair = -1;
  int pair = strongest_pair(dtmf);
  if (pair < 0) return -1;
  struct run run = measure(dtmf, pair, dtmf->sub_blocks - DTMF_WINDOW_SUBS, dtmf->sub_blocks - 1);
  if (run.explained < WINDOW_SHARE * run.in_band) return -1;
  for (int which = 0; which < 2; which++) {
    if (run.coherence[which] < WINDOW_COHERENCE) return -1;
    amplitude[which] = run.height[which];
  }
  bool quiet = fminf(amplitude[0], amplitude[1]) < WINDOW_HEIGHT * tables.min_height;
  if (!quiet && on_frequency(&run, pair, WINDOW_OFFSET)) return pair;
  *miss = (struct dtmf_near_miss){
      .pair = pair, .reason = quiet ? DSP_DTMF_TOO_QUIET : DSP_DTMF_OFF_FREQUENCY, .detail = detail_of(&run)};
  return -1;
}

/* ---- a candidate: is it a key ------------------------------------------------------------------------------- */

static float part_of(float height, float amplitude) { return height < amplitude ? height / amplitude : 1.0F; }

float dtmf_filled(struct dsp_dtmf *dtmf, int64_t number, int pair, const float amplitude[2]) {
  struct fit fit = fit_at(dtmf, number, pair);
  return 0.5F * (part_of(fit.height[0], amplitude[0]) + part_of(fit.height[1], amplitude[1]));
}

int dtmf_present(struct dsp_dtmf *dtmf, int64_t number, int pair, const float amplitude[2]) {
  struct fit fit = fit_at(dtmf, number, pair);
  return (fit.height[0] >= PRESENT * amplitude[0]) + (fit.height[1] >= PRESENT * amplitude[1]);
}

struct background {
  float in_band, low; /* a sub-block's mean */
  float white;        /* as much of in_band as the eight tones show to be white noise */
  float pair[2];      /* the tones' mean power, squared heights */
  float coloured;     /* part of in_band that meets the eight tones, 1: as white noise */
};

/* What the line carried before the run that begins with first. The sub-block before it may hold its edge. */
static struct background background_of(struct dsp_dtmf *dtmf, int pair, int64_t first) {
  struct background background = {.in_band = 0.0F};
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
    struct fit fit = fit_at(dtmf, number, pair);
    for (int which = 0; which < 2; which++)
      background.pair[which] += fit.height[which] * fit.height[which] / (BEFORE_SUBS - 1);
    meets += dtmf_tones_power(sub_at(dtmf, number));
    in_band += sub_at(dtmf, number)->in_band;
  }
  background.white = fminf(background.in_band, WHITE_SPREAD * meets / (WHITE * (BEFORE_SUBS - 1)));
  background.coloured = fminf(MAX_COLOURED, fmaxf(1.0F, meets / (WHITE * in_band)));
  return background;
}

static float square(float x) { return x * x; }
static float above_zero(float x) { return x > 0.0F ? x : 0.0F; }

struct verdict {
  float sum, worst;
  int32_t reason; /* of the worst */
};

/* Adds a deviation, which its limit has been divided out of: beyond 1 it is reason enough. */
static void add(struct verdict *verdict, float deviation, enum dsp_dtmf_reason reason) {
  verdict->sum += deviation;
  if (deviation <= verdict->worst) return;
  verdict->worst = deviation;
  verdict->reason = (int32_t)reason;
}

bool dtmf_is_key(struct dsp_dtmf *dtmf, int64_t from, int64_t to, float allowed, float amplitude[2]) {
  int pair = dtmf->candidate;
  int64_t first = dtmf->candidate_first;
  struct run run = measure(dtmf, pair, from, to);
  float length = 0.0F;
  for (int64_t number = from - 2; number <= to + 2 && number < dtmf->sub_blocks; number++)
    length += dtmf_filled(dtmf, number, pair, run.height);
  dtmf->judged.detail = detail_of(&run);
  dtmf->judged.reason = DSP_DTMF_TOO_SHORT;
  if (length < MIN_TONE_SUBS) return false;
  dtmf->judged.reason = DSP_DTMF_TOO_QUIET;
  if (run.height[0] < tables.min_height || run.height[1] < tables.min_height) return false;

  struct background before = background_of(dtmf, pair, first);
  /* A finger that moves on is abrupt enough; the same key again is not, it may be the last one's echo. */
  bool recent = dtmf->digit >= 0 || dtmf->sub_blocks - dtmf->last_up_sub < DTMF_AFTER_DIGIT_SUBS;
  bool moved_on = recent && pair != (dtmf->digit >= 0 ? dtmf->digit : dtmf->last_digit);
  struct verdict verdict = {0};
  for (int which = 0; which < 2; which++) {
    amplitude[which] = run.height[which];
    float power = square(run.height[which]);
    /* A sub-block's in-band noise has 34 dimensions, two of them fall on the tone, whose energy is 10 × its power.
     */
    float noise = fminf(before.white / (170.0F * power), MOST_NOISE);
    float hz = dtmf_tones_hz[which == 0 ? pair / 4 : 4 + pair % 4];
    add(&verdict, square(run.offset_hz[which] / (hz * MAX_OFFSET_RATIO + MAX_OFFSET_HZ)), DSP_DTMF_OFF_FREQUENCY);
    add(&verdict, 0.5F * above_zero(1.0F - run.coherence[which] - 5.0F * noise) / MAX_INCOHERENCE,
        DSP_DTMF_UNSTEADY);
    add(&verdict, 0.5F * square(logf(run.step[which]) / (logf(MAX_STEP) + 5.0F * sqrtf(0.5F * noise))),
        DSP_DTMF_UNSTEADY);
    if (!moved_on)
      add(&verdict, 0.7F * before.pair[which] / (power * (MAX_BEFORE + 4.0F * noise)), DSP_DTMF_NOT_ABRUPT);
  }
  float twist_db = 20.0F * log10f(run.height[1] / run.height[0]);
  add(&verdict, square(twist_db / (twist_db < 0 ? MAX_NORMAL_TWIST_DB : MAX_REVERSE_TWIST_DB)), DSP_DTMF_TWIST);
  float per_key = 1.0F / run.explained;
  float residue = run.in_band - run.explained;
  add(&verdict, above_zero(residue - 1.5F * before.white) * per_key / MAX_RESIDUE, DSP_DTMF_NOT_ALONE);
  float low_change = fabsf(run.low - before.low - run.low_leak) - LOW_UNSTEADY * before.low;
  add(&verdict, above_zero(low_change) * per_key / MAX_LOW, DSP_DTMF_LOW_SOUND);
  /* A line has noise, or it has a dial tone or hum; a voice is both. */
  float voiced = square(before.coloured) * (1.0F + VOICED * fminf(before.low * per_key, VOICED_MOST));
  if (!moved_on) add(&verdict, before.in_band * per_key * voiced / MAX_NOISE, DSP_DTMF_NOISY);
  dtmf->judged.reason = verdict.reason;
  return verdict.worst <= 1.0F && verdict.sum <= allowed;
}
