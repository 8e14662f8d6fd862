/* dtmf-cli — reads raw S16LE 8 kHz mono from a file or standard input, prints "DIGIT ONSET_MS DURATION_MS". */
#include <stdio.h>
#include <string.h>

#include "dsp_dtmf.h"

#define CHUNK_SAMPLES  1600
#define SAMPLES_PER_MS 8.0
#define MAX_EVENTS     (2 + CHUNK_SAMPLES / DSP_DTMF_SUB_SAMPLES)

static void print(const struct dsp_dtmf_event *events, int count) {
  for (int i = 0; i < count; i++) {
    if (events[i].kind != DSP_DTMF_UP) continue;
    double onset = (double)(events[i].at_sample - events[i].duration_samples) / SAMPLES_PER_MS;
    printf("%c %.1f %.1f\n", (char)events[i].digit, onset, events[i].duration_samples / SAMPLES_PER_MS);
  }
}

int main(int argc, char **argv) {
  if (argc > 2 || (argc == 2 && strcmp(argv[1], "--help") == 0)) {
    fprintf(stderr, "usage: dtmf-cli [FILE]   raw S16LE 8 kHz mono; prints DIGIT ONSET_MS DURATION_MS\n");
    return 2;
  }
  FILE *in = argc == 2 ? fopen(argv[1], "rb") : stdin;
  if (!in) {
    perror(argv[1]);
    return 1;
  }
  static struct dsp_dtmf dtmf;
  struct dsp_dtmf_event events[MAX_EVENTS];
  int16_t samples[CHUNK_SAMPLES];
  dsp_dtmf_init(&dtmf);
  size_t count;
  while ((count = fread(samples, sizeof(*samples), CHUNK_SAMPLES, in)) > 0) {
    print(events, dsp_dtmf_process(&dtmf, samples, (int)count, events, MAX_EVENTS));
  }
  /* A tone that the file's end cut off short is judged when it has been followed by silence. */
  memset(samples, 0, sizeof(samples));
  print(events, dsp_dtmf_process(&dtmf, samples, CHUNK_SAMPLES, events, MAX_EVENTS));
  int failed = ferror(in);
  fclose(in);
  return failed ? 1 : 0;
}
