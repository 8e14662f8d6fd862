/*
 * progress_cli.c — listens for tones of call progress in a file of raw S16LE at 8 kHz; prints a line for each:
 * begin and end in seconds, the tone's id, its level in dBm0.
 *   progress-cli FILE ID:HZ[+HZ…]:TOLERANCE_HZ:SURE_MS[:ON_MS,OFF_MS,…] …
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_progress.h"

static int32_t hundredths(double value) { return (int32_t)(value * 100.0 + 0.5); }

/* 0, or −1 for a text of another form. */
static int parse(const char *text, struct dshim_progress_tone *tone) {
  char *at;
  memset(tone, 0, sizeof(*tone));
  tone->id = (int32_t)strtol(text, &at, 10);
  if (*at != ':') return -1;
  do {
    if (tone->sines == DSHIM_PROGRESS_SINES) return -1;
    tone->frequencies_chz[tone->sines++] = hundredths(strtod(at + 1, &at));
  } while (*at == '+');
  if (*at != ':') return -1;
  tone->tolerance_chz = hundredths(strtod(at + 1, &at));
  if (*at != ':') return -1;
  tone->sure_ms = (int32_t)strtol(at + 1, &at, 10);
  while (*at == ':' || *at == ',') {
    if (tone->phases == DSHIM_PROGRESS_PHASES) return -1;
    tone->cadence_ms[tone->phases++] = (int32_t)strtol(at + 1, &at, 10);
  }
  return *at == '\0' ? 0 : -1;
}

static void print(const struct dsp_progress_event *event) {
  if (event->active) return;
  printf("%.3f\t%.3f\t%d\t%.1f\n", (double)event->began_sample / 8000, (double)event->at_sample / 8000, event->id,
         event->level_cdbm0 / 100.0);
}

int main(int count, char **arguments) {
  static struct dsp_progress_plan plan;
  static struct dsp_progress progress;
  struct dshim_progress_tone tones[DSHIM_PROGRESS_TONES];
  int wrong = count < 3 || count - 2 > DSHIM_PROGRESS_TONES;
  for (int i = 2; !wrong && i < count; i++) wrong = parse(arguments[i], &tones[i - 2]) < 0;
  if (wrong || dsp_progress_plan(&plan, tones, count - 2) < 0) {
    fprintf(stderr, "usage: progress-cli FILE ID:HZ[+HZ...]:TOLERANCE_HZ:SURE_MS[:ON_MS,OFF_MS,...] ...\n");
    return 2;
  }
  FILE *file = strcmp(arguments[1], "-") == 0 ? stdin : fopen(arguments[1], "rb");
  if (!file) {
    perror(arguments[1]);
    return 1;
  }
  dsp_progress_reset(&progress);
  int16_t block[DSHIM_BLOCK_SAMPLES];
  struct dsp_progress_event events[2];
  while (fread(block, sizeof(block), 1, file) == 1) {
    int told = dsp_progress_block(&plan, &progress, block, events);
    for (int i = 0; i < told; i++) print(&events[i]);
  }
  if (dsp_progress_flush(&plan, &progress, events)) print(events);
  return 0;
}
