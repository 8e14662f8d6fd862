/*
 * lanes.h — all that a line is told at once: its lanes, added up block by block.
 *
 *   0      the queue, 8.2 s   ▔▔▔▔▔▔▔▔▔▔▔▔╲
 *   1 … 3  overlays, 2 s      ▔▔▔▔▔▔▔▔▔▔▔▔▔⊕──▶ block ──▶ card ──▶ telephone
 *   4 … 7  talkers, 1 s       ▔▔▔▔▔▔▔▔▔▔▔▔╱      └ made       └ heard: what lies between is in flight
 */
#ifndef LANES_H
#define LANES_H

#include "playout.h"

struct lanes {
  struct playout lane[DSHIM_LANES];
  int64_t made, heard;                  /* blocks, in their order; those from heard to made are in flight */
  uint16_t sounding[PLAYOUT_IN_FLIGHT]; /* bits of the lanes in each of those */
  int16_t queue[DSHIM_PLAY_RING_SAMPLES];
  int16_t overlays[DSHIM_OVERLAYS][DSHIM_OVERLAY_RING_SAMPLES];
  int16_t talkers[DSHIM_TALKERS][DSHIM_TALK_RING_SAMPLES];
};

#define LANES_OTHER (1U << 15) /* data in their place, a bridge beside them */
_Static_assert(DSHIM_LANES <= 15, "a bit for each lane");

void lanes_init(struct lanes *lanes);
/* By the caller's thread: how many of the samples fitted. */
int lanes_write(struct playout *lane, const int16_t *samples, int count);
/* All that follows is the I/O thread's. The next block to send; silence where there is nothing.
 * beside: what else is added, or NULL. */
void lanes_block(struct lanes *lanes, int16_t *block, const int32_t *beside, void *context, playout_tell *tell);
/* The next block is not ours. */
void lanes_wait(struct lanes *lanes);
/* The oldest block in flight was handed to the telephone: see playout_heard. */
void lanes_heard(struct lanes *lanes, int64_t now_ns, void *context, playout_tell *tell);
/* Bits of what sounds in the blocks in flight. */
uint32_t lanes_in_flight(const struct lanes *lanes);
/* The newest blocks in flight will not be heard: what they took is sent again. */
void lanes_take_back(struct lanes *lanes, int32_t blocks);
/* Nothing is in flight. */
void lanes_restart(struct lanes *lanes);
/* Drops all that was written, in every lane. */
void lanes_end(struct lanes *lanes, const struct playout_cut *cut, void *context, playout_tell *tell);
int64_t lanes_underruns(const struct lanes *lanes);

#endif
