/* vad-cli — reads raw S16LE 8 kHz mono from a file or standard input, prints a 0/1 line per 20 ms frame. */
#include <stdio.h>
#include <string.h>

#include "dsp_vad.h"

#define FRAME_SAMPLES 160

int main(int argc, char **argv) {
  if (argc > 2 || (argc == 2 && strcmp(argv[1], "--help") == 0)) {
    fprintf(stderr, "usage: vad-cli [FILE]   raw S16LE 8 kHz mono; prints 1 (voice) or 0 per 20 ms\n");
    return 2;
  }
  FILE *in = argc == 2 ? fopen(argv[1], "rb") : stdin;
  if (!in) {
    perror(argv[1]);
    return 1;
  }
  struct dsp_vad vad;
  struct dsp_vad_event events[1 + FRAME_SAMPLES / DSP_VAD_FRAME_SAMPLES];
  int16_t samples[FRAME_SAMPLES];
  dsp_vad_init(&vad);
  while (fread(samples, sizeof(*samples), FRAME_SAMPLES, in) == FRAME_SAMPLES) {
    dsp_vad_process(&vad, samples, FRAME_SAMPLES, events, 1 + FRAME_SAMPLES / DSP_VAD_FRAME_SAMPLES);
    puts(dsp_vad_active(&vad) ? "1" : "0");
  }
  int failed = ferror(in);
  fclose(in);
  return failed ? 1 : 0;
}
