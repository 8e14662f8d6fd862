#include "playout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static char told[512];

static void tell(void *context, struct dshim_event event) {
  (void)context;
  size_t length = strlen(told);
  if (event.kind == DSHIM_EV_PLAY_STARTED) {
    snprintf(told + length, sizeof(told) - length, "start%d@%lld ", event.a, (long long)(event.time_ns / 125000));
  } else if (event.kind == DSHIM_EV_PLAY_DONE) {
    snprintf(told + length, sizeof(told) - length, "end%d:%d:%d ", event.a, event.b, event.c);
  } else {
    snprintf(told + length, sizeof(told) - length, "low ");
  }
}

static struct playout *playout;
static int16_t ring[DSHIM_PLAY_RING_SAMPLES];
static int64_t now_ns;
static int64_t made, heard; /* blocks */

static void fresh(void) {
  memset(playout, 0, sizeof(*playout));
  playout_init(playout, 0, ring, DSHIM_PLAY_RING_SAMPLES);
  made = 0;
  heard = 0;
  told[0] = '\0';
  now_ns = 0;
}

static void put(int count, int16_t value) {
  int16_t *samples = malloc((size_t)count * sizeof(*samples));
  for (int i = 0; i < count; i++) samples[i] = value;
  spsc_write_samples(&playout->ring, ring, DSHIM_PLAY_RING_SAMPLES, samples, count);
  free(samples);
}

static int16_t last_block[DSHIM_BLOCK_SAMPLES];

static void make(void) {
  if (!playout_block(playout, last_block, made++, NULL, tell)) memset(last_block, 0, sizeof(last_block));
}

/* Made, and heard when so many more have been made. */
static void blocks(int count, int queue_blocks) {
  for (int i = 0; i < count; i++) {
    make();
    now_ns += 20000000;
    if (made - heard > queue_blocks) playout_heard(playout, heard++, true, now_ns, NULL, tell);
  }
}

static void flush(uint64_t position, enum dshim_play_end end) {
  struct playout_cut cut = {.end = end, .at_ns = now_ns, .fades = end == DSHIM_PLAY_FLUSHED};
  playout_flush(playout, position, &cut, NULL, tell);
}

static void take_back(int count) {
  made -= count;
  playout_take_back(playout, made, made);
}

int main(void) {
  playout = aligned_alloc(SPSC_CACHE_LINE, (sizeof(*playout) + 63) & ~(size_t)63);

  fresh();
  blocks(2, 0);
  tap_ok(last_block[0] == 0 && told[0] == '\0' && playout->underruns == 0,
         "nothing to say is silence, and no underrun");

  fresh();
  playout_mark(playout, 7, true, 0);
  playout_mark(playout, 7, false, 400);
  put(400, 5);
  blocks(1, 0);
  tap_ok(last_block[159] == 5 && strstr(told, "start7@0 "), "starts with its first sample: %s", told);
  blocks(2, 0);
  tap_ok(strstr(told, "end7:0:400") != NULL && playout->underruns == 0,
         "ends after its last, without an underrun: %s", told);
  tap_ok(last_block[79] == 5 && last_block[80] == 0, "the rest of the block is silence");

  fresh();
  playout_mark(playout, 1, true, 0);
  playout_mark(playout, 1, false, 100);
  playout_mark(playout, 2, true, 100);
  playout_mark(playout, 2, false, 300);
  put(300, 1);
  blocks(2, 0);
  tap_ok(strcmp(told, "start1@0 low end1:0:100 start2@100 end2:0:200 ") == 0 ||
             strcmp(told, "low start1@0 end1:0:100 start2@100 end2:0:200 ") == 0,
         "two without a gap, each with its own length: %s", told);

  fresh();
  playout_mark(playout, 3, true, 0);
  put(200, 1);
  blocks(2, 0);
  tap_ok(playout->underruns == 1, "samples that come late are an underrun");
  blocks(1, 0);
  tap_ok(playout->underruns == 2, "for each block");
  playout_mark(playout, 3, false, 200);
  blocks(1, 0);
  tap_ok(strstr(told, "end3:0:200") != NULL, "an end announced late comes all the same: %s", told);

  fresh();
  playout_mark(playout, 4, true, 0);
  blocks(3, 0);
  tap_ok(playout->underruns == 0 && told[0] == '\0', "announced and not yet written is no underrun");

  fresh();
  playout_mark(playout, 5, true, 0);
  playout_mark(playout, 5, false, 0);
  blocks(1, 0);
  tap_ok(strcmp(told, "start5@0 end5:0:0 ") == 0 || strstr(told, "end5:0:0"), "an empty one is over at once: %s",
         told);

  fresh();
  playout_mark(playout, 6, true, 0);
  playout_mark(playout, 6, false, 160);
  put(160, 1);
  blocks(2, 2);
  tap_ok(strstr(told, "start6") == NULL, "what waits in the card is not heard yet");
  blocks(1, 2);
  tap_ok(strstr(told, "start6@320 ") != NULL && strstr(told, "end6:0:160") != NULL, "two blocks later it is: %s",
         told);

  fresh();
  playout_mark(playout, 8, true, 0);
  playout_mark(playout, 8, false, 4000);
  playout_mark(playout, 9, true, 4000);
  playout_mark(playout, 9, false, 8000);
  put(8000, 1);
  blocks(10, 0);
  flush(8000, DSHIM_PLAY_FLUSHED);
  tap_ok(strstr(told, "end8:1:1600") != NULL && strstr(told, "9") == NULL,
         "a flush tells what was heard, not what was not: %s", told);
  blocks(1, 0);
  tap_ok(last_block[PLAYOUT_FADE] == 0 && playout->mark_count == 0, "and is quiet");
  playout_mark(playout, 10, true, 8000);
  playout_mark(playout, 10, false, 8160);
  put(160, 9);
  blocks(1, 0);
  tap_ok(strstr(told, "start10") && strstr(told, "end10:0:160") && last_block[0] == 9, "the next plays on: %s",
         told);

  fresh();
  for (int i = 0; i < PLAYOUT_MARKS; i++) playout_mark(playout, i + 1, true, 0);
  tap_ok(playout_mark(playout, 999, true, 0) == -28, "too many marks are refused (ENOSPC)");
  fresh();
  playout_mark(playout, 9, true, 0);
  put(2000, 10000);
  blocks(3, 0);
  flush(2000, DSHIM_PLAY_FLUSHED);
  make();
  int steepest = abs(10000 - last_block[0]);
  for (int i = 1; i < DSHIM_BLOCK_SAMPLES; i++) {
    int step = abs(last_block[i] - last_block[i - 1]);
    if (step > steepest) steepest = step;
  }
  tap_ok(steepest < 400 && last_block[0] > 9900 && last_block[39] == 0 && last_block[40] == 0,
         "what is stopped fades in 5 ms: steepest step %d of 10000", steepest);

  fresh();
  playout_mark(playout, 10, true, 0);
  put(480, 5000);
  blocks(1, 0);
  make();
  take_back(1);
  flush(480, DSHIM_PLAY_FLUSHED);
  playout_mark(playout, 11, true, 480);
  playout_mark(playout, 11, false, 780);
  put(300, -7000);
  make();
  tap_ok(last_block[0] > 4900 && last_block[39] == 0 && last_block[40] == -7000 && last_block[159] == -7000,
         "a fade of what the card gave back, and behind it the next playback as it is");
  now_ns += 20000000;
  playout_heard(playout, heard++, true, now_ns, NULL, tell);
  blocks(2, 0);
  tap_ok(strstr(told, "start11@200 end11:0:300") != NULL, "and its marks are where it is heard: %s", told);

  fresh();
  playout_mark(playout, 12, true, 0);
  put(2000, 10000);
  blocks(1, 0);
  flush(2000, DSHIM_PLAY_HUNG_UP);
  make();
  tap_ok(last_block[0] == 0, "hung up, nothing follows");

  fresh();
  playout_mark(playout, 13, true, 0);
  playout_mark(playout, 13, false, 200);
  put(200, 10000);
  blocks(2, 0);
  steepest = 0;
  for (int i = 1; i < DSHIM_BLOCK_SAMPLES; i++) {
    int step = abs(last_block[i] - last_block[i - 1]);
    if (step > steepest) steepest = step;
  }
  tap_ok(last_block[39] == 10000 && last_block[40] > 9900 && last_block[79] == 0 && last_block[80] == 0 &&
             steepest < 400 && strstr(told, "end13:0:200") != NULL && playout->underruns == 0,
         "what ends in mid-wave is let fall in the 5 ms after it: steepest step %d", steepest);
  make();
  tap_ok(last_block[0] == 0 && playout_idle(playout), "once");

  fresh();
  put(160, -10000);
  blocks(1, 0);
  tap_ok(!playout_idle(playout), "at a block's end, too, where only the next one shows that nothing follows");
  make();
  tap_ok(last_block[0] < -9900 && last_block[39] == 0, "it is let fall");

  fresh();
  put(200, 300);
  blocks(2, 0);
  tap_ok(last_block[39] == 300 && last_block[40] == 0, "what ends quietly is left as it is");

  fresh();
  playout_mark(playout, 20, true, 0);
  playout_mark(playout, 20, false, 400);
  playout_mark(playout, 21, true, 400);
  playout_mark(playout, 21, false, 900);
  put(400, 1);
  put(300, 2);
  blocks(1, 0);
  tap_ok(playout_skip(playout, 400, 700) == 0 && playout_skip(playout, 100, 700) == -EALREADY,
         "what waits is taken out, unless its turn has come");
  playout_mark(playout, 22, true, 700);
  playout_mark(playout, 22, false, 900);
  put(200, 3);
  blocks(2, 0);
  tap_ok(last_block[79] == 1 && last_block[80] == 3 && last_block[159] == 3,
         "and what follows comes right behind what was before");
  make();
  take_back(1);
  blocks(2, 0);
  tap_ok(strcmp(told, "low start20@0 end20:0:400 start22@400 end22:0:200 ") == 0 && playout->underruns == 0 &&
             spsc_readable(&playout->ring) == 0,
         "each mark where it is heard, and the ring empty: %s", told);

  fresh();
  playout_mark(playout, 23, true, 0);
  playout_mark(playout, 23, false, 100);
  put(100, 1);
  put(5000, 2);
  playout_skip(playout, 100, 5100);
  blocks(1, 0);
  flush(5100, DSHIM_PLAY_FLUSHED);
  tap_ok(strstr(told, "end23:0:100") != NULL && spsc_readable(&playout->ring) == 0 && playout_idle(playout),
         "what was taken out counts for nothing: %s", told);

  fresh();
  put(160, 1);
  make();
  put(160 * 2 * PLAYOUT_SKIPS + 320, 2);
  bool skipped = true;
  for (uint64_t i = 1; i <= PLAYOUT_SKIPS; i++) {
    if (playout_skip(playout, 160 * 2 * i, 160 * (2 * i + 1)) != 0) skipped = false;
  }
  uint64_t end = 160 * (2 * PLAYOUT_SKIPS + 3);
  tap_ok(skipped && playout_skip(playout, end - 10, end) == -ENOSPC, "in eight places");
  tap_ok(playout_skip(playout, 200, end) == 0 && playout->skips.count == 1,
         "one that covers them takes their place");
  make();
  tap_ok(last_block[39] == 2 && last_block[40] == 0, "and nothing of them is heard");

  free(playout);
  return tap_done();
}
