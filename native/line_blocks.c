/* line_blocks.c — a line's blocks of 20 ms: what is owed to the card, what it delivers, and when that was said. */
#include <errno.h>
#include <math.h>

#include "durations.h"
#include "engine.h"
#include "line.h"

#define MAX_BLOCKS_A_SERVICE 64
#define CARD_CLOCK_SMOOTHING 64
/* What is kept written ahead in a card: two blocks are 20 to 40 ms between us and an underrun, and a delay as
 * long. A machine that runs dry gets one more, up to the most, and gives it back after a quiet minute. */
#define LEAST_AHEAD_BLOCKS 2
#define MOST_AHEAD_BLOCKS  6
#define QUIET_NS           (60000 * NS_PER_MS)

void line_begin_blocks(struct line *line) {
  line->ahead_blocks = LEAST_AHEAD_BLOCKS;
  line->card_blocks = 0;
  line_tap_flushed(&line->tap);
  line->blocks_owed = line->chan->queues ? line->ahead_blocks : 0;
  line->block_made = false;
  lanes_restart(&line->lanes);
  line->served_ns = 0;
  line->block_ns = 0;
}

/* Before the first block was read, that is how every channel begins. */
void line_ran_dry(struct line *line, int64_t now_ns) {
  if (line->served_ns == 0) return;
  line->stats.card_underruns++;
  line->dry_ns = now_ns;
  if (line->ahead_blocks < MOST_AHEAD_BLOCKS) line->ahead_blocks++;
}

static void gain(int16_t *samples, int32_t cdb) {
  if (cdb == 0) return;
  double factor = pow(10.0, cdb / 2000.0);
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    double sample = samples[i] * factor;
    samples[i] = (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
  }
}

bool line_send_blocks(struct line *line, int64_t now_ns) {
  struct chan *chan = line->chan;
  while (line->blocks_owed > 0) {
    if (!line->block_made) {
      if (line_data_block(line, now_ns, line->block)) lanes_wait(&line->lanes);
      else line_play_block(line);
      gain(line->block, line->engine->settings.tx_gain_cdb);
      if (line->lifted) line_hear_sent(line, now_ns, line->block);
      line->block_made = true;
    }
    int result = chan->ops->write(chan, now_ns, line->block);
    if (line_card_gone(result)) {
      line_went_down(line, now_ns, -result, DSHIM_STAGE_IO);
      return false;
    }
    if (result != 1) return true; /* full, or an event is pending: the next service tries again */
    line_tap_written(&line->tap, line->block);
    line->block_made = false;
    line->blocks_owed--;
    line->stats.tx_blocks++;
    if (chan->queues) line->card_blocks++;
    else line_play_heard(line, now_ns);
  }
  return true;
}

static void tap_block(struct line *line, int64_t spoken_ns, const int16_t *heard) {
  if (line_tap_heard(&line->tap, spoken_ns, heard, line->lifted)) line_tell_tap(line, spoken_ns);
}

/* A card sends a block in the time in which it receives one. */
static void block_was_sent(struct line *line, int64_t now_ns) {
  if (line->card_blocks == 0) return;
  line->card_blocks--;
  line_play_heard(line, now_ns);
}

/* When the newest sample of a block was spoken. After a stall blocks come at once that were 20 ms apart: each is
 * dated after the one before it, and never in the future. */
static int64_t date_block(struct line *line, int64_t now_ns) {
  int64_t due_ns = line->block_ns + BLOCK_NS;
  line->block_ns = line->block_ns == 0 || due_ns > now_ns ? now_ns : due_ns;
  return line->block_ns;
}

/* With nothing left to read, the newest block is younger than a block; the card's clock and ours drift apart
 * slowly. */
static void follow_card_clock(struct line *line, int64_t now_ns) {
  if (line->block_ns == 0) return;
  int64_t behind_ns = now_ns - line->block_ns;
  line->block_ns = behind_ns > BLOCK_NS ? now_ns - BLOCK_NS : line->block_ns + behind_ns / CARD_CLOCK_SMOOTHING;
}

/* All that was received, then what keeps the card supplied: after a stall not one block for each, which would stay
 * in the card as a delay. The simulator has no queue, and takes each block's answer at once. */
bool line_receive_blocks(struct line *line, int64_t now_ns) {
  struct chan *chan = line->chan;
  int16_t samples[DSHIM_BLOCK_SAMPLES];
  for (int i = 0; i < MAX_BLOCKS_A_SERVICE; i++) {
    int result = chan->ops->read(chan, now_ns, samples);
    if (line_card_gone(result)) {
      line_went_down(line, now_ns, -result, result == -ENODEV ? DSHIM_STAGE_REMOVED : DSHIM_STAGE_IO);
      return false;
    }
    if (result != 1) {
      follow_card_clock(line, now_ns);
      break;
    }
    int64_t spoken_ns = date_block(line, now_ns);
    struct dshim_line_stats *stats = &line->stats;
    int64_t gap_ns = line->served_ns > 0 ? now_ns - line->served_ns : 0;
    if (gap_ns > stats->max_service_gap_ns) stats->max_service_gap_ns = gap_ns;
    if (gap_ns > 2 * BLOCK_NS) stats->late_blocks += gap_ns / BLOCK_NS - 1;
    line->served_ns = now_ns;
    stats->rx_blocks++;
    line_hook_look(line, now_ns);
    if (chan->queues) block_was_sent(line, now_ns);
    if (line->lifted) {
      gain(samples, line->engine->settings.rx_gain_cdb);
      line_hear(line, spoken_ns, samples);
      line_bridge_heard(line, samples);
    }
    if (chan->queues) {
      tap_block(line, spoken_ns, samples);
      line_play_barge(line, now_ns);
      continue;
    }
    line_play_barge(line, now_ns);
    if (line->blocks_owed < MAX_BLOCKS_A_SERVICE) line->blocks_owed++;
    if (!line_send_blocks(line, now_ns)) return false;
    tap_block(line, spoken_ns, samples);
  }
  if (!chan->queues) return true;
  if (line->ahead_blocks > LEAST_AHEAD_BLOCKS && now_ns - line->dry_ns > QUIET_NS) {
    line->ahead_blocks--;
    line->dry_ns = now_ns;
  }
  line->blocks_owed = line->ahead_blocks - line->card_blocks;
  return line_send_blocks(line, now_ns);
}
