#include "dsp_dtmf.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "dsp_dtmf_correlate.h"
#include "dsp_dtmf_judge.h"
#include "dsp_dtmf_measure.h"
#include "dsp_dtmf_tones.h"
#include "dsp_level.h"

#define SUB         DSP_DTMF_SUB_SAMPLES
#define SUB_MS      5.0F
#define FULL_SUBS   8  /* 40 ms, Q.24's shortest key: who stands that long is judged without its end */
#define LONGEST_RUN 12 /* sub-blocks a candidate may have stood before it was seen */
#define DROP_SUBS   4  /* 20 ms without either tone: the candidate is given up */

static const char DIGITS[16] = "123A456B789C*0#D";

/* Of both tones together: 4 dB below two of the lowest level, an edge may lie in the sub-block. */
#define SILENT_CDBM0 (-4700)
/* As long as no sub-block is tonal only every fourth is looked at: the shortest key fills five. Tonal: this part
 * of its energy in its strongest row and column; white noise 4 dB below either tone leaves 0.63 or more, but 1 in
 * 1000. */
#define PROBE_SUBS  4
#define WINDOW_STEP 2 /* sub-blocks between windows: the shortest key holds two or three */
#define CRUDE_SHARE 0.6F
/* Q.24: a break up to 10 ms (AT&T) is no end. Packet networks lose frames of 20 ms; 25 ms are a pause. */
#define MIN_PAUSE_SUBS (22.25F / SUB_MS)
/* What noise makes of a sub-block that the tone fills, or does not touch. */
#define ALL_OF_IT  0.87F
#define NONE_OF_IT 0.2F

static uint32_t silent_energy; /* as dtmf_energy has it */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_constants(void) {
  silent_energy = (uint32_t)(dsp_mean_square(SILENT_CDBM0) * SUB / 2.0 / 16.0);
  dtmf_judge_init();
}

void dsp_dtmf_init(struct dsp_dtmf *dtmf) {
  pthread_once(&once, make_constants);
  memset(dtmf, 0, sizeof(*dtmf));
  dsp_dtmf_reset(dtmf);
}

void dsp_dtmf_reset(struct dsp_dtmf *dtmf) {
  memset(dtmf, 0, offsetof(struct dsp_dtmf, detail));
  dtmf->candidate = -1;
  dtmf->digit = -1;
  dtmf->last_digit = -1;
  dtmf->miss = -1;
  dtmf->last_up_sub = -DTMF_AFTER_DIGIT_SUBS;
}

/* ---- events ------------------------------------------------------------------------------------------------- */

static int32_t level_cdbm0(const struct dsp_dtmf *dtmf) {
  double row = (double)dtmf->amplitude[0];
  double column = (double)dtmf->amplitude[1];
  return (dsp_level_cdbm0(row * row / 2.0) + dsp_level_cdbm0(column * column / 2.0)) / 2;
}

static struct dsp_dtmf_event up(struct dsp_dtmf *dtmf) {
  struct dsp_dtmf_event event = {.at_sample = dtmf->last_sample,
                                 .kind = DSP_DTMF_UP,
                                 .digit = DIGITS[dtmf->digit],
                                 .level_cdbm0 = level_cdbm0(dtmf),
                                 .duration_samples = (int32_t)(dtmf->last_sample - dtmf->onset_sample)};
  dtmf->last_digit = dtmf->digit;
  dtmf->digit = -1;
  dtmf->last_up_sub = dtmf->sub_blocks;
  return event;
}

static void note_refusal(struct dsp_dtmf *dtmf, int pair, int64_t first, int32_t reason,
                         const struct dsp_dtmf_detail *detail) {
  dtmf->refusal = (struct dsp_dtmf_refusal){
      .at_sample = first * SUB, .digit = DIGITS[pair], .reason = reason, .detail = *detail};
  dtmf->refusals[reason]++;
  dtmf->refused_candidates++;
}

/* The candidate was none. */
static void refuse(struct dsp_dtmf *dtmf) {
  note_refusal(dtmf, dtmf->candidate, dtmf->candidate_first, dtmf->judged.reason, &dtmf->judged.detail);
  dtmf->candidate = -1;
}

/* As long as it sounds it is one. */
static void note_near_miss(struct dsp_dtmf *dtmf, const struct dtmf_near_miss *miss) {
  if (miss->pair < 0 || dtmf->digit >= 0 || dtmf->candidate >= 0) return;
  bool anew = miss->pair != dtmf->miss || dtmf->sub_blocks - dtmf->last_miss_sub > DTMF_AFTER_DIGIT_SUBS;
  dtmf->miss = miss->pair;
  dtmf->last_miss_sub = dtmf->sub_blocks;
  if (anew)
    note_refusal(dtmf, miss->pair, dtmf->sub_blocks - DTMF_WINDOW_SUBS, (int32_t)miss->reason, &miss->detail);
}

/* One sub-block of the digit under way; true when with it the digit has ended. */
static bool ends(struct dsp_dtmf *dtmf, int64_t number) {
  float part = dtmf_filled(dtmf, number, dtmf->digit, dtmf->amplitude);
  float away = part < ALL_OF_IT ? 1.0F - part : 0.0F;
  int64_t start = number * SUB;
  if (dtmf_present(dtmf, number, dtmf->digit, dtmf->amplitude) == 2) {
    if (dtmf->absent > 0 && dtmf->gap + dtmf->away + away >= MIN_PAUSE_SUBS) return true;
    dtmf->absent = 0;
    dtmf->away = away;
    dtmf->last_sample = start + SUB - (int64_t)(away * SUB);
    return false;
  }
  if (dtmf->absent++ == 0) {
    dtmf->gap = dtmf->away; /* the sub-block before, which it may not have filled any more */
    if (dtmf->away == 0.0F || part > NONE_OF_IT) dtmf->last_sample += (int64_t)(part * SUB);
  } else {
    dtmf->gap += dtmf->absent == 2 ? dtmf->away : 1.0F;
  }
  dtmf->away = away;
  return dtmf->gap + away >= MIN_PAUSE_SUBS;
}

static int down(struct dsp_dtmf *dtmf, int64_t last, const float amplitude[2], struct dsp_dtmf_event *out) {
  int events = 0;
  if (dtmf->digit >= 0) out[events++] = up(dtmf); /* the next key came before this one's end was sure */
  int64_t first = dtmf->candidate_first;
  dtmf->digit = dtmf->candidate;
  dtmf->candidate = -1;
  dtmf->detail = dtmf->judged.detail;
  memcpy(dtmf->amplitude, amplitude, sizeof(dtmf->amplitude));
  dtmf->absent = 0;
  dtmf->away = 0.0F;
  float in_first = dtmf_filled(dtmf, first, dtmf->digit, amplitude);
  float in_one_before = dtmf_filled(dtmf, first - 1, dtmf->digit, amplitude);
  if (in_one_before < NONE_OF_IT) in_one_before = 0.0F;
  if (in_first > ALL_OF_IT) in_first = 1.0F;
  dtmf->onset_sample = (first + 1) * SUB - (int64_t)((in_first + in_one_before) * SUB);
  if (dtmf->onset_sample < 0) dtmf->onset_sample = 0;
  dtmf->last_sample = (last + 1) * SUB;
  out[events++] = (struct dsp_dtmf_event){.at_sample = dtmf->onset_sample,
                                          .kind = DSP_DTMF_DOWN,
                                          .digit = DIGITS[dtmf->digit],
                                          .level_cdbm0 = level_cdbm0(dtmf)};
  for (int64_t number = last; number < dtmf->sub_blocks; number++) (void)ends(dtmf, number);
  return events;
}

static void begin_candidate(struct dsp_dtmf *dtmf, int pair, const float amplitude[2]) {
  if (dtmf->candidate >= 0) refuse(dtmf);
  dtmf->candidate = pair;
  dtmf->judged = (struct dsp_dtmf_refusal){.reason = DSP_DTMF_TOO_SHORT};
  dtmf->refused = false;
  dtmf->candidate_absent = 0;
  memcpy(dtmf->candidate_amplitude, amplitude, sizeof(dtmf->candidate_amplitude));
  int64_t first = dtmf->sub_blocks - DTMF_WINDOW_SUBS;
  while (first > dtmf->sub_blocks - LONGEST_RUN) {
    int64_t next = first - 1;
    if (dtmf_present(dtmf, next, pair, amplitude) < 2) next--; /* a dip, where the phase jumped */
    if (dtmf_present(dtmf, next, pair, amplitude) < 2) break;
    first = next;
  }
  dtmf->candidate_first = first;
}

/* Judges the candidate by what it has been up to last. */
static bool passes(struct dsp_dtmf *dtmf, int64_t last, float amplitude[2]) {
  int64_t first = dtmf->candidate_first;
  if (last - first < DTMF_WINDOW_SUBS - 1) return false;
  /* The edges are partly filled: what is steady lies between. */
  int64_t to = dtmf_filled(dtmf, last, dtmf->candidate, dtmf->candidate_amplitude) < ALL_OF_IT ? last - 1 : last;
  bool part = dtmf_filled(dtmf, first, dtmf->candidate, dtmf->candidate_amplitude) < ALL_OF_IT;
  int64_t from = part || to - first >= DTMF_WINDOW_SUBS + 2 ? first + 1 : first;
  if (dtmf_is_key(dtmf, from, to, DTMF_MAX_DEVIATION, amplitude)) return true;
  return to - from > DTMF_WINDOW_SUBS &&
         dtmf_is_key(dtmf, from, from + DTMF_WINDOW_SUBS, DTMF_MAX_DEVIATION_BROKEN, amplitude);
}

static int follow_candidate(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out) {
  int64_t newest = dtmf->sub_blocks - 1;
  int64_t age = newest - dtmf->candidate_first + 1;
  float amplitude[2];
  if (dtmf_present(dtmf, newest, dtmf->candidate, dtmf->candidate_amplitude) == 2) {
    dtmf->candidate_absent = 0;
    if (age < FULL_SUBS) return 0;
    if (!dtmf->refused) {
      if (passes(dtmf, newest, amplitude)) return down(dtmf, newest, amplitude, out);
      dtmf->refused = true;
    } else if (age >= FULL_SUBS + DTMF_WINDOW_SUBS && age <= 2 * FULL_SUBS &&
               dtmf_is_key(dtmf, newest - DTMF_WINDOW_SUBS, newest, DTMF_MAX_DEVIATION_BROKEN, amplitude)) {
      return down(dtmf, newest, amplitude, out);
    }
    return 0;
  }
  /* One tone may be down a sub-block before the other; and a phase that jumped makes a dip. */
  if (++dtmf->candidate_absent == 1 && dtmf_present(dtmf, newest, dtmf->candidate, dtmf->candidate_amplitude) == 1)
    return 0;
  if (!dtmf->refused && dtmf_present(dtmf, newest, dtmf->candidate, dtmf->candidate_amplitude) == 0 &&
      passes(dtmf, newest - dtmf->candidate_absent, amplitude))
    return down(dtmf, newest - dtmf->candidate_absent, amplitude, out);
  if (dtmf->candidate_absent > DROP_SUBS) refuse(dtmf);
  return 0;
}

static int decide(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out) {
  int events = 0;
  if (dtmf->digit >= 0 && ends(dtmf, dtmf->sub_blocks - 1)) out[events++] = up(dtmf);
  if (dtmf->tonal_subs >= DTMF_WINDOW_SUBS) {
    float amplitude[2];
    struct dtmf_near_miss miss;
    int pair = dtmf_window_pair(dtmf, amplitude, &miss);
    note_near_miss(dtmf, &miss);
    if (pair >= 0 && pair != dtmf->digit && pair != dtmf->candidate) begin_candidate(dtmf, pair, amplitude);
  }
  if (dtmf->candidate >= 0) events += follow_candidate(dtmf, &out[events]);
  return events;
}

/* The sub-block under this number has been kept: is a key in it? */
static bool tonal(struct dsp_dtmf *dtmf, int64_t number) {
  struct dsp_dtmf_sub *sub = &dtmf->history[number & (DSP_DTMF_HISTORY - 1)];
  return sub->energy > 0.0F && dtmf_tones_sub(sub) >= CRUDE_SHARE;
}

static __attribute__((noinline)) int hear_sound(struct dsp_dtmf *dtmf, const int16_t *samples, float energy,
                                                struct dsp_dtmf_event *out) {
  struct dsp_dtmf_sub *sub = &dtmf->history[dtmf->sub_blocks & (DSP_DTMF_HISTORY - 1)];
  sub->energy = energy;
  sub->correlated = 0;
  memcpy(sub->samples, samples, sizeof(sub->samples));
  int64_t number = dtmf->sub_blocks++;
  bool following = dtmf->digit >= 0 || dtmf->candidate >= 0;
  int passed_over = dtmf->passed_over++;
  if (dtmf->passed_over < dtmf->look_after && !following) return 0;
  dtmf->passed_over = 0;
  if (!tonal(dtmf, number)) {
    dtmf->tonal_subs = 0;
    dtmf->look_after = PROBE_SUBS;
    return following ? decide(dtmf, out) : 0;
  }
  int back = 1;
  while (back <= passed_over && tonal(dtmf, number - back)) back++;
  dtmf->tonal_subs = back <= passed_over ? back : dtmf->tonal_subs + back;
  if (dtmf->tonal_subs < DTMF_WINDOW_SUBS) {
    dtmf->look_after = DTMF_WINDOW_SUBS - dtmf->tonal_subs; /* when the window is full */
    return following ? decide(dtmf, out) : 0;
  }
  dtmf->look_after = WINDOW_STEP;
  return decide(dtmf, out);
}

static __attribute__((noinline)) int hear_silence(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out) {
  struct dsp_dtmf_sub *sub = &dtmf->history[dtmf->sub_blocks++ & (DSP_DTMF_HISTORY - 1)];
  if (sub->energy > 0.0F) memset(sub, 0, offsetof(struct dsp_dtmf_sub, samples));
  dtmf->tonal_subs = 0;
  dtmf->passed_over = 0;
  dtmf->look_after = PROBE_SUBS;
  return (dtmf->digit & dtmf->candidate) >= 0 ? decide(dtmf, out) : 0;
}

static inline int hear_sub_block(struct dsp_dtmf *dtmf, const int16_t *samples, struct dsp_dtmf_event *out) {
  uint32_t energy = dtmf_energy(samples);
  return energy < silent_energy ? hear_silence(dtmf, out) : hear_sound(dtmf, samples, 16.0F * (float)energy, out);
}

int dsp_dtmf_process(struct dsp_dtmf *dtmf, const int16_t *samples, int count, struct dsp_dtmf_event *out,
                     int max) {
  int events = 0;
  while (count > 0 && events + 2 <= max) {
    if (dtmf->pending_samples == 0) {
      for (; count >= SUB && events + 2 <= max; samples += SUB, count -= SUB)
        events += hear_sub_block(dtmf, samples, &out[events]);
      if (count == 0 || events + 2 > max) break;
    }
    int room = SUB - dtmf->pending_samples;
    int take = count < room ? count : room;
    memcpy(&dtmf->pending[dtmf->pending_samples], samples, (size_t)take * sizeof(samples[0]));
    dtmf->pending_samples += take;
    samples += take;
    count -= take;
    if (dtmf->pending_samples < SUB) break;
    dtmf->pending_samples = 0;
    events += hear_sub_block(dtmf, dtmf->pending, &out[events]);
  }
  return events;
}

int dsp_dtmf_flush(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out) {
  if (dtmf->digit < 0) return 0;
  out[0] = up(dtmf);
  return 1;
}
