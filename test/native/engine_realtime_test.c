/* The I/O thread beside its caller: every ring crossed under the thread sanitizer, on the real clock. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "dahdi_shim.h"
#include "tap.h"

#define PATIENCE_MS 20000

static struct dshim_engine *engine;
static int bell_fd;
static struct dshim_event found;

/* Drains until an event of the kind (and a, unless negative) comes; false when none does in good time. */
static bool await_event(uint32_t kind, int a) {
  struct dshim_event events[64];
  for (;;) {
    int count = dshim_drain(engine, events, 64);
    for (int i = 0; i < count; i++) {
      if (events[i].kind != kind || (a >= 0 && events[i].a != a)) continue;
      found = events[i];
      return true;
    }
    if (count > 0) continue;
    struct pollfd wait = {.fd = bell_fd, .events = POLLIN};
    if (poll(&wait, 1, PATIENCE_MS) <= 0) return false;
    char bytes[64];
    while (read(bell_fd, bytes, sizeof(bytes)) > 0) continue;
  }
}

static bool done(int sequence) {
  return sequence > 0 && await_event(DSHIM_EV_COMMAND_DONE, sequence) && found.b == 0;
}

int main(void) {
  engine = dshim_create(DSHIM_REALTIME);
  tap_ok(dshim_set_option(engine, DSHIM_OPT_FLASH_MAX_MS, 100) == -EINVAL, "a wrong option is refused");
  tap_ok(dshim_set_option(engine, DSHIM_OPT_SIM_COMPANDING, 0) == 0, "a right one is taken");
  for (int i = 0; i < 4; i++) dshim_add_sim(engine);
  bell_fd = dshim_doorbell(engine);
  tap_ok(dshim_doorbell(engine) == -EBUSY, "there is one doorbell");
  tap_ok(dshim_start(engine) == 0 && dshim_start(engine) == -EBUSY, "starts once");
  tap_ok(dshim_step(engine, 20) == -EINVAL, "and cannot be stepped");
  tap_ok(await_event(DSHIM_EV_LINE_UP, -1), "a line comes up");

  tap_ok(done(dshim_sim_hook(engine, 1, 1)), "lifted");
  tap_ok(done(dshim_sim_press(engine, 1, "5", 60, 60, -1000, 0)), "a key pressed");
  struct dshim_line_stats stats;
  tap_ok(dshim_line_stats(engine, 1, &stats) == 0 && stats.up && stats.lifted, "the snapshot tells");
  tap_ok(dshim_line_stats(engine, 9, &stats) == -EINVAL, "of lines that are there");

  int16_t tone[8000];
  double hz = 440;
  dshim_tone_render(&hz, 1, -1000, 0, tone, 8000);
  double position = dshim_play_position(engine, 1, 0);
  dshim_play_begin(engine, 1, 0, 1, position);
  dshim_play_end(engine, 1, 0, 1, position + 1600);
  tap_ok(dshim_play_write(engine, 1, 0, tone, 1600) == 1600, "samples written");
  tap_ok(await_event(DSHIM_EV_PLAY_DONE, 1) && found.b == DSHIM_PLAY_COMPLETED && found.c == 1600, "and heard");
  int16_t ear[1600];
  tap_ok(dshim_sim_ear(engine, 1, ear, 1600) == 1600, "the ear can be read meanwhile");

  const int32_t phases[] = {100, 100};
  tap_ok(done(dshim_ring(engine, 2, phases, 1, 0, 0)), "another rings");
  tap_ok(done(dshim_sim_hook(engine, 2, 1)), "is lifted");
  tap_ok(dshim_ring(engine, 2, phases, 0, 1, 0) == -EINVAL, "no bursts are no ring");
  int refused = dshim_ring(engine, 2, phases, 1, 1, 0);
  tap_ok(await_event(DSHIM_EV_COMMAND_DONE, refused) && found.b == -EBUSY, "and cannot ring then");
  tap_ok(done(dshim_ring(engine, 3, phases, 1, 0, 0)), "a third rings");

  struct dshim_sim_state state;
  tap_ok(dshim_sim_state(engine, 3, &state) == 0 && state.bursts >= 1, "its bell can be seen");
  struct dshim_engine_stats all;
  dshim_engine_stats(engine, &all);
  tap_ok(all.events_lost == 0 && all.events_pushed > 0 && all.lines == 4, "nothing was lost");

  int sent = 0;
  while (dshim_ring_stop(engine, 0) > 0 && sent < 100000) sent++;
  tap_ok(sent >= 255, "commands have room, or EAGAIN (%d)", sent);
  dshim_destroy(engine);
  close(bell_fd);
  tap_ok(1, "goes while a bell rings");

  engine = dshim_create(DSHIM_STEPPED);
  tap_ok(dshim_add_dahdi(engine, "/nonexistent/dahdi", 1) == 0, "a card that is not there may be named");
  dshim_start(engine);
  dshim_step(engine, 100);
  bell_fd = dshim_doorbell(engine);
  tap_ok(await_event(DSHIM_EV_LINE_DOWN, ENOENT) && found.b == DSHIM_STAGE_OPEN,
         "and is told down, with the stage");
  dshim_step(engine, 5000);
  struct dshim_event event;
  tap_ok(dshim_drain(engine, &event, 1) == 0, "once, however often it is tried again");
  dshim_destroy(engine);
  close(bell_fd);
  return tap_done();
}
