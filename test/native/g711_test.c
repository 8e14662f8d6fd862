/* Companding against ITU-T G.711: its end points, and that decoding and encoding undo each other. */
#include "g711.h"

#include <stdlib.h>

#include "tap.h"

int main(void) {
  int ulaw = 0;
  int alaw = 0;
  for (int code = 0; code < 256; code++) {
    /* mu-law has two zeros: 0x7F and 0xFF both mean nothing. */
    if (code != 0x7F && g711_ulaw_encode(g711_ulaw_decode((uint8_t)code)) != code) ulaw++;
    if (g711_alaw_encode(g711_alaw_decode((uint8_t)code)) != code) alaw++;
  }
  tap_ok(ulaw == 0, "mu-law: every code survives a round (%d do not)", ulaw);
  tap_ok(alaw == 0, "A-law: every code survives a round (%d do not)", alaw);
  tap_ok(g711_ulaw_decode(0x80) == 32124 && g711_ulaw_decode(0x00) == -32124, "mu-law's ends");
  tap_ok(g711_alaw_decode(0xAA) == 32256 && g711_alaw_decode(0x2A) == -32256, "A-law's ends");
  tap_ok(g711_ulaw_decode(0xFF) == 0, "mu-law's zero");
  int worst = 0;
  for (int sample = -32768; sample <= 32767; sample++) {
    int error = abs(g711_through(G711_ULAW, (int16_t)sample) - sample);
    /* Half a step: a step is a sixteenth of a segment, a segment as long as what lies below it and 132. */
    if (error > (abs(sample) + 132) / 16 / 2 + 4 && abs(sample) < 32124) worst = sample;
  }
  tap_ok(worst == 0, "mu-law: no error above half a step (%d)", worst);
  tap_ok(g711_through(G711_NONE, -12345) == -12345, "none is none");
  return tap_done();
}
