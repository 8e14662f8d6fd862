/*
 * line_data.c — what a telephone's display is told: samples that take the place of the playout for their time.
 *
 *   after a burst    bell ▁▁████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁████▁     before ringing   polarity ▔▔╲▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁╱
 *                    data ▁▁▁▁▁▁[silence▒▒▒▒silence]▁                     data ▁▁▁▁[silence▒▒▒▒silence]
 *                                                                         bell ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁██
 *
 * The silences that a norm wants around the tones are samples too: their lengths are the caller's to know, and
 * exact.
 */
#include <errno.h>
#include <string.h>

#include "durations.h"
#include "engine.h"
#include "line.h"

/* The card's queue, and blocks that a stall held back: what on-hook transfer lasts longer than the samples. */
#define TRANSFER_MARGIN_MS 300

/* Lets the caller's thread have the room again. */
static void release_until(struct line_data *data, uint64_t position) {
  uint64_t at = spsc_read_position(&data->ring);
  if (position > at) spsc_release(&data->ring, position - at);
}

static void done(struct line *line, int64_t now_ns, bool whole) {
  struct line_data *data = &line->data;
  data->stage = DATA_NONE;
  release_until(data, data->known);
  line_tell(line, DSHIM_EV_DATA_DONE, now_ns, (int32_t)data->sequence, whole, 0);
}

void line_data_restore_polarity(struct line *line, int64_t now_ns) {
  if (!line->data.reversed) return;
  line->data.reversed = false;
  if (line->up) line->chan->ops->polarity(line->chan, now_ns, false);
}

void line_data_cut(struct line *line, int64_t now_ns) {
  struct line_data *data = &line->data;
  if (data->stage == DATA_NONE) return;
  /* What waits in the card is data as well, and would be heard by whoever lifted the telephone. */
  if (data->stage != DATA_AWAITS_BURST) line_take_back(line, now_ns);
  done(line, now_ns, false);
  if (line->ring_sequence == 0) line_data_restore_polarity(line, now_ns);
}

void line_data_refuse(struct line *line, const struct data_span *span) {
  line->data.known = span->to;
  if (line->data.stage == DATA_NONE) release_until(&line->data, span->to);
}

/* What was sent before is over: its samples and those that nobody took are skipped. */
static void adopt(struct line_data *data, const struct data_span *span, uint32_t sequence) {
  release_until(data, span->from);
  data->known = span->to;
  data->span = *span;
  data->sequence = sequence;
}

void line_data_begin(struct line *line, int64_t now_ns) {
  struct line_data *data = &line->data;
  struct chan *chan = line->chan;
  if (!line->lifted) {
    if ((data->span.flags & DSHIM_DATA_REVERSE_POLARITY) != 0) {
      data->reversed = chan->ops->polarity(chan, now_ns, true) == 0;
    }
    int64_t samples = (int64_t)(data->span.to - data->span.from);
    /* Cards without the switch may let it through all the same: what cannot be switched is no reason to be silent.
     */
    chan->ops->on_hook_transfer(chan, now_ns, (int32_t)(samples * SAMPLE_NS / NS_PER_MS) + TRANSFER_MARGIN_MS);
  }
  data->stage = DATA_SENDING;
  int32_t waits_ms = (int32_t)(line->card_blocks * BLOCK_NS / NS_PER_MS);
  line_tell(line, DSHIM_EV_DATA_STARTED, now_ns, (int32_t)data->sequence, waits_ms, 0);
}

void line_data_take(struct line *line, int64_t now_ns, const struct data_span *span, uint32_t sequence) {
  adopt(&line->data, span, sequence);
  line->data.stage = DATA_AWAITS_BURST;
  if ((span->flags & DSHIM_DATA_BEFORE_RINGING) != 0) line_data_begin(line, now_ns);
}

bool line_data_block(struct line *line, int64_t now_ns, int16_t *block) {
  struct line_data *data = &line->data;
  if (data->stage != DATA_SENDING) return false;
  uint64_t left = data->span.to - spsc_read_position(&data->ring);
  int wanted = left < DSHIM_BLOCK_SAMPLES ? (int)left : DSHIM_BLOCK_SAMPLES;
  int count = spsc_read_samples(&data->ring, data->samples, DSHIM_DATA_RING_SAMPLES, block, wanted);
  memset(&block[count], 0, (size_t)(DSHIM_BLOCK_SAMPLES - count) * sizeof(*block));
  if (left > DSHIM_BLOCK_SAMPLES) return true;
  data->stage = DATA_LEAVING;
  data->gone_ns = line->chan->queues ? now_ns + (line->card_blocks + 1) * BLOCK_NS : now_ns;
  return true;
}

void line_data_on(struct line *line, int64_t now_ns) {
  struct line_data *data = &line->data;
  if (data->stage != DATA_LEAVING || now_ns < data->gone_ns) return;
  done(line, now_ns, true);
  if (line->wanted_sequence != 0) line_ring_wanted_now(line, now_ns);
  else if (line->ring_sequence == 0) line_data_restore_polarity(line, now_ns);
}

int64_t line_data_deadline(const struct line *line) {
  return line->data.stage == DATA_LEAVING ? line->data.gone_ns : INT64_MAX;
}

int line_data_send(struct line *line, int64_t now_ns, const struct data_span *span, bool lifted,
                   uint32_t sequence) {
  struct line_data *data = &line->data;
  int error = 0;
  if (!line->up) error = -ENODEV;
  else if (line->lifted != lifted || line->ring_sequence != 0 || line->wanted_sequence != 0) error = -EBUSY;
  else if (!lifted && data->stage != DATA_NONE) error = -EBUSY; /* a ring's own, after its last burst */
  if (error != 0) {
    line_data_refuse(line, span);
    return error;
  }
  if (data->stage != DATA_NONE) done(line, now_ns, false);
  adopt(data, span, sequence);
  line_command_done(line, now_ns, sequence, 0);
  line_data_begin(line, now_ns);
  return LINE_PENDING;
}
