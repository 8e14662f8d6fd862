/* progress_tones.h — tones of a few countries as src/audio/call_progress.ts makes them, and a far end that sends
 * them. */
#ifndef PROGRESS_TONES_H
#define PROGRESS_TONES_H

#include "dahdi_shim.h"

struct zone {
  const char *name;
  int tones;
  struct dshim_progress_tone tone[DSHIM_PROGRESS_TONES];
};

#define ONE(hz)             .sines = 1, .frequencies_chz = {(hz)*100}, .tolerance_chz = (hz)
#define TWO(a, b)           .sines = 2, .frequencies_chz = {(a)*100, (b)*100}, .tolerance_chz = (b)
#define THREE(a, b, c)      .sines = 3, .frequencies_chz = {(a)*100, (b)*100, (c)*100}, .tolerance_chz = (c)
#define CONTINUOUS          .sure_ms = 1000
#define CADENCE(count, ...) .phases = count, .cadence_ms = {__VA_ARGS__}
#define FAX                                                                                                       \
  {.id = 5, .sines = 1, .frequencies_chz = {210000}, .tolerance_chz = 1500, .sure_ms = 500}, {                    \
    .id = 6, .sines = 1, .frequencies_chz = {110000}, .tolerance_chz = 3800, CADENCE(2, 500, 3000),               \
    .sure_ms = 1000                                                                                               \
  }

static const struct zone ZONES[] = {
    {"us",
     6,
     {{.id = 1, TWO(350, 440), CONTINUOUS},
      {.id = 2, TWO(480, 620), CADENCE(2, 500, 500)},
      {.id = 3, TWO(480, 620), CADENCE(2, 250, 250)},
      {.id = 4, TWO(440, 480), CADENCE(2, 2000, 4000)},
      FAX}},
    {"de",
     6,
     {{.id = 1, ONE(425), CONTINUOUS},
      {.id = 2, ONE(425), CADENCE(2, 480, 480)},
      {.id = 3, ONE(425), CADENCE(2, 240, 240)},
      {.id = 4, ONE(425), CADENCE(2, 1000, 4000)},
      FAX}},
    {"gb",
     6,
     {{.id = 1, TWO(350, 440), CONTINUOUS},
      {.id = 2, ONE(400), CADENCE(2, 375, 375)},
      {.id = 3, ONE(400), CADENCE(4, 400, 350, 225, 525)},
      {.id = 4, TWO(400, 450), CADENCE(4, 400, 200, 400, 2000)},
      FAX}},
    {"jp",
     5,
     {{.id = 1, ONE(400), CONTINUOUS},
      {.id = 2, ONE(400), CADENCE(2, 500, 500)},
      {.id = 4, THREE(384, 400, 416), CADENCE(2, 1000, 2000)},
      FAX}},
    {"es",
     6,
     {{.id = 1, ONE(425), CONTINUOUS},
      {.id = 2, ONE(425), CADENCE(2, 200, 200)},
      {.id = 3, ONE(425), CADENCE(6, 200, 200, 200, 200, 200, 600)},
      {.id = 4, ONE(425), CADENCE(2, 1500, 3000)},
      FAX}},
    {"za",
     5,
     {{.id = 1, THREE(367, 400, 433), CONTINUOUS},
      {.id = 2, ONE(400), CADENCE(2, 500, 500)},
      {.id = 4, THREE(367, 400, 433), CADENCE(4, 400, 200, 400, 2000)},
      FAX}},
};
#define ZONE_COUNT ((int)(sizeof(ZONES) / sizeof(ZONES[0])))

#endif
