/*
 * playout.h — one lane of what a line is to say: a sample ring filled by the caller's thread, marks that bound
 * playbacks in it, emptied a block at a time by the I/O thread.
 *
 *   ring   …heard ▏in the card▕ to come           ▏written     What is in the card stays in the ring until it was
 *          read ──┘           └── taken                         heard: so it can be taken back, sample for sample.
 */
#ifndef PLAYOUT_H
#define PLAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"
#include "playout_skips.h"
#include "spsc_ring.h"
#include "talker.h"

#define PLAYOUT_MARKS     128 /* twice as many as playbacks may wait */
#define PLAYOUT_STEP      328 /* 1 % of full scale: a sound that ends with more of a step is let fall */
#define PLAYOUT_FADE      40  /* samples, 5 ms: what is cut off ends in so many instead of with a click */
#define PLAYOUT_IN_FLIGHT 16  /* blocks, a power of two: more than line_blocks.c ever keeps ahead in a card */

struct playout_mark {
  uint64_t position; /* in samples ever written */
  int64_t due_block; /* with which it is heard; −1 not reached yet */
  int32_t offset;    /* samples into that block */
  int32_t id;
  int32_t barge; /* of a begin: enum dshim_barge */
  bool begin;
};

/* What a lane tells its line; time_ns 0: now. */
typedef void playout_tell(void *context, struct dshim_event event);

struct playout {
  struct spsc_ring ring;
  int16_t *samples;
  uint64_t capacity; /* of samples, a power of two */
  int32_t lane;
  struct playout_mark marks[PLAYOUT_MARKS]; /* a queue, oldest first */
  int32_t mark_count;
  uint64_t taken; /* the next sample for a block */
  struct playout_skips skips;
  /* What each block in flight took, by its number. */
  uint64_t from[PLAYOUT_IN_FLIGHT], to[PLAYOUT_IN_FLIGHT];
  int32_t open_id;    /* begun and not ended as far as samples were taken; 0: none */
  int32_t started_id; /* heard beginning and not ending; 0: none */
  int32_t started_barge;
  uint64_t started_position;
  bool held;
  bool barged; /* silent until the caller, who may be writing the rest of it, flushes */
  bool low_told;
  bool sounding; /* a sample was taken, and nothing came to rest since */
  int16_t last;  /* that sample */
  int64_t underruns;
  int16_t fade[PLAYOUT_FADE]; /* goes before what comes next */
  int32_t fade_count;
  int32_t fade_in; /* samples that still come up to their level */
  struct talker talker;
};

/* What ends a playback before its last sample. */
struct playout_cut {
  enum dshim_play_end end;
  int32_t digit;   /* of DSHIM_PLAY_BARGED_DTMF */
  int64_t unheard; /* samples: what was handed to the telephone after it was hung up */
  int64_t at_ns;
  bool fades;
};

void playout_init(struct playout *playout, int32_t lane, int16_t *samples, uint64_t capacity);
/* All by the I/O thread, as all that follows. −ENOSPC: too many marks. */
int playout_mark(struct playout *playout, int32_t id, bool begin, uint64_t position);
/* flags: enum dshim_barge. −ENOENT: no such playback, or it was heard. */
int playout_barge_on(struct playout *playout, int32_t id, int32_t flags);
/* Nothing to say and nobody to tell of it. */
bool playout_idle(struct playout *playout);
/* The block of that number, when it sounds; else false, and the block is not written. */
bool playout_block(struct playout *playout, int16_t *block, int64_t number, void *context, playout_tell *tell);
/* The block of that number was handed over at now_ns, which counts as the end of the 20 ms that it fills: tells
 * the marks whose time has come. took: it had samples of this lane. */
void playout_heard(struct playout *playout, int64_t number, bool took, int64_t now_ns, void *context,
                   playout_tell *tell);
/* The blocks from that number on were not heard; where is the first of them that took samples, or −1. */
void playout_take_back(struct playout *playout, int64_t number, int64_t where);
/* Drops all samples up to position. */
void playout_flush(struct playout *playout, uint64_t position, const struct playout_cut *cut, void *context,
                   playout_tell *tell);
/* What was written from there up to `to`, and has not been taken yet, is not heard, nor are its marks: what
 * follows comes right behind what was before. −EALREADY: some of it was taken; −ENOSPC: in too many places. */
int playout_skip(struct playout *playout, uint64_t from, uint64_t to);
/* Silence until it is let go on, with the very sample at which it stopped. */
void playout_hold(struct playout *playout, bool held);

#endif
