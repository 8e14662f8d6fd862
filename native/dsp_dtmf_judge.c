#include "dsp_dtmf_judge.h"

#include <math.h>
#include <pthread.h>

#include "dsp_dtmf_measure.h"
#include "dsp_level.h"

#define SUB_MS 5.0F

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
#define MOST_NOISE  0.045F
#define VOICED      4.0F /* low energy weighs this much against noise, */
#define VOICED_MOST 2.0F /* up to two keys' energy: a dial tone at the level of the key */

static pthread_once_t min_height_once = PTHREAD_ONCE_INIT;
static float min_height; /* of a tone */

static void make_min_height(void) { min_height = (float)sqrt(2.0 * dsp_mean_square(MIN_TONE_CDBM0)); }

void dtmf_judge_init(void) {
  dtmf_measure_init();
  pthread_once(&min_height_once, make_min_height);
}

/* ---- windows: is there a pair ------------------------------------------------------------------------------- */

static bool on_frequency(const struct dtmf_run *run, int pair, float slack) {
  for (int which = 0; which < 2; which++) {
    float hz = dtmf_tones_hz[which == 0 ? pair / 4 : 4 + pair % 4];
    if (fabsf(run->offset_hz[which]) > slack * (hz * MAX_OFFSET_RATIO + MAX_OFFSET_HZ)) return false;
  }
  return true;
}

int dtmf_window_pair(struct dsp_dtmf *dtmf, float amplitude[2], struct dtmf_near_miss *miss) {
  miss->pair = -1;
  int pair = dtmf_strongest_pair(dtmf);
  if (pair < 0) return -1;
  struct dtmf_run run = dtmf_measure(dtmf, pair, dtmf->sub_blocks - DTMF_WINDOW_SUBS, dtmf->sub_blocks - 1);
  if (run.explained < WINDOW_SHARE * run.in_band) return -1;
  for (int which = 0; which < 2; which++) {
    if (run.coherence[which] < WINDOW_COHERENCE) return -1;
    amplitude[which] = run.height[which];
  }
  bool quiet = fminf(amplitude[0], amplitude[1]) < WINDOW_HEIGHT * min_height;
  if (!quiet && on_frequency(&run, pair, WINDOW_OFFSET)) return pair;
  *miss = (struct dtmf_near_miss){
      .pair = pair, .reason = quiet ? DSP_DTMF_TOO_QUIET : DSP_DTMF_OFF_FREQUENCY, .detail = dtmf_detail_of(&run)};
  return -1;
}

/* ---- a candidate: is it a key ------------------------------------------------------------------------------- */

static float part_of(float height, float amplitude) { return height < amplitude ? height / amplitude : 1.0F; }

float dtmf_filled(struct dsp_dtmf *dtmf, int64_t number, int pair, const float amplitude[2]) {
  struct dtmf_fit fit = dtmf_fit_at(dtmf, number, pair);
  return 0.5F * (part_of(fit.height[0], amplitude[0]) + part_of(fit.height[1], amplitude[1]));
}

int dtmf_present(struct dsp_dtmf *dtmf, int64_t number, int pair, const float amplitude[2]) {
  struct dtmf_fit fit = dtmf_fit_at(dtmf, number, pair);
  return (fit.height[0] >= PRESENT * amplitude[0]) + (fit.height[1] >= PRESENT * amplitude[1]);
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
  struct dtmf_run run = dtmf_measure(dtmf, pair, from, to);
  float length = 0.0F;
  for (int64_t number = from - 2; number <= to + 2 && number < dtmf->sub_blocks; number++)
    length += dtmf_filled(dtmf, number, pair, run.height);
  dtmf->judged.detail = dtmf_detail_of(&run);
  dtmf->judged.reason = DSP_DTMF_TOO_SHORT;
  if (length < MIN_TONE_SUBS) return false;
  dtmf->judged.reason = DSP_DTMF_TOO_QUIET;
  if (run.height[0] < min_height || run.height[1] < min_height) return false;

  struct dtmf_background before = dtmf_background_of(dtmf, pair, first);
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
