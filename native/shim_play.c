/* shim_play.c — the calls of dahdi_shim.h that say what a line is told. */
#include <errno.h>

#include "engine.h"

#define SAMPLES_PER_MS (DSHIM_SAMPLE_RATE_HZ / 1000)
#define LONGEST_MS     1000 /* fits DSHIM_TALK_RING_SAMPLES */

static struct playout *lane_of(struct dshim_engine *engine, int line, int lane) {
  struct line *found = engine_line(engine, line);
  return found && lane >= 0 && lane < DSHIM_LANES ? &found->lanes.lane[lane] : NULL;
}

static int submit(struct dshim_engine *engine, int line, int lane, struct command command) {
  if (!lane_of(engine, line, lane)) return -EINVAL;
  command.lane = lane;
  return engine_submit(engine, line, &command);
}

static int mark(struct dshim_engine *engine, int line, int lane, int id, bool begin, double position) {
  if (id < 1 || !(position >= 0.0)) return -EINVAL;
  return submit(
      engine, line, lane,
      (struct command){.kind = CMD_PLAY_MARK, .value = id, .begin = begin, .position = (uint64_t)position});
}

int dshim_play_begin(struct dshim_engine *engine, int line, int lane, int id, double position) {
  return mark(engine, line, lane, id, true, position);
}

int dshim_play_end(struct dshim_engine *engine, int line, int lane, int id, double position) {
  return mark(engine, line, lane, id, false, position);
}

int dshim_play_write(struct dshim_engine *engine, int line, int lane, const int16_t *samples, int count) {
  struct playout *found = lane_of(engine, line, lane);
  return found && count >= 0 ? lanes_write(found, samples, count) : -EINVAL;
}

double dshim_play_position(struct dshim_engine *engine, int line, int lane) {
  struct playout *found = lane_of(engine, line, lane);
  return found ? (double)spsc_write_position(&found->ring) : 0.0;
}

int dshim_play_flush(struct dshim_engine *engine, int line, int lane) {
  struct playout *found = lane_of(engine, line, lane);
  if (!found) return -EINVAL;
  uint64_t position = spsc_write_position(&found->ring);
  return submit(engine, line, lane, (struct command){.kind = CMD_PLAY_FLUSH, .position = position});
}

int dshim_play_skip(struct dshim_engine *engine, int line, int lane, double position) {
  struct playout *found = lane_of(engine, line, lane);
  if (!found || !(position >= 0.0)) return -EINVAL;
  return submit(engine, line, lane,
                (struct command){.kind = CMD_PLAY_SKIP,
                                 .position = (uint64_t)position,
                                 .until = spsc_write_position(&found->ring)});
}

int dshim_play_hold(struct dshim_engine *engine, int line, int lane, int held) {
  return submit(engine, line, lane, (struct command){.kind = CMD_PLAY_HOLD, .value = held});
}

int dshim_play_barge(struct dshim_engine *engine, int line, int lane, int id, int flags) {
  if ((flags & ~(DSHIM_BARGE_DTMF | DSHIM_BARGE_VOICE)) != 0) return -EINVAL;
  return submit(engine, line, lane, (struct command){.kind = CMD_PLAY_BARGE, .value = id, .flags = flags});
}

static int talk(struct dshim_engine *engine, int line, int lane, int target_ms, int32_t max) {
  struct playout *found = lane_of(engine, line, lane);
  if (!found || lane < DSHIM_FIRST_TALKER) return -EINVAL;
  return submit(engine, line, lane,
                (struct command){.kind = CMD_TALK,
                                 .target = target_ms * SAMPLES_PER_MS,
                                 .max = max,
                                 .position = spsc_write_position(&found->ring)});
}

int dshim_talk_open(struct dshim_engine *engine, int line, int lane, int target_ms, int max_ms) {
  if (target_ms < 0 || target_ms > (max_ms == 0 ? LONGEST_MS : max_ms)) return -EINVAL;
  if (max_ms == 0) return talk(engine, line, lane, target_ms, TALKER_KEEPS_ALL);
  if (max_ms < DSHIM_BLOCK_SAMPLES / SAMPLES_PER_MS || max_ms > LONGEST_MS) return -EINVAL;
  return talk(engine, line, lane, target_ms, max_ms * SAMPLES_PER_MS);
}

int dshim_talk_close(struct dshim_engine *engine, int line, int lane) { return talk(engine, line, lane, 0, 0); }

int dshim_talk_stats(struct dshim_engine *engine, int line, int lane, struct dshim_talk_stats *out) {
  struct playout *found = lane_of(engine, line, lane);
  if (!found || lane < DSHIM_FIRST_TALKER) return -EINVAL;
  struct talker *talker = &found->talker;
  *out = (struct dshim_talk_stats){
      .underruns = atomic_load_explicit(&talker->underruns, memory_order_relaxed),
      .late_samples = atomic_load_explicit(&talker->late, memory_order_relaxed),
      .dropped_samples = atomic_load_explicit(&talker->dropped, memory_order_relaxed),
      .queued_samples = (int32_t)(found->capacity - spsc_writable(&found->ring, found->capacity)),
  };
  return 0;
}

int dshim_bridge(struct dshim_engine *engine, int line, int number) {
  if (number < 0) return -EINVAL;
  return engine_submit(engine, line, &(struct command){.kind = CMD_BRIDGE, .value = number});
}
