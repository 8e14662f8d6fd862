/* line_ring.c — a line's bell: asked for, retried while the card is busy, timed, ended. */
#include <errno.h>

#include "durations.h"
#include "line.h"

#define RING_RETRY_NS    (50 * NS_PER_MS)
#define RING_PATIENCE_NS (1000 * NS_PER_MS) /* a kewl disconnect keeps the card busy for 800 ms */

void line_ring_done(struct line *line, int64_t now_ns, enum dshim_ring_end end, int error) {
  uint32_t sequence = line->ring_sequence;
  if (sequence == 0) return;
  line->ring_sequence = 0;
  line->cadence.active = false;
  line->stats.ringing = 0;
  line_tell(line, DSHIM_EV_RING_DONE, now_ns, end, error, (int32_t)sequence);
  if (line->data.stage == DATA_AWAITS_BURST) line_data_cut(line, now_ns);
  line_data_restore_polarity(line, now_ns);
}

/* A ring that the card has not accepted yet will not be. */
void line_refuse_wanted(struct line *line, int64_t now_ns, int error) {
  uint32_t sequence = line->wanted_sequence;
  if (sequence == 0) return;
  line->wanted_sequence = 0;
  line_command_done(line, now_ns, sequence, error);
}

static int begin_ring(struct line *line, int64_t now_ns, const struct ring_cadence *cadence, uint32_t sequence) {
  int result = line->chan->ops->ring(line->chan, now_ns, true);
  if (result < 0) return result;
  line->cadence = *cadence;
  line->ring_sequence = sequence;
  line->stats.ringing = 1;
  ring_cadence_start(&line->cadence, now_ns);
  line_command_done(line, now_ns, sequence, 0);
  line_tell(line, DSHIM_EV_RING_BURST, now_ns, 0, 1, 0);
  return LINE_PENDING;
}

static void want(struct line *line, const struct ring_cadence *cadence, uint32_t sequence) {
  line->wanted = *cadence;
  line->wanted_sequence = sequence;
}

int line_ring(struct line *line, int64_t now_ns, const struct ring_cadence *cadence, const struct data_span *data,
              uint32_t sequence) {
  if (!line->up || line->lifted) {
    line_data_refuse(line, data);
    return line->up ? -EBUSY : -ENODEV;
  }
  line_refuse_wanted(line, now_ns, -ECANCELED);
  line_data_cut(line, now_ns);
  if (line->ring_sequence != 0) {
    /* Replaced: quiet first, so that the new cadence's first burst is a burst of its own. */
    line->chan->ops->ring(line->chan, now_ns, false);
    line_ring_done(line, now_ns, DSHIM_RING_STOPPED, 0);
  }
  if (data->to > data->from) line_data_take(line, now_ns, data, sequence);
  if (line->data.stage == DATA_SENDING) {
    want(line, cadence, sequence);
    line->wanted_retry_ns = INT64_MAX;
    return LINE_PENDING;
  }
  int result = begin_ring(line, now_ns, cadence, sequence);
  if (result == -EBUSY) {
    want(line, cadence, sequence);
    line->wanted_retry_ns = now_ns + RING_RETRY_NS;
    line->wanted_until_ns = now_ns + RING_PATIENCE_NS;
    return LINE_PENDING;
  }
  if (result < 0) line_data_cut(line, now_ns);
  return result;
}

void line_ring_wanted_now(struct line *line, int64_t now_ns) {
  line->wanted_retry_ns = now_ns;
  line->wanted_until_ns = now_ns + RING_PATIENCE_NS;
}

void line_retry_wanted(struct line *line, int64_t now_ns) {
  if (line->wanted_sequence == 0 || now_ns < line->wanted_retry_ns) return;
  line->wanted_retry_ns = now_ns + RING_RETRY_NS;
  int result = line->lifted ? -EBUSY : begin_ring(line, now_ns, &line->wanted, line->wanted_sequence);
  if (result == LINE_PENDING) line->wanted_sequence = 0;
  else if (result != -EBUSY || line->lifted || now_ns >= line->wanted_until_ns) {
    line_refuse_wanted(line, now_ns, result);
    line_data_cut(line, now_ns);
    line_data_restore_polarity(line, now_ns);
  }
}

static int silence(struct line *line, int64_t now_ns, int refusal, enum dshim_ring_end end, int error) {
  line_refuse_wanted(line, now_ns, refusal);
  if (line->data.stage != DATA_NONE && !line->lifted) line_data_cut(line, now_ns);
  if (line->ring_sequence == 0) return 0;
  int result = line->up ? line->chan->ops->ring(line->chan, now_ns, false) : 0;
  line_ring_done(line, now_ns, end, error);
  return result;
}

int line_ring_stop(struct line *line, int64_t now_ns) {
  return silence(line, now_ns, -ECANCELED, DSHIM_RING_STOPPED, 0);
}

void line_ring_abandon(struct line *line, int64_t now_ns) {
  silence(line, now_ns, -ETIMEDOUT, DSHIM_RING_ERROR, ETIMEDOUT);
}

void line_ring_on(struct line *line, int64_t now_ns) {
  for (;;) {
    bool was_on = line->cadence.on;
    enum ring_action action = ring_cadence_step(&line->cadence, now_ns);
    if (action == RING_NOTHING) return;
    bool on = action == RING_ON;
    if (on && line->data.stage != DATA_AWAITS_BURST) line_data_cut(line, now_ns);
    int result = line->chan->ops->ring(line->chan, now_ns, on);
    line_tell(line, DSHIM_EV_RING_BURST, now_ns, line->cadence.burst_number, on ? 1 : 0, 0);
    if (was_on && line->data.stage == DATA_AWAITS_BURST &&
        line->cadence.burst_number >= line->data.span.after_burst) {
      line_data_begin(line, now_ns);
    }
    if (result < 0 && result != -EBUSY) line_ring_done(line, now_ns, DSHIM_RING_ERROR, -result);
    else if (action == RING_FINISHED) line_ring_done(line, now_ns, DSHIM_RING_COMPLETED, 0);
    else if (action == RING_CAPPED) line_ring_done(line, now_ns, DSHIM_RING_DURATION, 0);
  }
}
