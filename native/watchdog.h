/*
 * watchdog.h — is the caller alive? It drains events several times a second; when none were drained for limit_ns,
 * it stands still, and what must not go on without it is ended.
 *
 *   drained ▏▏▏▏▏▏▏                                ▏▏▏▏▏▏
 *   silence        ├──────── limit ───────┤ trips: once
 *
 * Only time in which the I/O thread itself ran is counted: a process that was stopped as a whole, and goes on,
 * finds its caller as alive as itself.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct watchdog {
  int64_t limit_ns; /* 0: off */
  int64_t looked_ns;
  int64_t silent_ns;
  uint32_t seen;
  bool tripped;
  _Atomic uint32_t drains; /* by the caller's thread */
  _Atomic int64_t trips;
};

void watchdog_start(struct watchdog *watchdog, int32_t limit_ms, int64_t now_ns);
/* The caller drains. */
void watchdog_alive(struct watchdog *watchdog);
/* True: it has just been silent for too long. Then false until it was alive again. */
bool watchdog_look(struct watchdog *watchdog, int64_t now_ns);
/* When to look at the latest; INT64_MAX: whenever. */
int64_t watchdog_deadline(const struct watchdog *watchdog);

#endif
