#include "ring_cadence.h"

#include "durations.h"

static int64_t phase_ns(const struct ring_cadence *cadence, int off) {
  return cadence->on_off_ms[2 * cadence->burst + off] * NS_PER_MS;
}

void ring_cadence_start(struct ring_cadence *cadence, int64_t now_ns) {
  cadence->burst = 0;
  cadence->round = 0;
  cadence->burst_number = 0;
  cadence->active = true;
  cadence->on = true;
  cadence->next_ns = now_ns + phase_ns(cadence, 0);
  cadence->cap_ns = cadence->max_ms > 0 ? now_ns + cadence->max_ms * NS_PER_MS : INT64_MAX;
}

static enum ring_action finish(struct ring_cadence *cadence, enum ring_action action) {
  cadence->active = false;
  cadence->on = false;
  return action;
}

enum ring_action ring_cadence_step(struct ring_cadence *cadence, int64_t now_ns) {
  if (!cadence->active) return RING_NOTHING;
  /* A burst that ends exactly at the cap has been completed. */
  if (now_ns >= cadence->cap_ns && cadence->cap_ns < cadence->next_ns) return finish(cadence, RING_CAPPED);
  if (now_ns < cadence->next_ns) return RING_NOTHING;
  if (cadence->on) {
    bool last_burst = cadence->burst == cadence->bursts - 1;
    bool last_round = cadence->repeat > 0 && cadence->round == cadence->repeat - 1;
    if (last_burst && last_round) return finish(cadence, RING_FINISHED);
    cadence->on = false;
    cadence->next_ns += phase_ns(cadence, 1);
    return RING_OFF;
  }
  if (++cadence->burst == cadence->bursts) {
    cadence->burst = 0;
    cadence->round++;
  }
  cadence->burst_number++;
  cadence->on = true;
  cadence->next_ns += phase_ns(cadence, 0);
  return RING_ON;
}

int64_t ring_cadence_deadline(const struct ring_cadence *cadence) {
  if (!cadence->active) return INT64_MAX;
  return cadence->cap_ns < cadence->next_ns ? cadence->cap_ns : cadence->next_ns;
}
