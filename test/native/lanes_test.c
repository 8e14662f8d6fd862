/* All that a line is told at once, over a card with a queue: sums, marks, holds, flushes, live audio. */
#include <math.h>

#include "queue_card.h"
#include "tap.h"

#define QUEUE    0
#define OVERLAY  1
#define OVERLAY2 2
#define TALKER   4

static struct dshim_engine *engine;
static struct queue_card *card;
static char told[1024];

static void drain(void) {
  struct dshim_event event;
  while (dshim_drain(engine, &event, 1) > 0) {
    size_t length = strlen(told);
    long long at = (event.time_ns - DSHIM_STEPPED_EPOCH_NS) / 125000;
    int lane = event.d & 0xFF;
    if (event.kind == DSHIM_EV_PLAY_STARTED) {
      snprintf(told + length, sizeof(told) - length, "%d:start%d@%lld ", lane, event.a, at);
    } else if (event.kind == DSHIM_EV_PLAY_DONE) {
      snprintf(told + length, sizeof(told) - length, "%d:end%d:%d:%d@%lld ", lane, event.a, event.b, event.c, at);
    }
  }
}

static void step(int ms) {
  dshim_step(engine, ms);
  drain();
}

static void begin(void) {
  engine = dshim_create(DSHIM_STEPPED);
  card = card_add(engine, 0);
  card->lifted = true;
  dshim_start(engine);
  dshim_step(engine, 1000);
  drain();
  told[0] = '\0';
}

static void end(void) { dshim_destroy(engine); }

static int16_t source[32000];

static void level(int16_t value) {
  for (int i = 0; i < 32000; i++) source[i] = value;
}

/* 410 Hz, of which no block is a whole number of periods: a step of more than 0.33 of its amplitude is a click. */
static void tone(double amplitude) {
  for (int i = 0; i < 32000; i++) source[i] = (int16_t)lrint(amplitude * sin(2 * M_PI * 410 * i / 8000));
}

static void play(int lane, int id, int count) {
  double at = dshim_play_position(engine, 0, lane);
  dshim_play_begin(engine, 0, lane, id, at);
  dshim_play_end(engine, 0, lane, id, at + count);
  dshim_play_write(engine, 0, lane, source, count);
}

static int steepest(int from, int to) {
  int most = 0;
  for (int i = from + 1; i < to; i++) {
    int step = abs(card->heard[i] - card->heard[i - 1]);
    if (step > most) most = step;
  }
  return most;
}

/* The first place from `from` on at which the telephone heard just these samples; −1 nowhere. */
static int find(int from, const int16_t *samples, int count) {
  for (int at = from; at + count <= card->heard_count; at++) {
    if (memcmp(&card->heard[at], samples, (size_t)count * sizeof(*samples)) == 0) return at;
  }
  return -1;
}

static void sums(void) {
  begin();
  level(30000);
  play(QUEUE, 1, 3200);
  level(20000);
  play(OVERLAY, 1, 3200);
  step(200);
  tap_ok(card->heard[card->heard_count - 1] == 32767, "a sum saturates: %d", card->heard[card->heard_count - 1]);
  level(-25000);
  play(OVERLAY2, 1, 3200);
  step(100);
  tap_ok(card->heard[card->heard_count - 1] == 25000, "the sum and none on the way to it: %d",
         card->heard[card->heard_count - 1]);
  end();
}

static void marks(void) {
  begin();
  level(1000);
  int start = card->heard_count;
  play(QUEUE, 1, 1000);
  step(60);
  level(2000);
  play(OVERLAY, 7, 500);
  step(400);
  int16_t both[20];
  for (int i = 0; i < 20; i++) both[i] = 3000;
  int at = find(start, both, 20);
  int first = start;
  while (card->heard[first] == 0) first++;
  /* The card's blocks begin with the engine's first: a sample's place among those heard is its time. */
  char queue[100];
  char overlay[100];
  snprintf(queue, sizeof(queue), "0:start1@%d 1:start7@%d ", first, at);
  snprintf(overlay, sizeof(overlay), "0:end1:0:1000@%d 1:end7:0:500@%d ", first + 1000, at + 500);
  tap_ok(strstr(told, queue) && strstr(told, overlay), "each lane's marks are where they are heard: %s", told);
  end();
}

static void holds(void) {
  begin();
  tone(10000);
  int start = card->heard_count;
  play(QUEUE, 1, 8000);
  step(305);
  dshim_play_hold(engine, 0, QUEUE, 1);
  int held = card->heard_count;
  step(500);
  int16_t silence[2000] = {0};
  int begun = find(start, source, 160);
  int stopped = find(held, silence, 2000);
  tap_ok(begun >= 0 && stopped >= held && stopped - held <= DSHIM_BLOCK_SAMPLES + PLAYOUT_FADE,
         "silent within a block and a fade: %d samples", stopped - held);
  int taken = held - begun;
  tap_ok(memcmp(&card->heard[begun], source, (size_t)taken * sizeof(*source)) == 0, "each sample until then");
  int resumed = card->heard_count;
  dshim_play_hold(engine, 0, QUEUE, 0);
  step(1500);
  int on = find(resumed, &source[taken + PLAYOUT_FADE], 8000 - taken - PLAYOUT_FADE);
  tap_ok(on >= 0, "goes on with the very sample, all of the rest in its order");
  tap_ok(steepest(begun, card->heard_count) <= 3400, "without a click: steepest step %d of 10000",
         steepest(begun, card->heard_count));
  tap_ok(strstr(told, "0:end1:0:8000@") != NULL, "and was heard whole: %s", told);
  end();
}

/* What stops, and what sounds beside it. */
static void flushes(void) {
  begin();
  tone(8000);
  play(QUEUE, 1, 8000);
  step(205);
  dshim_play_flush(engine, 0, QUEUE);
  int stop = card->heard_count;
  step(200);
  int16_t silence[1000] = {0};
  int quiet = find(stop, silence, 1000);
  tap_ok(card->flushes == 1 && quiet - stop <= PLAYOUT_FADE, "alone it ends at once: %d samples", quiet - stop);
  tap_ok(strstr(told, "0:end1:1:") != NULL, "and tells it: %s", told);
  play(OVERLAY, 2, 16000);
  step(105);
  int begun = find(quiet, source, 160);
  level(500);
  play(QUEUE, 3, 8000);
  step(200);
  dshim_play_flush(engine, 0, QUEUE);
  stop = card->heard_count;
  step(1500);
  tone(8000);
  int alone = stop;
  while (alone < card->heard_count && card->heard[alone] != source[alone - begun]) alone++;
  tap_ok(card->flushes == 1 && alone - stop > 0 && alone - stop <= 3 * DSHIM_BLOCK_SAMPLES,
         "beside another what is in the card is left to it: %d samples more", alone - stop);
  bool whole = true;
  for (int i = begun; i < begun + 8000; i++) {
    int difference = card->heard[i] - source[i - begun];
    whole = whole && difference >= 0 && difference <= 500;
  }
  tap_ok(whole, "which goes on without a gap");
  end();
}

static void hook(void) {
  begin();
  tone(8000);
  play(QUEUE, 1, 8000);
  play(OVERLAY, 2, 8000);
  dshim_talk_open(engine, 0, TALKER, 40, 400);
  step(0);
  dshim_play_write(engine, 0, TALKER, source, 3000);
  step(200);
  card->lifted = false;
  step(1500);
  tap_ok(strstr(told, "0:end1:3:") && strstr(told, "1:end2:3:"), "hung up, all lanes end: %s", told);
  struct dshim_talk_stats stats;
  dshim_talk_stats(engine, 0, TALKER, &stats);
  tap_ok(stats.queued_samples == 0, "and nothing waits");
  end();
}

static struct dshim_talk_stats talk_stats(void) {
  struct dshim_talk_stats stats;
  dshim_talk_stats(engine, 0, TALKER, &stats);
  return stats;
}

static int first_sound(int from) {
  while (from < card->heard_count && card->heard[from] == 0) from++;
  return from;
}

static void talks(void) {
  begin();
  tap_ok(dshim_talk_open(engine, 0, 0, 40, 400) == -EINVAL && dshim_talk_open(engine, 0, 8, 40, 400) == -EINVAL &&
             dshim_talk_open(engine, 0, TALKER, 50, 40) == -EINVAL &&
             dshim_talk_open(engine, 0, TALKER, 40, 1001) == -EINVAL,
         "talkers have their lanes and limits");
  dshim_talk_open(engine, 0, TALKER, 60, 300);
  step(0);
  tone(8000);
  int start = card->heard_count;
  dshim_play_write(engine, 0, TALKER, source, 479);
  step(20);
  tap_ok(first_sound(start) == card->heard_count, "silent until the target has come");
  /* Frames of 20 ms, up to 20 ms late: never dry, for 60 ms were there first. */
  int written = 479;
  for (int i = 0; i < 100; i++) {
    int late_ms = i * 7 % 20;
    step(late_ms);
    dshim_play_write(engine, 0, TALKER, &source[written], 160);
    written += 160;
    step(20 - late_ms);
  }
  struct dshim_talk_stats stats = talk_stats();
  int first = first_sound(start);
  tap_ok(stats.underruns == 0 && stats.dropped_samples == 0 && steepest(start, card->heard_count) <= 2700,
         "survives frames that come late: %lld underruns", (long long)stats.underruns);
  tap_ok(find(first, &source[PLAYOUT_FADE], 15000) >= 0, "each sample in its order");
  /* The network stands for 200 ms. */
  int dry = card->heard_count;
  step(200);
  for (int i = 0; i < 10; i++) {
    dshim_play_write(engine, 0, TALKER, &source[written], 160);
    written += 160;
    step(20);
  }
  stats = talk_stats();
  tap_ok(stats.underruns == 1 && stats.late_samples > 800 && stats.late_samples < 2400 &&
             steepest(dry, card->heard_count) <= 2700,
         "ran dry once, %lld samples of silence, no click (%d)", (long long)stats.late_samples,
         steepest(dry, card->heard_count));
  step(1000);
  dshim_play_write(engine, 0, TALKER, source, 100);
  start = card->heard_count;
  step(300);
  stats = talk_stats();
  tap_ok(first_sound(start) < card->heard_count && stats.underruns == 1 && stats.queued_samples == 0,
         "a word shorter than the target is said all the same, and a pause is no underrun");
  dshim_talk_open(engine, 0, TALKER, 60, 300); /* it has learned of the 200 ms */
  step(1000);
  start = card->heard_count;
  dshim_play_write(engine, 0, TALKER, source, 4000);
  step(400);
  stats = talk_stats();
  int first_of_burst = first_sound(start);
  tap_ok(stats.dropped_samples == 4000 - 480 && find(first_of_burst, &source[3520 + PLAYOUT_FADE], 400) >= 0,
         "beyond the most the oldest go: %lld dropped", (long long)stats.dropped_samples);
  dshim_talk_close(engine, 0, TALKER);
  step(0);
  end();
}

int main(void) {
  sums();
  marks();
  holds();
  flushes();
  hook();
  talks();
  return tap_done();
}
