/* A simulated telephone that nobody looked at for a while: what its hook did meanwhile is told as it was. And
 * whoever moves one is answered after all that came of it: what he asks then finds it done. */
#include <string.h>

#include "chan_sim.h"
#include "dahdi_shim.h"
#include "durations.h"
#include "tap.h"

static struct sim_ear ear;
static struct chan_sim sim;

static int64_t lifted(void) {
  memset(&sim, 0, sizeof(sim));
  chan_sim_init(&sim, &ear, 1);
  const struct chan_settings settings = {.flash_max_ms = 800};
  int64_t now_ns = 1000 * NS_PER_MS;
  int32_t stage;
  chan_sim_ops.open(&sim.chan, &settings, now_ns, &stage);
  chan_sim_lift(&sim, now_ns);
  struct chan_event event;
  while (chan_sim_ops.event(&sim.chan, now_ns, &event) == 1) continue;
  return now_ns;
}

/* Looks when it begins, and then not before `unseen_ms` later. The kinds and values of what is told then. */
static int told(const struct sim_action *action, int unseen_ms, struct chan_event *events) {
  int64_t now_ns = lifted();
  chan_sim_act(&sim, action);
  int count = 0;
  while (chan_sim_ops.event(&sim.chan, now_ns, &events[count]) == 1) count++;
  now_ns += unseen_ms * NS_PER_MS;
  while (chan_sim_ops.event(&sim.chan, now_ns, &events[count]) == 1) count++;
  return count;
}

/* Is an event of the kind told before the command is done? */
static bool told_before_done(struct dshim_engine *engine, int sequence, uint32_t kind) {
  struct dshim_event events[64];
  dshim_step(engine, 2000);
  int count = dshim_drain(engine, events, 64);
  for (int i = 0; i < count; i++) {
    if (events[i].kind == kind) return true;
    if (events[i].kind == DSHIM_EV_COMMAND_DONE && events[i].a == sequence) return false;
  }
  return false;
}

static void is_answered_last(void) {
  struct dshim_engine *engine = dshim_create(DSHIM_STEPPED);
  dshim_add_sim(engine);
  dshim_start(engine);
  struct dshim_event events[64];
  dshim_step(engine, 100);
  dshim_drain(engine, events, 64);
  tap_ok(told_before_done(engine, dshim_sim_hook(engine, 0, 1), DSHIM_EV_OFF_HOOK), "a lift");
  tap_ok(told_before_done(engine, dshim_sim_hook(engine, 0, 0), DSHIM_EV_ON_HOOK), "hanging up");
  tap_ok(told_before_done(engine, dshim_sim_plug(engine, 0, 0), DSHIM_EV_LINE_DOWN), "a line taken away");
  tap_ok(told_before_done(engine, dshim_sim_plug(engine, 0, 1), DSHIM_EV_LINE_UP), "and put back");
  /* Each of these leaves an answer behind, were none told in between. */
  for (int i = 0; i < 200; i++) dshim_sim_hook(engine, 0, i & 1);
  dshim_step(engine, 2000);
  int done = 0;
  for (int count; (count = dshim_drain(engine, events, 64)) > 0;) {
    for (int i = 0; i < count; i++) done += events[i].kind == DSHIM_EV_COMMAND_DONE;
  }
  tap_ok(done == 200, "two hundred orders at once are answered each: %d", done);
  dshim_destroy(engine);
}

int main(void) {
  struct chan_event events[SIM_EVENT_QUEUE];
  int count = told(&(struct sim_action){.kind = SIM_FLASH, .on_ms = 400}, 5000, events);
  tap_ok(count == 1 && events[0].kind == CHAN_EV_FLASH, "a flash is one, though looked at after 5 s: %d events",
         count);
  count = told(&(struct sim_action){.kind = SIM_FLASH, .on_ms = 100}, 5000, events);
  tap_ok(count == 2 && events[1].kind == CHAN_EV_PULSE_DIGIT && events[1].value == '1', "a short one is a pulse");
  count = told(&(struct sim_action){.kind = SIM_PULSE, .digits = "30", .on_ms = 60, .off_ms = 40}, 9000, events);
  tap_ok(count == 4 && events[1].value == '3' && events[3].value == '0',
         "a dial's digits are its digits: %d events", count);
  count = told(&(struct sim_action){.kind = SIM_PULSE, .digits = "3", .on_ms = 60, .off_ms = 40}, 70, events);
  tap_ok(count == 1 && events[0].kind == CHAN_EV_PULSE_START, "and one that still turns is none yet");
  is_answered_last();
  return tap_done();
}
