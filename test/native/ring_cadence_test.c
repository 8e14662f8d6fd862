#include "ring_cadence.h"

#include <string.h>

#include "tap.h"

#define MS 1000000LL

static struct ring_cadence cadence_of(int bursts, const int32_t *on_off_ms, int repeat, int max_ms) {
  struct ring_cadence cadence = {.bursts = bursts, .repeat = repeat, .max_ms = max_ms};
  memcpy(cadence.on_off_ms, on_off_ms, sizeof(int32_t) * 2 * (size_t)bursts);
  return cadence;
}

/* Runs it by its own deadlines and writes down what happens when: "+200 -400 …", + on, - off, F finished, C
 * capped. */
static void story(struct ring_cadence *cadence, char *text, size_t size, int64_t until_ms) {
  text[0] = '\0';
  ring_cadence_start(cadence, 0);
  for (;;) {
    int64_t now = ring_cadence_deadline(cadence);
    if (now == INT64_MAX || now > until_ms * MS) return;
    enum ring_action action = ring_cadence_step(cadence, now);
    const char letters[] = "?+-FC";
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%c%lld ", letters[action], (long long)(now / MS));
  }
}

static void tells(const char *name, struct ring_cadence cadence, const char *expected) {
  char text[512];
  story(&cadence, text, sizeof(text), 10000);
  tap_ok(strcmp(text, expected) == 0, "%s: %s(expected %s)", name, text, expected);
}

int main(void) {
  const int32_t normal[] = {2000, 4000};
  const int32_t timer[] = {200, 200, 200, 200, 200, 0};
  const int32_t urgent[] = {300, 300};
  tells("one burst ends without its silence", cadence_of(1, normal, 1, 0), "F2000 ");
  tells("twice", cadence_of(1, normal, 2, 0), "-2000 +6000 F8000 ");
  tells("a list", cadence_of(3, timer, 1, 0), "-200 +400 -600 +800 F1000 ");
  tells("five times", cadence_of(1, urgent, 5, 0), "-300 +600 -900 +1200 -1500 +1800 -2100 +2400 F2700 ");
  tells("the cap in a burst", cadence_of(1, normal, 0, 7000), "-2000 +6000 C7000 ");
  tells("the cap in a silence", cadence_of(1, normal, 0, 3000), "-2000 C3000 ");
  tells("the cap with the last burst's end is its end", cadence_of(1, normal, 1, 2000), "F2000 ");
  tells("for ever", cadence_of(1, normal, 0, 0), "-2000 +6000 -8000 ");

  struct ring_cadence idle = {0};
  tap_ok(ring_cadence_deadline(&idle) == INT64_MAX, "a bell at rest wants nothing");
  tap_ok(ring_cadence_step(&idle, 5) == RING_NOTHING, "and does nothing");
  return tap_done();
}
