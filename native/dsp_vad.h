/*
 * dsp_vad.h — finds talkspurts in 8 kHz S16. No thread, no malloc, no ioctl.
 *
 * Frames of 10 ms, high-passed against hum, are compared with a noise floor that follows the quietest of the
 * last second and a half. A talkspurt starts after 20 ms above the floor, dated back to the first of them, and
 * ends after 240 ms near it. What is below −50 dBm0 is never a talkspurt: clients may compare levels with that.
 */
#ifndef DSP_VAD_H
#define DSP_VAD_H

#include <stdint.h>

#define DSP_VAD_FRAME_SAMPLES 80 /* 10 ms */
#define DSP_VAD_MINIMA        6  /* windows of 250 ms whose minima make the noise floor */

enum dsp_vad_event_kind { DSP_VAD_START = 1, DSP_VAD_END = 2 };

struct dsp_vad_event {
  int64_t at_sample;        /* counted from the last reset: START the onset, END the last active sample */
  int32_t kind;             /* enum dsp_vad_event_kind */
  int32_t level_cdbm0;      /* now: at START of what was heard since onset, at END of the line then */
  int32_t segment_cdbm0;    /* END: mean level of the whole talkspurt */
  int32_t duration_samples; /* END */
};

struct dsp_vad {
  float high_pass_in[2], high_pass_out[2]; /* state of the two one-pole high-passes */
  float frame_sum, frame_raw_sum;          /* squares of the frame under way: high-passed, as it is */
  int32_t frame_samples;
  int64_t frames;               /* since reset */
  float minima[DSP_VAD_MINIMA]; /* mean squares, a window each; the newest is being filled */
  int32_t minimum_frames;
  float floor;    /* mean square of the noise */
  float smoothed; /* mean square, short-time */
  int32_t active, above_frames, below_frames;
  int64_t onset_sample, last_active_sample;
  double segment_sum; /* of squares since onset */
  int64_t segment_frames;
  double onset_sum;
  int32_t level_cdbm0;  /* of the last 20 ms */
  float previous_frame; /* its mean square */
  float far_end;        /* mean square sent, held and fading over the echo's tail */
};

void dsp_vad_init(struct dsp_vad *vad);
void dsp_vad_reset(struct dsp_vad *vad);
/* Takes any count ≥ 0; returns how many events it wrote. max must be at least 1 + count / 80. */
int dsp_vad_process(struct dsp_vad *vad, const int16_t *samples, int count, struct dsp_vad_event *out, int max);
/* What is being sent to the line at the same time: its echo from the hybrid is no voice. Any count. */
void dsp_vad_far_end(struct dsp_vad *vad, const int16_t *sent, int count);
/* The line goes silent for ever: an open talkspurt gets its END. Returns 0 or 1. Reset before going on. */
int dsp_vad_flush(struct dsp_vad *vad, struct dsp_vad_event *out);
int dsp_vad_active(const struct dsp_vad *vad);
int32_t dsp_vad_level_cdbm0(const struct dsp_vad *vad); /* of the last 20 ms */
int32_t dsp_vad_noise_cdbm0(const struct dsp_vad *vad); /* the noise floor it believes in */

#endif
