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

/* Sums up DATA_DONE events: how many, and how many of them whole. */
static void data_done(struct dshim_engine *engine, int *all, int *whole) {
  struct dshim_event events[256];
  *all = *whole = 0;
  for (int count; (count = dshim_drain(engine, events, 256)) > 0;) {
    for (int i = 0; i < count; i++) {
      *all += events[i].kind == DSHIM_EV_DATA_DONE;
      *whole += events[i].kind == DSHIM_EV_DATA_DONE && events[i].b == 1;
    }
  }
}

static void data(void) {
  static int16_t samples[DSHIM_DATA_RING_SAMPLES + 1];
  for (int i = 0; i < DSHIM_DATA_RING_SAMPLES; i++) samples[i] = (int16_t)(i % 16000);
  const int32_t phases[] = {500, 2000};
  struct dshim_engine *engine = dshim_create(DSHIM_STEPPED);
  dshim_add_sim(engine);
  dshim_start(engine);
  dshim_step(engine, 100);
  tap_ok(dshim_data_send(engine, 0, samples, 0, 0, 0) == -EINVAL, "no data are none to send");
  tap_ok(dshim_data_send(engine, 0, samples, DSHIM_DATA_RING_SAMPLES + 1, 0, 0) == -EINVAL, "nor are too many");
  tap_ok(dshim_ring_data(engine, 0, phases, 1, 1, 0, samples, 800, 0, -1) == -EINVAL, "nor is there a burst −1");
  int waited_ms;
  int all;
  int whole;
  tap_ok(result_of(engine, dshim_data_send(engine, 0, samples, 800, 1, 0), &waited_ms) == -EBUSY,
         "data for a lifted telephone do not reach one that is on-hook");
  data_done(engine, &all, &whole);
  tap_ok(all == 0, "and what never began has no end");

  /* More than the ring holds, had any of it been forgotten. */
  for (int i = 0; i < 40; i++) {
    dshim_data_send(engine, 0, samples, 8000, 1, 0); /* refused */
    /* Replaced by the ring below; refused while the last ring's are still sent: 13 times. */
    dshim_data_send(engine, 0, samples, 8000, 0, 0);
    dshim_ring_data(engine, 0, phases, 1, 1, 0, samples, 8000, 0, 0);
    dshim_step(engine, 600 + (i % 3) * 500); /* in the middle, near the end, after it */
    if (i % 2) dshim_ring_stop(engine, 0);
    dshim_step(engine, 0);
  }
  dshim_step(engine, 3000);
  data_done(engine, &all, &whole);
  tap_ok(all == 67 && whole == 13, "each that began ended once: %d, %d of them whole", all, whole);
  int16_t ear[8000];
  tap_ok(dshim_data_send(engine, 0, samples, DSHIM_DATA_RING_SAMPLES, 0, 0) > 0, "the whole ring is free again");
  dshim_step(engine, 0);
  tap_ok(dshim_data_send(engine, 0, samples, 1, 0, 0) == -EAGAIN, "and then full");
  dshim_step(engine, 8000);
  dshim_sim_ear(engine, 0, ear, 8000);
  int torn = 0;
  for (int i = 1; i < 8000; i++) torn += ear[i] - ear[i - 1] > 2000;
  tap_ok(torn == 0, "heard in its order");
  dshim_step(engine, 1000);

  dshim_data_send(engine, 0, samples, 8000, 0, DSHIM_DATA_REVERSE_POLARITY);
  dshim_step(engine, 100);
  struct dshim_sim_state state;
  dshim_sim_state(engine, 0, &state);
  tap_ok(state.reversed == 1, "tip and ring exchanged");
  dshim_sim_plug(engine, 0, 0);
  dshim_step(engine, 100);
  dshim_sim_plug(engine, 0, 1);
  dshim_step(engine, 1000);
  dshim_sim_state(engine, 0, &state);
  data_done(engine, &all, &whole);
  tap_ok(state.reversed == 0 && all == 2 && whole == 1, "a card taken away takes its data with it");
  tap_ok(result_of(engine, dshim_message_waiting(engine, 0, 1), &waited_ms) == -ENOTTY, "no lamp, no voltage");
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
  data();
  return tap_done();
}
