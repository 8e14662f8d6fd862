/*
 * dsp_vad.h — finds talkspurts in 8 kHz S16, in integers. No thread, no malloc, no ioctl.
 *
 * Frames of 10 ms are split into four octave bands, 250 Hz to 4 kHz. In each band two models are kept, of the
 * noise and of the voice: a mean level and a spread, in dB. Every frame says by how much the voice explains it
 * better than the noise; that evidence is added up between two stops:
 *
 *   belief   +6 ┬──────────╭─────╮──────────────  the talkspurt's most: 40 ms of silence end it
 *             0 ┼─────────╱───────╲─────────────  dsp_vad_active()
 *          −2.5 ┴────────╯         ╰────────────  the pause's least: one loud frame, or many doubtful, start it
 *
 * so that a loud voice is heard at once, one near the noise after a while, and each is held in proportion. Where
 * the belief is far to one side that side's model learns from the frame. The noise's mean never leaves what the
 * band's minimum over two seconds allows: a louder line becomes its own floor again.
 *
 * Events are slower than dsp_vad_active(): a talkspurt is told after 30 ms of evidence (a click is shorter), dated
 * back to its onset, and ends after 240 ms without. It is told only once it has reached −50 dBm0: clients may
 * compare levels with that.
 */
#ifndef DSP_VAD_H
#define DSP_VAD_H

#include <stdint.h>

#define DSP_VAD_FRAME_SAMPLES 80 /* 10 ms */
#define DSP_VAD_BANDS         4
#define DSP_VAD_HISTORY       16 /* samples that the band split reaches back to */
#define DSP_VAD_MINIMA        8  /* windows of 250 ms whose minima bound the noise's mean */

enum dsp_vad_event_kind { DSP_VAD_START = 1, DSP_VAD_END = 2 };

struct dsp_vad_event {
  int64_t at_sample;        /* counted from the last reset: START the onset, END the last active sample */
  int32_t kind;             /* enum dsp_vad_event_kind */
  int32_t level_cdbm0;      /* of the line now, mean of 20 ms */
  int32_t segment_cdbm0;    /* END: mean level of the whole talkspurt */
  int32_t duration_samples; /* END */
};

/* Levels of bands are log2 of energy, Q8: 85 steps are 1 dB. Likelihoods are natural logarithms, Q8. */
struct dsp_vad_model {
  int32_t mean[DSP_VAD_BANDS];
  int32_t spread[DSP_VAD_BANDS];    /* mean distance from the mean */
  int32_t per_sigma[DSP_VAD_BANDS]; /* what turns a distance into deviations, Q10 */
};

struct dsp_vad {
  int16_t heard[DSP_VAD_HISTORY + DSP_VAD_FRAME_SAMPLES]; /* the frame under way, after what came before it */
  int32_t frame_samples;
  int64_t frames; /* since reset */
  struct dsp_vad_model noise, voice;
  int32_t narrower[DSP_VAD_BANDS];               /* log of the noise's spread by the voice's */
  int32_t smoothed[DSP_VAD_BANDS];               /* short-time levels */
  int32_t minima[DSP_VAD_MINIMA][DSP_VAD_BANDS]; /* of smoothed, a window each; the newest is being filled */
  int32_t older_minimum[DSP_VAD_BANDS];          /* of the full windows */
  int32_t minimum_frames;
  int32_t belief;         /* log-likelihood ratio of voice and noise */
  int32_t talking;        /* a START is told, its END is not */
  int32_t evident_frames; /* with evidence of voice since onset */
  int32_t quiet_frames;   /* since the last of them */
  int64_t onset_sample, last_active_sample;
  int64_t segment_sum;             /* of squares, of the evident frames */
  int64_t frame_sum, previous_sum; /* squares of the last two frames */
  int64_t bands_sum;               /* of the last, without what is under the bands */
  int64_t far_end;                 /* mean square sent, held and fading over the echo's tail */
};

void dsp_vad_init(struct dsp_vad *vad);
void dsp_vad_reset(struct dsp_vad *vad);
/* Takes any count ≥ 0; returns how many events it wrote. max must be at least 1 + count / 80. */
int dsp_vad_process(struct dsp_vad *vad, const int16_t *samples, int count, struct dsp_vad_event *out, int max);
/* What is being sent to the line at the same time: its echo from the hybrid is no voice. Any count. */
void dsp_vad_far_end(struct dsp_vad *vad, const int16_t *sent, int count);
/* The line goes silent for ever: an open talkspurt gets its END. Returns 0 or 1. Reset before going on. */
int dsp_vad_flush(struct dsp_vad *vad, struct dsp_vad_event *out);
int dsp_vad_active(const struct dsp_vad *vad); /* now: at every 10 ms the best guess, told by no event yet */
int32_t dsp_vad_level_cdbm0(const struct dsp_vad *vad); /* of the last 20 ms */
int32_t dsp_vad_noise_cdbm0(const struct dsp_vad *vad); /* the noise floor it believes in */

#endif
