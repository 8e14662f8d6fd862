#include "line.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"
#include "engine.h"

#define NS_PER_MS            1000000LL
#define SAMPLE_NS            125000LL
#define BLOCK_NS             (DSHIM_BLOCK_SAMPLES * SAMPLE_NS)
#define REOPEN_NS            (500 * NS_PER_MS)
#define VOLTAGE_NS           (1000 * NS_PER_MS)
#define VOLTAGE_STEP_MV      50
#define MAX_BLOCKS_A_SERVICE 64
#define CARD_CLOCK_SMOOTHING 64
/* What is kept written ahead in a card: two blocks are 20 to 40 ms between us and an underrun, and a delay as
 * long. A machine that runs dry gets one more, up to the most, and gives it back after a quiet minute. */
#define LEAST_AHEAD_BLOCKS 2
#define MOST_AHEAD_BLOCKS  6
#define QUIET_NS           (60000 * NS_PER_MS)

void line_tell(struct line *line, enum dshim_event_kind kind, int64_t time_ns, int32_t a, int32_t b, int32_t c) {
  struct dshim_event event = {.time_ns = time_ns, .kind = kind, .line = line->index, .a = a, .b = b, .c = c};
  engine_push(line->engine, &event);
}

void line_command_done(struct line *line, int64_t now_ns, uint32_t sequence, int32_t result) {
  line_tell(line, DSHIM_EV_COMMAND_DONE, now_ns, (int32_t)sequence, result, 0);
}

/* ---- what the card tells --------------------------------------------------------------------- */

void line_tell_tap(struct line *line, int64_t now_ns) {
  int32_t blocks = line_tap_untold(&line->tap);
  if (blocks > 0) line_tell(line, DSHIM_EV_TAP_BLOCKS, now_ns, (int32_t)line->tap.number, blocks, 0);
}

void line_tap_block(struct line *line, int64_t spoken_ns, const int16_t *heard) {
  if (line_tap_heard(&line->tap, spoken_ns, heard, line->lifted)) line_tell_tap(line, spoken_ns);
}

/* The card had nothing to send. Before the first block was read, that is how every channel begins. */
static void ran_dry(struct line *line, int64_t now_ns) {
  if (line->served_ns == 0) return;
  line->stats.card_underruns++;
  line->dry_ns = now_ns;
  if (line->ahead_blocks < MOST_AHEAD_BLOCKS) line->ahead_blocks++;
}

static void take_event(struct line *line, int64_t now_ns, const struct chan_event *event) {
  switch (event->kind) {
  case CHAN_EV_OFF_HOOK:
  case CHAN_EV_ON_HOOK:
  case CHAN_EV_FLASH:
  case CHAN_EV_PULSE_START:
  case CHAN_EV_PULSE_DIGIT:
    line_hook_event(line, now_ns, event);
    break;
  case CHAN_EV_ALARM:
    line->stats.alarms = event->value;
    line_tell(line, DSHIM_EV_ALARM, now_ns, event->value, 0, 0);
    break;
  case CHAN_EV_UNDERRUN:
    ran_dry(line, now_ns);
    break;
  case CHAN_EV_OVERRUN:
    line->stats.card_overruns++;
    break;
  default:
    break;
  }
}

/* ---- life ----------------------------------------------------------------------------------- */

static void went_down(struct line *line, int64_t now_ns, int error, int32_t stage) {
  if (line->up) {
    line_ring_done(line, now_ns, DSHIM_RING_ERROR, error);
    line_refuse_wanted(line, now_ns, -ENODEV);
    line_data_cut(line, now_ns);
    line->data.reversed = false;
    if (line->lifted) line_hear_the_end(line, now_ns);
    line_tell_tap(line, now_ns);
    line_play_until(line, now_ns, now_ns, DSHIM_PLAY_LOST);
    line->chan->ops->close(line->chan);
  }
  line->up = false;
  line->lifted = false;
  line->voltage_told = false;
  line->reopen_ns = now_ns + REOPEN_NS;
  line->stats.stage = stage;
  line->stats.error = error;
  if (line->told_error == error && line->told_stage == stage) return;
  line->told_error = error;
  line->told_stage = stage;
  line_tell(line, DSHIM_EV_LINE_DOWN, now_ns, error, stage, 0);
}

static void bring_up(struct line *line, int64_t now_ns) {
  struct chan *chan = line->chan;
  int32_t stage = DSHIM_STAGE_NONE;
  int result = chan->ops->open(chan, &line->engine->settings, now_ns, &stage);
  if (result < 0) {
    went_down(line, now_ns, -result, stage);
    return;
  }
  struct chan_stats stats;
  result = chan->ops->stats(chan, now_ns, false, &stats);
  line->up = true;
  if (result < 0) {
    went_down(line, now_ns, -result, DSHIM_STAGE_PARAMS);
    return;
  }
  line->told_error = 0;
  line->told_stage = DSHIM_STAGE_NONE;
  line->lifted = stats.lifted != 0;
  line_hook_forget(line);
  line->stats.stage = DSHIM_STAGE_NONE;
  line->stats.error = 0;
  line->stats.capabilities = chan->capabilities;
  line->stats.signalling = stats.signalling;
  line->stats.alarms = stats.alarms;
  line->stats.voltage_known = 0;
  line->stats.voltage_min_mv = INT32_MAX;
  line->stats.voltage_max_mv = 0;
  line->next_voltage_ns = now_ns;
  line->ahead_blocks = LEAST_AHEAD_BLOCKS;
  line->card_blocks = 0;
  line_tap_flushed(&line->tap);
  line->blocks_owed = chan->queues ? line->ahead_blocks : 0;
  line->block_made = false;
  lanes_restart(&line->lanes);
  line->served_ns = 0;
  line->block_ns = 0;
  line_hear_from_now(line, now_ns);
  line_tell(line, DSHIM_EV_LINE_UP, now_ns, line->lifted, chan->capabilities, stats.signalling);
}

static bool lost(int result) {
  return result == -ENODEV || result == -EIO || result == -ENXIO || result == -EBADF;
}

static void gain(int16_t *samples, int32_t cdb) {
  if (cdb == 0) return;
  double factor = pow(10.0, cdb / 2000.0);
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    double sample = samples[i] * factor;
    samples[i] = (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
  }
}

/* Events first: with one pending, the kernel refuses to read and write. Returns false when the line is lost. */
static bool drain_events(struct line *line, int64_t now_ns) {
  struct chan_event event;
  int result;
  while ((result = line->chan->ops->event(line->chan, now_ns, &event)) == 1) {
    if (event.kind == CHAN_EV_REMOVED) {
      went_down(line, now_ns, ENODEV, DSHIM_STAGE_REMOVED);
      return false;
    }
    take_event(line, now_ns, &event);
  }
  if (!lost(result)) return true;
  went_down(line, now_ns, -result, DSHIM_STAGE_REMOVED);
  return false;
}

static bool send_blocks(struct line *line, int64_t now_ns) {
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
    if (lost(result)) {
      went_down(line, now_ns, -result, DSHIM_STAGE_IO);
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

static void read_voltage(struct line *line, int64_t now_ns) {
  if (now_ns < line->next_voltage_ns) return;
  /* Open while lifted: hung up, or a flash? A reading told now would stand before the on-hook that is dated back.
   */
  if (line->break_began_ns != 0) {
    line->next_voltage_ns = now_ns + BLOCK_NS;
    return;
  }
  line->next_voltage_ns = now_ns + VOLTAGE_NS;
  struct chan_stats now;
  if (line->chan->ops->stats(line->chan, now_ns, true, &now) < 0 || !now.voltage_known) return;
  struct dshim_line_stats *stats = &line->stats;
  int32_t across_mv = abs(now.tip_mv - now.ring_mv);
  stats->voltage_known = 1;
  stats->voltage_time_ns = now_ns;
  stats->tip_mv = now.tip_mv;
  stats->ring_mv = now.ring_mv;
  stats->battery_mv = now.battery_mv;
  if (across_mv < stats->voltage_min_mv) stats->voltage_min_mv = across_mv;
  if (across_mv > stats->voltage_max_mv) stats->voltage_max_mv = across_mv;
  int32_t told_mv = abs(line->told_tip_mv - line->told_ring_mv);
  if (line->voltage_told && abs(across_mv - told_mv) < VOLTAGE_STEP_MV) return;
  line->voltage_told = true;
  line->told_tip_mv = now.tip_mv;
  line->told_ring_mv = now.ring_mv;
  line_tell(line, DSHIM_EV_VOLTAGE, now_ns, now.tip_mv, now.ring_mv, now.battery_mv);
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
static bool receive_blocks(struct line *line, int64_t now_ns) {
  struct chan *chan = line->chan;
  int16_t samples[DSHIM_BLOCK_SAMPLES];
  for (int i = 0; i < MAX_BLOCKS_A_SERVICE; i++) {
    int result = chan->ops->read(chan, now_ns, samples);
    if (lost(result)) {
      went_down(line, now_ns, -result, result == -ENODEV ? DSHIM_STAGE_REMOVED : DSHIM_STAGE_IO);
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
      line_tap_block(line, spoken_ns, samples);
      line_play_barge(line, now_ns);
      continue;
    }
    line_play_barge(line, now_ns);
    if (line->blocks_owed < MAX_BLOCKS_A_SERVICE) line->blocks_owed++;
    if (!send_blocks(line, now_ns)) return false;
    line_tap_block(line, spoken_ns, samples);
  }
  if (!chan->queues) return true;
  if (line->ahead_blocks > LEAST_AHEAD_BLOCKS && now_ns - line->dry_ns > QUIET_NS) {
    line->ahead_blocks--;
    line->dry_ns = now_ns;
  }
  line->blocks_owed = line->ahead_blocks - line->card_blocks;
  return send_blocks(line, now_ns);
}

static void tell_sim(struct line *line, int64_t now_ns) {
  uint32_t sequence;
  int32_t result;
  while (sim_phone_done(&line->sim->phone, &sequence, &result)) line_command_done(line, now_ns, sequence, result);
  if (chan_sim_mic_low(line->sim)) line_tell(line, DSHIM_EV_MIC_LOW, now_ns, 0, 0, 0);
}

void line_service(struct line *line, int64_t now_ns) {
  if (!line->up && now_ns >= line->reopen_ns) bring_up(line, now_ns);
  if (line->up && drain_events(line, now_ns)) {
    line_retry_wanted(line, now_ns);
    line_ring_on(line, now_ns);
    line_data_on(line, now_ns);
    line_hook_look(line, now_ns);
    if (send_blocks(line, now_ns) && receive_blocks(line, now_ns) && drain_events(line, now_ns)) {
      read_voltage(line, now_ns);
    }
  }
  if (line->sim) tell_sim(line, now_ns);
  line_publish(line);
}

int64_t line_deadline(const struct line *line) {
  int64_t deadline = line->sim ? line->chan->ops->wake_ns(line->chan) : INT64_MAX;
  if (!line->up) return line->reopen_ns < deadline ? line->reopen_ns : deadline;
  int64_t wake = line->chan->ops->wake_ns(line->chan);
  if (wake < deadline) deadline = wake;
  int64_t data = line_data_deadline(line);
  if (data < deadline) deadline = data;
  int64_t ring = ring_cadence_deadline(&line->cadence);
  if (ring < deadline) deadline = ring;
  if (line->wanted_sequence != 0 && line->wanted_retry_ns < deadline) deadline = line->wanted_retry_ns;
  if (line->next_voltage_ns < deadline) deadline = line->next_voltage_ns;
  int64_t look = line->lifted ? pulse_train_deadline(&line->pulses) : INT64_MAX;
  if (look < deadline) deadline = look;
  return deadline;
}

int line_battery_drop(struct line *line, int64_t now_ns, bool dropped) {
  return line->up ? line->chan->ops->battery_drop(line->chan, now_ns, dropped) : -ENODEV;
}

void line_close(struct line *line) {
  if (!line->up) return;
  if (line->ring_sequence != 0) line->chan->ops->ring(line->chan, engine_now_ns(line->engine), false);
  line->chan->ops->close(line->chan);
  line->up = false;
}
