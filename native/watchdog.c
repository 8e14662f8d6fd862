#include "watchdog.h"

#include "durations.h"

/* The I/O thread sleeps for a second at most: what is longer between two looks, it did not run. */
#define LONGEST_LOOK_NS (2000 * NS_PER_MS)

void watchdog_start(struct watchdog *watchdog, int32_t limit_ms, int64_t now_ns) {
  watchdog->limit_ns = limit_ms * NS_PER_MS;
  watchdog->looked_ns = now_ns;
}

void watchdog_alive(struct watchdog *watchdog) {
  atomic_fetch_add_explicit(&watchdog->drains, 1, memory_order_relaxed);
}

bool watchdog_look(struct watchdog *watchdog, int64_t now_ns) {
  if (watchdog->limit_ns == 0) return false;
  int64_t since_ns = now_ns - watchdog->looked_ns;
  watchdog->looked_ns = now_ns;
  uint32_t drains = atomic_load_explicit(&watchdog->drains, memory_order_relaxed);
  if (drains != watchdog->seen) {
    watchdog->seen = drains;
    watchdog->silent_ns = 0;
    watchdog->tripped = false;
    return false;
  }
  if (since_ns <= LONGEST_LOOK_NS) watchdog->silent_ns += since_ns;
  if (watchdog->tripped || watchdog->silent_ns < watchdog->limit_ns) return false;
  watchdog->tripped = true;
  atomic_fetch_add_explicit(&watchdog->trips, 1, memory_order_relaxed);
  return true;
}

int64_t watchdog_deadline(const struct watchdog *watchdog) {
  if (watchdog->limit_ns == 0 || watchdog->tripped) return INT64_MAX;
  return watchdog->looked_ns + watchdog->limit_ns - watchdog->silent_ns;
}
