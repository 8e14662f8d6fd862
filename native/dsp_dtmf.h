/*
 * dsp_dtmf.h — hears DTMF digits (ITU-T Q.23) in 8 kHz S16. No thread, no malloc, no ioctl.
 *
 * Sub-blocks of 5 ms are transformed at the eight tones; a window of four of them (20 ms) slides by one.
 *
 *   samples  |····40····|····40····|····40····|····40····|····40····|
 *   window              [   sub-block sums, phase-aligned   ]
 *                                  [  the next window, 5 ms later    ]
 *
 * A window counts for a digit when its strongest row and column, each separated from the other by least
 * squares, are loud, steady, on frequency, within twist and hold most of the window's energy. Three such
 * windows in a row after an abrupt onset are a digit; it ends when either tone has been 6 dB down for 25 ms, so
 * that a short break or a lost frame does not split it.
 *
 * Levels are dBm0 as in dsp_level.h. Limits (all in dsp_dtmf.c with their norm): tones of 40 ms and more are
 * accepted, 20 ms and less refused (Q.24: 40 / 20), twist −10 … +8 dB, each tone −44 … 0 dBm0.
 */
#ifndef DSP_DTMF_H
#define DSP_DTMF_H

#include <stdint.h>

#define DSP_DTMF_TONES       8
#define DSP_DTMF_HISTORY     16 /* sub-blocks, a power of two: 80 ms */
#define DSP_DTMF_SUB_SAMPLES 40 /* 5 ms */

enum dsp_dtmf_event_kind { DSP_DTMF_DOWN = 1, DSP_DTMF_UP = 2 };

struct dsp_dtmf_event {
  int64_t at_sample;        /* counted from the last reset: DOWN the tone's onset, UP its end */
  int32_t kind;             /* enum dsp_dtmf_event_kind */
  int32_t digit;            /* ASCII 0-9 * # A-D */
  int32_t level_cdbm0;      /* mean of the two tones' levels, hundredths of dBm0 */
  int32_t duration_samples; /* UP: the tone's length */
};

/* One transformed sub-block: phases are relative to sample 0 of the stream. */
struct dsp_dtmf_sub {
  float re[DSP_DTMF_TONES], im[DSP_DTMF_TONES];
  float energy; /* sum of squares, the sub-block's mean removed */
};

struct dsp_dtmf {
  struct dsp_dtmf_sub history[DSP_DTMF_HISTORY];
  int16_t pending[DSP_DTMF_SUB_SAMPLES];
  int32_t pending_samples;
  int64_t sub_blocks; /* transformed since reset */
  /* The candidate: a pair seen in consecutive windows. */
  int32_t candidate; /* row * 4 + column, −1 none */
  int32_t candidate_windows;
  /* The digit under way. */
  int32_t digit;      /* row * 4 + column, −1 none */
  float amplitude[2]; /* steady amplitudes of its row and column, S16 steps */
  int32_t absent_sub_blocks;
  int64_t last_up_sub_block; /* when the last digit was given up; far back when there was none */
  int64_t onset_sample, last_sample;
};

void dsp_dtmf_init(struct dsp_dtmf *dtmf);
/* Forgets everything heard: the next sample is number 0. */
void dsp_dtmf_reset(struct dsp_dtmf *dtmf);
/* Takes any count ≥ 0 of samples; returns how many events it wrote to out, oldest first. max must be at least
 * 2 + count / 40: that bound is never exceeded. */
int dsp_dtmf_process(struct dsp_dtmf *dtmf, const int16_t *samples, int count, struct dsp_dtmf_event *out,
                     int max);
/* The line goes silent for ever: a digit still down gets its UP. Returns 0 or 1. Reset before going on. */
int dsp_dtmf_flush(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out);

#endif
