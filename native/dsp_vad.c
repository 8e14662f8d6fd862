#include "dsp_vad.h"

#include <string.h>

#include "dsp_haar.h"
#include "dsp_level.h"

#define FRAME   DSP_VAD_FRAME_SAMPLES
#define HISTORY DSP_VAD_HISTORY
#define BANDS   DSP_VAD_BANDS

#define NATS(x) ((int32_t)((x)*256))          /* a log-likelihood */
#define DB(x)   ((int32_t)((x)*256 / 3.0103)) /* a level: 3.01 dB double the energy */

/* The two stops of the belief, and how far one frame moves it. */
#define BELIEF_MOST    NATS(6)
#define BELIEF_LEAST   NATS(-2.5)
#define EVIDENCE_MOST  NATS(8)
#define EVIDENCE_LEAST NATS(-1.5)
/* Successive frames and neighbouring bands rise and fall together: what four bands say in the 30 ms that a sound
 * lasts is one observation, not twelve. One twelfth of the sum: 85/1024. */
#define WEIGHT       85
#define WEIGHT_SHIFT 10
/* In noise as steady as white noise is, the frames do not hang together: what rises above it counts twice. */
#define STEADY_WEIGHT 170
#define STEADY_SPREAD DB(1.5)  /* of the widest band; babble of eight voices has 2.4 dB */
#define NOISE_LEARNS  NATS(-1) /* belief below which a frame teaches the noise model … */
#define VOICE_LEARNS  NATS(0)  /* … and above which the voice's */

/* Two frames teach two bands, the next two the others: time constants are powers of two of 20 ms. Not every other
 * frame: those of 50 Hz hum are loud and quiet in turns. */
#define NOISE_SHIFT       5     /* 640 ms of noise … */
#define NOISE_SHIFT_FIRST 2     /* … 80 in the first 320 ms of a call */
#define FIRST_FRAMES      32    /* those 320 ms */
#define VOICE_SHIFT       6     /* 1.3 s of voice */
#define NOISE_SPREAD      DB(2) /* until it is learnt */
#define NOISE_SPREAD_MIN  DB(1) /* of white noise, 10 ms, the widest band: 80 samples scatter by 0.8 dB */
#define NOISE_SPREAD_MAX  DB(5) /* babble of few voices */
#define VOICE_SPREAD      DB(6)
#define VOICE_SPREAD_MIN  DB(3)
#define VOICE_SPREAD_MAX  DB(12)
#define VOICE_ABOVE       DB(10) /* the noise, until it is learnt */
#define VOICE_ABOVE_MIN   DB(1)  /* and one deviation of the noise: nearer, the two models would trade places */

#define SMOOTHING_SHIFT       2  /* 80 ms: what is followed is the noise between syllables, not its ripple */
#define MINIMUM_WINDOW_FRAMES 25 /* 250 ms */
#define UNKNOWN               (INT32_MAX / 2)
/* A band's level at so many dBm0: log2 of 29 bits of a full square (G.711's sine is 3.14 dBm0) and DSP_HAAR_GAIN.
 */
#define BAND_DBM0(x) ((int32_t)(256 * (29 + 8.3219 + ((x)-DSP_FULL_SCALE_SINE_DBM0) / 3.0103)))
#define SILENCE      BAND_DBM0(-80) /* below it a band is silent, whatever scatters in it: the coder's last bits */
#define FIRST_MOST   BAND_DBM0(-35) /* a louder first frame is not believed to be the line's noise */

#define QUIETEST_CDBM0  (-5000) /* a quieter talkspurt is not told: the contract's threshold for clients */
#define EVIDENT_FRAMES  3       /* 30 ms: a click of the hook or the line is shorter */
#define HANGOVER_FRAMES 24      /* 240 ms: bridges stops and pauses within a sentence */
/* A hybrid returns what is sent 8 dB down or better: what is not louder than that is not told from its echo.
 * −8 dB are 4/25. The sent level halves every 20 ms: 100 ms after the last sound nothing of it is left. */
#define ECHO_OF   25
#define ECHO_PART 4

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
static int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }
static int32_t clamp(int32_t x, int32_t low, int32_t high) { return least(most(x, low), high); }

/* What evidence() needs of a band: divisions and logarithms, made for one band every 20 ms. */
static void refresh(struct dsp_vad *vad, int k) {
  int32_t noise_sigma = vad->noise.spread[k] * 5 / 4; /* a normal distribution's is 1.25 of the mean distance */
  int32_t voice_sigma = vad->voice.spread[k] * 5 / 4;
  vad->voice.mean[k] = most(vad->voice.mean[k], vad->noise.mean[k] + VOICE_ABOVE_MIN + noise_sigma);
  vad->noise.per_sigma[k] = (256 << 10) / noise_sigma;
  vad->voice.per_sigma[k] = (256 << 10) / voice_sigma;
  vad->narrower[k] =
      (dsp_log2_q8((uint32_t)noise_sigma) - dsp_log2_q8((uint32_t)voice_sigma)) * 177 / 256; /* ln 2 */
}

void dsp_vad_init(struct dsp_vad *vad) { dsp_vad_reset(vad); }

void dsp_vad_reset(struct dsp_vad *vad) {
  memset(vad, 0, sizeof(*vad));
  vad->belief = BELIEF_LEAST;
  for (int k = 0; k < BANDS; k++) {
    vad->noise.mean[k] = SILENCE;
    vad->noise.spread[k] = NOISE_SPREAD;
    vad->voice.spread[k] = VOICE_SPREAD;
    refresh(vad, k);
  }
}

/* The first frame is taken for noise, as far as a line's noise may be that loud: else somebody talks already, or
 * the first window's minimum makes it noise after 250 ms. */
static void begin(struct dsp_vad *vad, const int32_t *levels) {
  for (int k = 0; k < BANDS; k++) {
    vad->noise.mean[k] = least(levels[k], FIRST_MOST);
    vad->voice.mean[k] = most(levels[k], vad->noise.mean[k] + VOICE_ABOVE);
    vad->smoothed[k] = levels[k];
    vad->older_minimum[k] = UNKNOWN;
    for (int m = 0; m < DSP_VAD_MINIMA - 1; m++) vad->minima[m][k] = UNKNOWN;
    vad->minima[DSP_VAD_MINIMA - 1][k] = levels[k];
  }
}

/* Log-likelihood ratio of two normal distributions of the level in dB, summed over the bands. Quieter than the
 * noise is as much noise as its mean, louder than the voice as much voice. */
static int32_t evidence(const struct dsp_vad *vad, const int32_t *levels) {
  int32_t sum = 0;
  for (int k = 0; k < BANDS; k++) {
    int32_t over = most(levels[k] - vad->noise.mean[k], 0) * vad->noise.per_sigma[k] >> 10;
    int32_t under = most(vad->voice.mean[k] - levels[k], 0) * vad->voice.per_sigma[k] >> 10;
    sum += ((over * over - under * under) >> 9) + vad->narrower[k]; /* half the squares */
  }
  int steady = vad->noise.spread[BANDS - 1] < STEADY_SPREAD;
  int32_t weight = sum > 0 && steady ? STEADY_WEIGHT : WEIGHT;
  return clamp(sum * weight >> WEIGHT_SHIFT, EVIDENCE_LEAST, EVIDENCE_MOST);
}

static void learn(struct dsp_vad_model *model, int k, int32_t off, int shift) {
  model->mean[k] += off >> shift;
  model->spread[k] += ((off < 0 ? -off : off) - model->spread[k]) >> shift;
}

static void follow(struct dsp_vad *vad, const int32_t *levels, int echo) {
  int shift = vad->frames < FIRST_FRAMES ? NOISE_SHIFT_FIRST : NOISE_SHIFT;
  int32_t *newest = vad->minima[DSP_VAD_MINIMA - 1];
  int pair = (int)(vad->frames >> 1 & 1);
  for (int k = pair; k < BANDS; k += 2) {
    int32_t noise_spread = vad->noise.spread[k];
    /* An echo lies above the noise: it can show that the noise is lower, never that it is higher. */
    if (!echo || levels[k] < vad->smoothed[k]) {
      vad->smoothed[k] += (levels[k] - vad->smoothed[k]) >> SMOOTHING_SHIFT;
      newest[k] = least(newest[k], vad->smoothed[k]);
    }
    if (!echo && vad->belief < NOISE_LEARNS) {
      learn(&vad->noise, k, clamp(levels[k] - vad->noise.mean[k], -3 * noise_spread, 2 * noise_spread), shift);
      noise_spread = clamp(vad->noise.spread[k], NOISE_SPREAD_MIN, NOISE_SPREAD_MAX);
    } else if (!echo && vad->belief > VOICE_LEARNS) {
      learn(&vad->voice, k, clamp(levels[k] - vad->voice.mean[k], DB(-24), DB(24)), VOICE_SHIFT);
      vad->voice.spread[k] = clamp(vad->voice.spread[k], VOICE_SPREAD_MIN, VOICE_SPREAD_MAX);
    }
    int32_t lowest = least(newest[k], vad->older_minimum[k]);
    if (vad->older_minimum[k] == UNKNOWN) lowest = least(lowest, FIRST_MOST);
    int32_t mean = clamp(vad->noise.mean[k], lowest, lowest + 3 * noise_spread);
    mean = most(mean, SILENCE);
    vad->noise.mean[k] = mean;
    vad->noise.spread[k] = noise_spread;
  }
  if (vad->frames & 1) refresh(vad, (int)(vad->frames >> 1 & (BANDS - 1)));
}

static void next_minimum(struct dsp_vad *vad) {
  if (++vad->minimum_frames < MINIMUM_WINDOW_FRAMES) return;
  vad->minimum_frames = 0;
  memmove(&vad->minima[0], &vad->minima[1], sizeof(vad->minima[0]) * (DSP_VAD_MINIMA - 1));
  for (int k = 0; k < BANDS; k++) {
    vad->older_minimum[k] = vad->minima[0][k];
    for (int m = 1; m < DSP_VAD_MINIMA - 1; m++) {
      vad->older_minimum[k] = least(vad->older_minimum[k], vad->minima[m][k]);
    }
    vad->minima[DSP_VAD_MINIMA - 1][k] = vad->smoothed[k];
  }
}

static struct dsp_vad_event end(struct dsp_vad *vad) {
  vad->talking = 0;
  vad->belief = BELIEF_LEAST;
  double mean = (double)vad->segment_sum / ((double)vad->evident_frames * FRAME);
  return (struct dsp_vad_event){.at_sample = vad->last_active_sample,
                                .kind = DSP_VAD_END,
                                .level_cdbm0 = dsp_vad_level_cdbm0(vad),
                                .segment_cdbm0 = dsp_level_cdbm0(mean),
                                .duration_samples = (int32_t)(vad->last_active_sample - vad->onset_sample)};
}

/* From beliefs to talkspurts. Returns how many events, 0 or 1. */
static int tell(struct dsp_vad *vad, int evident, int loud, struct dsp_vad_event *out) {
  if (evident) {
    vad->evident_frames++;
    vad->segment_sum += vad->frame_sum;
    vad->quiet_frames = 0;
    vad->last_active_sample = (vad->frames + 1) * FRAME;
  }
  if (vad->talking) {
    if (evident || ++vad->quiet_frames < HANGOVER_FRAMES) return 0;
    out[0] = end(vad);
    return 1;
  }
  if (!evident || !loud || vad->belief <= 0 || vad->evident_frames < EVIDENT_FRAMES) return 0;
  vad->talking = 1;
  out[0] = (struct dsp_vad_event){
      .at_sample = vad->onset_sample, .kind = DSP_VAD_START, .level_cdbm0 = dsp_vad_level_cdbm0(vad)};
  return 1;
}

/* Returns how many events, 0 or 1. */
static int frame(struct dsp_vad *vad, struct dsp_vad_event *out) {
  struct dsp_haar_frame split;
  dsp_haar_split(vad->heard, &split);
  const int32_t *levels = split.log2_q8;
  vad->previous_sum = vad->frame_sum;
  vad->frame_sum = split.whole;
  int64_t previous_bands = vad->bands_sum;
  vad->bands_sum = split.bands;
  if (vad->frames == 0) begin(vad, levels);
  if (!vad->talking && vad->belief <= NOISE_LEARNS) { /* a talkspurt's onset is where the belief left the noise */
    vad->onset_sample = vad->frames * FRAME;
    vad->evident_frames = 0;
    vad->segment_sum = 0;
  }
  int echo = vad->far_end > 0 && vad->bands_sum * ECHO_OF <= vad->far_end * (ECHO_PART * FRAME);
  int32_t ratio = echo ? EVIDENCE_LEAST : evidence(vad, levels);
  vad->belief = clamp(vad->belief + ratio, BELIEF_LEAST, BELIEF_MOST);
  follow(vad, levels, echo);
  if (!echo) next_minimum(vad);
  int loud = vad->bands_sum + previous_bands >= (int64_t)(dsp_mean_square(QUIETEST_CDBM0) * 2 * FRAME);
  int events = tell(vad, ratio > 0 && (!vad->talking || vad->belief > 0), loud, out);
  vad->frames++;
  return events;
}

int dsp_vad_process(struct dsp_vad *vad, const int16_t *samples, int count, struct dsp_vad_event *out, int max) {
  int events = 0;
  while (count > 0 && events < max) {
    int taken = least(FRAME - vad->frame_samples, count);
    memcpy(&vad->heard[HISTORY + vad->frame_samples], samples, sizeof(*samples) * (size_t)taken);
    samples += taken;
    count -= taken;
    vad->frame_samples += taken;
    if (vad->frame_samples < FRAME) break;
    events += frame(vad, &out[events]);
    memcpy(vad->heard, &vad->heard[FRAME], sizeof(*samples) * HISTORY);
    vad->frame_samples = 0;
  }
  return events;
}

void dsp_vad_far_end(struct dsp_vad *vad, const int16_t *sent, int count) {
  int64_t sum = 0;
  for (int i = 0; i < count; i++) sum += sent[i] * sent[i];
  int64_t mean_square = count > 0 ? sum / count : 0;
  int64_t faded = vad->far_end / 2;
  vad->far_end = mean_square > faded ? mean_square : faded;
}

int dsp_vad_flush(struct dsp_vad *vad, struct dsp_vad_event *out) {
  if (!vad->talking) return 0;
  out[0] = end(vad);
  return 1;
}

int dsp_vad_active(const struct dsp_vad *vad) { return vad->belief > 0; }

int32_t dsp_vad_level_cdbm0(const struct dsp_vad *vad) {
  return dsp_level_cdbm0((double)(vad->frame_sum + vad->previous_sum) / (2 * FRAME));
}

int32_t dsp_vad_noise_cdbm0(const struct dsp_vad *vad) {
  double sum = 0;
  for (int k = 0; k < BANDS; k++) sum += exp2(vad->noise.mean[k] / 256.0);
  return dsp_level_cdbm0(sum / DSP_HAAR_GAIN);
}
