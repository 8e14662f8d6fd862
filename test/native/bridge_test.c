/* Lines that hear each other: each sample, how late, and with clocks that differ. */
#include <math.h>

#include "queue_card.h"
#include "tap.h"

static struct dshim_engine *engine;
static struct queue_card *cards[3];
static int16_t speech[3][CARD_HEARD];

/* Each says a tone of its own, of which no block is a whole number of periods. */
static void begin(int count, int32_t parts_per_million) {
  engine = dshim_create(DSHIM_STEPPED);
  for (int c = 0; c < count; c++) {
    cards[c] = card_add(engine, c == 1 ? parts_per_million : 0);
    cards[c]->lifted = true;
    for (int i = 0; i < CARD_HEARD; i++) {
      speech[c][i] = (int16_t)lrint(6000 * sin(2 * M_PI * (310 + 250 * c) * i / 8000));
    }
  }
  dshim_start(engine);
  dshim_step(engine, 500);
}

static void speak(int c) {
  cards[c]->says = speech[c];
  cards[c]->said = 0;
  cards[c]->says_count = CARD_HEARD;
}

static int find(const struct queue_card *card, int from, const int16_t *samples, int count) {
  for (int at = from; at + count <= card->heard_count; at++) {
    if (memcmp(&card->heard[at], samples, (size_t)count * sizeof(*samples)) == 0) return at;
  }
  return -1;
}

static bool silent(const struct queue_card *card, int from) {
  for (int i = from; i < card->heard_count; i++) {
    if (card->heard[i] != 0) return false;
  }
  return true;
}

static int64_t slips(int line) {
  struct dshim_line_stats stats;
  dshim_line_stats(engine, line, &stats);
  return stats.bridge_slips;
}

static void two(void) {
  begin(2, 0);
  dshim_bridge(engine, 0, 1);
  dshim_bridge(engine, 1, 1);
  dshim_step(engine, 500);
  int start = cards[1]->heard_count;
  speak(0);
  dshim_step(engine, 3000);
  int at = find(cards[1], start, speech[0], 16000);
  tap_ok(at >= 0, "what one says the other hears, each sample");
  tap_ok((at - start) / 8 <= 80, "%d ms from mouth to ear: with the block that is heard and two in the card",
         (at - start) / 8);
  tap_ok(silent(cards[0], start), "and does not hear itself");
  start = cards[0]->heard_count;
  speak(1);
  dshim_step(engine, 3000);
  int back = find(cards[0], start, speech[1], 16000);
  tap_ok(back >= 0 && (back - start) / 8 <= 80, "the other way as well, %d ms", (back - start) / 8);
  tap_ok(slips(0) == 0 && slips(1) == 0, "clocks that agree never slip");
  cards[1]->lifted = false;
  dshim_step(engine, 200);
  start = cards[0]->heard_count;
  dshim_step(engine, 200);
  tap_ok(silent(cards[0], start), "who has hung up is not heard, once for the clocks' sake and no more");
  cards[1]->lifted = true;
  dshim_step(engine, 200);
  dshim_bridge(engine, 0, 0);
  dshim_step(engine, 200);
  start = cards[1]->heard_count;
  dshim_step(engine, 500);
  tap_ok(silent(cards[1], start) && silent(cards[0], start), "who leaves is not heard, and hears nothing");
  dshim_destroy(engine);
}

static void three(void) {
  begin(3, 0);
  for (int c = 0; c < 3; c++) dshim_bridge(engine, c, 7);
  dshim_step(engine, 200);
  int start = cards[2]->heard_count;
  for (int c = 0; c < 3; c++) speak(c);
  dshim_step(engine, 2000);
  int16_t sum[8000];
  for (int i = 0; i < 8000; i++) sum[i] = (int16_t)(speech[0][i + 800] + speech[1][i + 800]);
  tap_ok(find(cards[2], start, sum, 8000) >= 0, "each hears the sum of the others");
  dshim_bridge(engine, 1, 0);
  dshim_step(engine, 100);
  start = cards[0]->heard_count;
  dshim_step(engine, 500);
  int heard = 0;
  for (int i = start; i < cards[0]->heard_count; i++) heard += abs(cards[0]->heard[i]) > 6000;
  tap_ok(heard == 0 && !silent(cards[0], start), "when one leaves, the others stay");
  tap_ok(dshim_bridge(engine, 0, -1) == -EINVAL && dshim_bridge(engine, 9, 1) == -EINVAL, "wrong is refused");
  dshim_destroy(engine);
}

static int steepest(const struct queue_card *card, int from) {
  int most = 0;
  for (int i = from + 1; i < card->heard_count; i++) {
    int step = abs(card->heard[i] - card->heard[i - 1]);
    if (step > most) most = step;
  }
  return most;
}

/* 2000 ppm: a hundred times what cards are apart, so that much of it happens in half a minute. */
static void drift(int32_t parts_per_million) {
  begin(2, parts_per_million);
  dshim_bridge(engine, 0, 1);
  dshim_bridge(engine, 1, 1);
  speak(0);
  speak(1);
  dshim_step(engine, 1000);
  int start = cards[0]->heard_count;
  dshim_step(engine, 30000);
  /* 30 s × 2000 ppm are 60 ms: three blocks each way. */
  tap_ok(slips(0) >= 2 && slips(0) <= 5 && slips(1) >= 2 && slips(1) <= 5, "%d ppm: %lld and %lld slips in 30 s",
         parts_per_million, (long long)slips(0), (long long)slips(1));
  tap_ok(steepest(cards[0], start) < 3100 && steepest(cards[1], start) < 1900,
         "each without a click: steepest %d and %d", steepest(cards[0], start), steepest(cards[1], start));
  tap_ok(cards[0]->dry == 0 && cards[1]->dry == 0, "no card ran dry: %d %d", cards[0]->dry, cards[1]->dry);
  dshim_destroy(engine);
}

int main(void) {
  two();
  three();
  drift(2000);
  drift(-2000);
  return tap_done();
}
