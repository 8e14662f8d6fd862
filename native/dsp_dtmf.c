#include "dsp_dtmf.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "dsp_level.h"

#define SUB            DSP_DTMF_SUB_SAMPLES
#define WINDOW_SUBS    4 /* 20 ms: the longest that still tells 40 ms tones with 40 ms pauses apart (Q.24) */
#define ACCEPT_WINDOWS 3 /* 20 + 2 × 5 ms of tone, 35 ms at the worst alignment */
#define END_SUBS       5 /* 25 ms down: rides over Q.24's 10 ms breaks and one lost 20 ms frame */

/* ITU-T Q.23: rows are the low group, columns the high group. */
static const double TONES_HZ[DSP_DTMF_TONES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};
static const char DIGITS[16] = "123A456B789C*0#D";

/* Q.24: operate from −29 dBm (NTT: −24) up; loops are long, so much lower still. 44 dB below 0 dBm0. */
#define MIN_TONE_CDBM0 (-4500)
/* Q.24: high group up to 4 dB above (AT&T), up to 8 dB below the low group; Australia asks for 10 dB. */
#define MAX_NORMAL_TWIST_DB  10.5 /* low group louder */
#define MAX_REVERSE_TWIST_DB 8.5  /* high group louder */
/* Q.24: accept ±(1.5 % + 2 Hz), refuse ±3.5 %: the limit lies between. */
#define MAX_OFFSET_RATIO 0.0255
/* Both tones' share of the window's energy; speech with a pitch spreads more. */
#define MIN_SHARE 0.78
/* A window's four sub-blocks must be of one height: a tone's edge inside the window is not steady. */
#define MAX_STEP_RATIO 1.6 /* 4.1 dB */
/* The strongest of a group over its second, in energy of the whole window. */
#define MIN_GROUP_LEAD 4.0 /* 6 dB */
/* A key is pressed abruptly: 15 ms before the first good window the pair is this far down. */
#define MAX_BEFORE_RATIO 0.4 /* −8 dB */
#define AFTER_DIGIT_SUBS 10  /* 50 ms */
/* Down: either tone below this part of its steady amplitude. */
#define ABSENT_RATIO 0.5 /* −6 dB */

struct pair {
  /* <e_row, e_col> over one sub-block, per its samples; phases relative to the sub-block's first sample. */
  double cross_re, cross_im;
};

static struct {
  float cos[SUB][DSP_DTMF_TONES], sin[SUB][DSP_DTMF_TONES]; /* tones innermost: they go side by side */
  double turn_cos[DSP_DTMF_TONES][WINDOW_SUBS], turn_sin[DSP_DTMF_TONES][WINDOW_SUBS]; /* k sub-blocks on */
  struct pair pairs[16];
  double quietest_tone; /* mean square */
  float silent_energy;  /* of a sub-block: nothing in it can be a key */
} tables;

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void make_tables(void) {
  tables.quietest_tone = dsp_mean_square(MIN_TONE_CDBM0);
  tables.silent_energy = (float)(0.1 * tables.quietest_tone * SUB);
  for (int t = 0; t < DSP_DTMF_TONES; t++) {
    for (int k = 0; k < WINDOW_SUBS; k++) {
      double turn = 2.0 * M_PI * TONES_HZ[t] * SUB / DSP_SAMPLE_RATE_HZ * k;
      tables.turn_cos[t][k] = cos(turn);
      tables.turn_sin[t][k] = sin(turn);
    }
  }
  for (int t = 0; t < DSP_DTMF_TONES; t++) {
    for (int n = 0; n < SUB; n++) {
      double phase = 2.0 * M_PI * TONES_HZ[t] * n / DSP_SAMPLE_RATE_HZ;
      tables.cos[n][t] = (float)cos(phase);
      tables.sin[n][t] = (float)sin(phase);
    }
  }
  for (int p = 0; p < 16; p++) {
    double difference = 2.0 * M_PI * (TONES_HZ[p / 4] - TONES_HZ[4 + p % 4]) / DSP_SAMPLE_RATE_HZ;
    double re = 0.0;
    double im = 0.0;
    for (int n = 0; n < SUB; n++) {
      re += cos(difference * n);
      im += sin(difference * n);
    }
    tables.pairs[p].cross_re = re / SUB;
    tables.pairs[p].cross_im = im / SUB;
  }
}

void dsp_dtmf_init(struct dsp_dtmf *dtmf) {
  pthread_once(&tables_once, make_tables);
  dsp_dtmf_reset(dtmf);
}

void dsp_dtmf_reset(struct dsp_dtmf *dtmf) {
  memset(dtmf, 0, sizeof(*dtmf));
  dtmf->candidate = -1;
  dtmf->digit = -1;
  dtmf->last_up_sub_block = -AFTER_DIGIT_SUBS;
}

/* Age 0 is the newest sub-block. */
static const struct dsp_dtmf_sub *sub_at(const struct dsp_dtmf *dtmf, int age) {
  return &dtmf->history[(dtmf->sub_blocks - 1 - age) & (DSP_DTMF_HISTORY - 1)];
}

static void transform(struct dsp_dtmf *dtmf) {
  struct dsp_dtmf_sub *sub = &dtmf->history[dtmf->sub_blocks & (DSP_DTMF_HISTORY - 1)];
  float mean = 0.0F;
  float energy = 0.0F;
  for (int n = 0; n < SUB; n++) mean += (float)dtmf->pending[n];
  mean /= SUB;
  float centred[SUB];
  for (int n = 0; n < SUB; n++) {
    centred[n] = (float)dtmf->pending[n] - mean;
    energy += centred[n] * centred[n];
  }
  sub->energy = energy;
  memset(sub->re, 0, sizeof(sub->re));
  memset(sub->im, 0, sizeof(sub->im));
  if (energy >= tables.silent_energy) {
    for (int n = 0; n < SUB; n++) {
      for (int t = 0; t < DSP_DTMF_TONES; t++) {
        sub->re[t] += centred[n] * tables.cos[n][t];
        sub->im[t] -= centred[n] * tables.sin[n][t];
      }
    }
  }
  dtmf->sub_blocks++;
}

struct fit {
  double re[2], im[2]; /* complex amplitudes (peak, S16 steps) of row and column at the sub-block's start */
};

/* Least squares of the two tones over one sub-block: each is freed of what leaks from the other. */
static struct fit fit_pair(const struct dsp_dtmf_sub *sub, int pair) {
  int row = pair / 4;
  int column = 4 + pair % 4;
  double c_re = tables.pairs[pair].cross_re;
  double c_im = tables.pairs[pair].cross_im;
  double x_re = sub->re[row] * 2.0 / SUB;
  double x_im = sub->im[row] * 2.0 / SUB;
  double y_re = sub->re[column] * 2.0 / SUB;
  double y_im = sub->im[column] * 2.0 / SUB;
  double scale = 1.0 / (1.0 - c_re * c_re - c_im * c_im);
  /* X = A + conj(C) B, Y = C A + B with C = mean of e^{j(row − column)n}. */
  struct fit fit;
  fit.re[0] = (x_re - (c_re * y_re + c_im * y_im)) * scale;
  fit.im[0] = (x_im - (c_re * y_im - c_im * y_re)) * scale;
  fit.re[1] = (y_re - (c_re * x_re - c_im * x_im)) * scale;
  fit.im[1] = (y_im - (c_re * x_im + c_im * x_re)) * scale;
  return fit;
}

static double magnitude(const struct fit *fit, int which) { return hypot(fit->re[which], fit->im[which]); }

/* The strongest tone of a group over the window, coherently; −1 when it leads too little. */
static int strongest(const struct dsp_dtmf *dtmf, int first) {
  double best = 0.0;
  double second = 0.0;
  int which = -1;
  for (int t = first; t < first + 4; t++) {
    double re = 0.0;
    double im = 0.0;
    for (int k = 0; k < WINDOW_SUBS; k++) {
      const struct dsp_dtmf_sub *sub = sub_at(dtmf, WINDOW_SUBS - 1 - k);
      double c = tables.turn_cos[t][k];
      double s = tables.turn_sin[t][k];
      re += sub->re[t] * c + sub->im[t] * s;
      im += sub->im[t] * c - sub->re[t] * s;
    }
    double power = re * re + im * im;
    if (power > best) {
      second = best;
      best = power;
      which = t;
    } else if (power > second) {
      second = power;
    }
  }
  return best >= MIN_GROUP_LEAD * second ? which : -1;
}

struct window {
  int pair; /* −1: no digit in this window */
  double amplitude[2];
};

static struct window judge(const struct dsp_dtmf *dtmf) {
  struct window none = {-1, {0.0, 0.0}};
  if (dtmf->sub_blocks < WINDOW_SUBS) return none;
  double energy = 0.0;
  for (int k = 0; k < WINDOW_SUBS; k++) energy += sub_at(dtmf, k)->energy;
  if (energy < tables.quietest_tone * SUB * WINDOW_SUBS) return none;
  int row = strongest(dtmf, 0);
  int column = strongest(dtmf, 4);
  if (row < 0 || column < 0) return none;
  int pair = row * 4 + (column - 4);

  double explained = 0.0;
  struct window window = {pair, {0.0, 0.0}};
  struct fit fits[WINDOW_SUBS];
  for (int k = 0; k < WINDOW_SUBS; k++) fits[k] = fit_pair(sub_at(dtmf, WINDOW_SUBS - 1 - k), pair);
  for (int which = 0; which < 2; which++) {
    double tone_hz = TONES_HZ[which == 0 ? row : column];
    double turn = 2.0 * M_PI * tone_hz * SUB / DSP_SAMPLE_RATE_HZ;
    double low = INFINITY;
    double high = 0.0;
    double slope_re = 0.0;
    double slope_im = 0.0;
    for (int k = 0; k < WINDOW_SUBS; k++) {
      double height = magnitude(&fits[k], which);
      low = fmin(low, height);
      high = fmax(high, height);
      window.amplitude[which] += height / WINDOW_SUBS;
      explained += height * height * SUB / 2.0;
      if (k == 0) continue;
      slope_re += fits[k].re[which] * fits[k - 1].re[which] + fits[k].im[which] * fits[k - 1].im[which];
      slope_im += fits[k].im[which] * fits[k - 1].re[which] - fits[k].re[which] * fits[k - 1].im[which];
    }
    if (high > low * MAX_STEP_RATIO) return none;
    double advance = atan2(slope_im, slope_re) - turn; /* beyond the nominal tone's, per sub-block */
    advance -= 2.0 * M_PI * round(advance / (2.0 * M_PI));
    double offset_hz = advance / (2.0 * M_PI) * DSP_SAMPLE_RATE_HZ / SUB;
    if (fabs(offset_hz) > tone_hz * MAX_OFFSET_RATIO) return none;
    if (window.amplitude[which] * window.amplitude[which] / 2.0 < tables.quietest_tone) return none;
  }
  double twist_db = 20.0 * log10(window.amplitude[1] / window.amplitude[0]);
  if (twist_db > MAX_REVERSE_TWIST_DB || twist_db < -MAX_NORMAL_TWIST_DB) return none;
  if (explained < MIN_SHARE * energy) return none;
  return window;
}

static int32_t level_cdbm0(const struct dsp_dtmf *dtmf) {
  double row = dtmf->amplitude[0];
  double column = dtmf->amplitude[1];
  return (dsp_level_cdbm0(row * row / 2.0) + dsp_level_cdbm0(column * column / 2.0)) / 2;
}

/* How much of a sub-block the tone fills, by its amplitude there: dates an edge to a fraction of 5 ms. */
static double filled(const struct dsp_dtmf *dtmf, int age) {
  struct fit fit = fit_pair(sub_at(dtmf, age), dtmf->digit);
  double part = 0.5 * (magnitude(&fit, 0) / dtmf->amplitude[0] + magnitude(&fit, 1) / dtmf->amplitude[1]);
  return fmin(part, 1.0);
}

static bool abrupt(const struct dsp_dtmf *dtmf, const struct window *window, int age) {
  if (dtmf->sub_blocks <= age) return true; /* the stream began with the tone */
  /* Right after another key its tones leak into this one's: a finger that moves on is abrupt enough. */
  if (dtmf->digit >= 0 || dtmf->sub_blocks - dtmf->last_up_sub_block < AFTER_DIGIT_SUBS) return true;
  struct fit fit = fit_pair(sub_at(dtmf, age), window->pair);
  return magnitude(&fit, 0) < MAX_BEFORE_RATIO * window->amplitude[0] ||
         magnitude(&fit, 1) < MAX_BEFORE_RATIO * window->amplitude[1];
}

static struct dsp_dtmf_event up(struct dsp_dtmf *dtmf) {
  struct dsp_dtmf_event event = {.at_sample = dtmf->last_sample,
                                 .kind = DSP_DTMF_UP,
                                 .digit = DIGITS[dtmf->digit],
                                 .level_cdbm0 = level_cdbm0(dtmf),
                                 .duration_samples = (int32_t)(dtmf->last_sample - dtmf->onset_sample)};
  dtmf->digit = -1;
  dtmf->last_up_sub_block = dtmf->sub_blocks;
  return event;
}

static struct dsp_dtmf_event down(struct dsp_dtmf *dtmf, const struct window *window) {
  int first_age = WINDOW_SUBS + ACCEPT_WINDOWS - 2; /* the oldest sub-block of the first good window */
  dtmf->digit = window->pair;
  dtmf->amplitude[0] = (float)window->amplitude[0];
  dtmf->amplitude[1] = (float)window->amplitude[1];
  dtmf->absent_sub_blocks = 0;
  int64_t first = (dtmf->sub_blocks - 1 - first_age) * SUB;
  /* The tone began in the sub-block before, or was not steady there yet: its share tells where. */
  double before = 0.0;
  for (int age = first_age + 1; age <= first_age + 2 && dtmf->sub_blocks > age; age++) before += filled(dtmf, age);
  dtmf->onset_sample = first - (int64_t)(before * SUB);
  if (dtmf->onset_sample < 0) dtmf->onset_sample = 0;
  dtmf->last_sample = dtmf->sub_blocks * SUB;
  return (struct dsp_dtmf_event){.at_sample = dtmf->onset_sample,
                                 .kind = DSP_DTMF_DOWN,
                                 .digit = DIGITS[dtmf->digit],
                                 .level_cdbm0 = level_cdbm0(dtmf)};
}

static int follow(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out) {
  struct fit fit = fit_pair(sub_at(dtmf, 0), dtmf->digit);
  bool present = true;
  for (int which = 0; which < 2; which++) {
    if (magnitude(&fit, which) < ABSENT_RATIO * dtmf->amplitude[which]) present = false;
  }
  int64_t start = (dtmf->sub_blocks - 1) * SUB;
  if (present) {
    dtmf->absent_sub_blocks = 0;
    dtmf->last_sample = start + (int64_t)(filled(dtmf, 0) > 0.9 ? SUB : filled(dtmf, 0) * SUB);
    return 0;
  }
  if (dtmf->absent_sub_blocks++ == 0) dtmf->last_sample = start + (int64_t)(filled(dtmf, 0) * SUB);
  if (dtmf->absent_sub_blocks < END_SUBS) return 0;
  out[0] = up(dtmf);
  return 1;
}

static int sub_block(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out) {
  int events = 0;
  transform(dtmf);
  if (dtmf->digit >= 0) events += follow(dtmf, out);
  struct window window = judge(dtmf);
  if (window.pair < 0) {
    dtmf->candidate = -1;
    return events;
  }
  if (window.pair != dtmf->candidate) {
    dtmf->candidate = window.pair;
    dtmf->candidate_windows = 0;
  }
  if (dtmf->candidate_windows < ACCEPT_WINDOWS) dtmf->candidate_windows++;
  else return events;
  if (window.pair == dtmf->digit) return events;
  if (dtmf->candidate_windows < ACCEPT_WINDOWS) return events;
  if (!abrupt(dtmf, &window, WINDOW_SUBS + ACCEPT_WINDOWS)) return events;
  if (dtmf->digit >= 0) out[events++] = up(dtmf); /* the next key came before this one's end was sure */
  out[events++] = down(dtmf, &window);
  return events;
}

int dsp_dtmf_process(struct dsp_dtmf *dtmf, const int16_t *samples, int count, struct dsp_dtmf_event *out,
                     int max) {
  int events = 0;
  while (count > 0 && events + 2 <= max) {
    int room = SUB - dtmf->pending_samples;
    int taken = count < room ? count : room;
    memcpy(&dtmf->pending[dtmf->pending_samples], samples, (size_t)taken * sizeof(*samples));
    dtmf->pending_samples += taken;
    samples += taken;
    count -= taken;
    if (dtmf->pending_samples < SUB) break;
    dtmf->pending_samples = 0;
    events += sub_block(dtmf, &out[events]);
  }
  return events;
}

int dsp_dtmf_flush(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out) {
  if (dtmf->digit < 0) return 0;
  out[0] = up(dtmf);
  return 1;
}
