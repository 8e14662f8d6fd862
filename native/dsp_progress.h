/*
 * dsp_progress.h — hears tones of call progress in 8 kHz S16: a far exchange's dial, busy and ringback tone, a fax
 * machine's CED and CNG. Which there are it is told as data (struct dshim_progress_tone). No thread, no malloc.
 *
 *   block of 20 ms ─▶ loud enough? ─▶ DFT at every frequency ─▶ how much of the block's energy is this sound's?
 *                        │ no                                       │ ≥ 80 %: it sounds; ≤ a tenth of it: it
 * pauses └───────────── it pauses ──────────────────┴──▶ runs ─▶ tone_cadence.h: is it sure?
 *
 * The share is that of a least-squares fit of all the sound's sines at once, so that it holds for 440 + 480 Hz,
 * which beat within one block; where they lie 40 Hz apart, each must also be there by a 60 ms window. Voices and
 * music do not keep to two frequencies for a second; a quiet line costs the energy only.
 *
 * Limits: −43 … +3 dBm0; a line's noise 8 dB below the tone; frequencies off by the tone's tolerance. Breaks up to
 * 40 ms are bridged: CED's phase reversals (ITU-T V.25), a lost block.
 */
#ifndef DSP_PROGRESS_H
#define DSP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"
#include "tone_cadence.h"

#define DSP_PROGRESS_FREQUENCIES 12 /* of all the tones */
#define DSP_PROGRESS_UNITS       4  /* of a block: 5 ms each */

/* Sines that sound together; tones of different cadence share one. */
struct dsp_progress_sound {
  int32_t sines;
  int32_t frequency[DSHIM_PROGRESS_SINES]; /* places in the plan's table */
  int32_t coherent_units;                  /* over how many of them the tolerance lets a phase hold: 4, 2 or 1 */
  bool apart;                              /* the sines can be told apart */
  float inverse[2 * DSHIM_PROGRESS_SINES][2 * DSHIM_PROGRESS_SINES]; /* of the normal equations */
};

/* What is listened for: one for all lines, never changed while they listen. */
struct dsp_progress_plan {
  int32_t tones, sounds, frequencies;
  float gate; /* energy of a block that is loud enough */
  struct dshim_progress_tone tone[DSHIM_PROGRESS_TONES];
  int32_t sound_of[DSHIM_PROGRESS_TONES];
  int64_t sure_samples[DSHIM_PROGRESS_TONES]; /* of a continuous one: longer than others of its sound are on */
  struct dsp_progress_sound sound[DSHIM_PROGRESS_TONES];
  int32_t frequency_chz[DSP_PROGRESS_FREQUENCIES];
  float turn[DSP_PROGRESS_FREQUENCIES][2]; /* a block later, the phase has turned by this */
  _Alignas(16) int16_t table[DSP_PROGRESS_FREQUENCIES][2][DSHIM_BLOCK_SAMPLES]; /* cosine, sine */
};

/* One block at one frequency: its units' sums, each with the phase of the block's beginning. */
struct dsp_progress_line {
  float re[DSP_PROGRESS_UNITS], im[DSP_PROGRESS_UNITS];
};

struct dsp_progress_spectrum {
  struct dsp_progress_line line[DSP_PROGRESS_FREQUENCIES];
  float energy; /* sum of squares, the mean removed; 0: below the gate, nothing else is valid */
};

/* What a line knows of one sound. */
struct dsp_progress_follow {
  struct tone_runs runs;
  float energy;              /* of a block while it sounds */
  int32_t beginning;         /* blocks in a row that say the contrary of a pause, or of nothing */
  int32_t doubt;             /* blocks that do not say what the present run does: +2, and −1 for those that do */
  int64_t turned_sample;     /* where the present run ends, if the doubt is right; or where the next began */
  int64_t sent_until_sample; /* we send it ourselves: what is heard is its echo */
};

struct dsp_progress {
  int64_t samples;       /* since reset, to the end of the present block */
  float previous_energy; /* of the block before */
  /* The two blocks before, newest first. */
  float earlier[2][DSP_PROGRESS_FREQUENCIES][2];
  float earlier_energy[2];
  struct dsp_progress_follow follow[DSHIM_PROGRESS_TONES];
  bool idle;      /* nothing is followed, and the two blocks before were quiet */
  int32_t active; /* the tone that is sure, by its place in the plan; −1 none */
  int64_t active_began_sample;
};

struct dsp_progress_event {
  int64_t at_sample, began_sample; /* counted from the last reset */
  int32_t id;                      /* the tone's */
  int32_t active;                  /* 1 it is sure, 0 it is over: at_sample is its end */
  int32_t level_cdbm0;
};

/* 0, or −EINVAL: a tone that is none, or more than there is room for. Any thread, before anybody listens. */
int dsp_progress_plan(struct dsp_progress_plan *plan, const struct dshim_progress_tone *tones, int count);
void dsp_progress_reset(struct dsp_progress *progress);
/* A block of DSHIM_BLOCK_SAMPLES heard; returns how many events it wrote, at most 2. */
int dsp_progress_block(const struct dsp_progress_plan *plan, struct dsp_progress *progress, const int16_t *samples,
                       struct dsp_progress_event *out);
/* A block that is sent at the same time. */
void dsp_progress_sent(const struct dsp_progress_plan *plan, struct dsp_progress *progress,
                       const int16_t *samples);
/* Nothing more will be heard: an open tone gets its end. Returns 0 or 1. */
int dsp_progress_flush(const struct dsp_progress_plan *plan, struct dsp_progress *progress,
                       struct dsp_progress_event *out);

/* ---- between dsp_progress.c and dsp_progress_plan.c */
/* False where there is nothing to transform: too quiet. quick_energy: about that of the block, always. */
bool dsp_progress_transform(const struct dsp_progress_plan *plan, const int16_t *samples,
                            struct dsp_progress_spectrum *spectrum, float *quick_energy);
/* The sound's share of the block's energy, 0 … 1. */
float dsp_progress_share(const struct dsp_progress_sound *sound, const struct dsp_progress_spectrum *spectrum);

#endif
