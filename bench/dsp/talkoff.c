/*
 * talkoff — counts the digits that detectors hear where there are none.
 *
 *   talkoff [--speeds A,B,…] [--ours] [--only ours|spandsp|goertzel] [--g722] [--law 0|1|2] [--each] FILE…
 *
 * FILE is raw S16LE 8 kHz mono (with --g722: G.722 at 64 kbit/s, heard at 8 kHz). Each is replayed at every speed,
 * pitch and all, by cubic interpolation. --each prints where digits were heard.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#include "dtmf_corpus.h"
#include "peers.h"

static const struct peer *PEERS[] = {&peer_ours, &peer_spandsp, &peer_goertzel};

static int16_t *load(const char *path, int g722, int *count) {
  FILE *in = fopen(path, "rb");
  if (!in) {
    perror(path);
    exit(1);
  }
  fseek(in, 0, SEEK_END);
  long size = ftell(in);
  rewind(in);
  uint8_t *bytes = malloc((size_t)size + 2);
  size = (long)fread(bytes, 1, (size_t)size, in);
  fclose(in);
  if (!g722) {
    *count = (int)(size / 2);
    return (int16_t *)(void *)bytes;
  }
  int16_t *samples = malloc((size_t)size * 2 * sizeof(*samples));
  g722_decode_state_t *decoder = g722_decode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
  *count = g722_decode(decoder, samples, bytes, (int)size);
  g722_decode_free(decoder);
  free(bytes);
  return samples;
}

static int16_t *replay(const int16_t *in, int count, double speed, enum corpus_law law, int *out_count) {
  *out_count = (int)(count / speed);
  int16_t *out = malloc(((size_t)*out_count + 1) * sizeof(*out));
  for (int n = 0; n < *out_count; n++) {
    double at = n * speed;
    int i = (int)at;
    double f = at - i;
    double y = in[i];
    if (speed != 1.0 && i >= 1 && i + 2 < count) {
      double a = in[i - 1];
      double b = in[i];
      double c = in[i + 1];
      double d = in[i + 2];
      y = b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)));
    }
    out[n] = (int16_t)lrint(fmax(-32768, fmin(32767, y)));
    if (law != CORPUS_LINEAR) out[n] = corpus_companded(out[n], law);
  }
  return out;
}

int main(int argc, char **argv) {
  double speeds[64] = {1.0};
  int speed_count = 1;
  int peers = 3;
  int g722 = 0;
  int each = 0;
  enum corpus_law law = CORPUS_LINEAR;
  double hours = 0;
  peer_spandsp_block = 160;
  int total[3] = {0};
  static struct peer_heard heard;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--ours") == 0) peers = 1;
    else if (strcmp(argv[i], "--only") == 0) {
      peers = 1;
      i++;
      for (int p = 0; p < 3; p++)
        if (strcmp(argv[i], PEERS[p]->name) == 0) PEERS[0] = PEERS[p];
    } else if (strcmp(argv[i], "--g722") == 0) g722 = 1;
    else if (strcmp(argv[i], "--each") == 0) each = 1;
    else if (strcmp(argv[i], "--law") == 0) law = (enum corpus_law)atoi(argv[++i]);
    else if (strcmp(argv[i], "--speeds") == 0) {
      speed_count = 0;
      for (char *s = strtok(argv[++i], ","); s && speed_count < 64; s = strtok(NULL, ","))
        speeds[speed_count++] = atof(s);
    } else {
      int count;
      int16_t *samples = load(argv[i], g722, &count);
      for (int s = 0; s < speed_count; s++) {
        int n;
        int16_t *line = replay(samples, count, speeds[s], law, &n);
        hours += n / 8000.0 / 3600;
        for (int p = 0; p < peers; p++) {
          PEERS[p]->hear(line, n, &heard);
          total[p] += heard.count;
          if (each)
            for (int k = 0; k < heard.count; k++)
              printf("%s %c %.3f s %.1f ms speed %g in %s\n", PEERS[p]->name, heard.digits[k],
                     heard.onset[k] / 8000, heard.length[k] / 8, speeds[s], argv[i]);
        }
        free(line);
      }
      free(samples);
    }
  }
  printf("%.2f h:", hours);
  for (int p = 0; p < peers; p++) printf(" %s %d", PEERS[p]->name, total[p]);
  printf("\n");
  return 0;
}
