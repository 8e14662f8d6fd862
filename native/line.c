#include "line.h"

#include <errno.h>

#include "durations.h"
#include "engine.h"

#define REOPEN_NS (500 * NS_PER_MS)

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
    line_ran_dry(line, now_ns);
    break;
  case CHAN_EV_OVERRUN:
    line->stats.card_overruns++;
    break;
  default:
    break;
  }
}

/* ---- life ----------------------------------------------------------------------------------- */

void line_went_down(struct line *line, int64_t now_ns, int error, int32_t stage) {
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
    line_went_down(line, now_ns, -result, stage);
    return;
  }
  struct chan_stats stats;
  result = chan->ops->stats(chan, now_ns, false, &stats);
  line->up = true;
  if (result < 0) {
    line_went_down(line, now_ns, -result, DSHIM_STAGE_PARAMS);
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
  line_forget_voltage(line, now_ns);
  line_begin_blocks(line);
  line_hear_from_now(line, now_ns);
  line_tell(line, DSHIM_EV_LINE_UP, now_ns, line->lifted, chan->capabilities, stats.signalling);
}

bool line_card_gone(int result) {
  return result == -ENODEV || result == -EIO || result == -ENXIO || result == -EBADF;
}

/* Events first: with one pending, the kernel refuses to read and write. Returns false when the line is lost. */
static bool drain_events(struct line *line, int64_t now_ns) {
  struct chan_event event;
  int result;
  while ((result = line->chan->ops->event(line->chan, now_ns, &event)) == 1) {
    if (event.kind == CHAN_EV_REMOVED) {
      line_went_down(line, now_ns, ENODEV, DSHIM_STAGE_REMOVED);
      return false;
    }
    take_event(line, now_ns, &event);
  }
  if (!line_card_gone(result)) return true;
  line_went_down(line, now_ns, -result, DSHIM_STAGE_REMOVED);
  return false;
}

static void tell_sim(struct line *line, int64_t now_ns) {
  uint32_t sequence;
  int32_t result;
  while (sim_phone_done(&line->sim->phone, &sequence, &result)) line_command_done(line, now_ns, sequence, result);
  if (sim_phone_mic_low(&line->sim->phone)) line_tell(line, DSHIM_EV_MIC_LOW, now_ns, 0, 0, 0);
}

void line_service(struct line *line, int64_t now_ns) {
  if (!line->up && now_ns >= line->reopen_ns) bring_up(line, now_ns);
  if (line->up && drain_events(line, now_ns)) {
    line_retry_wanted(line, now_ns);
    line_ring_on(line, now_ns);
    line_data_on(line, now_ns);
    line_hook_look(line, now_ns);
    if (line_send_blocks(line, now_ns) && line_receive_blocks(line, now_ns) && drain_events(line, now_ns)) {
      line_read_voltage(line, now_ns);
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
