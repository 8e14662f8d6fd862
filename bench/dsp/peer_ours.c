/* Our detector, in the blocks of 20 ms it gets on a line. */
#include "dsp_dtmf.h"
#include "peers.h"

#define BLOCK 160

static void hear(const int16_t *samples, int count, struct peer_heard *heard) {
  struct dsp_dtmf dtmf;
  struct dsp_dtmf_event events[2 + BLOCK / DSP_DTMF_SUB_SAMPLES];
  dsp_dtmf_init(&dtmf);
  heard->count = 0;
  for (int at = 0; at < count + 8 * BLOCK; at += BLOCK) {
    static const int16_t silence[BLOCK];
    int n = at >= count ? BLOCK : count - at < BLOCK ? count - at : BLOCK;
    int got = dsp_dtmf_process(&dtmf, at < count ? &samples[at] : silence, n, events, 6);
    for (int i = 0; i < got; i++) {
      if (events[i].kind != DSP_DTMF_UP || heard->count >= PEER_MAX_DIGITS) continue;
      heard->digits[heard->count] = (char)events[i].digit;
      heard->length[heard->count] = events[i].duration_samples;
      heard->onset[heard->count++] = (double)(events[i].at_sample - events[i].duration_samples);
    }
  }
  heard->digits[heard->count] = '\0';
}

const struct peer peer_ours = {"ours", hear};
