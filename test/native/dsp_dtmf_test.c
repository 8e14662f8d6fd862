/* The detector against ITU-T Q.23 and Q.24: what must be heard, what must not, and how exactly. */
#include "dsp_dtmf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"
#include "dsp_tone.h"
#include "tap.h"

static const char KEYS[] = "123A456B789C*0#D";
static const double ROWS_HZ[] = {697, 770, 852, 941};
static const double COLUMNS_HZ[] = {1209, 1336, 1477, 1633};

#define MAX_SAMPLES (8000 * 60)
static int16_t line[MAX_SAMPLES];
static int length;

static uint32_t noise_state;
static double uniform(void) {
  noise_state = noise_state * 1664525U + 1013904223U;
  return noise_state / 4294967295.0 - 0.5;
}
/* Twelve uniforms: normal enough, with a deviation of 1. */
static double gauss(void) {
  double sum = 0.0;
  for (int i = 0; i < 12; i++) sum += uniform();
  return sum;
}

static void begin(void) {
  length = 0;
  noise_state = 1;
}

static void silence(double ms) {
  int count = (int)(ms * 8);
  memset(&line[length], 0, (size_t)count * sizeof(line[0]));
  length += count;
}

static void key(char digit, double ms, double level_dbm0, double twist_db, double offset) {
  int k = (int)(strchr(KEYS, digit) - KEYS);
  double hz[2] = {ROWS_HZ[k / 4] * (1 + offset), COLUMNS_HZ[k % 4] * (1 + offset)};
  double amplitude[2] = {dsp_tone_amplitude((int32_t)((level_dbm0 - twist_db / 2) * 100)),
                         dsp_tone_amplitude((int32_t)((level_dbm0 + twist_db / 2) * 100))};
  int count = (int)(ms * 8);
  dsp_tone_render(hz, amplitude, 2, 0.0, &line[length], count);
  length += count;
}

/* White noise at snr_db below one tone of level. */
static void add_noise(double level_dbm0, double snr_db) {
  double deviation = sqrt(dsp_mean_square((int32_t)((level_dbm0 - snr_db) * 100)));
  for (int i = 0; i < length; i++) {
    double sum = line[i] + deviation * gauss();
    line[i] = (int16_t)lrint(fmax(-32768, fmin(32767, sum)));
  }
}

static void all_keys(double on_ms, double off_ms, double level_dbm0, double twist_db, double offset) {
  begin();
  silence(100);
  for (const char *digit = KEYS; *digit; digit++) {
    key(*digit, on_ms, level_dbm0, twist_db, offset);
    silence(off_ms + 0.125 * (double)(digit - KEYS)); /* every alignment to the sub-blocks */
  }
  silence(200);
}

static struct dsp_dtmf_event heard_events[512];
static char heard_digits[512];
static double worst_onset_ms, worst_duration_ms, worst_level_db;

/* Hears the line in chunks; leaves the digits, counts unmatched downs as '!'. */
static const char *hear(int chunk) {
  static struct dsp_dtmf dtmf;
  dsp_dtmf_init(&dtmf);
  int events = 0;
  for (int at = 0; at < length; at += chunk) {
    int count = length - at < chunk ? length - at : chunk;
    events += dsp_dtmf_process(&dtmf, &line[at], count, &heard_events[events], 512 - events);
  }
  events += dsp_dtmf_flush(&dtmf, &heard_events[events]);
  int digits = 0;
  int down = 0;
  for (int i = 0; i < events; i++) {
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

static void measure(double on_ms, double off_ms, double level_dbm0) {
  worst_onset_ms = worst_duration_ms = worst_level_db = 0.0;
  double truth_ms = 100;
  int digit = 0;
  for (int i = 0; heard_events[i].kind != 0 && digit < 16; i++) {
    if (heard_events[i].kind != DSP_DTMF_UP) continue;
    double duration_ms = heard_events[i].duration_samples / 8.0;
    double onset_ms = (double)heard_events[i].at_sample / 8.0 - duration_ms;
    worst_onset_ms = fmax(worst_onset_ms, fabs(onset_ms - truth_ms));
    worst_duration_ms = fmax(worst_duration_ms, fabs(duration_ms - on_ms));
    worst_level_db = fmax(worst_level_db, fabs(heard_events[i].level_cdbm0 / 100.0 - level_dbm0));
    truth_ms += on_ms + off_ms + 0.125 * digit++;
  }
}

static void accepts(const char *what, double on_ms, double off_ms, double level_dbm0, double twist_db,
                    double offset) {
  all_keys(on_ms, off_ms, level_dbm0, twist_db, offset);
  tap_ok(strcmp(hear(160), KEYS) == 0, "%s: %s", what, heard_digits);
}

static void refuses(const char *what, double on_ms, double level_dbm0, double twist_db, double offset) {
  all_keys(on_ms, 50, level_dbm0, twist_db, offset);
  tap_ok(hear(160)[0] == '\0', "%s refused: %s", what, heard_digits);
}

int main(void) {
  accepts("every key, 50 ms on and off, -10 dBm0", 50, 50, -10, 0, 0);
  measure(50, 50, -10);
  tap_ok(worst_onset_ms <= 5, "onset within 5 ms (worst %.1f)", worst_onset_ms);
  tap_ok(worst_duration_ms <= 5, "duration within 5 ms (worst %.1f)", worst_duration_ms);
  tap_ok(worst_level_db <= 1, "level within 1 dB (worst %.2f)", worst_level_db);
  accepts("40 ms on and off (Q.24's shortest)", 40, 40, -10, 0, 0);
  accepts("0 dBm0", 50, 50, 0, 0, 0);
  accepts("-40 dBm0", 50, 50, -40, 0, 0);
  accepts("high group 8 dB louder", 50, 50, -15, 8, 0);
  accepts("low group 10 dB louder", 50, 50, -15, -10, 0);
  accepts("1.5 % high", 50, 50, -10, 0, 0.015);
  accepts("1.5 % low", 50, 50, -10, 0, -0.015);
  accepts("a key held for two seconds", 2000, 100, -10, 0, 0);
  refuses("3.5 % high", 50, -10, 0, 0.035);
  refuses("3.5 % low", 50, -10, 0, -0.035);
  refuses("20 ms", 20, -10, 0, 0);
  refuses("15 dB of twist", 50, -15, 15, 0);
  refuses("-60 dBm0", 50, -60, 0, 0);

  for (double snr_db = 15; snr_db >= 6; snr_db -= 3) {
    all_keys(50, 50, -20, 0, 0.01);
    add_noise(-20, snr_db);
    tap_ok(strcmp(hear(160), KEYS) == 0, "in noise, SNR %.0f dB: %s", snr_db, heard_digits);
  }

  begin();
  silence(100);
  for (int i = 0; i < 5; i++) {
    key('5', 60, -10, 0, 0);
    silence(40);
  }
  silence(100);
  tap_ok(strcmp(hear(160), "55555") == 0, "the same key again after 40 ms: %s", heard_digits);

  begin();
  silence(100);
  key('7', 60, -10, 0, 0);
  silence(12);
  key('7', 60, -10, 0, 0);
  silence(100);
  tap_ok(strcmp(hear(160), "7") == 0, "a break of 12 ms does not split a key: %s", heard_digits);

  begin();
  silence(100);
  key('1', 60, -10, 0, 0);
  key('2', 60, -10, 0, 0);
  silence(100);
  tap_ok(strcmp(hear(160), "12") == 0, "two keys without a pause: %s", heard_digits);

  all_keys(45, 45, -12, 3, 0.008);
  hear(160);
  struct dsp_dtmf_event *reference = malloc(sizeof(heard_events));
  memcpy(reference, heard_events, sizeof(heard_events));
  for (int chunk = 1; chunk <= 1000; chunk = chunk * 7 + 3) {
    memset(heard_events, 0, sizeof(heard_events));
    hear(chunk);
    tap_ok(memcmp(reference, heard_events, 32 * sizeof(heard_events[0])) == 0,
           "in chunks of %d the same to the bit", chunk);
  }
  free(reference);

  begin();
  silence(5000);
  tap_ok(hear(160)[0] == '\0', "silence is no key");
  begin();
  silence(30000);
  add_noise(-10, 0);
  tap_ok(hear(160)[0] == '\0', "30 s of loud noise are no key: %s", heard_digits);
  begin();
  length = 8000 * 20;
  for (int i = 0; i < length; i++) line[i] = (int16_t)(10000 * sin(2 * M_PI * (200 + 0.05 * i / 2) * i / 8000));
  tap_ok(hear(160)[0] == '\0', "a sweep is no key: %s", heard_digits);
  double dial_hz[2] = {350, 440};
  double dial_amplitude[2] = {dsp_tone_amplitude(-1300), dsp_tone_amplitude(-1300)};
  dsp_tone_render(dial_hz, dial_amplitude, 2, 0, line, length);
  tap_ok(hear(160)[0] == '\0', "dial tone is no key: %s", heard_digits);
  return tap_done();
}
