#include "sim_hooksig.h"

#include <string.h>

#include "durations.h"

/* <dahdi/kernel.h>: DAHDI_MINPULSETIME, DAHDI_MAXPULSETIME, DAHDI_PULSETIMEOUT. */
#define MIN_PULSE_MS     15
#define MAX_PULSE_MS     200
#define PULSE_TIMEOUT_MS 250

void sim_hooksig_init(struct sim_hooksig *hooksig) {
  *hooksig = (struct sim_hooksig){.flash_timeout_ns = INT64_MAX, .pulse_timeout_ns = INT64_MAX};
}

void sim_hooksig_open(struct sim_hooksig *hooksig, bool closed, int32_t flash_max_ms) {
  sim_hooksig_init(hooksig);
  hooksig->opened = true;
  hooksig->loop_closed = closed;
  hooksig->off_hook = closed;
  hooksig->flash_max_ms = flash_max_ms;
}

void sim_hooksig_push(struct sim_hooksig *hooksig, int32_t kind, int32_t value) {
  if (!hooksig->opened || hooksig->event_count == SIM_EVENT_QUEUE) return;
  hooksig->events[hooksig->event_count++] = (struct chan_event){.kind = kind, .value = value};
}

void sim_hooksig_loop(struct sim_hooksig *hooksig, int64_t now_ns, bool closed) {
  if (hooksig->loop_closed == closed) return;
  hooksig->loop_closed = closed;
  if (!closed) {
    if (!hooksig->off_hook) return;
    hooksig->opened_break_ns = now_ns;
    hooksig->flash_timeout_ns = now_ns + hooksig->flash_max_ms * NS_PER_MS;
    return;
  }
  hooksig->flash_timeout_ns = INT64_MAX;
  if (!hooksig->off_hook) {
    hooksig->off_hook = true;
    sim_hooksig_push(hooksig, CHAN_EV_OFF_HOOK, 0);
    return;
  }
  int64_t break_ms = (now_ns - hooksig->opened_break_ns) / NS_PER_MS;
  if (break_ms > MAX_PULSE_MS) {
    sim_hooksig_push(hooksig, CHAN_EV_FLASH, 0);
  } else if (break_ms >= MIN_PULSE_MS) {
    if (++hooksig->pulses == 1) sim_hooksig_push(hooksig, CHAN_EV_PULSE_START, 0);
    hooksig->pulse_timeout_ns = now_ns + PULSE_TIMEOUT_MS * NS_PER_MS;
  }
}

bool sim_hooksig_due(struct sim_hooksig *hooksig, int64_t now_ns) {
  bool on_hook = false;
  if (now_ns >= hooksig->flash_timeout_ns) {
    hooksig->flash_timeout_ns = INT64_MAX;
    hooksig->off_hook = false;
    sim_hooksig_push(hooksig, CHAN_EV_ON_HOOK, 0);
    on_hook = true;
  }
  if (now_ns >= hooksig->pulse_timeout_ns) {
    hooksig->pulse_timeout_ns = INT64_MAX;
    int32_t digit = hooksig->pulses == 10   ? '0'
                    : hooksig->pulses == 11 ? '*'
                    : hooksig->pulses == 12 ? '#'
                                            : '0' + hooksig->pulses;
    if (hooksig->pulses <= 12) sim_hooksig_push(hooksig, CHAN_EV_PULSE_DIGIT, digit);
    hooksig->pulses = 0;
  }
  return on_hook;
}

int64_t sim_hooksig_deadline(const struct sim_hooksig *hooksig) {
  return hooksig->flash_timeout_ns < hooksig->pulse_timeout_ns ? hooksig->flash_timeout_ns
                                                               : hooksig->pulse_timeout_ns;
}

bool sim_hooksig_take(struct sim_hooksig *hooksig, struct chan_event *event) {
  if (hooksig->event_count == 0) return false;
  *event = hooksig->events[0];
  hooksig->event_count--;
  memmove(&hooksig->events[0], &hooksig->events[1], sizeof(hooksig->events[0]) * (size_t)hooksig->event_count);
  return true;
}
