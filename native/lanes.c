#include "lanes.h"

#include <string.h>

#define PLACE(n) ((n) & (PLAYOUT_IN_FLIGHT - 1))

void lanes_init(struct lanes *lanes) {
  for (int i = 0; i < DSHIM_LANES; i++) {
    struct playout *lane = &lanes->lane[i];
    if (i >= DSHIM_FIRST_TALKER) {
      playout_init(lane, i, lanes->talkers[i - DSHIM_FIRST_TALKER], DSHIM_TALK_RING_SAMPLES);
    } else if (i > 0) {
      playout_init(lane, i, lanes->overlays[i - 1], DSHIM_OVERLAY_RING_SAMPLES);
    } else {
      playout_init(lane, i, lanes->queue, DSHIM_PLAY_RING_SAMPLES);
    }
  }
}

int lanes_write(struct playout *lane, const int16_t *samples, int count) {
  return spsc_write_samples(&lane->ring, lane->samples, lane->capacity, samples, count);
}

static void add(int32_t *sum, const int16_t *block) {
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) sum[i] += block[i];
}

static int16_t saturated(int32_t sample) {
  return (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
}

void lanes_block(struct lanes *lanes, int16_t *block, const int32_t *beside, void *context, playout_tell *tell) {
  int32_t sum[DSHIM_BLOCK_SAMPLES] = {0};
  uint32_t sounding = beside ? LANES_OTHER : 0;
  if (beside) memcpy(sum, beside, sizeof(sum));
  for (int i = 0; i < DSHIM_LANES; i++) {
    struct playout *lane = &lanes->lane[i];
    if (playout_idle(lane) || !playout_block(lane, block, lanes->made, context, tell)) continue;
    sounding |= 1U << i;
    add(sum, block);
  }
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) block[i] = saturated(sum[i]);
  lanes->sounding[PLACE(lanes->made)] = (uint16_t)sounding;
  lanes->made++;
}

void lanes_wait(struct lanes *lanes) {
  lanes->sounding[PLACE(lanes->made)] = LANES_OTHER;
  lanes->made++;
}

void lanes_heard(struct lanes *lanes, int64_t now_ns, void *context, playout_tell *tell) {
  uint32_t sounding = lanes->sounding[PLACE(lanes->heard)];
  for (int i = 0; i < DSHIM_LANES; i++) {
    struct playout *lane = &lanes->lane[i];
    bool took = (sounding >> i & 1) != 0;
    if (took || lane->mark_count > 0) playout_heard(lane, lanes->heard, took, now_ns, context, tell);
  }
  lanes->heard++;
}

uint32_t lanes_in_flight(const struct lanes *lanes) {
  uint32_t sounding = 0;
  for (int64_t n = lanes->heard; n < lanes->made; n++) sounding |= lanes->sounding[PLACE(n)];
  return sounding;
}

void lanes_take_back(struct lanes *lanes, int32_t blocks) {
  int64_t number = lanes->made - blocks;
  for (int i = 0; i < DSHIM_LANES; i++) {
    int64_t where = number;
    while (where < lanes->made && (lanes->sounding[PLACE(where)] >> i & 1) == 0) where++;
    playout_take_back(&lanes->lane[i], number, where < lanes->made ? where : -1);
  }
  lanes->made = number;
}

void lanes_restart(struct lanes *lanes) { lanes->heard = lanes->made; }

void lanes_end(struct lanes *lanes, const struct playout_cut *cut, void *context, playout_tell *tell) {
  for (int i = 0; i < DSHIM_LANES; i++) {
    struct playout *lane = &lanes->lane[i];
    if (playout_idle(lane) && lane->started_id == 0) continue;
    uint64_t written = atomic_load_explicit(&lane->ring.written, memory_order_acquire);
    playout_flush(lane, written, cut, context, tell);
  }
}

int64_t lanes_underruns(const struct lanes *lanes) {
  int64_t underruns = 0;
  for (int i = 0; i < DSHIM_FIRST_TALKER; i++) underruns += lanes->lane[i].underruns;
  return underruns;
}
