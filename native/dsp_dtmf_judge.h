/*
 * dsp_dtmf_judge.h — is there a pair in a window, and is a candidate a key? Internal to dsp_dtmf.
 *
 * Sub-blocks are numbered from 0 since the last reset; the last DSP_DTMF_HISTORY of them can be asked for. A pair
 * is row * 4 + column. Amplitudes are those of its two tones, S16 steps.
 *
 *   before: 100 ms in five looks of 20 ms       the run
 *   |────────|────────|────────|────────|────────|·|▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁|
 *    the quietest look is the background          ^ first: half filled or more
 */
#ifndef DSP_DTMF_JUDGE_H
#define DSP_DTMF_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "dsp_dtmf.h"

#define DTMF_AFTER_DIGIT_SUBS 10 /* 50 ms: another key's end is no quiet before this one */

/* How much all deviations together may be; less for a key judged by a part of it, because the rest was lost or
 * broken. */
#define DTMF_MAX_DEVIATION        2.7F
#define DTMF_MAX_DEVIATION_BROKEN 1.2F

void dtmf_judge_init(void);

/* Two steady tones alone in a window that are no key's. */
struct dtmf_near_miss {
  int pair; /* which it resembles most; −1 there was none */
  enum dsp_dtmf_reason reason;
  struct dsp_dtmf_detail detail;
};

/* The pair in the last window, −1 none; its tones' amplitudes. */
int dtmf_window_pair(struct dsp_dtmf *dtmf, float amplitude[2], struct dtmf_near_miss *miss);

/* How much of a sub-block the pair fills, 0 … 1: dates an edge to a fraction of 5 ms. */
float dtmf_filled(struct dsp_dtmf *dtmf, int64_t number, int pair, const float amplitude[2]);

/* How many of the pair's tones are less than 6 dB below their amplitudes. */
int dtmf_present(struct dsp_dtmf *dtmf, int64_t number, int pair, const float amplitude[2]);

/* Is the candidate a key? It is judged by its sub-blocks from … to against what was before candidate_first. Its
 * steady amplitudes go to amplitude, what was measured to judged, with the reason if it is none. */
bool dtmf_is_key(struct dsp_dtmf *dtmf, int64_t from, int64_t to, float allowed, float amplitude[2]);

#endif
