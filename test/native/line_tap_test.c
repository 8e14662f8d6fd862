/* What a line hears and is sent, out of the I/O thread: aligned, none lost unsaid, and under the thread sanitizer.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "dahdi_shim.h"
#include "line_tap.h"
#include "tap.h"

#define PATIENCE_MS 20000

static int16_t silence[DSHIM_BLOCK_SAMPLES];
static struct line_tap tap;

static const int16_t *filled(int16_t value) {
  static int16_t block[DSHIM_BLOCK_SAMPLES];
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) block[i] = value;
  return block;
}

/* A card with two blocks in its queue: what is sent in a block's time was written two blocks before. */
static void alignment(void) {
  line_tap_written(&tap, filled(1));
  line_tap_written(&tap, filled(2));
  line_tap_set(&tap, 7, 3);
  bool tell = line_tap_heard(&tap, 100, filled(-1), true);
  line_tap_written(&tap, filled(3));
  tap_ok(!tell && !line_tap_heard(&tap, 200, filled(-2), true), "the caller is not told before it is time");
  tap_ok(line_tap_heard(&tap, 300, filled(-3), true), "and is told then");
  tap_ok(line_tap_untold(&tap) == 3 && line_tap_untold(&tap) == 0, "of all blocks, once");
  bool right = true;
  for (int i = 0; i < 3; i++) {
    const struct dshim_tap_block *block = &tap.blocks[i];
    right = right && block->tap == 7 && block->block == i && block->time_ns == 100 * (i + 1);
    right = right && block->heard[159] == -(i + 1) && block->sent[0] == i + 1;
  }
  tap_ok(right, "what was heard stands beside what was sent in its time");
  line_tap_written(&tap, filled(4));
  line_tap_flushed(&tap);
  line_tap_heard(&tap, 400, filled(-4), true);
  tap_ok(memcmp(tap.blocks[3].sent, silence, sizeof(silence)) == 0, "what the card threw away nobody heard");
  line_tap_heard(&tap, 500, filled(-5), false);
  tap_ok(tap.made == 4, "on-hook nothing is kept");
  line_tap_set(&tap, 8, 1);
  line_tap_heard(&tap, 600, filled(-6), true);
  tap_ok(tap.blocks[4].tap == 7 && tap.blocks[4].block == 4, "one that is open keeps its number");
  line_tap_set(&tap, 9, 0);
  tap_ok(!line_tap_heard(&tap, 700, filled(-7), true) && tap.made == 5, "a closed one makes no blocks");
  line_tap_set(&tap, 10, 1);
  for (int i = 0; i < DSHIM_TAP_BLOCKS; i++) line_tap_heard(&tap, 800, filled(0), true);
  tap_ok(tap.lost == 5 && tap.made == DSHIM_TAP_BLOCKS, "a full ring loses the newest, and counts them");
}

static struct dshim_engine *engine;
static int bell_fd;
static struct dshim_event found;

static bool await_event(uint32_t kind, int a) {
  struct dshim_event event;
  for (;;) {
    while (dshim_drain(engine, &event, 1) > 0) {
      if (event.kind != kind || (a >= 0 && event.a != a)) continue;
      found = event;
      return true;
    }
    struct pollfd wait = {.fd = bell_fd, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE_MS) <= 0) return false;
    char bytes[64];
    while (read(bell_fd, bytes, sizeof(bytes)) > 0) continue;
  }
}

static bool done(int sequence) {
  return sequence > 0 && await_event(DSHIM_EV_COMMAND_DONE, sequence) && found.b == 0;
}

#define SPOKEN 4000
static int16_t spoken[SPOKEN], heard[12 * SPOKEN], sent[12 * SPOKEN];

static int find(const int16_t *whole, int length, const int16_t *part, int count) {
  for (int at = 0; at + count <= length; at++) {
    if (memcmp(&whole[at], part, (size_t)count * sizeof(*part)) == 0) return at;
  }
  return -1;
}

/* The real thread makes blocks while this one reads them. */
static void threads(void) {
  engine = dshim_create(DSHIM_REALTIME);
  dshim_set_option(engine, DSHIM_OPT_SIM_COMPANDING, 0);
  dshim_set_option(engine, DSHIM_OPT_SIM_ECHO_CDB, 0);
  dshim_set_option(engine, DSHIM_OPT_SIM_NOISE_CDBM0, -12000);
  dshim_add_sim(engine);
  bell_fd = dshim_doorbell(engine);
  dshim_start(engine);
  tap_ok(dshim_tap_open(engine, 0, 0) == -EINVAL && dshim_tap_open(engine, 1, 5) == -EINVAL, "wrong is refused");
  tap_ok(await_event(DSHIM_EV_LINE_UP, -1) && done(dshim_sim_hook(engine, 0, 1)), "lifted");
  int number = dshim_tap_open(engine, 0, 5);
  tap_ok(done(number), "opened");
  double hz = 700;
  for (int i = 0; i < SPOKEN; i++) spoken[i] = (int16_t)((i * 7919) % 20011 - 10000);
  int16_t played[SPOKEN];
  dshim_tone_render(&hz, 1, -1000, 0, played, SPOKEN);
  dshim_play_write(engine, 0, 0, played, SPOKEN);
  dshim_sim_mic_write(engine, 0, spoken, SPOKEN);
  dshim_sim_mic_end(engine, 0);
  struct dshim_tap_block block;
  int blocks = 0;
  bool right = true;
  int64_t last_ns = 0;
  while (blocks < 60 && await_event(DSHIM_EV_TAP_BLOCKS, number)) {
    right = right && found.b >= blocks + 5;
    while (blocks < found.b) {
      right = right && dshim_tap_read(engine, 0, &block, 1) == 1 && block.block == blocks;
      right = right && block.tap == (uint32_t)number && block.time_ns > last_ns;
      last_ns = block.time_ns;
      if (blocks * DSHIM_BLOCK_SAMPLES < 11 * SPOKEN) {
        memcpy(&heard[blocks * DSHIM_BLOCK_SAMPLES], block.heard, sizeof(block.heard));
        memcpy(&sent[blocks * DSHIM_BLOCK_SAMPLES], block.sent, sizeof(block.sent));
      }
      blocks++;
    }
  }
  tap_ok(right && blocks >= 60, "blocks come in their order, as many as are told");
  tap_ok(find(heard, blocks * DSHIM_BLOCK_SAMPLES, spoken, SPOKEN) >= 0, "what was said is heard, each sample");
  tap_ok(find(sent, blocks * DSHIM_BLOCK_SAMPLES, played, SPOKEN) >= 0, "what was played stands beside it");
  tap_ok(done(dshim_sim_hook(engine, 0, 0)), "hung up");
  tap_ok(done(dshim_tap_close(engine, 0)), "closed");
  struct dshim_line_stats stats;
  tap_ok(dshim_line_stats(engine, 0, &stats) == 0 && stats.tap_lost_blocks == 0, "nothing was lost");
  dshim_destroy(engine);
  close(bell_fd);
}

/* Nobody reads for twelve seconds. */
static void stalled(void) {
  engine = dshim_create(DSHIM_STEPPED);
  dshim_add_sim(engine);
  dshim_start(engine);
  dshim_step(engine, 40);
  dshim_sim_hook(engine, 0, 1);
  dshim_step(engine, 20);
  int number = dshim_tap_open(engine, 0, 25);
  dshim_step(engine, 12000);
  static struct dshim_tap_block blocks[DSHIM_TAP_BLOCKS];
  tap_ok(dshim_tap_read(engine, 0, blocks, DSHIM_TAP_BLOCKS) == DSHIM_TAP_BLOCKS, "ten seconds wait");
  dshim_step(engine, 20);
  struct dshim_line_stats stats;
  dshim_line_stats(engine, 0, &stats);
  tap_ok(dshim_tap_read(engine, 0, blocks, 2) == 1 && blocks[0].block == 600 && blocks[0].tap == (uint32_t)number,
         "a number that is missing tells of what was lost");
  tap_ok(stats.tap_lost_blocks == 600 - DSHIM_TAP_BLOCKS, "and so does the counter");
  /* ON_HOOK comes after the last blocks' TAP_BLOCKS. */
  dshim_sim_hook(engine, 0, 0);
  struct dshim_event event;
  int told = 0;
  int last = 0;
  dshim_step(engine, 2000);
  while (dshim_drain(engine, &event, 1) == 1 && event.kind != DSHIM_EV_ON_HOOK) {
    if (event.kind == DSHIM_EV_TAP_BLOCKS) told = event.b;
  }
  for (int count; (count = dshim_tap_read(engine, 0, blocks, DSHIM_TAP_BLOCKS)) > 0;)
    last = blocks[count - 1].block;
  tap_ok(event.kind == DSHIM_EV_ON_HOOK && told == last + 1,
         "all blocks are told before the telephone is hung up");
  dshim_destroy(engine);
}

int main(void) {
  alignment();
  threads();
  stalled();
  return tap_done();
}
