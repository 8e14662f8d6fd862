/*
 * tone_cadence.h — is what was heard on and off the cadence of a tone? Pure: it knows lengths only.
 *
 *   heard      ▁▁▇▇▇▁▁▁▇▇▇▁▁▁▇▇…           completed runs 500, 510, 490, 500 ms, the present one on for 150
 *   cadence      500 500 (again)           fits: each run within tolerance, in order, from any place in the list
 *
 * A cadence is sure when its whole list, and 1.5 s of it at least, went by and it has begun again; with
 * sure_ms, once all but the last pause went by and that has lasted so long. One heard from its middle on is found
 * at its next beginning.
 */
#ifndef TONE_CADENCE_H
#define TONE_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"

#define TONE_RUNS 32 /* that are remembered, a power of two */

struct tone_runs {
  bool known; /* something is followed */
  bool on;    /* the present run */
  int64_t began_sample;
  int32_t samples[TONE_RUNS]; /* the lengths of completed runs: number i is at i % TONE_RUNS */
  int64_t completed;
};

struct tone_fit {
  int64_t began_sample; /* of the earliest run that was needed for it */
  double off;           /* mean distance from the nominal lengths, parts of them */
};

/* A sound began at at_sample, and nothing is known of before. */
void tone_runs_begin(struct tone_runs *runs, int64_t at_sample);
/* The present run ended at at_sample, where the next one begins. */
void tone_runs_turn(struct tone_runs *runs, int64_t at_sample);

/* How many completed runs the tone wants; > TONE_RUNS: it cannot be told. */
int32_t tone_cadence_runs(const struct dshim_progress_tone *tone);
/* The longest that a run of ms may last, in samples. */
int64_t tone_cadence_longest(int32_t ms);
/* Is it heard, surely? sure_samples: of a continuous tone. */
bool tone_cadence_sure(const struct dshim_progress_tone *tone, int64_t sure_samples, const struct tone_runs *runs,
                       int64_t now_sample, struct tone_fit *fit);
/* It was sure: may it still be? */
bool tone_cadence_goes_on(const struct dshim_progress_tone *tone, const struct tone_runs *runs,
                          int64_t now_sample);

#endif
