/* What only C can see of the stepped engine: full rings, and an hour of telephone life in no time. */
#include <string.h>

#include "dahdi_shim.h"
#include "tap.h"

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
  return tap_done();
}
