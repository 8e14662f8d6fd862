/* What only C can see of the stepped engine: full rings, and an hour of telephone life in no time. */
#include <errno.h>

#include "dahdi_shim.h"
#include "tap.h"

/* Steps until the command is done; its result, or 1 when that never comes within ten seconds. */
static int result_of(struct dshim_engine *engine, int sequence, int *waited_ms) {
  for (*waited_ms = 0; *waited_ms < 10000; *waited_ms += 10) {
    dshim_step(engine, 10);
    struct dshim_event events[64];
    int count = dshim_drain(engine, events, 64);
    for (int i = 0; i < count; i++) {
      if (events[i].kind == DSHIM_EV_COMMAND_DONE && events[i].a == sequence) return events[i].b;
    }
  }
  return 1;
}

static void battery(void) {
  struct dshim_engine *engine = dshim_create(DSHIM_STEPPED);
  dshim_add_sim(engine);
  dshim_start(engine);
  dshim_step(engine, 100);
  const int32_t phases[] = {500, 0};
  int waited_ms;
  result_of(engine, dshim_battery_drop(engine, 0, 1), &waited_ms);
  dshim_step(engine, 200);
  struct dshim_sim_state state;
  dshim_sim_state(engine, 0, &state);
  tap_ok(state.voltage_mv == 0, "battery dropped: no voltage on the loop");
  int refused = result_of(engine, dshim_ring(engine, 0, phases, 1, 1, 0), &waited_ms);
  tap_ok(refused == -EBUSY && waited_ms >= 950 && waited_ms <= 1100,
         "ringing meanwhile is tried for a second: %d after %d ms", refused, waited_ms);
  result_of(engine, dshim_battery_drop(engine, 0, 1), &waited_ms);
  result_of(engine, dshim_battery_drop(engine, 0, 0), &waited_ms);
  int accepted = result_of(engine, dshim_ring(engine, 0, phases, 1, 1, 0), &waited_ms);
  tap_ok(accepted == 0 && waited_ms >= 700 && waited_ms <= 850,
         "with battery back it rings as soon as the card can: after %d ms", waited_ms);
  dshim_destroy(engine);
}

static int drain_all(struct dshim_engine *engine, uint32_t kind) {
  struct dshim_event events[256];
  int found = 0;
  for (int count; (count = dshim_drain(engine, events, 256)) > 0;) {
    for (int i = 0; i < count; i++) found += events[i].kind == kind;
  }
  return found;
}

int main(void) {
  struct dshim_engine *engine = dshim_create(DSHIM_STEPPED);
  dshim_add_sim(engine);
  dshim_start(engine);
  tap_ok(dshim_now_ns(engine) == (double)DSHIM_STEPPED_EPOCH_NS, "its clock starts at its epoch");
  tap_ok(dshim_step(engine, 0) == 0 && dshim_step(engine, -1) < 0, "it steps forward only");
  dshim_sim_hook(engine, 0, 1);
  dshim_step(engine, 1000);
  tap_ok(drain_all(engine, DSHIM_EV_OFF_HOOK) == 1, "lifted");

  int pressed = 0;
  for (int i = 0; i < 60; i++) {
    dshim_sim_press(engine, 0, "0123456789*#ABCD", 50, 50, -1000, 0);
    dshim_step(engine, 16 * 100 + 100);
    pressed += 16;
  }
  int heard = drain_all(engine, DSHIM_EV_DTMF_UP);
  tap_ok(heard == pressed, "%d keys pressed, %d heard", pressed, heard);

  dshim_step(engine, 3600 * 1000);
  struct dshim_line_stats stats;
  dshim_line_stats(engine, 0, &stats);
  tap_ok(stats.rx_blocks == stats.tx_blocks && stats.late_blocks == 0, "an hour: each block answered by one");
  tap_ok(drain_all(engine, DSHIM_EV_DTMF_UP) == 0, "and line noise is no key");

  for (int i = 0; i < 3000; i++) {
    dshim_sim_hook(engine, 0, 0);
    dshim_step(engine, 1000);
    dshim_sim_hook(engine, 0, 1);
    dshim_step(engine, 100);
  }
  struct dshim_engine_stats all;
  dshim_engine_stats(engine, &all);
  tap_ok(all.events_lost > 0, "a caller that stands still loses events, and they are counted (%lld)",
         (long long)all.events_lost);
  int kept = 0;
  struct dshim_event event;
  while (dshim_drain(engine, &event, 1) == 1) kept++;
  tap_ok(kept == DSHIM_EVENT_RING, "the oldest are kept (%d)", kept);
  dshim_destroy(engine);
  battery();
  return tap_done();
}
