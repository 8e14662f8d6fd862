/*
 * talker.h — when live audio is heard: its jitter buffer's policy, over the sample ring of a lane.
 *
 *   comes     ▕▔▔▔▔▏   ▕▔▔▔▔▏▕▔▔▔▔▏        ▕▔▔▔▔▏▕▔▔▔▔▏   in frames, whenever the network brings them
 *   waits      ▁▁▂▂▄▄▄▃▃▂▂▃▃▄▄▃▃▂▂▁▁▁▁▁▁▁▁▂▂▄▄▄▄▃▃▂▂      never more than max, nor for long more than it needs
 *   is heard        ▕▔▔▔▔▔▔▔▔▔▔▔▔▔▏        ▕▔▔▔▔▔▔▔▔      from target on, by the card's clock
 *                                 └ dry ───┘ late samples, when it is shorter than a pause
 *
 * Where max bounds it, it learns: by what was late it keeps more than the target from then on, its reserve, and
 * lets go of half of that after each minute in which it was not needed.
 */
#ifndef TALKER_H
#define TALKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"

#define TALKER_KEEPS_ALL INT32_MAX

struct talker {
  int32_t target, max;           /* samples; max 0: closed; TALKER_KEEPS_ALL: nothing is dropped */
  bool dry;                      /* silence until target has come */
  bool talked;                   /* something was heard of it */
  int32_t waited;                /* samples of silence since the first of those that wait came */
  int64_t silent;                /* samples since it ran dry */
  int32_t reserve;               /* samples beyond the target */
  int32_t unneeded;              /* samples heard since it was needed */
  int32_t heard;                 /* since it was opened, no further than the warm-up */
  int32_t least;                 /* of what was left over after a block, */
  int32_t watched;               /* in so many samples */
  _Atomic int64_t underruns;     /* by the I/O thread; read by the caller's */
  _Atomic int64_t late, dropped; /* samples */
};

void talker_open(struct talker *talker, int32_t target, int32_t max);
/* How many of the readable samples go into the next room samples, after so many of the oldest were dropped. Less
 * than room, and it is dry. */
int32_t talker_take(struct talker *talker, uint64_t readable, int32_t room, uint64_t *drop);
/* What waited was thrown away. */
void talker_flushed(struct talker *talker);

#endif
