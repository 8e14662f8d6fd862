/*
 * line_stats.c — a line's counters for other threads: a sequence lock of single atomic words.
 *
 * Whoever sees a word of a new version sees that version's odd number too, because each word is released after
 * it: no fence is needed, which the thread sanitizer could not follow.
 */
#include <string.h>

#include "line.h"

void line_publish(struct line *line) {
  struct dshim_line_stats stats = line->stats;
  stats.up = line->up;
  stats.lifted = line->lifted;
  stats.play_underruns = lanes_underruns(&line->lanes);
  stats.bridge_slips = line->bridge.slips;
  stats.tap_lost_blocks = line->tap.lost;
  stats.play_queued_samples = (int32_t)spsc_readable(&line->lanes.lane[0].ring);
  if (!stats.voltage_known) stats.voltage_min_mv = 0;
  uint32_t words[sizeof(stats) / sizeof(uint32_t)];
  memcpy(words, &stats, sizeof(words));
  struct shared_stats *shared = &line->shared;
  uint32_t version = atomic_load_explicit(&shared->version, memory_order_relaxed);
  atomic_store_explicit(&shared->version, version + 1, memory_order_relaxed);
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    atomic_store_explicit(&shared->words[i], words[i], memory_order_release);
  }
  atomic_store_explicit(&shared->version, version + 2, memory_order_release);
}

void line_snapshot(struct line *line, struct dshim_line_stats *out) {
  struct shared_stats *shared = &line->shared;
  uint32_t words[sizeof(*out) / sizeof(uint32_t)];
  uint32_t before;
  uint32_t after;
  do {
    before = atomic_load_explicit(&shared->version, memory_order_acquire);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
      words[i] = atomic_load_explicit(&shared->words[i], memory_order_acquire);
    }
    after = atomic_load_explicit(&shared->version, memory_order_relaxed);
  } while (before != after || (before & 1) != 0);
  memcpy(out, words, sizeof(*out));
}
