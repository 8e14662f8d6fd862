/*
 * playout.h — what a line is to say: a sample ring filled by the caller's thread, marks that bound playbacks
 * in it, emptied a block at a time by the I/O thread.
 */
#ifndef PLAYOUT_H
#define PLAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"
#include "spsc_ring.h"

#define PLAYOUT_MARKS   128   /* twice as many as playbacks may wait */
#define PLAYOUT_FADE    40    /* samples, 5 ms: what is cut off ends in so many instead of with a click */
#define PLAYOUT_HISTORY 16384 /* samples, a power of two: more than a card holds unheard */

struct playout_mark {
  uint64_t position; /* in samples ever written */
  int64_t due_block; /* the block after which it has been heard; −1 not reached yet */
  int32_t offset;    /* samples into that block */
  int32_t id;
  bool begin;
};

/* What playout tells its line. */
typedef void playout_tell(void *context, enum dshim_event_kind kind, int32_t id, int32_t end, int32_t samples,
                          int64_t time_ns);

struct playout {
  struct spsc_ring ring;
  int16_t samples[DSHIM_PLAY_RING_SAMPLES];
  struct playout_mark marks[PLAYOUT_MARKS]; /* a queue, oldest first */
  int32_t mark_count;
  int64_t blocks;     /* handed to the card */
  int32_t open_id;    /* begun and not ended as far as samples were taken; 0: none */
  int32_t started_id; /* heard beginning and not ending; 0: none */
  uint64_t started_position;
  bool low_told;
  int64_t underruns;
  int16_t history[PLAYOUT_HISTORY]; /* what was taken last, by position: a card may give part of it back */
  int16_t fade[PLAYOUT_FADE];       /* goes before what comes next */
  int32_t fade_count;
};

/* Called by the I/O thread only, as all but the ring's writing side. −ENOSPC: too many marks. */
int playout_mark(struct playout *playout, int32_t id, bool begin, uint64_t position);
/* The next block to send; silence where there is nothing. queue_blocks: how many wait in the card before it. */
void playout_block(struct playout *playout, int16_t *block, int32_t queue_blocks, void *context,
                   playout_tell *tell);
/* The block was handed over at now_ns, which counts as the end of the 20 ms that it fills: tells the marks
 * whose time has come. */
void playout_heard(struct playout *playout, int64_t now_ns, void *context, playout_tell *tell);
/* Drops all samples up to position. unheard: samples that the card threw away as well. */
void playout_flush(struct playout *playout, uint64_t position, int32_t unheard, enum dshim_play_end end,
                   int64_t now_ns, void *context, playout_tell *tell);

#endif
