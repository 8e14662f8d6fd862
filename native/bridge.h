/*
 * bridge.h — what one line hears of the others on its bridge: for each of them a short ring of whole blocks
 * between two cards, whose clocks are not the same.
 *
 *   heard there   ▕ 0 ▕ 1 ▕ 2 ▕ 3 ▕ 4 ▕ 5 ▕      A card that is faster fills the ring: when a block has been to
 *   sent here      ▕ 0 ▕ 1 ▕ 2 ▕ 2'▕ 3 ▕ 5 ▕     spare for WINDOW blocks, two are faded into one. One that is
 *                             └ dry: the last block once more  slower empties it: a block is sent twice.
 */
#ifndef BRIDGE_H
#define BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"

#define BRIDGE_PEERS  (DSHIM_BRIDGE_LINES - 1)
#define BRIDGE_BLOCKS 8 /* of a ring, a power of two */

struct bridge_peer {
  int32_t line; /* whom we hear; −1: nobody */
  bool heard;   /* something of it was sent already */
  bool repeated;
  bool leaves; /* one fade more */
  uint32_t written, taken;
  uint32_t spare;  /* the fewest blocks that waited, of those counted in */
  uint32_t window; /* blocks */
  int16_t blocks[BRIDGE_BLOCKS][DSHIM_BLOCK_SAMPLES];
};

struct bridge_seat {
  int32_t number; /* of the bridge; 0: on none */
  struct bridge_peer peers[BRIDGE_PEERS];
  int64_t slips;
};

void bridge_init(struct bridge_seat *seat);
/* False: no room for one more. */
bool bridge_meet(struct bridge_seat *seat, int32_t line);
void bridge_part(struct bridge_seat *seat, int32_t line);
/* That line heard a block. */
void bridge_hear(struct bridge_seat *seat, int32_t line, const int16_t *samples);
/* Adds the next block of each of them; false: none was heard. */
bool bridge_add(struct bridge_seat *seat, int32_t *sum);

#endif
