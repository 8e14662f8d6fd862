#include "talker.h"

#define PAUSE_SAMPLES 4000 /* 500 ms: whoever is silent for so long had nothing to say */

void talker_open(struct talker *talker, int32_t target, int32_t max) {
  talker->target = target;
  talker->max = max;
  talker_flushed(talker);
  atomic_store_explicit(&talker->underruns, 0, memory_order_relaxed);
  atomic_store_explicit(&talker->late, 0, memory_order_relaxed);
  atomic_store_explicit(&talker->dropped, 0, memory_order_relaxed);
}

void talker_flushed(struct talker *talker) {
  talker->dry = true;
  talker->talked = false;
  talker->waited = 0;
  talker->silent = 0;
}

static void began(struct talker *talker) {
  talker->dry = false;
  talker->waited = 0;
  if (talker->talked && talker->silent < PAUSE_SAMPLES) {
    atomic_fetch_add_explicit(&talker->underruns, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&talker->late, talker->silent, memory_order_relaxed);
  }
  talker->talked = true;
}

int32_t talker_take(struct talker *talker, uint64_t readable, int32_t room, uint64_t *drop) {
  *drop = 0;
  if (readable > (uint64_t)talker->max) {
    /* Down to the target: what stayed above it would be a delay until the call's end. */
    *drop = readable - (uint64_t)talker->target;
    readable = (uint64_t)talker->target;
    atomic_fetch_add_explicit(&talker->dropped, (int64_t)*drop, memory_order_relaxed);
  }
  if (talker->dry) {
    /* A word that is shorter than the target is said all the same. */
    if (readable == 0 || (readable < (uint64_t)talker->target && talker->waited < talker->target)) {
      if (readable > 0) talker->waited += room;
      talker->silent += room;
      return 0;
    }
    began(talker);
  }
  if (readable >= (uint64_t)room) return room;
  talker->dry = true;
  talker->silent = room - (int32_t)readable;
  return (int32_t)readable;
}
