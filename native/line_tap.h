/*
 * line_tap.h — a line's sound on its way out to the caller: what was heard beside what was sent in the same time.
 *
 *   block received  ▕ h0 ▕ h1 ▕ h2 ▕ h3 ▕      A card sends one block in the time in which it receives one, and
 *   block sent      ▕ s0 ▕ s1 ▕ s2 ▕ s3 ▕      what we write waits in its queue first: in_card keeps it for so
 * long. block written     s2   s3   s4   s5
 */
#ifndef LINE_TAP_H
#define LINE_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"
#include "spsc_ring.h"

#define LINE_TAP_IN_CARD 16 /* a power of two, more than line_blocks.c ever keeps ahead in a card */

struct line_tap {
  struct spsc_ring ring; /* I/O thread → caller */
  struct dshim_tap_block blocks[DSHIM_TAP_BLOCKS];
  int16_t in_card[LINE_TAP_IN_CARD][DSHIM_BLOCK_SAMPLES]; /* written and not yet sent, a queue */
  uint32_t card_written, card_sent;                       /* counts for ever, masked */
  int32_t told_every;                                     /* blocks; 0 closed */
  uint32_t number;                                        /* of the open that began it */
  int32_t made;                                           /* blocks since, lost ones too */
  int32_t told;                                           /* of those */
  int64_t lost;                                           /* since the line was made */
};

/* By the I/O thread, all of it. told_every 0 closes; a tap that is open keeps its number and its blocks. */
void line_tap_set(struct line_tap *tap, uint32_t number, int32_t told_every);
/* The card has taken a block of ours. */
void line_tap_written(struct line_tap *tap, const int16_t *sent);
/* The card threw away what waited in it. */
void line_tap_flushed(struct line_tap *tap);
/* A block was received, and the oldest that was written sent meanwhile (or silence, where the card had none).
 * keep: the telephone is lifted. True: the caller is to be told. */
bool line_tap_heard(struct line_tap *tap, int64_t time_ns, const int16_t *heard, bool keep);
/* How many blocks to tell of now, whatever told_every says; 0 none that were not told. */
int32_t line_tap_untold(struct line_tap *tap);

#endif
