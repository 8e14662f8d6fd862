#include "dsp_vad.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"
#include "dsp_tone.h"
#include "tap.h"

#define MAX_SAMPLES 80000
static int16_t line[MAX_SAMPLES];
static struct dsp_vad vad;
static struct dsp_vad_event events[64];

static uint32_t noise_state = 1;
static void fill_noise(int from, int to, double level_dbm0) {
  double amplitude = sqrt(3.0 * dsp_mean_square((int32_t)(level_dbm0 * 100)));
  for (int i = from; i < to; i++) {
    noise_state = noise_state * 1664525U + 1013904223U;
    line[i] = (int16_t)lrint((noise_state / 4294967295.0 - 0.5) * 2.0 * amplitude);
  }
}

static int hear(int samples, int chunk) {
  dsp_vad_init(&vad);
  memset(events, 0, sizeof(events));
  int count = 0;
  for (int at = 0; at < samples; at += chunk) {
    int taken = samples - at < chunk ? samples - at : chunk;
    count += dsp_vad_process(&vad, &line[at], taken, &events[count], 64 - count);
  }
  return count;
}

int main(void) {
  fill_noise(0, 40000, -65);
  tap_ok(hear(40000, 160) == 0, "a quiet line is no voice");
  tap_ok(abs(dsp_vad_noise_cdbm0(&vad) + 6500) < 300, "its noise floor is found: %.1f dBm0",
         dsp_vad_noise_cdbm0(&vad) / 100.0);

  fill_noise(16000, 24000, -20);
  int count = hear(40000, 160);
  tap_ok(count == 2 && events[0].kind == DSP_VAD_START && events[1].kind == DSP_VAD_END,
         "a talkspurt starts and ends");
  tap_ok(llabs(events[0].at_sample - 16000) <= 80, "its onset within 10 ms: %+.1f ms",
         (double)(events[0].at_sample - 16000) / 8);
  tap_ok(llabs(events[1].at_sample - 24000) <= 160, "its end within 20 ms: %+.1f ms",
         (double)(events[1].at_sample - 24000) / 8);
  tap_ok(abs(events[1].segment_cdbm0 + 2000) < 150, "its level is measured: %.1f dBm0",
         events[1].segment_cdbm0 / 100.0);
  tap_ok(events[1].level_cdbm0 < -5000, "at its end the line is quiet: %.1f dBm0", events[1].level_cdbm0 / 100.0);

  struct dsp_vad_event reference[2];
  memcpy(reference, events, sizeof(reference));
  for (int chunk = 1; chunk < 1000; chunk = chunk * 9 + 4) {
    hear(40000, chunk);
    tap_ok(memcmp(reference, events, sizeof(reference)) == 0, "in chunks of %d the same to the bit", chunk);
  }

  fill_noise(18000, 18800, -65);
  tap_ok(hear(40000, 160) == 2, "a pause of 100 ms does not split it");
  fill_noise(0, 40000, -65);
  fill_noise(16000, 16060, -5);
  tap_ok(hear(40000, 160) == 0, "a click of 8 ms is no voice");

  int split = 0; /* the same click wherever it lies in the frames */
  for (int at = 16000; at < 16160; at += 7) {
    fill_noise(0, 40000, -65);
    fill_noise(at, at + 60, -5);
    split += hear(40000, 160);
  }
  tap_ok(split == 0, "nor is it across two frames");

  fill_noise(0, 40000, -70);
  fill_noise(16000, 24000, -54);
  count = hear(24000, 160);
  tap_ok(count == 0 && dsp_vad_active(&vad), "a voice below -50 dBm0 is heard and not told");
  fill_noise(20000, 24000, -30);
  count = hear(40000, 160);
  tap_ok(count == 2 && events[0].level_cdbm0 > -5000 && events[1].level_cdbm0 < -5000,
         "told once it is louder, at %.1f dBm0", events[0].level_cdbm0 / 100.0);
  tap_ok(llabs(events[0].at_sample - 16000) <= 80, "and dated back to where it began");

  memset(line, 0, sizeof(line));
  tap_ok(hear(16000, 160) == 0 && !dsp_vad_active(&vad), "digital silence is no voice");
  for (int i = 16000; i < 24000; i++) line[i] = i % 2 ? INT16_MIN : INT16_MAX;
  tap_ok(hear(40000, 160) == 2, "the loudest there is overflows nothing");

  fill_noise(0, 72000, -40);
  hear(72000, 160);
  tap_ok(!dsp_vad_active(&vad), "a noisy line becomes its own floor");
  fill_noise(64000, 72000, -15);
  count = hear(72000, 160);
  tap_ok(count >= 1 && dsp_vad_active(&vad), "and a voice is heard above it");

  fill_noise(0, 16000, -65);
  for (int i = 0; i < 16000; i++) line[i] = (int16_t)(line[i] + 300 * sin(2 * M_PI * 50 * i / 8000));
  tap_ok(hear(16000, 160) == 0, "hum is no voice");

  fill_noise(0, 32000, -65);
  for (int i = 16000; i < 32000; i++) line[i] = (int16_t)(line[i] + 300 * sin(2 * M_PI * 50 * i / 8000));
  tap_ok(hear(17600, 160) == 0 && !dsp_vad_active(&vad), "nor when it comes");

  fill_noise(0, 16000, -34);
  dsp_vad_init(&vad);
  int16_t sent[160];
  double hz = 400;
  double amplitude = dsp_tone_amplitude(-1000);
  count = 0;
  for (int at = 0; at < 16000; at += 160) {
    dsp_tone_render(&hz, &amplitude, 1, at, sent, 160);
    dsp_vad_far_end(&vad, sent, 160);
    count += dsp_vad_process(&vad, &line[at], 160, events, 64);
  }
  tap_ok(count == 0, "the hybrid's echo of what is sent is no voice");

  /* Dial tone is sent from the first block, its echo returns 12 dB down; then somebody talks louder than that. */
  fill_noise(0, 40000, -65);
  for (int i = 0; i < 40000; i++)
    line[i] = (int16_t)(line[i] + dsp_tone_amplitude(-2200) * sin(2 * M_PI * hz * i / 8000));
  int16_t spoken[8000];
  memcpy(spoken, &line[24000], sizeof(spoken));
  fill_noise(24000, 32000, -10);
  for (int i = 0; i < 8000; i++) line[24000 + i] = (int16_t)(line[24000 + i] + spoken[i]);
  dsp_vad_init(&vad);
  int early = 0;
  count = 0;
  for (int at = 0; at < 40000; at += 160) {
    dsp_tone_render(&hz, &amplitude, 1, at, sent, 160);
    dsp_vad_far_end(&vad, sent, 160);
    count += dsp_vad_process(&vad, &line[at], 160, &events[count], 64 - count);
    if (at < 24000) early = count;
  }
  tap_ok(early == 0 && count == 2, "who talks louder than the echo is heard: %d, %d", early, count);
  tap_ok(llabs(events[0].at_sample - 24000) <= 160, "at once: %+.1f ms",
         (double)(events[0].at_sample - 24000) / 8);

  fill_noise(0, 8000, -65);
  fill_noise(4000, 8000, -20);
  hear(8000, 160);
  tap_ok(dsp_vad_flush(&vad, events) == 1 && events[0].kind == DSP_VAD_END, "hanging up ends a talkspurt");
  tap_ok(dsp_vad_flush(&vad, events) == 0, "once");
  return tap_done();
}
