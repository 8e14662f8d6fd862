/* A caller that stands still: its bells are stopped, on the virtual clock and beside a real thread. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "dahdi_shim.h"
#include "durations.h"
#include "tap.h"
#include "watchdog.h"

static const int32_t PHASES[] = {2000, 4000};

static void silence_is_counted(void) {
  struct watchdog watchdog = {0};
  watchdog_start(&watchdog, 10000, 0);
  int64_t now_ns = 0;
  for (int i = 0; i < 9; i++)
    tap_ok(!watchdog_look(&watchdog, now_ns += 1000 * NS_PER_MS), "silent for %d s", i + 1);
  tap_ok(watchdog_deadline(&watchdog) == 10000 * NS_PER_MS, "looks again when it is due");
  tap_ok(!watchdog_look(&watchdog, now_ns += 60000 * NS_PER_MS), "a minute in which nobody ran is not counted");
  tap_ok(watchdog_look(&watchdog, now_ns += 1000 * NS_PER_MS), "ten seconds of silence");
  tap_ok(!watchdog_look(&watchdog, now_ns += 1000 * NS_PER_MS), "are told once");
  tap_ok(watchdog_deadline(&watchdog) == INT64_MAX, "and not waited for any more");
  watchdog_alive(&watchdog);
  tap_ok(!watchdog_look(&watchdog, now_ns), "alive again");
  for (int i = 0; i < 9; i++) watchdog_look(&watchdog, now_ns += 1000 * NS_PER_MS);
  tap_ok(watchdog_look(&watchdog, now_ns += 1000 * NS_PER_MS) && atomic_load(&watchdog.trips) == 2,
         "ten seconds more");
  struct watchdog off = {0};
  watchdog_start(&off, 0, 0);
  tap_ok(!watchdog_look(&off, 1000 * NS_PER_MS) && watchdog_deadline(&off) == INT64_MAX, "0 is off");
}

/* How the ring ended: its error, −1 when it did not. */
static int ring_end(struct dshim_engine *engine, int *reason) {
  struct dshim_event events[512];
  int count = dshim_drain(engine, events, 512);
  for (int i = 0; i < count; i++) {
    if (events[i].kind != DSHIM_EV_RING_DONE) continue;
    *reason = events[i].a;
    return events[i].b;
  }
  return -1;
}

static bool bell(struct dshim_engine *engine) {
  struct dshim_line_stats stats;
  dshim_line_stats(engine, 0, &stats);
  return stats.ringing != 0;
}

static int64_t trips(struct dshim_engine *engine) {
  struct dshim_engine_stats stats;
  dshim_engine_stats(engine, &stats);
  return stats.watchdog_trips;
}

static struct dshim_engine *stepped(int watchdog_ms) {
  struct dshim_engine *engine = dshim_create(DSHIM_STEPPED);
  dshim_set_option(engine, DSHIM_OPT_WATCHDOG_MS, watchdog_ms);
  dshim_add_sim(engine);
  dshim_add_sim(engine);
  dshim_start(engine);
  dshim_step(engine, 100);
  int reason;
  ring_end(engine, &reason);
  return engine;
}

static void bells_are_stopped(void) {
  struct dshim_engine *engine = stepped(10000);
  int reason = -1;
  dshim_ring(engine, 0, PHASES, 1, 0, 0);
  dshim_step(engine, 9900);
  tap_ok(bell(engine) && trips(engine) == 0, "rings until then");
  dshim_step(engine, 200);
  tap_ok(!bell(engine) && trips(engine) == 1, "silent after ten seconds");
  struct dshim_sim_state telephone;
  dshim_sim_state(engine, 0, &telephone);
  tap_ok(telephone.bell == 0, "the telephone as well");
  dshim_step(engine, 60000);
  dshim_sim_state(engine, 0, &telephone);
  tap_ok(telephone.bursts == 2 && trips(engine) == 1, "and stays so");
  tap_ok(ring_end(engine, &reason) == ETIMEDOUT && reason == DSHIM_RING_ERROR, "it is told why");

  dshim_ring(engine, 0, PHASES, 1, 0, 0);
  bool ended = false;
  for (int i = 0; i < 300; i++) {
    dshim_step(engine, 100);
    ended |= ring_end(engine, &reason) != -1;
  }
  tap_ok(!ended && bell(engine) && trips(engine) == 1, "for a caller that drains it rings on");
  dshim_destroy(engine);
}

static void wanted_rings_are_refused(void) {
  struct dshim_engine *engine = stepped(500);
  int16_t samples[8000] = {0};
  int sequence = dshim_ring_data(engine, 0, PHASES, 1, 0, 0, samples, 8000, DSHIM_DATA_BEFORE_RINGING, 0);
  dshim_step(engine, 5000);
  struct dshim_event events[512];
  int count = dshim_drain(engine, events, 512);
  int result = 0;
  for (int i = 0; i < count; i++) {
    if (events[i].kind == DSHIM_EV_COMMAND_DONE && events[i].a == sequence) result = events[i].b;
  }
  struct dshim_sim_state telephone;
  dshim_sim_state(engine, 0, &telephone);
  tap_ok(result == -ETIMEDOUT && telephone.bursts == 0, "a ring whose caller ID is being sent does not begin");
  dshim_destroy(engine);
}

/* Two who talk do not notice. */
static void bridges_go_on(void) {
  struct dshim_engine *engine = stepped(1000);
  dshim_sim_hook(engine, 0, 1);
  dshim_sim_hook(engine, 1, 1);
  dshim_bridge(engine, 0, 1);
  dshim_bridge(engine, 1, 1);
  dshim_step(engine, 30000);
  int16_t said[800];
  for (int i = 0; i < 800; i++) said[i] = (int16_t)(i % 16 < 8 ? 8000 : -8000);
  dshim_sim_mic_write(engine, 0, said, 800);
  dshim_step(engine, 200);
  int16_t ear[2400];
  int count = dshim_sim_ear(engine, 1, ear, 2400);
  int loud = 0;
  for (int i = 0; i < count; i++) loud += ear[i] > 4000;
  tap_ok(trips(engine) == 1 && loud > 200, "a bridge goes on: %d loud samples", loud);
  dshim_destroy(engine);
}

static void beside_a_thread(void) {
  struct dshim_engine *engine = dshim_create(DSHIM_REALTIME);
  dshim_set_option(engine, DSHIM_OPT_WATCHDOG_MS, 300);
  dshim_add_sim(engine);
  int reason = -1;
  dshim_start(engine);
  struct dshim_line_stats stats = {0};
  while (!stats.up) dshim_line_stats(engine, 0, &stats);
  dshim_ring(engine, 0, PHASES, 1, 0, 0);
  /* Nothing is drained: the thread alone ends it. */
  while (trips(engine) == 0 || bell(engine)) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  tap_ok(ring_end(engine, &reason) == ETIMEDOUT && reason == DSHIM_RING_ERROR,
         "the thread stops the bell by itself");
  dshim_destroy(engine);
}

int main(void) {
  silence_is_counted();
  bells_are_stopped();
  wanted_rings_are_refused();
  bridges_go_on();
  beside_a_thread();
  return tap_done();
}
