/* The scalar and the SIMD twin of the correlation agree to the bit, sub-block for sub-block, whatever they are
 * given.
 *
 *   dsp_dtmf_twins_test            TAP
 *   dsp_dtmf_twins_test --digits   the digits and their times along the axes, beyond their limits too: the builds
 * for SSE2, NEON and neither must print the same (make native-test compares them)
 */
#include <stdlib.h>
#include <string.h>

#include "../../bench/dsp/dtmf_axes.h"
#include "../../bench/dsp/voice.h"
#include "dsp_dtmf_correlate.h"
#include "dsp_dtmf_tones.h"
#include "tap.h"

#define LONG 240000

static int16_t line[LONG];
static struct corpus_group group;

static int differing(const int16_t *samples, int count) {
  int wrong = 0;
  for (int at = 0; at + DSP_DTMF_SUB_SAMPLES <= count; at += 7) { /* at every alignment in memory */
    struct dtmf_correlation simd;
    struct dtmf_correlation scalar;
    dtmf_correlate(&samples[at], &simd);
    dtmf_correlate_scalar(&samples[at], &scalar);
    wrong +=
        memcmp(&simd, &scalar, sizeof(simd)) != 0 || dtmf_energy(&samples[at]) != dtmf_energy_scalar(&samples[at]);
  }
  return wrong;
}

static void compare(const char *what) {
  int wrong = differing(line, LONG);
  tap_ok(wrong == 0, "%s: %d sub-blocks differ", what, wrong);
}

static void run_tap(void) {
  uint64_t state = 17;
  for (int i = 0; i < LONG; i++) line[i] = (int16_t)(corpus_random(&state) >> 48);
  compare("every 16-bit value");
  for (int i = 0; i < LONG; i++) line[i] = corpus_random(&state) >> 63 ? 32767 : -32768;
  compare("nothing but extremes");
  memset(line, 0x80, sizeof(line)); /* −32640 */
  compare("DC");
  for (int i = 0; i < LONG; i++) line[i] = -32768;
  compare("the lowest value");
  /* What makes each correlation largest: the signs of its function. No sum may overflow. */
  for (int t = 0; t < DSP_DTMF_TONES; t++)
    for (int i = 0; i < LONG; i++)
      line[i] = sin(2 * M_PI * (double)dtmf_tones_hz[t] * (i % 40 - 19.5) / 8000 + (i / 40 % 2) * M_PI / 2) < 0
                    ? -32768
                    : 32767;
  compare("square waves at the tones");
  voice_render(line, LONG, 3);
  compare("a voice");
  for (int a = 0; a < AXES; a++) {
    struct corpus_condition condition = corpus_plain();
    axes[a].set(&condition, axes[a].required, (uint64_t)a);
    corpus_render(&condition, (uint64_t)a, &group);
    int wrong = differing(group.samples, group.count);
    tap_ok(wrong == 0, "%s: %d sub-blocks differ", axes[a].name, wrong);
  }
}

static void print_digits(const int16_t *samples, int count) {
  struct dsp_dtmf dtmf;
  struct dsp_dtmf_event events[8];
  dsp_dtmf_init(&dtmf);
  for (int at = 0; at + 160 <= count; at += 160) {
    int got = dsp_dtmf_process(&dtmf, &samples[at], 160, events, 8);
    for (int i = 0; i < got; i++)
      printf("%c%s%lld", events[i].digit, events[i].kind == DSP_DTMF_DOWN ? "+" : "-",
             (long long)events[i].at_sample / 8);
  }
  printf("\n");
}

static void run_digits(void) {
  for (int a = 0; a < AXES; a++) {
    for (int g = 0; g < 12; g++) {
      struct corpus_condition condition = corpus_plain();
      double x = axes[a].from + (axes[a].to - axes[a].from) * g / 11.0;
      axes[a].set(&condition, x, (uint64_t)(a * 100 + g));
      condition.break_at_ms = 40; /* a fixed place: what lies past a short tone's end would be out of the corpus */
      if (condition.break_ms + condition.break_at_ms > condition.on_ms) condition.break_kind = CORPUS_SOUNDS_ON;
      corpus_render(&condition, (uint64_t)(a * 100 + g), &group);
      print_digits(group.samples, group.count);
    }
  }
  for (int v = 0; v < 4; v++) {
    voice_render(line, LONG, (uint64_t)v);
    print_digits(line, LONG);
  }
}

int main(int argc, char **argv) {
  dtmf_tones_init();
  if (argc > 1 && strcmp(argv[1], "--digits") == 0) {
    run_digits();
    return 0;
  }
  run_tap();
  return tap_done();
}
