/*
 * queue_card.h — a card with a queue, as DAHDI's: it sends one block in the time in which it receives one. Its
 * clock may be off; what its telephone heard is kept sample for sample, and what it says is a list of samples.
 */
#ifndef QUEUE_CARD_H
#define QUEUE_CARD_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define CARD_BLOCKS 32
#define CARD_HEARD  400000

struct queue_card {
  struct chan chan;
  int64_t block_ns, next_ns;
  int16_t queue[CARD_BLOCKS][DSHIM_BLOCK_SAMPLES];
  int32_t waiting, most_waiting;
  bool lifted, told;
  int32_t flushes, dry;
  const int16_t *says; /* then silence */
  int32_t says_count, said;
  int32_t heard_count;
  int16_t heard[CARD_HEARD];
};

static struct queue_card *card_of(struct chan *chan) { return (struct queue_card *)chan; }

static int card_open(struct chan *chan, const struct chan_settings *settings, int64_t now_ns, int32_t *stage) {
  (void)settings;
  (void)stage;
  card_of(chan)->next_ns = now_ns + card_of(chan)->block_ns;
  return 0;
}

static void card_close(struct chan *chan) { (void)chan; }

static int card_fd(struct chan *chan) {
  (void)chan;
  return -1;
}

static int64_t card_wake(struct chan *chan) { return card_of(chan)->next_ns; }

static int card_read(struct chan *chan, int64_t now_ns, int16_t *samples) {
  struct queue_card *card = card_of(chan);
  if (now_ns < card->next_ns) return 0;
  card->next_ns += card->block_ns;
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    samples[i] = card->said < card->says_count ? card->says[card->said++] : 0;
  }
  int16_t *place = &card->heard[card->heard_count];
  if (card->heard_count + DSHIM_BLOCK_SAMPLES > CARD_HEARD) return 1;
  card->heard_count += DSHIM_BLOCK_SAMPLES;
  if (card->waiting == 0) {
    card->dry++;
    memset(place, 0, sizeof(card->queue[0]));
    return 1;
  }
  memcpy(place, card->queue[0], sizeof(card->queue[0]));
  memmove(card->queue[0], card->queue[1], sizeof(card->queue[0]) * (size_t)--card->waiting);
  return 1;
}

static int card_write(struct chan *chan, int64_t now_ns, const int16_t *samples) {
  struct queue_card *card = card_of(chan);
  (void)now_ns;
  if (card->waiting == CARD_BLOCKS) return 0;
  memcpy(card->queue[card->waiting++], samples, sizeof(card->queue[0]));
  if (card->waiting > card->most_waiting) card->most_waiting = card->waiting;
  return 1;
}

static int card_event(struct chan *chan, int64_t now_ns, struct chan_event *event) {
  struct queue_card *card = card_of(chan);
  (void)now_ns;
  if (card->lifted == card->told) return 0;
  card->told = card->lifted;
  event->kind = card->lifted ? CHAN_EV_OFF_HOOK : CHAN_EV_ON_HOOK;
  return 1;
}

static int card_switch(struct chan *chan, int64_t now_ns, bool on) {
  (void)chan;
  (void)now_ns;
  (void)on;
  return 0;
}

static int card_stats(struct chan *chan, int64_t now_ns, bool voltage, struct chan_stats *stats) {
  (void)now_ns;
  (void)voltage;
  *stats = (struct chan_stats){.lifted = card_of(chan)->lifted};
  return 0;
}

static int card_flush(struct chan *chan, int64_t now_ns) {
  (void)now_ns;
  card_of(chan)->waiting = 0;
  card_of(chan)->flushes++;
  return 0;
}

static const struct chan_ops card_ops = {.name = "queue",
                                         .open = card_open,
                                         .close = card_close,
                                         .fd = card_fd,
                                         .wake_ns = card_wake,
                                         .read = card_read,
                                         .write = card_write,
                                         .event = card_event,
                                         .ring = card_switch,
                                         .battery_drop = card_switch,
                                         .stats = card_stats,
                                         .flush = card_flush};

/* In the place of a line of the engine's that was never opened. */
static struct queue_card *card_add(struct dshim_engine *engine, int32_t parts_per_million) {
  int line = dshim_add_dahdi(engine, "/dev/null", 1);
  struct queue_card *card = calloc(1, sizeof(*card));
  card->chan.ops = &card_ops;
  card->chan.queues = true;
  card->block_ns = 20000000 + 20LL * parts_per_million;
  free(engine->lines[line]->chan);
  engine->lines[line]->chan = &card->chan;
  return card;
}

#endif
