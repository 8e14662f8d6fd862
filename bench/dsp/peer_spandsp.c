/* Debian's spandsp, linked as it is. Its tone reports are dated by the end of the block of 8 samples that brought
 * them. */
#include <spandsp.h>

#include "peers.h"

int peer_spandsp_block = 8;
#define MAX_BLOCK 160

static struct peer_heard *target;
static int now;

static void report(void *user, int code, int level, int delay) {
  (void)user, (void)level, (void)delay;
  if (target->count >= PEER_MAX_DIGITS) return;
  if (code != 0) {
    target->digits[target->count] = (char)code;
    target->onset[target->count] = now;
  } else {
    target->length[target->count] = now - target->onset[target->count];
    target->count++;
  }
}

static void hear(const int16_t *samples, int count, struct peer_heard *heard) {
  static const int16_t silence[MAX_BLOCK];
  int block = peer_spandsp_block;
  dtmf_rx_state_t *rx = dtmf_rx_init(NULL, NULL, NULL);
  dtmf_rx_set_realtime_callback(rx, report, NULL);
  target = heard;
  heard->count = 0;
  for (now = 0; now < count + 1600;) {
    int n = now >= count || count - now > block ? block : count - now;
    const int16_t *from = now < count ? &samples[now] : silence;
    now += n;
    dtmf_rx(rx, from, n);
  }
  dtmf_rx_free(rx);
  heard->digits[heard->count] = '\0';
}

const struct peer peer_spandsp = {"spandsp", hear};
