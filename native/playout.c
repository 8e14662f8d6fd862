#include "playout.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "durations.h"

#define PLACE(n) ((n) & (PLAYOUT_IN_FLIGHT - 1))

void playout_init(struct playout *playout, int32_t lane, int16_t *samples, uint64_t capacity) {
  playout->lane = lane;
  playout->samples = samples;
  playout->capacity = capacity;
}

/* ---- marks ----------------------------------------------------------------------------------- */

int playout_mark(struct playout *playout, int32_t id, bool begin, uint64_t position) {
  if (playout->mark_count == PLAYOUT_MARKS) return -ENOSPC;
  playout->marks[playout->mark_count++] =
      (struct playout_mark){.position = position, .due_block = -1, .id = id, .begin = begin};
  return 0;
}

int playout_barge_on(struct playout *playout, int32_t id, int32_t flags) {
  for (int i = 0; i < playout->mark_count; i++) {
    struct playout_mark *mark = &playout->marks[i];
    if (mark->id != id || !mark->begin) continue;
    mark->barge = flags;
    return 0;
  }
  if (playout->started_id != id) return -ENOENT;
  playout->started_barge = flags;
  return 0;
}

static void drop_first_mark(struct playout *playout) {
  playout->mark_count--;
  memmove(&playout->marks[0], &playout->marks[1], sizeof(playout->marks[0]) * (size_t)playout->mark_count);
}

/* A begin is reached with its first sample and not before: its samples may still be on their way. One that has
 * none is reached at once. */
static bool reached(const struct playout *playout, int i, uint64_t to) {
  const struct playout_mark *mark = &playout->marks[i];
  if (!mark->begin) return mark->position <= to;
  if (mark->position < to) return true;
  const struct playout_mark *next = i + 1 < playout->mark_count ? &playout->marks[i + 1] : NULL;
  return mark->position == to && next && !next->begin && next->position == to;
}

/* lead: samples of the block before those from `from` on. */
static void reach_marks(struct playout *playout, uint64_t from, int32_t lead, int64_t number) {
  for (int i = 0; i < playout->mark_count; i++) {
    struct playout_mark *mark = &playout->marks[i];
    if (mark->due_block >= 0) continue;
    if (!reached(playout, i, playout->taken)) return;
    mark->due_block = number;
    uint64_t skipped = playout_skips_between(&playout->skips, from, mark->position);
    mark->offset = lead + (mark->position > from ? (int32_t)(mark->position - from - skipped) : 0);
    playout->open_id = mark->begin ? mark->id : 0;
  }
}

static void tell_mark(struct playout *playout, enum dshim_event_kind kind, int32_t id, int64_t time_ns,
                      void *context, playout_tell *tell) {
  tell(context, (struct dshim_event){.kind = kind, .a = id, .d = playout->lane, .time_ns = time_ns});
}

static void tell_done(struct playout *playout, int32_t id, int64_t samples, const struct playout_cut *cut,
                      void *context, playout_tell *tell) {
  tell(context, (struct dshim_event){.kind = DSHIM_EV_PLAY_DONE,
                                     .a = id,
                                     .b = (int32_t)cut->end,
                                     .c = (int32_t)(samples > 0 ? samples : 0),
                                     .d = playout->lane | cut->digit << 8,
                                     .time_ns = cut->at_ns});
}

/* ---- a block --------------------------------------------------------------------------------- */

static uint64_t to_come(struct playout *playout) {
  return atomic_load_explicit(&playout->ring.written, memory_order_acquire) - playout->taken;
}

bool playout_idle(struct playout *playout) {
  return playout->mark_count == 0 && playout->fade_count == 0 && playout->open_id == 0 &&
         playout->talker.max == 0 && !playout->sounding && to_come(playout) == 0;
}

static float fading(int i) { return 0.5F + 0.5F * cosf((float)M_PI * (float)(i + 1) / PLAYOUT_FADE); }

static int16_t scaled(int16_t sample, float gain) { return (int16_t)lrintf((float)sample * gain); }

/* The 5 ms that would be heard next, on their way to silence by half a cosine. */
static void fade_out(struct playout *playout) {
  uint64_t left = to_come(playout);
  for (int i = 0; i < PLAYOUT_FADE; i++) {
    uint64_t at = playout->taken + (uint64_t)i;
    int16_t sample = (uint64_t)i < left ? playout->samples[at & (playout->capacity - 1)] : 0;
    playout->fade[i] = scaled(sample, fading(i));
  }
  playout->fade_count = PLAYOUT_FADE;
  playout->fade_in = 0;
}

static int take_samples(struct playout *playout, int16_t *block, int room) {
  uint64_t written = playout->taken + to_come(playout);
  int count = 0;
  for (; count < room; count++) {
    playout->taken = playout_skips_over(&playout->skips, playout->taken);
    if (playout->taken == written) break;
    int16_t sample = playout->samples[playout->taken++ & (playout->capacity - 1)];
    if (playout->fade_in > 0) sample = scaled(sample, 1.0F - fading(PLAYOUT_FADE - playout->fade_in--));
    block[count] = playout->last = sample;
  }
  return count;
}

static int take_fade(struct playout *playout, int16_t *block, int room) {
  int count = playout->fade_count < room ? playout->fade_count : room;
  memcpy(block, playout->fade, (size_t)count * sizeof(*block));
  playout->fade_count -= count;
  memmove(playout->fade, &playout->fade[count], (size_t)playout->fade_count * sizeof(*block));
  return count;
}

/* What stops without having come to rest: its last sample is let fall to silence. */
static void let_fall(struct playout *playout) {
  if (abs(playout->last) < PLAYOUT_STEP) return;
  for (int i = 0; i < PLAYOUT_FADE; i++) playout->fade[i] = scaled(playout->last, fading(i));
  playout->fade_count = PLAYOUT_FADE;
}

static int take_talk(struct playout *playout, int16_t *block, int room) {
  struct talker *talker = &playout->talker;
  bool was_dry = talker->dry;
  uint64_t drop;
  int32_t wanted = talker_take(talker, to_come(playout), room, &drop);
  int count = 0;
  if (drop > 0) {
    if (!was_dry) {
      fade_out(playout);
      count = take_fade(playout, block, room);
    }
    playout->taken += drop;
  }
  if (drop > 0 || (was_dry && !talker->dry)) playout->fade_in = PLAYOUT_FADE;
  if (count + wanted > room) wanted = room - count;
  count += take_samples(playout, &block[count], wanted);
  if (!was_dry && talker->dry) {
    let_fall(playout);
    count += take_fade(playout, &block[count], room - count);
  }
  return count;
}

/* A sound that ends in the middle of a wave, or whose next samples have not come: nothing follows at once. */
static int take_queued(struct playout *playout, int16_t *block, int room) {
  int count = take_samples(playout, block, room);
  if (count > 0) playout->sounding = true;
  if (count == room || !playout->sounding) return count;
  playout->sounding = false;
  let_fall(playout);
  return count + take_fade(playout, &block[count], room - count);
}

static void tell_low(struct playout *playout, void *context, playout_tell *tell) {
  if (to_come(playout) >= playout->capacity / 2) {
    playout->low_told = false;
  } else if (playout->open_id != 0 && !playout->low_told) {
    playout->low_told = true;
    tell_mark(playout, DSHIM_EV_PLAY_LOW, 0, 0, context, tell);
  }
}

bool playout_block(struct playout *playout, int16_t *block, int64_t number, void *context, playout_tell *tell) {
  uint64_t from = playout->taken;
  int lead = take_fade(playout, block, DSHIM_BLOCK_SAMPLES);
  int count = lead;
  if (!playout->held && !playout->barged) {
    int room = DSHIM_BLOCK_SAMPLES - lead;
    count += playout->talker.max > 0 ? take_talk(playout, &block[lead], room)
                                     : take_queued(playout, &block[lead], room);
    reach_marks(playout, from, lead, number);
    if (playout->open_id != 0 && playout->taken - from < (uint64_t)room) playout->underruns++;
    tell_low(playout, context, tell);
  }
  playout->from[PLACE(number)] = from;
  playout->to[PLACE(number)] = playout->taken;
  memset(&block[count], 0, (size_t)(DSHIM_BLOCK_SAMPLES - count) * sizeof(*block));
  return count > 0 || playout->taken > from; /* what was skipped is released when this block was heard */
}

static void release_until(struct playout *playout, uint64_t position) {
  uint64_t at = spsc_read_position(&playout->ring);
  if (position > at) spsc_release(&playout->ring, position - at);
  playout_skips_passed(&playout->skips, position);
}

void playout_heard(struct playout *playout, int64_t number, bool took, int64_t now_ns, void *context,
                   playout_tell *tell) {
  if (took) release_until(playout, playout->to[PLACE(number)]);
  while (playout->mark_count > 0) {
    struct playout_mark mark = playout->marks[0];
    if (mark.due_block < 0 || mark.due_block > number) break;
    drop_first_mark(playout);
    int64_t at_ns = now_ns - (DSHIM_BLOCK_SAMPLES - mark.offset) * SAMPLE_NS;
    if (mark.begin) {
      playout->started_id = mark.id;
      playout->started_barge = mark.barge;
      playout->started_position = mark.position;
      tell_mark(playout, DSHIM_EV_PLAY_STARTED, mark.id, at_ns, context, tell);
    } else {
      playout->started_id = 0;
      playout->started_barge = 0;
      tell_done(playout, mark.id, (int64_t)(mark.position - playout->started_position),
                &(struct playout_cut){.end = DSHIM_PLAY_COMPLETED, .at_ns = at_ns}, context, tell);
    }
  }
}

/* ---- what changes its course ------------------------------------------------------------------ */

void playout_take_back(struct playout *playout, int64_t number, int64_t where) {
  if (where >= 0) {
    uint64_t from = playout->from[PLACE(where)];
    uint64_t released = spsc_read_position(&playout->ring); /* by a flush: those come no more */
    playout->taken = from > released ? from : released;
  }
  for (int i = 0; i < playout->mark_count; i++) {
    if (playout->marks[i].due_block >= number) playout->marks[i].due_block = -1;
  }
  playout->open_id = playout->started_id;
  for (int i = 0; i < playout->mark_count && playout->marks[i].due_block >= 0; i++) {
    playout->open_id = playout->marks[i].begin ? playout->marks[i].id : 0;
  }
}

void playout_flush(struct playout *playout, uint64_t position, const struct playout_cut *cut, void *context,
                   playout_tell *tell) {
  bool sounds = playout->talker.max > 0 ? !playout->talker.dry : playout->open_id != 0;
  if (!cut->fades) playout->fade_count = 0;
  else if (sounds && !playout->held && !playout->barged) fade_out(playout);
  if (playout->started_id != 0) {
    uint64_t from = playout->started_position;
    uint64_t skipped = playout_skips_between(&playout->skips, from, playout->taken);
    int64_t heard = (int64_t)(playout->taken - from - skipped) - cut->unheard;
    tell_done(playout, playout->started_id, heard, cut, context, tell);
  }
  playout->started_id = 0;
  playout->started_barge = 0;
  if (position > playout->taken) playout->taken = position;
  playout->skips.count = 0;
  release_until(playout, playout->taken);
  while (playout->mark_count > 0 && playout->marks[0].position <= position) drop_first_mark(playout);
  playout->open_id = 0;
  playout->fade_in = 0;
  playout->low_told = false;
  playout->sounding = false;
  playout->barged = cut->end == DSHIM_PLAY_BARGED_DTMF || cut->end == DSHIM_PLAY_BARGED_VOICE;
  talker_flushed(&playout->talker);
}

int playout_skip(struct playout *playout, uint64_t from, uint64_t to) {
  if (from < playout->taken) return -EALREADY;
  if (from >= to) return 0;
  int result = playout_skips_add(&playout->skips, from, to);
  if (result < 0) return result;
  int kept = 0;
  for (int i = 0; i < playout->mark_count; i++) {
    struct playout_mark mark = playout->marks[i];
    if (mark.begin ? mark.position < from : mark.position <= from) playout->marks[kept++] = mark;
  }
  playout->mark_count = kept;
  return 0;
}

void playout_hold(struct playout *playout, bool held) {
  if (held == playout->held) return;
  bool sounds = playout->talker.max > 0 ? !playout->talker.dry : playout->open_id != 0;
  if (held && sounds) fade_out(playout);
  playout->held = held;
  if (!held && sounds) playout->fade_in = PLAYOUT_FADE;
}
