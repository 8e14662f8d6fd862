/*
 * dsp_dtmf_measure.h — a pair's two tones over some sub-blocks, and what the line carried before them. Internal to
 * dsp_dtmf; what it means is decided in dsp_dtmf_judge.c, whose header draws the times.
 */
#ifndef DSP_DTMF_MEASURE_H
#define DSP_DTMF_MEASURE_H

#include <stdint.h>

#include "dsp_dtmf.h"
#include "dsp_dtmf_tones.h"

/* 20 ms: tones 73 Hz apart (Q.23's nearest) are told apart, and one fits into 25 ms */
#define DTMF_WINDOW_SUBS 4

void dtmf_measure_init(void);

/* Both tones of one sub-block. */
struct dtmf_fit {
  struct dtmf_phasor tone[2];
  float height[2];
  float explained;
};

/* Both tones over several, each as one sine of free frequency. */
struct dtmf_run {
  float height[2];    /* coherent, S16 steps */
  float coherence[2]; /* its power over the mean of the sub-blocks' */
  float offset_hz[2];
  float step[2];                 /* its highest sub-block over its lowest */
  float explained, in_band, low; /* a sub-block's mean */
  float low_leak;                /* what the tones themselves put into low */
};

struct dtmf_background {
  float in_band, low; /* a sub-block's mean */
  float white;        /* as much of in_band as the eight tones show to be white noise */
  float pair[2];      /* the tones' mean power, squared heights */
  float coloured;     /* part of in_band that meets the eight tones, 1: as white noise */
};

struct dtmf_fit dtmf_fit_at(struct dsp_dtmf *dtmf, int64_t number, int pair);

/* The strongest row and column over the last window, coherently; −1 when either leads too little. */
int dtmf_strongest_pair(struct dsp_dtmf *dtmf);

/* Over the sub-blocks from … to; of a long run, over its end. */
struct dtmf_run dtmf_measure(struct dsp_dtmf *dtmf, int pair, int64_t from, int64_t to);

struct dsp_dtmf_detail dtmf_detail_of(const struct dtmf_run *run);

/* What the line carried before the run that begins with first. */
struct dtmf_background dtmf_background_of(struct dsp_dtmf *dtmf, int pair, int64_t first);

#endif
