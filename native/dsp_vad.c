#include "dsp_vad.h"

#include <string.h>

#include "dsp_level.h"

#define FRAME                 DSP_VAD_FRAME_SAMPLES
#define HIGH_PASS_POLE        0.88F   /* twice: −6 dB at 165 Hz, −21 dB at 50 Hz: mains hum */
#define MINIMUM_WINDOW_FRAMES 25      /* 250 ms */
#define START_FRAMES          2       /* 20 ms above: a click of the hook or the line is shorter */
#define HANGOVER_FRAMES       24      /* 240 ms: bridges stops and pauses within a sentence */
#define START_RATIO           8.0F    /* 9 dB over the floor */
#define STAY_RATIO            4.0F    /* 6 dB over the floor */
#define QUIETEST_CDBM0        (-5000) /* the contract's threshold for clients that compare levels */
#define FLOOR_AT_START_CDBM0  (-6500) /* what a quiet line has, until a second and a half have been heard */
#define FLOOR_MIN_CDBM0       (-7500) /* below the coder's own noise there is nothing to follow */
/* A hybrid returns what is sent 8 dB down or better: what is not louder than that is not told from its echo. */
#define ECHO_RATIO   0.16F
#define ECHO_FADE    0.5F /* a 20 ms block: 100 ms after the last sound sent nothing of it is left */
#define MINIMUM_BIAS 1.6F /* the minimum of noisy frames lies about 2 dB below their mean */

void dsp_vad_init(struct dsp_vad *vad) { dsp_vad_reset(vad); }

void dsp_vad_reset(struct dsp_vad *vad) {
  memset(vad, 0, sizeof(*vad));
  vad->floor = (float)dsp_mean_square(FLOOR_AT_START_CDBM0);
  for (int i = 0; i < DSP_VAD_MINIMA; i++) vad->minima[i] = vad->floor / MINIMUM_BIAS;
  vad->level_cdbm0 = DSP_SILENCE_CDBM0;
}

static void follow_floor(struct dsp_vad *vad) {
  int newest = DSP_VAD_MINIMA - 1;
  if (vad->minimum_frames++ == 0 || vad->smoothed < vad->minima[newest]) vad->minima[newest] = vad->smoothed;
  float lowest = vad->minima[0];
  for (int i = 1; i < DSP_VAD_MINIMA; i++) lowest = fminf(lowest, vad->minima[i]);
  vad->floor = fmaxf(lowest * MINIMUM_BIAS, (float)dsp_mean_square(FLOOR_MIN_CDBM0));
  if (vad->minimum_frames < MINIMUM_WINDOW_FRAMES) return;
  memmove(&vad->minima[0], &vad->minima[1], sizeof(vad->minima[0]) * (DSP_VAD_MINIMA - 1));
  vad->minimum_frames = 0;
}

static struct dsp_vad_event end(struct dsp_vad *vad) {
  vad->active = 0;
  vad->above_frames = 0;
  double mean = vad->segment_frames > 0 ? vad->segment_sum / (double)vad->segment_frames : 0.0;
  return (struct dsp_vad_event){.at_sample = vad->last_active_sample,
                                .kind = DSP_VAD_END,
                                .level_cdbm0 = vad->level_cdbm0,
                                .segment_cdbm0 = dsp_level_cdbm0(mean),
                                .duration_samples = (int32_t)(vad->last_active_sample - vad->onset_sample)};
}

/* Returns how many events, 0 or 1. */
static int frame(struct dsp_vad *vad, struct dsp_vad_event *out) {
  float mean_square = vad->frame_sum / FRAME;
  float raw = vad->frame_raw_sum / FRAME;
  int64_t start = vad->frames * FRAME;
  vad->frames++;
  vad->smoothed = vad->frames == 1 ? mean_square : 0.7F * vad->smoothed + 0.3F * mean_square;
  vad->level_cdbm0 = dsp_level_cdbm0(0.5 * ((double)raw + (double)vad->previous_frame));
  vad->previous_frame = raw;
  follow_floor(vad);

  float quietest = fmaxf((float)dsp_mean_square(QUIETEST_CDBM0), vad->far_end * ECHO_RATIO);
  int above = mean_square > fmaxf(vad->floor * START_RATIO, quietest);
  if (!vad->active) {
    if (!above) {
      vad->above_frames = 0;
      return 0;
    }
    if (vad->above_frames++ == 0) {
      vad->onset_sample = start;
      vad->onset_sum = 0.0;
    }
    vad->onset_sum += raw;
    if (vad->above_frames < START_FRAMES) return 0;
    vad->active = 1;
    vad->below_frames = 0;
    vad->last_active_sample = start + FRAME;
    vad->segment_sum = vad->onset_sum;
    vad->segment_frames = START_FRAMES;
    out[0] = (struct dsp_vad_event){.at_sample = vad->onset_sample,
                                    .kind = DSP_VAD_START,
                                    .level_cdbm0 = dsp_level_cdbm0(vad->onset_sum / START_FRAMES)};
    return 1;
  }
  if (mean_square > fmaxf(vad->floor * STAY_RATIO, quietest)) {
    vad->below_frames = 0;
    vad->last_active_sample = start + FRAME;
    vad->segment_sum += raw;
    vad->segment_frames++;
    return 0;
  }
  if (++vad->below_frames < HANGOVER_FRAMES) return 0;
  out[0] = end(vad);
  return 1;
}

static float high_pass(struct dsp_vad *vad, int stage, float in) {
  float out = in - vad->high_pass_in[stage] + HIGH_PASS_POLE * vad->high_pass_out[stage];
  vad->high_pass_in[stage] = in;
  vad->high_pass_out[stage] = out;
  return out;
}

int dsp_vad_process(struct dsp_vad *vad, const int16_t *samples, int count, struct dsp_vad_event *out, int max) {
  int events = 0;
  for (int i = 0; i < count && events < max; i++) {
    float in = (float)samples[i];
    float passed = high_pass(vad, 1, high_pass(vad, 0, in));
    vad->frame_sum += passed * passed;
    vad->frame_raw_sum += in * in;
    if (++vad->frame_samples < FRAME) continue;
    events += frame(vad, &out[events]);
    vad->frame_samples = 0;
    vad->frame_sum = 0.0F;
    vad->frame_raw_sum = 0.0F;
  }
  return events;
}

void dsp_vad_far_end(struct dsp_vad *vad, const int16_t *sent, int count) {
  float sum = 0.0F;
  for (int i = 0; i < count; i++) sum += (float)sent[i] * (float)sent[i];
  float mean_square = count > 0 ? sum / (float)count : 0.0F;
  vad->far_end = fmaxf(mean_square, vad->far_end * ECHO_FADE);
}

int dsp_vad_flush(struct dsp_vad *vad, struct dsp_vad_event *out) {
  if (!vad->active) return 0;
  out[0] = end(vad);
  return 1;
}

int dsp_vad_active(const struct dsp_vad *vad) { return vad->active; }
int32_t dsp_vad_level_cdbm0(const struct dsp_vad *vad) { return vad->level_cdbm0; }
int32_t dsp_vad_noise_cdbm0(const struct dsp_vad *vad) { return dsp_level_cdbm0(vad->floor); }
