/* The jitter buffer's policy alone: what comes when, against what is kept. Its samples' way is lanes_test.c's. */
#include "talker.h"
#include "tap.h"

#define BLOCK      DSHIM_BLOCK_SAMPLES
#define TARGET     320  /* 40 ms */
#define MAX        1600 /* 200 ms */
#define MINUTE     3000 /* blocks */
#define BLOCKS_A_S 50

static struct talker talker;
static int waits; /* samples */

/* So many blocks are heard, and as many come meanwhile: the first of them all at once, after the stalled ones. */
static void blocks(int stalled, int calm) {
  for (int i = 0; i < stalled + calm; i++) {
    uint64_t drop;
    if (i == stalled) waits += stalled * BLOCK;
    if (i >= stalled) waits += BLOCK;
    int taken = talker_take(&talker, (uint64_t)waits, BLOCK, &drop);
    waits -= (int)drop + taken;
  }
}

static void opened(int max) {
  talker_open(&talker, TARGET, max);
  waits = 0;
  blocks(0, 1);
}

static int underruns(void) { return (int)talker.underruns; }

static void begins_late(void) {
  opened(MAX);
  blocks(0, BLOCKS_A_S);
  blocks(5, 5 * BLOCKS_A_S);
  tap_ok(underruns() == 1 && waits <= TARGET, "what a client's begin was late by goes: %d samples wait", waits);
}

static void learns(void) {
  opened(MAX);
  blocks(0, 3 * BLOCKS_A_S);
  blocks(5, 10 * BLOCKS_A_S);
  tap_ok(underruns() == 1 && waits == TARGET - BLOCK + 4 * BLOCK,
         "what was late is kept from then on: %d samples wait", waits);
  for (int i = 0; i < 10; i++) blocks(5, MINUTE / 2);
  tap_ok(underruns() == 1 && talker.dropped == 0, "so that such stalls are not heard any more");
}

static void forgets(void) {
  opened(MAX);
  blocks(0, 3 * BLOCKS_A_S);
  blocks(5, MINUTE / 2);
  int learned = waits;
  blocks(0, MINUTE / 2 + 5 * BLOCKS_A_S);
  int half = waits;
  blocks(0, 2 * MINUTE);
  tap_ok(half < learned && waits < half && waits <= TARGET, "minutes without: %d, %d, then %d samples wait",
         learned, half, waits);
}

static void is_bounded(void) {
  opened(MAX);
  blocks(0, 3 * BLOCKS_A_S);
  for (int i = 0; i < 20; i++) blocks(20, BLOCKS_A_S);
  tap_ok(TARGET + talker.reserve + 2 * BLOCK <= MAX && waits <= MAX, "never near the most: %d in reserve",
         talker.reserve);
  opened(TARGET + BLOCK);
  blocks(0, 3 * BLOCKS_A_S);
  blocks(5, BLOCKS_A_S);
  tap_ok(talker.reserve == 0, "nor where there is no room between the two");
  opened(TALKER_KEEPS_ALL);
  blocks(0, 3 * BLOCKS_A_S);
  blocks(5, BLOCKS_A_S);
  tap_ok(talker.reserve == 0 && talker.dropped == 0, "nor where all is kept anyway");
}

static void pauses(void) {
  opened(MAX);
  blocks(0, 3 * BLOCKS_A_S);
  for (int i = 0; i < 30; i++) {
    uint64_t drop;
    waits -= talker_take(&talker, (uint64_t)waits, BLOCK, &drop);
  }
  blocks(0, BLOCKS_A_S);
  tap_ok(underruns() == 0 && talker.reserve == 0, "a pause says nothing of what follows it");
}

int main(void) {
  begins_late();
  learns();
  forgets();
  is_bounded();
  pauses();
  return tap_done();
}
