/*
 * dsp_dtmf.h — hears DTMF digits (ITU-T Q.23) in 8 kHz S16. No thread, no malloc, no ioctl.
 *
 * Sub-blocks of 5 ms are correlated with the eight tones, freed of what lies below 480 Hz (dial tone, hum, DC); a
 * window of four of them (20 ms) slides along. While nothing is tonal only every fourth sub-block is looked at,
 * and silence is not looked at at all.
 *
 *   sub-blocks  |··40··|··40··|··40··|··40··|··40··|··40··|··40··|··40··|··40··|··40··|··40··|
 *   a tone                        ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁
 *   a window                         [       four: a candidate   ]
 *   judgement   … 100 ms before ] [ from the onset to 40 ms, or to the end before that       ]
 *
 * A window with a strong row and a strong column makes a candidate. It is judged when it has stood for 40 ms, or
 * when it has ended before that; once more later, if its first part may have been broken. Its length is measured
 * by amplitude, so that it does not depend on where the sub-blocks lie. What the line carried before the onset
 * (noise, hum, dial tone) may go on during the key; whatever else begins together with the two tones makes it
 * speech.
 *
 * A digit ends when either tone has been 6 dB down for 22.25 ms: a lost frame of 20 ms does not split it, a pause
 * of 25 ms does. So DOWN comes 28 to 50 ms after the onset, UP 25 to 30 ms after the end.
 *
 * Levels are dBm0 as in dsp_level.h. Limits (in dsp_dtmf_judge.c and dsp_dtmf.c, each with its norm): tones of 32
 * ms are accepted, of 23 ms refused (Q.24: 40 and 23), twist −10 … +8 dB, each tone −44 … 0 dBm0, frequencies
 * up to 1.5 % + 2 Hz off accepted and 3.5 % off refused; white noise up to 4 dB below either tone. `make
 * bench-dsp` measures them beside other detectors.
 */
#ifndef DSP_DTMF_H
#define DSP_DTMF_H

#include <stdint.h>

#define DSP_DTMF_TONES       8
#define DSP_DTMF_HISTORY     64 /* sub-blocks, a power of two: 320 ms */
#define DSP_DTMF_SUB_SAMPLES 40 /* 5 ms */

enum dsp_dtmf_event_kind { DSP_DTMF_DOWN = 1, DSP_DTMF_UP = 2 };

struct dsp_dtmf_event {
  int64_t at_sample;        /* counted from the last reset: DOWN the tone's onset, UP its end */
  int32_t kind;             /* enum dsp_dtmf_event_kind */
  int32_t digit;            /* ASCII 0-9 * # A-D */
  int32_t level_cdbm0;      /* mean of the two tones' levels, hundredths of dBm0 */
  int32_t duration_samples; /* UP: the tone's length */
};

/* What was measured of a pair, over the part of it that was judged. Levels as in dsp_level.h. */
struct dsp_dtmf_detail {
  int32_t low_cdbm0, high_cdbm0;           /* of the row's and the column's tone */
  int32_t low_offset_chz, high_offset_chz; /* off their nominal frequencies, hundredths of Hz */
  int32_t snr_cdb; /* both tones over all else above 480 Hz, hundredths of dB, at most 6000 */
};

/* Why a candidate is no key: what it deviates most in. */
enum dsp_dtmf_reason {
  DSP_DTMF_TOO_SHORT = 0,
  DSP_DTMF_TOO_QUIET,
  DSP_DTMF_OFF_FREQUENCY,
  DSP_DTMF_UNSTEADY,   /* in phase or amplitude: a voice's harmonic, an echo, clipping */
  DSP_DTMF_NOT_ABRUPT, /* its tones were there before */
  DSP_DTMF_TWIST,
  DSP_DTMF_NOT_ALONE, /* other sound began together with it */
  DSP_DTMF_LOW_SOUND, /* sound below 480 Hz did: a voice's fundamental */
  DSP_DTMF_NOISY,
  DSP_DTMF_REASONS
};

struct dsp_dtmf_refusal {
  int64_t at_sample; /* the candidate's onset, to 5 ms */
  int32_t digit;     /* ASCII: which key it was taken for */
  int32_t reason;    /* enum dsp_dtmf_reason */
  struct dsp_dtmf_detail detail;
};

/* One sub-block, correlated: rows 0–3, columns 4–7; phases are those at its centre. See dsp_dtmf_tones.h. Most are
 * only kept as samples, and correlated when somebody looks at them. */
struct dsp_dtmf_sub {
  float even[DSP_DTMF_TONES], odd[DSP_DTMF_TONES];
  float in_band; /* energy above 480 Hz */
  float low;     /* energy below, DC included */
  float energy;  /* of both; 0 when it was silent, and all else is 0 */
  int32_t correlated;
  int16_t samples[DSP_DTMF_SUB_SAMPLES]; /* when it was not silent */
};

struct dsp_dtmf {
  struct dsp_dtmf_sub history[DSP_DTMF_HISTORY];
  int16_t pending[DSP_DTMF_SUB_SAMPLES];
  int32_t pending_samples;
  int32_t tonal_subs;  /* in a row up to now: those a key could be in */
  int32_t passed_over; /* sub-blocks not looked at since the last one that was */
  int32_t look_after;  /* how many may be */
  int64_t sub_blocks;  /* heard since reset */
  /* The candidate: a pair that stood in a window and is not judged yet, or was refused and still sounds. */
  int32_t candidate; /* row * 4 + column, −1 none */
  int32_t refused;
  int32_t candidate_absent; /* sub-blocks in a row */
  int64_t candidate_first;  /* the first sub-block it fills by half */
  float candidate_amplitude[2];
  /* The digit under way. */
  int32_t digit;      /* row * 4 + column, −1 none */
  float amplitude[2]; /* steady amplitudes of its row and column, S16 steps */
  float away;         /* part of the newest sub-block that it does not fill */
  float gap;          /* how long it has been away before that one, in sub-blocks */
  int32_t absent;     /* sub-blocks in a row */
  int64_t onset_sample, last_sample;
  struct dsp_dtmf_refusal judged; /* the candidate, should it be refused */
  int32_t miss; /* the last pair that was steady, alone, and off frequency or too quiet; −1 none */
  int64_t last_miss_sub;
  /* For people with a bad telephone: of the last digit, and of candidates that were none. Outlives a reset. */
  struct dsp_dtmf_detail detail;
  struct dsp_dtmf_refusal refusal; /* the last */
  int32_t refusals[DSP_DTMF_REASONS];
  int32_t refused_candidates; /* their sum */
  int32_t last_digit;         /* the one before, −1 none */
  int64_t last_up_sub;
};

void dsp_dtmf_init(struct dsp_dtmf *dtmf);
/* Forgets everything heard: the next sample is number 0, and silence went before it. */
void dsp_dtmf_reset(struct dsp_dtmf *dtmf);
/* Takes any count ≥ 0 of samples; returns how many events it wrote to out, oldest first. max must be at least
 * 2 + count / 40: that bound is never exceeded. */
int dsp_dtmf_process(struct dsp_dtmf *dtmf, const int16_t *samples, int count, struct dsp_dtmf_event *out,
                     int max);
/* The line goes silent for ever: a digit still down gets its UP. Returns 0 or 1. Reset before going on. */
int dsp_dtmf_flush(struct dsp_dtmf *dtmf, struct dsp_dtmf_event *out);

#endif
