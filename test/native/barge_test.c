/* Who may cut a playback short, and when: simulated telephones on the virtual clock. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dahdi_shim.h"
#include "tap.h"

static struct dshim_engine *engine;
static int16_t sound[64000];
static struct dshim_event down, started, done;

/* Steps until it is over or the time is. */
static bool run(int ms, bool until_done) {
  for (int at = 0; at < ms; at += 5) {
    dshim_step(engine, 5);
    struct dshim_event event;
    while (dshim_drain(engine, &event, 1) > 0) {
      if (event.kind == DSHIM_EV_DTMF_DOWN || event.kind == DSHIM_EV_VOICE_START) down = event;
      if (event.kind == DSHIM_EV_PLAY_STARTED) started = event;
      if (event.kind == DSHIM_EV_PLAY_DONE) done = event;
    }
    if (until_done && done.kind != 0) return true;
  }
  return done.kind != 0;
}

static void begin(int echo_cdb) {
  engine = dshim_create(DSHIM_STEPPED);
  dshim_set_option(engine, DSHIM_OPT_SIM_ECHO_CDB, echo_cdb);
  dshim_add_sim(engine);
  dshim_start(engine);
  dshim_step(engine, 100);
  dshim_sim_hook(engine, 0, 1);
  run(2000, false);
  memset(&done, 0, sizeof(done));
  memset(&down, 0, sizeof(down));
}

static void play(int id, int count) {
  double at = dshim_play_position(engine, 0, 0);
  dshim_play_begin(engine, 0, 0, id, at);
  dshim_play_end(engine, 0, 0, id, at + count);
  dshim_play_write(engine, 0, 0, sound, count);
}

static void speak(int count) {
  int16_t speech[64000];
  for (int i = 0; i < count; i++) {
    double swell = 0.6 + 0.4 * sin(2 * M_PI * 4 * i / 8000);
    double voice = sin(2 * M_PI * 180 * i / 8000) + 0.7 * sin(2 * M_PI * 540 * i / 8000) +
                   0.5 * sin(2 * M_PI * 1260 * i / 8000);
    speech[i] = (int16_t)lrint(4000 * swell * voice);
  }
  dshim_sim_mic_write(engine, 0, speech, count);
  dshim_sim_mic_end(engine, 0);
}

static int heard_after_stop(void) {
  int16_t ear[800];
  dshim_sim_ear(engine, 0, ear, 800);
  int last = 0;
  for (int i = 0; i < 800; i++) {
    if (abs(ear[i]) > 400) last = i;
  }
  return 800 - last;
}

int main(void) {
  for (int i = 0; i < 64000; i++) sound[i] = (int16_t)lrint(6000 * sin(2 * M_PI * 500 * i / 8000));

  begin(2400);
  play(1, 40000);
  dshim_play_barge(engine, 0, 0, 1, DSHIM_BARGE_DTMF);
  run(1000, false);
  dshim_sim_press(engine, 0, "5", 1000, 50, -1000, 0);
  run(1000, true);
  tap_ok(done.b == DSHIM_PLAY_BARGED_DTMF && done.d == ('5' << 8), "a key ends it, and is named: %d, %c", done.b,
         done.d >> 8);
  tap_ok(done.told_ns == down.told_ns, "in the block in which its going down is told, %lld ms after that",
         (long long)(done.told_ns - down.time_ns) / 1000000);
  double at = dshim_play_position(engine, 0, 0);
  dshim_play_begin(engine, 0, 0, 2, at);
  dshim_play_write(engine, 0, 0, sound, 4000);
  run(100, false);
  tap_ok(heard_after_stop() > 600, "what was on its way then is not heard");
  dshim_play_flush(engine, 0, 0);
  play(3, 4000);
  memset(&started, 0, sizeof(started));
  run(1000, false);
  tap_ok(started.a == 3, "until the lane is flushed: then the next is");
  dshim_destroy(engine);

  begin(2400);
  play(1, 40000);
  dshim_play_barge(engine, 0, 0, 1, DSHIM_BARGE_VOICE);
  run(1000, false);
  dshim_sim_press(engine, 0, "5", 200, 50, -1000, 0);
  tap_ok(!run(1000, true), "a key is no voice");
  speak(8000);
  run(1500, true);
  tap_ok(done.b == DSHIM_PLAY_BARGED_VOICE && done.d == 0, "a voice ends it: %d", done.b);
  tap_ok(done.told_ns == down.told_ns, "in the block in which it is told, %lld ms after it began",
         (long long)(done.told_ns - down.time_ns) / 1000000);
  dshim_destroy(engine);

  begin(2400);
  play(1, 32000);
  dshim_play_barge(engine, 0, 0, 1, 0);
  run(500, false);
  dshim_sim_press(engine, 0, "5", 100, 50, -1000, 0);
  run(5000, true);
  tap_ok(done.b == DSHIM_PLAY_COMPLETED, "who is not asked for ends nothing");
  dshim_destroy(engine);

  /* Its own keys and voice, 8 dB below what is sent: what a poor hybrid lets through. */
  begin(800);
  for (int i = 0; i < 64000; i++) {
    bool key = i / 1600 % 2 == 1;
    double swell = 0.6 + 0.4 * sin(2 * M_PI * 4 * i / 8000);
    double voice = swell * (sin(2 * M_PI * 180 * i / 8000) + 0.7 * sin(2 * M_PI * 540 * i / 8000));
    double digit = sin(2 * M_PI * 770 * i / 8000) + sin(2 * M_PI * 1336 * i / 8000);
    sound[i] = (int16_t)lrint(4000 * (key ? digit : voice));
  }
  play(1, 64000);
  dshim_play_barge(engine, 0, 0, 1, DSHIM_BARGE_DTMF | DSHIM_BARGE_VOICE);
  run(9000, true);
  tap_ok(done.b == DSHIM_PLAY_COMPLETED && done.c == 64000, "its own echo never does: %d after %d samples", done.b,
         done.c);
  dshim_destroy(engine);
  return tap_done();
}
