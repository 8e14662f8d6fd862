#include "talker.h"

#define BLOCK         DSHIM_BLOCK_SAMPLES
#define PAUSE_SAMPLES 4000  /* 500 ms: whoever is silent for so long had nothing to say */
#define WATCH_SAMPLES 16000 /* 2 s: what was not needed for so long is a delay and no reserve */
#define WARM_UP_SAMPLES                                                                                           \
  16000 /* 2 s: by how much a client that just began is late says nothing of its later frames */
#define HOLD_SAMPLES 480000 /* a minute */
#define MOST_RESERVE 1280   /* 160 ms: more is no conversation */

void talker_open(struct talker *talker, int32_t target, int32_t max) {
  talker->target = target;
  talker->max = max;
  talker->reserve = talker->unneeded = talker->heard = 0;
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

static int32_t wanted_of(const struct talker *talker) { return talker->target + talker->reserve; }

/* What a stall of the talker's left behind: so much more than wanted stood there all the time. */
static int32_t surplus(struct talker *talker, int32_t left, int32_t room) {
  if (left < talker->least) talker->least = left;
  talker->watched += room;
  if (talker->watched < WATCH_SAMPLES) return 0;
  int32_t wanted = wanted_of(talker);
  int32_t unneeded = talker->least - (wanted > room ? wanted - room : 0);
  watch_anew(talker);
  return unneeded >= BLOCK ? unneeded : 0;
}

/* It was silent for so many samples because they came too late. */
static void grow(struct talker *talker, int64_t late) {
  if (talker->max == TALKER_KEEPS_ALL || talker->heard < WARM_UP_SAMPLES) return;
  int32_t most = talker->max - talker->target - 2 * BLOCK;
  if (most > MOST_RESERVE) most = MOST_RESERVE;
  int64_t reserve = talker->reserve + (late + BLOCK - 1) / BLOCK * BLOCK;
  if (reserve > most) reserve = most;
  if (reserve > talker->reserve) talker->reserve = (int32_t)reserve;
  talker->unneeded = 0;
}

static void shrink(struct talker *talker, int32_t left, int32_t room) {
  if (talker->heard < WARM_UP_SAMPLES) talker->heard += room;
  if (talker->reserve == 0) return;
  talker->unneeded = left < talker->reserve ? 0 : talker->unneeded + room;
  if (talker->unneeded < HOLD_SAMPLES) return;
  talker->reserve = talker->reserve / 2 / BLOCK * BLOCK;
  talker->unneeded = 0;
}

static void began(struct talker *talker) {
  talker->dry = false;
  watch_anew(talker);
  if (talker->talked && talker->silent < PAUSE_SAMPLES) {
    grow(talker, talker->silent - talker->waited);
    atomic_fetch_add_explicit(&talker->underruns, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&talker->late, talker->silent, memory_order_relaxed);
  }
  talker->waited = 0;
  talker->talked = true;
}

int32_t talker_take(struct talker *talker, uint64_t readable, int32_t room, uint64_t *drop) {
  *drop = 0;
  if (readable > (uint64_t)talker->max) {
    /* Down to what is wanted: what stayed above it would be a delay until the call's end. */
    *drop = readable - (uint64_t)wanted_of(talker);
    readable = (uint64_t)wanted_of(talker);
    watch_anew(talker);
  }
  if (!talker->dry && talker->max != TALKER_KEEPS_ALL && readable >= (uint64_t)room) {
    shrink(talker, (int32_t)readable - room, room);
    uint64_t unneeded = (uint64_t)surplus(talker, (int32_t)readable - room, room);
    *drop += unneeded;
    readable -= unneeded;
  }
  atomic_fetch_add_explicit(&talker->dropped, (int64_t)*drop, memory_order_relaxed);
  if (talker->dry) {
    /* A word that is shorter than the target is said all the same. */
    int32_t wanted = wanted_of(talker);
    if (readable == 0 || (readable < (uint64_t)wanted && talker->waited < wanted)) {
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
