/* playout_skips.h — samples of a lane that were written and are not to be heard: what was queued, and taken out
 * again before its turn. Places count all samples ever written. */
#ifndef PLAYOUT_SKIPS_H
#define PLAYOUT_SKIPS_H

#include <stdint.h>

#define PLAYOUT_SKIPS 8

struct playout_skips {
  struct {
    uint64_t from, to;
  } skip[PLAYOUT_SKIPS]; /* in their order; none touches the next */
  int32_t count;
};

/* to: not before that of any other; those behind from are within it. −ENOSPC: too many. */
int playout_skips_add(struct playout_skips *skips, uint64_t from, uint64_t to);
/* The place of the next sample that is heard, from this one on. */
uint64_t playout_skips_over(const struct playout_skips *skips, uint64_t place);
/* How many are skipped between. */
uint64_t playout_skips_between(const struct playout_skips *skips, uint64_t from, uint64_t to);
/* Those before it are never asked for again. */
void playout_skips_passed(struct playout_skips *skips, uint64_t place);

#endif
