#include "playout.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define SAMPLE_NS 125000LL

int playout_mark(struct playout *playout, int32_t id, bool begin, uint64_t position) {
  if (playout->mark_count == PLAYOUT_MARKS) return -ENOSPC;
  playout->marks[playout->mark_count++] =
      (struct playout_mark){.position = position, .due_block = -1, .id = id, .begin = begin};
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
static void reach_marks(struct playout *playout, uint64_t from, uint64_t to, int32_t lead, int32_t queue_blocks) {
  for (int i = 0; i < playout->mark_count; i++) {
    struct playout_mark *mark = &playout->marks[i];
    if (mark->due_block >= 0) continue;
    if (!reached(playout, i, to)) return;
    mark->due_block = playout->blocks + queue_blocks;
    mark->offset = lead + (mark->position > from ? (int32_t)(mark->position - from) : 0);
    playout->open_id = mark->begin ? mark->id : 0;
  }
}

void playout_block(struct playout *playout, int16_t *block, int32_t queue_blocks, void *context,
                   playout_tell *tell) {
  uint64_t from = spsc_read_position(&playout->ring);
  int lead = playout->fade_count;
  memcpy(block, playout->fade, (size_t)lead * sizeof(*block));
  playout->fade_count = 0;
  int count = spsc_read_samples(&playout->ring, playout->samples, DSHIM_PLAY_RING_SAMPLES, &block[lead],
                                DSHIM_BLOCK_SAMPLES - lead);
  for (int i = 0; i < count; i++) playout->history[(from + (uint64_t)i) & (PLAYOUT_HISTORY - 1)] = block[lead + i];
  count += lead;
  memset(&block[count], 0, (size_t)(DSHIM_BLOCK_SAMPLES - count) * sizeof(*block));
  reach_marks(playout, from, from + (uint64_t)(count - lead), lead, queue_blocks);
  if (playout->open_id != 0 && count < DSHIM_BLOCK_SAMPLES) playout->underruns++;
  if (spsc_readable(&playout->ring) >= DSHIM_PLAY_RING_SAMPLES / 2) {
    playout->low_told = false;
  } else if (playout->open_id != 0 && !playout->low_told) {
    playout->low_told = true;
    tell(context, DSHIM_EV_PLAY_LOW, 0, 0, 0, 0);
  }
}

void playout_heard(struct playout *playout, int64_t now_ns, void *context, playout_tell *tell) {
  while (playout->mark_count > 0) {
    struct playout_mark mark = playout->marks[0];
    if (mark.due_block < 0 || mark.due_block > playout->blocks) break;
    drop_first_mark(playout);
    int64_t at_ns = now_ns - (DSHIM_BLOCK_SAMPLES - mark.offset) * SAMPLE_NS;
    if (mark.begin) {
      playout->started_id = mark.id;
      playout->started_position = mark.position;
      tell(context, DSHIM_EV_PLAY_STARTED, mark.id, 0, 0, at_ns);
    } else {
      playout->started_id = 0;
      tell(context, DSHIM_EV_PLAY_DONE, mark.id, DSHIM_PLAY_COMPLETED,
           (int32_t)(mark.position - playout->started_position), at_ns);
    }
  }
  playout->blocks++;
}

/* The 5 ms after what was heard, on their way to silence by half a cosine. */
static void fade_out(struct playout *playout, uint64_t heard) {
  uint64_t taken = spsc_read_position(&playout->ring);
  uint64_t written = taken + spsc_readable(&playout->ring);
  for (int i = 0; i < PLAYOUT_FADE; i++) {
    uint64_t at = heard + (uint64_t)i;
    int16_t sample = 0;
    if (at < taken) sample = playout->history[at & (PLAYOUT_HISTORY - 1)];
    else if (at < written) sample = playout->samples[at & (DSHIM_PLAY_RING_SAMPLES - 1)];
    float gain = 0.5F + 0.5F * cosf((float)M_PI * (float)(i + 1) / PLAYOUT_FADE);
    playout->fade[i] = (int16_t)lrintf((float)sample * gain);
  }
  playout->fade_count = PLAYOUT_FADE;
}

void playout_flush(struct playout *playout, uint64_t position, int32_t unheard, enum dshim_play_end end,
                   int64_t now_ns, void *context, playout_tell *tell) {
  uint64_t at = spsc_read_position(&playout->ring);
  uint64_t back = (uint64_t)unheard < at ? (uint64_t)unheard : at;
  playout->fade_count = 0;
  if (end == DSHIM_PLAY_FLUSHED && playout->open_id != 0 && back < PLAYOUT_HISTORY) fade_out(playout, at - back);
  if (playout->started_id != 0) {
    uint64_t heard = at - playout->started_position;
    heard -= (uint64_t)unheard < heard ? (uint64_t)unheard : heard;
    tell(context, DSHIM_EV_PLAY_DONE, playout->started_id, end, (int32_t)heard, now_ns);
    playout->started_id = 0;
  }
  if (position > at) spsc_release(&playout->ring, position - at);
  while (playout->mark_count > 0 && playout->marks[0].position <= position) drop_first_mark(playout);
  playout->open_id = 0;
  playout->low_told = false;
}
