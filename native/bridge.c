#include "bridge.h"

#include <math.h>
#include <string.h>

#define WINDOW 250 /* blocks, 5 s: who was late in them may be late again */
#define FADE   40  /* samples, 5 ms */

#define PLACE(n) ((n) & (BRIDGE_BLOCKS - 1))

void bridge_init(struct bridge_seat *seat) {
  for (int i = 0; i < BRIDGE_PEERS; i++) seat->peers[i].line = -1;
}

static struct bridge_peer *peer_of(struct bridge_seat *seat, int32_t line) {
  for (int i = 0; i < BRIDGE_PEERS; i++) {
    if (seat->peers[i].line == line) return &seat->peers[i];
  }
  return NULL;
}

bool bridge_meet(struct bridge_seat *seat, int32_t line) {
  struct bridge_peer *peer = peer_of(seat, line);
  if (!peer) peer = peer_of(seat, -1);
  if (!peer) return false;
  peer->line = line;
  peer->leaves = false;
  peer->heard = false;
  peer->written = 0;
  peer->taken = 0;
  return true;
}

void bridge_part(struct bridge_seat *seat, int32_t line) {
  struct bridge_peer *peer = peer_of(seat, line);
  if (!peer) return;
  peer->leaves = peer->heard;
  if (!peer->heard) peer->line = -1;
}

void bridge_hear(struct bridge_seat *seat, int32_t line, const int16_t *samples) {
  struct bridge_peer *peer = peer_of(seat, line);
  if (!peer || peer->leaves) return;
  if (peer->written - peer->taken == BRIDGE_BLOCKS - 1) peer->taken++; /* nobody takes them; the last one stays */
  memcpy(peer->blocks[PLACE(peer->written)], samples, sizeof(peer->blocks[0]));
  peer->written++;
}

/* Half a cosine from 1 to 0 over count samples. */
static float falling(int i, int count) { return 0.5F + 0.5F * cosf((float)M_PI * (float)(i + 1) / (float)count); }

/* From one to the other over count samples; what follows of the second is added as it is. NULL: silence. */
static void add_fade(int32_t *sum, const int16_t *from, const int16_t *to, int count) {
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    float gain = i < count ? falling(i, count) : 0.0F;
    float sample = (from ? gain * (float)from[i] : 0.0F) + (to ? (1.0F - gain) * (float)to[i] : 0.0F);
    sum[i] += (int32_t)lrintf(sample);
  }
}

/* The last sample, held: what comes after a block that nothing follows. */
static const int16_t *held(const struct bridge_peer *peer, int16_t *block) {
  int16_t last = peer->blocks[PLACE(peer->taken - 1)][DSHIM_BLOCK_SAMPLES - 1];
  for (int i = 0; i < FADE; i++) block[i] = last;
  return block;
}

static void falls_silent(struct bridge_peer *peer, int32_t *sum) {
  int16_t last[DSHIM_BLOCK_SAMPLES] = {0};
  add_fade(sum, held(peer, last), NULL, FADE);
  peer->heard = false;
  if (peer->leaves) peer->line = -1;
  peer->leaves = false;
}

/* The block before is sent once more; its end joins what comes next. */
static void repeat(struct bridge_peer *peer, int32_t *sum) {
  int16_t last[DSHIM_BLOCK_SAMPLES] = {0};
  add_fade(sum, held(peer, last), peer->blocks[PLACE(peer->taken - 1)], FADE);
  peer->repeated = true;
}

static void note_spare(struct bridge_peer *peer) {
  uint32_t waiting = peer->written - peer->taken;
  if (waiting < peer->spare) peer->spare = waiting;
  peer->window++;
}

static void watch_anew(struct bridge_peer *peer) {
  peer->spare = BRIDGE_BLOCKS;
  peer->window = 0;
}

static bool add_peer(struct bridge_seat *seat, struct bridge_peer *peer, int32_t *sum) {
  uint32_t waiting = peer->written - peer->taken;
  if (peer->leaves || (peer->heard && waiting == 0 && peer->repeated)) {
    falls_silent(peer, sum);
    return true;
  }
  if (waiting == 0) {
    if (!peer->heard) return false;
    repeat(peer, sum);
    seat->slips++;
    watch_anew(peer);
    return true;
  }
  const int16_t *block = peer->blocks[PLACE(peer->taken)];
  if (!peer->heard) {
    peer->taken = peer->written;
    peer->heard = true;
    peer->repeated = false;
    watch_anew(peer);
    add_fade(sum, NULL, peer->blocks[PLACE(peer->taken - 1)], FADE);
    return true;
  }
  peer->repeated = false;
  if (peer->window >= WINDOW && peer->spare >= 1 && waiting >= 2) {
    add_fade(sum, block, peer->blocks[PLACE(peer->taken + 1)], DSHIM_BLOCK_SAMPLES);
    peer->taken += 2;
    seat->slips++;
    watch_anew(peer);
    return true;
  }
  if (peer->window >= WINDOW) watch_anew(peer);
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) sum[i] += block[i];
  peer->taken++;
  note_spare(peer);
  return true;
}

bool bridge_add(struct bridge_seat *seat, int32_t *sum) {
  bool sounds = false;
  for (int i = 0; i < BRIDGE_PEERS; i++) {
    if (seat->peers[i].line >= 0 && add_peer(seat, &seat->peers[i], sum)) sounds = true;
  }
  return sounds;
}
