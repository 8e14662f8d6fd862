/* The tones of six countries and of fax machines: at levels, frequencies and noise as lines have them; and what is
 * none of them. */
#include "dsp_progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"
#include "dsp_tone.h"
#include "progress_tones.h"
#include "tap.h"

#define SECONDS(s) ((s)*8000)
#define MOST       SECONDS(40)

static int16_t line[MOST];
static struct dsp_progress_plan plan;
static struct dsp_progress progress;
static struct dsp_progress_event events[64];

static uint32_t noise_state = 1;
static void add_noise(int samples, double level_dbm0) {
  double amplitude = sqrt(3.0 * dsp_mean_square((int32_t)(level_dbm0 * 100)));
  for (int i = 0; i < samples; i++) {
    noise_state = noise_state * 1664525U + 1013904223U;
    double sum = line[i] + (noise_state / 4294967296.0 - 0.5) * 2.0 * amplitude;
    line[i] = (int16_t)lrint(fmax(-32768, fmin(32767, sum)));
  }
}

/* Sines, each at the level, from sample to sample; a modulated tone's outer ones have half its amplitude. */
static void sound(const struct dshim_progress_tone *tone, int from, int to, double level_dbm0, double factor) {
  double hz[DSHIM_PROGRESS_SINES];
  double amplitude[DSHIM_PROGRESS_SINES];
  for (int k = 0; k < tone->sines; k++) {
    hz[k] = tone->frequencies_chz[k] / 100.0 * factor;
    double less_db = tone->sines == 3 ? (k == 1 ? 1.76 : 7.78) : 10 * log10(tone->sines);
    amplitude[k] = dsp_tone_amplitude((int32_t)((level_dbm0 - less_db) * 100));
  }
  for (int at = from; at < to; at += 160) {
    int count = to - at < 160 ? to - at : 160;
    dsp_tone_render(hz, amplitude, tone->sines, at - from, &line[at], count);
  }
}

/* The tone from sample `from` on, with its cadence. */
static void send(const struct dshim_progress_tone *tone, int from, int to, double level_dbm0, double factor) {
  if (tone->phases == 0) {
    sound(tone, from, to, level_dbm0, factor);
    return;
  }
  for (int phase = 0; from < to; phase = (phase + 1) % tone->phases) {
    int until = from + tone->cadence_ms[phase] * 8;
    if (until > to) until = to;
    if (phase % 2 == 0) sound(tone, from, until, level_dbm0, factor);
    from = until;
  }
}

static int hear(int samples) {
  dsp_progress_reset(&progress);
  memset(events, 0, sizeof(events));
  int count = 0;
  for (int at = 0; at + DSHIM_BLOCK_SAMPLES <= samples; at += DSHIM_BLOCK_SAMPLES) {
    if (count > 60) break;
    count += dsp_progress_block(&plan, &progress, &line[at], &events[count]);
  }
  return count;
}

static int length_of(const struct dshim_progress_tone *tone) {
  int ms = 0;
  for (int i = 0; i < tone->phases; i++) ms += tone->cadence_ms[i];
  return tone->phases == 0 ? SECONDS(4) : ms < 3000 ? SECONDS(6) : 3 * ms * 8;
}

static void every_tone(void) {
  const double levels[] = {-30, -20, -10, -5};
  const double factors[] = {0.99, 1, 1.01};
  for (int z = 0; z < ZONE_COUNT; z++) {
    dsp_progress_plan(&plan, ZONES[z].tone, ZONES[z].tones);
    for (int t = 0; t < ZONES[z].tones; t++) {
      const struct dshim_progress_tone *tone = &ZONES[z].tone[t];
      int tried = 0;
      int right = 0;
      double worst_start_ms = 0;
      double worst_level_db = 0;
      for (int l = 0; l < 4; l++) {
        for (int f = 0; f < 3; f++) {
          for (int shift = 0; shift < 160; shift += 37) {
            int from = SECONDS(1) + shift;
            int to = from + length_of(tone);
            int samples = to + SECONDS(7);
            memset(line, 0, sizeof(line));
            send(tone, from, to, levels[l], factors[f]);
            add_noise(samples, levels[l] - 15 < -45 ? -45 : levels[l] - 15);
            int count = hear(samples);
            tried++;
            if (count != 2 || events[0].id != tone->id || !events[0].active || events[1].id != tone->id ||
                events[1].active) {
              printf("# %s %d at %.0f dBm0, factor %.2f, shift %d: %d events, first %d\n", ZONES[z].name, tone->id,
                     levels[l], factors[f], shift, count, events[0].id);
              continue;
            }
            right++;
            worst_start_ms = fmax(worst_start_ms, fabs((double)(events[0].began_sample - from) / 8));
            worst_level_db = fmax(worst_level_db, fabs(events[0].level_cdbm0 / 100.0 - levels[l]));
          }
        }
      }
      tap_ok(right == tried && worst_start_ms <= (tone->sines == 3 ? 50 : 30) &&
                 worst_level_db <= (tone->sines == 3 ? 6 : 2),
             "%s, tone %d: %d of %d; begins %.0f ms off, level %.1f dB", ZONES[z].name, tone->id, right, tried,
             worst_start_ms, worst_level_db);
    }
  }
}

static void fax(void) {
  dsp_progress_plan(&plan, ZONES[0].tone, ZONES[0].tones);
  const struct dshim_progress_tone *ced = &ZONES[0].tone[4];
  const struct dshim_progress_tone *cng = &ZONES[0].tone[5];
  const double far_off[] = {2085 / 2100.0, 2115 / 2100.0};
  for (int i = 0; i < 2; i++) {
    memset(line, 0, sizeof(line));
    sound(ced, 8000, 8000 + 3 * 8000, -20, far_off[i]);
    add_noise(SECONDS(6), -50);
    tap_ok(hear(SECONDS(6)) == 2 && events[0].id == 5, "CED at V.25's limit of %+.0f Hz", 2100 * (far_off[i] - 1));
  }
  const double cng_off[] = {1062 / 1100.0, 1138 / 1100.0};
  for (int i = 0; i < 2; i++) {
    memset(line, 0, sizeof(line));
    send(cng, 8000, SECONDS(11), -20, cng_off[i]);
    add_noise(SECONDS(16), -50);
    tap_ok(hear(SECONDS(16)) == 2 && events[0].id == 6, "CNG at T.30's limit of %+.0f Hz",
           1100 * (cng_off[i] - 1));
  }
  /* ANSam: V.8's 15 Hz at 20 %, a phase reversal each 450 ms. */
  memset(line, 0, sizeof(line));
  for (int i = 0; i < SECONDS(4); i++) {
    double sign = i / 3600 % 2 == 0 ? 1 : -1;
    double envelope = 1 + 0.2 * sin(2 * M_PI * 15 * i / 8000);
    line[8000 + i] = (int16_t)lrint(3000 * sign * envelope * sin(2 * M_PI * 2100 * i / 8000));
  }
  add_noise(SECONDS(7), -50);
  int count = hear(SECONDS(7));
  tap_ok(count == 2 && events[0].id == 5, "ANSam with its phase reversals is one tone (%d events)", count);
  double lasted_ms = (double)(events[1].at_sample - events[1].began_sample) / 8;
  tap_ok(fabs(lasted_ms - 4000) <= 30, "and is as long as it was: %.0f ms", lasted_ms);
  tap_ok(events[0].at_sample <= SECONDS(1) + SECONDS(1) * 6 / 10, "sure after %.0f ms",
         (double)(events[0].at_sample - 8000) / 8);
}

static void what_is_none(void) {
  for (int z = 0; z < ZONE_COUNT; z++) {
    dsp_progress_plan(&plan, ZONES[z].tone, ZONES[z].tones);
    memset(line, 0, sizeof(line));
    add_noise(SECONDS(30), -15);
    int count = hear(SECONDS(30));
    /* Keys, and a scale of pure tones a half-tone apart, each a second: nothing keeps a cadence. */
    memset(line, 0, sizeof(line));
    for (int i = 0; i < 32; i++) {
      struct dshim_progress_tone note = {.sines = 1, .frequencies_chz = {(int32_t)(22000 * pow(2, i / 12.0))}};
      sound(&note, i * 8000, i * 8000 + 5000, -15, 1);
    }
    count += hear(SECONDS(34));
    tap_ok(count == 0, "%s: noise and a scale of notes are no tone: %d", ZONES[z].name, count);
  }
  dsp_progress_plan(&plan, ZONES[0].tone, ZONES[0].tones);
  struct dshim_progress_tone half = {.sines = 1, .frequencies_chz = {44000}};
  memset(line, 0, sizeof(line));
  sound(&half, 0, SECONDS(10), -15, 1);
  tap_ok(hear(SECONDS(10)) == 0, "440 Hz alone is no dial tone where that is 350 + 440");
  memset(line, 0, sizeof(line));
  send(&ZONES[0].tone[1], 0, SECONDS(20), -15, 1);
  for (int i = 0; i < SECONDS(20); i += 4000 + i % 1700) memset(&line[i], 0, 1600);
  tap_ok(hear(SECONDS(20)) == 0, "and a cadence broken at random none");
  memset(line, 0, sizeof(line));
  struct dshim_progress_tone whistle = {.sines = 1, .frequencies_chz = {206000}};
  sound(&whistle, 0, SECONDS(5), -15, 1);
  tap_ok(hear(SECONDS(5)) == 0, "a whistle 40 Hz beside CED is none");
}

/* Busy, then dial, without a gap; then silence. */
static void one_after_another(void) {
  dsp_progress_plan(&plan, ZONES[0].tone, ZONES[0].tones);
  memset(line, 0, sizeof(line));
  send(&ZONES[0].tone[1], 0, SECONDS(4), -15, 1);
  send(&ZONES[0].tone[0], SECONDS(4), SECONDS(8), -15, 1);
  send(&ZONES[0].tone[2], SECONDS(9), SECONDS(13), -15, 1);
  int count = hear(SECONDS(15));
  tap_ok(count == 6 && events[0].id == 2 && events[2].id == 1 && events[4].id == 3,
         "busy, dial, reorder: each begins and ends (%d events: %d %d %d)", count, events[0].id, events[2].id,
         events[4].id);
  memset(line, 0, sizeof(line));
  sound(&ZONES[0].tone[5], SECONDS(1), SECONDS(1) + 4000, -15, 1);
  sound(&ZONES[0].tone[4], SECONDS(3), SECONDS(6), -15, 1);
  count = hear(SECONDS(7));
  tap_ok(count == 4 && events[0].id == 6 && events[1].id == 6 && events[2].id == 5 && events[3].id == 5,
         "CED in the pause of CNG ends that one (%d events)", count);
  tap_ok(labs((long)(events[1].at_sample - SECONDS(1) - 4000)) <= 160, "where its burst did: %+.0f ms",
         (double)(events[1].at_sample - SECONDS(1) - 4000) / 8);
  memset(line, 0, sizeof(line));
  send(&ZONES[0].tone[0], SECONDS(4), SECONDS(8), -15, 1);
  hear(SECONDS(6));
  struct dsp_progress_event event;
  tap_ok(dsp_progress_flush(&plan, &progress, &event) == 1 && event.id == 1 && !event.active, "hung up: it ends");
  tap_ok(dsp_progress_flush(&plan, &progress, &event) == 0, "once");
}

static void our_own(void) {
  int16_t sent[DSHIM_BLOCK_SAMPLES];
  for (int z = 0; z < ZONE_COUNT; z++) {
    dsp_progress_plan(&plan, ZONES[z].tone, ZONES[z].tones);
    int count = 0;
    for (int t = 0; t < ZONES[z].tones; t++) {
      memset(line, 0, sizeof(line));
      send(&ZONES[z].tone[t], 800, SECONDS(15), -8, 1);
      dsp_progress_reset(&progress);
      for (int at = 0; at + 2 * DSHIM_BLOCK_SAMPLES < SECONDS(16); at += DSHIM_BLOCK_SAMPLES) {
        dsp_progress_sent(&plan, &progress, &line[at]);
        /* 6 dB lower, 90 ms later. */
        for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++)
          sent[i] = (int16_t)(at + i < 720 ? 0 : line[at + i - 720] / 2);
        count += dsp_progress_block(&plan, &progress, sent, events);
      }
    }
    tap_ok(count == 0, "%s: the echo of what we send ourselves is no tone: %d", ZONES[z].name, count);
  }
}

static void bad_plans(void) {
  struct dshim_progress_tone good = ZONES[0].tone[1];
  tap_ok(dsp_progress_plan(&plan, &good, 1) == 0 && dsp_progress_plan(&plan, &good, 0) == 0, "plans");
  struct dshim_progress_tone bad = good;
  bad.sines = 5;
  tap_ok(dsp_progress_plan(&plan, &bad, 1) == -EINVAL, "five sines are refused");
  bad = good;
  bad.phases = 1;
  tap_ok(dsp_progress_plan(&plan, &bad, 1) == -EINVAL, "a cadence without a pause");
  bad = good;
  bad.cadence_ms[1] = 0;
  tap_ok(dsp_progress_plan(&plan, &bad, 1) == -EINVAL, "or with none");
  bad = good;
  bad.frequencies_chz[0] = 10;
  tap_ok(dsp_progress_plan(&plan, &bad, 1) == -EINVAL, "a frequency that no line carries");
  bad = good;
  bad.frequencies_chz[1] = bad.frequencies_chz[0];
  tap_ok(dsp_progress_plan(&plan, &bad, 1) == -EINVAL, "one twice");
  bad = good;
  bad.cadence_ms[0] = bad.cadence_ms[1] = 20;
  tap_ok(dsp_progress_plan(&plan, &bad, 1) == -EINVAL, "one too fast to be counted");
  tap_ok(dsp_progress_plan(&plan, &good, 9) == -EINVAL, "and too many");
  struct dshim_progress_tone many[8];
  for (int i = 0; i < 8; i++) many[i] = (struct dshim_progress_tone){.id = 1, TWO(300 + 100 * i, 350 + 100 * i)};
  tap_ok(dsp_progress_plan(&plan, many, 8) == -EINVAL, "with too many frequencies");
}

int main(void) {
  every_tone();
  fax();
  what_is_none();
  one_after_another();
  our_own();
  bad_plans();
  return tap_done();
}
