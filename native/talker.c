#include "talker.h"

#define PAUSE_SAMPLES 4000  /* 500 ms: whoever is silent for so long had nothing to say */
#define WATCH_SAMPLES 16000 /* 2 s: what was not needed for so long is a delay and no reserve */

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

static void watch_anew(struct talker *talker) {
  talker->least = INT32_MAX;
  talker->watched = 0;
}

/* What a stall of the talker's left behind: so much more than the target's share stood there all the time. */
static int32_t surplus(struct talker *talker, int32_t left, int32_t room) {
  if (left < talker->least) talker->least = left;
  talker->watched += room;
  if (talker->watched < WATCH_SAMPLES) return 0;
  int32_t share = talker->target > room ? talker->target - room : 0;
  int32_t unneeded = talker->least - share;
  watch_anew(talker);
  return unneeded >= DSHIM_BLOCK_SAMPLES ? unneeded : 0;
}

static void began(struct talker *talker) {
  talker->dry = false;
  watch_anew(talker);
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
    watch_anew(talker);
  }
  if (!talker->dry && talker->max != TALKER_KEEPS_ALL && readable >= (uint64_t)room) {
    uint64_t unneeded = (uint64_t)surplus(talker, (int32_t)readable - room, room);
    *drop += unneeded;
    readable -= unneeded;
  }
  atomic_fetch_add_explicit(&talker->dropped, (int64_t)*drop, memory_order_relaxed);
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
