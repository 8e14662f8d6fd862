/* The detector against ITU-T Q.23 and Q.24 and beyond: what must be heard, what must not, and how exactly. The
 * groups of digits are those of bench/dsp, at the values where a limit is promised (dsp_dtmf.h). */
#include "dsp_dtmf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../bench/dsp/dtmf_axes.h"
#include "../../bench/dsp/voice.h"
#include "dsp_level.h"
#include "dsp_tone.h"
#include "tap.h"

#define GROUPS     100
#define MAX_EVENTS 512

static struct corpus_group group;
static struct dsp_dtmf_event heard_events[MAX_EVENTS];
static int heard_count;
static char heard_digits[MAX_EVENTS];

/* Hears samples in chunks; leaves the events, and the digits: '!' for every DOWN without its UP, or UP without
 * DOWN. */
static const char *hear(const int16_t *samples, int length, int chunk) {
  static struct dsp_dtmf dtmf;
  dsp_dtmf_init(&dtmf);
  memset(heard_events, 0, sizeof(heard_events));
  heard_count = 0;
  for (int at = 0; at < length; at += chunk) {
    int count = length - at < chunk ? length - at : chunk;
    heard_count +=
        dsp_dtmf_process(&dtmf, &samples[at], count, &heard_events[heard_count], MAX_EVENTS - heard_count);
  }
  heard_count += dsp_dtmf_flush(&dtmf, &heard_events[heard_count]);
  int digits = 0;
  int down = 0;
  for (int i = 0; i < heard_count; i++) {
    if (heard_events[i].kind == DSP_DTMF_DOWN) {
      if (down) heard_digits[digits++] = '!';
      down = heard_events[i].digit;
    } else {
      heard_digits[digits++] = (char)(down == heard_events[i].digit ? down : '!');
      down = 0;
    }
  }
  if (down) heard_digits[digits++] = '!';
  heard_digits[digits] = '\0';
  return heard_digits;
}

static const char *hear_group(const struct corpus_condition *condition, uint64_t seed) {
  corpus_render(condition, seed, &group);
  return hear(group.samples, group.count, 160);
}

/* Each axis where its limit is promised, linear and through G.711; the benchmark asks for 99 % of the groups, this
 * for all of its few. */
static void test_axis(const struct axis *axis, enum corpus_law law) {
  static const char *const LAWS[] = {"", ", mu-law", ", A-law"};
  int wrong = 0;
  char example[128] = "";
  for (int g = 0; g < GROUPS; g++) {
    uint64_t seed = 424242 + (uint64_t)g;
    struct corpus_condition condition = corpus_plain();
    condition.law = law;
    axis->set(&condition, axis->required, seed);
    const char *heard = hear_group(&condition, seed);
    if (strcmp(heard, axis->reject ? "" : group.digits) == 0) continue;
    if (wrong++ == 0) snprintf(example, sizeof(example), ": sent %s heard %.80s", group.digits, heard);
  }
  tap_ok(wrong == 0, "%s %g %s%s%s", axis->name, axis->required, axis->unit, LAWS[law], example);
}

static void test_times_and_levels(void) {
  double onset = 0;
  double length = 0;
  double level = 0;
  int right = 0;
  for (int g = 0; g < GROUPS; g++) {
    struct corpus_condition condition = corpus_plain();
    condition.on_ms = 32 + g * 2;
    condition.snr_db = g & 1 ? 20 : -CORPUS_NONE;
    right += strcmp(hear_group(&condition, 99 + (uint64_t)g), group.digits) == 0;
    int digit = 0;
    for (int i = 0; i < heard_count && group.digits[digit]; i++) {
      if (heard_events[i].kind != DSP_DTMF_UP) continue;
      double start = (double)(heard_events[i].at_sample - heard_events[i].duration_samples);
      onset = fmax(onset, fabs(start - group.onset[digit]) / 8);
      length = fmax(length, fabs(heard_events[i].duration_samples - group.length[digit++]) / 8);
      level = fmax(level, fabs(heard_events[i].level_cdbm0 / 100.0 - condition.level_dbm0));
    }
  }
  tap_ok(right == GROUPS, "tones of 32 to 110 ms, half of them at 20 dB SNR: %d of %d groups", right, GROUPS);
  tap_ok(onset <= 5, "onset within 5 ms (worst %.1f)", onset);
  tap_ok(length <= 5, "duration within 5 ms (worst %.1f)", length);
  tap_ok(level <= 1, "level within 1 dB (worst %.2f)", level);
}

static void accepts(const char *what, struct corpus_condition condition) {
  condition.digits = 16;
  hear_group(&condition, 7);
  tap_ok(strcmp(heard_digits, group.digits) == 0, "%s: %s", what, heard_digits);
}

static void refuses(const char *what, struct corpus_condition condition) {
  hear_group(&condition, 7);
  tap_ok(heard_digits[0] == '\0', "%s refused: %s", what, heard_digits);
}

static void test_more_conditions(void) {
  struct corpus_condition plain = corpus_plain();
  struct corpus_condition c = plain;
  c.on_ms = c.off_ms = 40;
  accepts("40 ms on and off (Q.24's shortest)", c);
  c = plain;
  c.on_ms = 2000;
  c.digits = 1;
  hear_group(&c, 3);
  tap_ok(strcmp(heard_digits, group.digits) == 0, "a key held for two seconds: %s", heard_digits);
  c = plain;
  c.offset_ratio[0] = c.offset_ratio[1] = 0.035;
  refuses("both tones 3.5 % high", c);
  c = plain;
  c.twist_db = 15;
  refuses("15 dB of twist", c);
  c = plain;
  c.level_dbm0 = -60;
  refuses("-60 dBm0", c);
  c = plain;
  c.twist_db = 200;
  refuses("one tone alone", c);
  /* An echo is no second digit, however late and loud it is up to 40 ms and -3 dB. */
  int doubled = 0;
  for (int g = 0; g < 2 * GROUPS; g++) {
    c = plain;
    c.on_ms = 60;
    c.off_ms = 80;
    c.echo_ms = 5 + g % 8 * 5;
    c.echo_db = -3 - g / 8;
    doubled += strlen(hear_group(&c, 31 + (uint64_t)g)) > strlen(group.digits);
  }
  tap_ok(doubled == 0, "no digit doubled by an echo of 5 to 40 ms, -3 to -12 dB: %d groups", doubled);
}

static void test_keys_without_a_pause(void) {
  struct corpus_condition c = corpus_plain();
  c.on_ms = 60;
  c.off_ms = 0;
  c.digits = 6;
  int wrong = 0;
  for (int g = 0; g < GROUPS; g++) wrong += strcmp(hear_group(&c, 11 + (uint64_t)g), group.digits) != 0;
  tap_ok(wrong <= GROUPS / 20, "other keys without a pause: %d of %d groups wrong", wrong, GROUPS);
}

static void test_chunks(void) {
  struct corpus_condition c = corpus_plain();
  c.snr_db = 15;
  c.digits = 16;
  hear_group(&c, 5);
  struct dsp_dtmf_event *reference = malloc(sizeof(heard_events));
  memcpy(reference, heard_events, sizeof(heard_events));
  for (int chunk = 1; chunk <= 1000; chunk = chunk * 7 + 3) {
    hear(group.samples, group.count, chunk);
    tap_ok(memcmp(reference, heard_events, sizeof(heard_events)) == 0, "in chunks of %d the same to the bit",
           chunk);
  }
  free(reference);
}

#define LONG (8000 * 60)
static int16_t line[LONG];

static void test_what_is_no_key(void) {
  memset(line, 0, sizeof(line));
  tap_ok(hear(line, LONG, 160)[0] == '\0', "silence is no key");
  uint64_t state = 1;
  for (int i = 0; i < LONG; i++) line[i] = (int16_t)lrint(fmax(-32768, fmin(32767, 8000 * corpus_gauss(&state))));
  tap_ok(hear(line, LONG, 160)[0] == '\0', "a minute of loud noise is no key: %s", heard_digits);
  for (int i = 0; i < LONG; i++) line[i] = (int16_t)(10000 * sin(2 * M_PI * (200 + 0.0125 * i / 2) * i / 8000));
  tap_ok(hear(line, LONG, 160)[0] == '\0', "a sweep is no key: %s", heard_digits);
  double hz[2] = {350, 440};
  double amplitude[2] = {dsp_tone_amplitude(-1300), dsp_tone_amplitude(-1300)};
  dsp_tone_render(hz, amplitude, 2, 0, line, LONG);
  tap_ok(hear(line, LONG, 160)[0] == '\0', "dial tone is no key: %s", heard_digits);
  for (int i = 0; i < LONG; i++) line[i] = i & 64 ? 32767 : -32768;
  tap_ok(hear(line, LONG, 160)[0] == '\0', "a square wave is no key: %s", heard_digits);
  /* Voices: their harmonics pass over the digits' frequencies all the time. */
  int keys = 0;
  for (int v = 0; v < 10; v++) {
    voice_render(line, LONG, 1000 + (uint64_t)v);
    keys += (int)strlen(hear(line, LONG, 160));
  }
  tap_ok(keys == 0, "ten minutes of synthetic voices are no key: %d heard", keys);
}

int main(void) {
  for (int i = 0; i < AXES; i++) {
    test_axis(&axes[i], CORPUS_LINEAR);
    test_axis(&axes[i], i & 1 ? CORPUS_A_LAW : CORPUS_MU_LAW);
  }
  test_times_and_levels();
  test_more_conditions();
  test_keys_without_a_pause();
  test_chunks();
  test_what_is_no_key();
  return tap_done();
}
