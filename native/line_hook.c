/*
 * line_hook.c — the hook: what the driver tells of it, and what the loop shows by itself.
 *
 *   loop     ▔▔▔▔▔▔▔╲▁▁▁▁▁▁╱▔▔▔▔▔▔▔▔▔▔▔  a break: 15 to 200 ms a dial's pulse, up to flash_max_ms a flash
 *   loop     ▔▔▔▔▔▔▔╲▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  longer: on-hook, told when it is sure, dated when it began
 *                   ^ break_began_ns: seen by looking, for the driver tells breaks by their ends
 */
#include <errno.h>

#include "durations.h"
#include "engine.h"
#include "line.h"

#define EVENT_LOST_NS (200 * NS_PER_MS)

void line_hook_forget(struct line *line) {
  line->break_began_ns = 0;
  line->last_break_ns = 0;
  line->disagrees_ns = 0;
}

static void lift(struct line *line, int64_t now_ns) {
  if (line->lifted) return;
  uint32_t sequence = line->ring_sequence;
  if (sequence != 0) {
    line->chan->ops->ring(line->chan, now_ns, false);
    line_ring_done(line, now_ns, DSHIM_RING_ANSWERED, 0);
  }
  line_refuse_wanted(line, now_ns, -EBUSY);
  line_data_cut(line, now_ns);
  line->lifted = true;
  line_hook_forget(line);
  line->pulses_began_ns = 0;
  pulse_train_reset(&line->pulses);
  line_hear_from_now(line, now_ns);
  line_tell(line, DSHIM_EV_OFF_HOOK, now_ns, sequence != 0, (int32_t)sequence, 0);
}

static void hang_up(struct line *line, int64_t now_ns) {
  if (!line->lifted) return;
  /* The driver was sure only when no flash could come any more; the loop opened before that. */
  int64_t at_ns =
      line->break_began_ns > 0 ? line->break_began_ns : now_ns - line->engine->settings.flash_max_ms * NS_PER_MS;
  line_hear_the_end(line, at_ns);
  line_tell_tap(line, now_ns);
  line_data_cut(line, now_ns);
  line_play_until(line, now_ns, at_ns, DSHIM_PLAY_HUNG_UP);
  line->lifted = false;
  line_hook_forget(line);
  line_tell(line, DSHIM_EV_ON_HOOK, at_ns, 0, 0, 0);
}

static int64_t since_ms(int64_t began_ns, int64_t now_ns) {
  return began_ns > 0 ? (now_ns - began_ns) / NS_PER_MS : 0;
}

/* When the break began whose end the driver tells now; 0 it was too short to be seen. */
static int64_t break_of(const struct line *line) {
  return line->break_began_ns != 0 ? line->break_began_ns : line->last_break_ns;
}

static int32_t pulses_of(int32_t digit) {
  return digit == '0' ? 10 : digit == '*' ? 11 : digit == '#' ? 12 : digit - '0';
}

static void pulses_done(struct line *line, int64_t now_ns, int32_t digit) {
  struct pulse_measure measure = pulse_train_measure(&line->pulses, pulses_of(digit));
  /* The driver tells a quarter of a second after the last pulse, when no other can come. */
  int64_t ended_ns = line->pulses.closings > 0 ? line->pulses.closed_ns : now_ns;
  engine_push(line->engine, &(struct dshim_event){.time_ns = now_ns,
                                                  .kind = DSHIM_EV_PULSE_DIGIT,
                                                  .line = line->index,
                                                  .a = digit,
                                                  .b = (int32_t)since_ms(line->pulses_began_ns, ended_ns),
                                                  .c = measure.per_second_hundredths,
                                                  .d = measure.break_basis_points});
  line->pulses_began_ns = 0;
  line->last_break_ns = 0;
  pulse_train_reset(&line->pulses);
}

static void flashed(struct line *line, int64_t now_ns) {
  line_tell(line, DSHIM_EV_FLASH, now_ns, (int32_t)since_ms(break_of(line), now_ns), 0, 0);
  line_hook_forget(line);
  pulse_train_reset(&line->pulses);
}

void line_hook_event(struct line *line, int64_t now_ns, const struct chan_event *event) {
  switch (event->kind) {
  case CHAN_EV_OFF_HOOK:
    lift(line, now_ns);
    break;
  case CHAN_EV_ON_HOOK:
    hang_up(line, now_ns);
    break;
  case CHAN_EV_FLASH:
    flashed(line, now_ns);
    break;
  case CHAN_EV_PULSE_START:
    line->pulses_began_ns = break_of(line) > 0 ? break_of(line) : now_ns;
    line_tell(line, DSHIM_EV_PULSE_START, line->pulses_began_ns, 0, 0, 0);
    line->barged_in |= DSHIM_BARGE_DTMF;
    line->barged_digit = 0;
    line_play_barge(line, now_ns);
    break;
  case CHAN_EV_PULSE_DIGIT:
    pulses_done(line, now_ns, event->value);
    break;
  default:
    break;
  }
}

/* The driver queues 64 events and drops the rest: where the loop says otherwise for long, the loop is right. */
void line_hook_look(struct line *line, int64_t now_ns) {
  struct chan_stats stats;
  if (line->chan->ops->stats(line->chan, now_ns, false, &stats) < 0) return;
  bool open = !stats.lifted;
  if (line->lifted) pulse_train_look(&line->pulses, now_ns, open);
  if (open == line->lifted) {
    if (line->disagrees_ns == 0) line->disagrees_ns = now_ns;
  } else {
    line->disagrees_ns = 0;
  }
  if (line->lifted) {
    /* Closed already, and the event that says what the break was comes next. */
    if (line->break_began_ns != 0) line->last_break_ns = line->break_began_ns;
    line->break_began_ns = line->disagrees_ns;
  }
  if (line->disagrees_ns == 0) return;
  int64_t for_ns = now_ns - line->disagrees_ns;
  if (line->lifted && for_ns > line->engine->settings.flash_max_ms * NS_PER_MS + EVENT_LOST_NS) {
    hang_up(line, now_ns);
  } else if (!line->lifted && for_ns > EVENT_LOST_NS) {
    lift(line, now_ns);
  }
}
