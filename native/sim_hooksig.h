/*
 * sim_hooksig.h — what the kernel makes of a simulated telephone's loop: __dahdi_hooksig_pvt for FXO kewlstart, in
 * our words, with its timers and its queue of events.
 */
#ifndef SIM_HOOKSIG_H
#define SIM_HOOKSIG_H

#include <stdbool.h>
#include <stdint.h>

#include "chan_ops.h"

#define SIM_EVENT_QUEUE 64 /* as many as the kernel keeps (DAHDI_MAX_EVENTSIZE) */

struct sim_hooksig {
  bool opened; /* nobody reads the events of a channel that is not */
  bool loop_closed, off_hook;
  int32_t flash_max_ms;
  int64_t opened_break_ns;  /* when the loop opened; valid while off_hook && !loop_closed */
  int64_t flash_timeout_ns; /* then it is on-hook */
  int32_t pulses;
  int64_t pulse_timeout_ns; /* then they are a digit */
  struct chan_event events[SIM_EVENT_QUEUE];
  int32_t event_count;
};

/* Nobody has opened the channel yet. */
void sim_hooksig_init(struct sim_hooksig *hooksig);
/* closed: the loop as it is. */
void sim_hooksig_open(struct sim_hooksig *hooksig, bool closed, int32_t flash_max_ms);
/* The loop, every time that it may have changed. */
void sim_hooksig_loop(struct sim_hooksig *hooksig, int64_t now_ns, bool closed);
/* The timers that fall due; true: it is on-hook now. */
bool sim_hooksig_due(struct sim_hooksig *hooksig, int64_t now_ns);
int64_t sim_hooksig_deadline(const struct sim_hooksig *hooksig);
/* A full queue loses it, as the kernel's does. */
void sim_hooksig_push(struct sim_hooksig *hooksig, int32_t kind, int32_t value);
/* False: there is none. */
bool sim_hooksig_take(struct sim_hooksig *hooksig, struct chan_event *event);

#endif
