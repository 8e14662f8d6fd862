/* line_play.c — what a line is told: its lanes on their way through the card, and what cuts them short. */
#include <errno.h>

#include "durations.h"
#include "engine.h"
#include "line.h"

static void tell(void *context, struct dshim_event event) {
  struct line *line = context;
  event.line = line->index;
  if (event.time_ns == 0) event.time_ns = engine_now_ns(line->engine);
  engine_push(line->engine, &event);
}

void line_play_block(struct line *line) {
  int32_t beside[DSHIM_BLOCK_SAMPLES] = {0};
  bool bridged = bridge_add(&line->bridge, beside);
  lanes_block(&line->lanes, line->block, bridged ? beside : NULL, line, tell);
}

void line_play_heard(struct line *line, int64_t now_ns) { lanes_heard(&line->lanes, now_ns, line, tell); }

void line_take_back(struct line *line, int64_t now_ns) {
  int32_t blocks = line->block_made ? 1 : 0;
  line->block_made = false;
  if (line->up && line->chan->ops->flush(line->chan, now_ns) == 0) {
    blocks += line->card_blocks;
    line->card_blocks = 0;
    line_tap_flushed(&line->tap);
  }
  lanes_take_back(&line->lanes, blocks);
}

/* A card gives back all that waits in it, and of the block that it is sending the rest: who else sounds there
 * would have a gap. */
static void take_back_lane(struct line *line, int64_t now_ns, int32_t lane) {
  uint32_t sounding = lanes_in_flight(&line->lanes);
  if (sounding == 1U << lane) line_take_back(line, now_ns);
}

static void cut(struct line *line, int64_t now_ns, int32_t lane, uint64_t position, enum dshim_play_end end,
                int32_t digit) {
  take_back_lane(line, now_ns, lane);
  struct playout_cut how = {.end = end, .digit = digit, .at_ns = now_ns, .fades = true};
  playout_flush(&line->lanes.lane[lane], position, &how, line, tell);
}

int line_play_flush(struct line *line, int64_t now_ns, int32_t lane, uint64_t position) {
  cut(line, now_ns, lane, position, DSHIM_PLAY_FLUSHED, 0);
  return 0;
}

int line_play_hold(struct line *line, int64_t now_ns, int32_t lane, bool held) {
  if (held) take_back_lane(line, now_ns, lane);
  playout_hold(&line->lanes.lane[lane], held);
  return 0;
}

int line_talk(struct line *line, int64_t now_ns, int32_t lane, uint64_t position, int32_t target, int32_t max) {
  cut(line, now_ns, lane, position, DSHIM_PLAY_FLUSHED, 0);
  talker_open(&line->lanes.lane[lane].talker, target, max);
  return 0;
}

void line_play_until(struct line *line, int64_t now_ns, int64_t heard_until_ns, enum dshim_play_end end) {
  line_take_back(line, now_ns);
  struct playout_cut how = {.end = end, .unheard = (now_ns - heard_until_ns) / SAMPLE_NS, .at_ns = heard_until_ns};
  lanes_end(&line->lanes, &how, line, tell);
  line->barged_in = 0;
}

void line_play_barge(struct line *line, int64_t now_ns) {
  if (line->barged_in == 0) return;
  for (int32_t i = 0; i < DSHIM_LANES; i++) {
    struct playout *lane = &line->lanes.lane[i];
    int32_t by = lane->started_barge & line->barged_in;
    if (lane->started_id == 0 || lane->held || by == 0) continue;
    bool key = (by & DSHIM_BARGE_DTMF) != 0;
    uint64_t written = atomic_load_explicit(&lane->ring.written, memory_order_acquire);
    cut(line, now_ns, i, written, key ? DSHIM_PLAY_BARGED_DTMF : DSHIM_PLAY_BARGED_VOICE,
        key ? line->barged_digit : 0);
  }
  line->barged_in = 0;
}
