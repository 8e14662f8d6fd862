/*
 * vad_bench — our voice activity detector beside its peers, on the same samples, in one run.
 *
 * Every voice speaks under every condition; a condition's figures are over all voices. The means are over the 19
 * conditions of the comparison; those at 15 dB are shown besides. Figures: F1, balanced accuracy, mean onset
 * latency in ms: from a talkspurt's first labelled frame after 300 ms without, to the first that is called voice;
 * 0 where the detector still stood, the whole talkspurt where it heard nothing of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vad_corpus.h"
#include "vad_peers.h"

#define MAX_VOICES         16
#define SEED               20260129
#define PAUSE_FRAMES       15
#define EXTRA_SNR_DB       15 /* shown, and not one of the nineteen */
#define LONGEST_RAW_FRAMES 30000

static const struct vad_condition CONDITIONS[] = {
    {"clean", VAD_CLEAN, 0, 0},       {"quiet -20", VAD_CLEAN, 0, -20}, {"quiet -30", VAD_CLEAN, 0, -30},
    {"white 20", VAD_WHITE, 20, 0},   {"white 15", VAD_WHITE, 15, 0},   {"white 10", VAD_WHITE, 10, 0},
    {"white 5", VAD_WHITE, 5, 0},     {"white 0", VAD_WHITE, 0, 0},     {"hiss 20", VAD_HISS, 20, 0},
    {"hiss 15", VAD_HISS, 15, 0},     {"hiss 10", VAD_HISS, 10, 0},     {"hiss 5", VAD_HISS, 5, 0},
    {"hiss 0", VAD_HISS, 0, 0},       {"hum 20", VAD_HUM, 20, 0},       {"hum 15", VAD_HUM, 15, 0},
    {"hum 10", VAD_HUM, 10, 0},       {"hum 5", VAD_HUM, 5, 0},         {"hum 0", VAD_HUM, 0, 0},
    {"babble 20", VAD_BABBLE, 20, 0}, {"babble 15", VAD_BABBLE, 15, 0}, {"babble 10", VAD_BABBLE, 10, 0},
    {"babble 5", VAD_BABBLE, 5, 0},   {"babble 0", VAD_BABBLE, 0, 0},
};
#define CONDITION_COUNT ((int)(sizeof(CONDITIONS) / sizeof(CONDITIONS[0])))

struct score {
  double hits, misses, alarms, quiet, latency_ms, onsets;
};

static void add(struct score *score, const uint8_t *labels, const uint8_t *voice, int frames) {
  for (int f = 0; f < frames; f++) {
    if (labels[f]) voice[f] ? score->hits++ : score->misses++;
    else voice[f] ? score->alarms++ : score->quiet++;
  }
  for (int f = 1, pause = 0; f < frames; f++) {
    pause = labels[f - 1] ? 0 : pause + 1;
    if (!labels[f] || pause < PAUSE_FRAMES) continue;
    score->onsets++;
    for (int g = f; g < frames && labels[g] && !voice[g]; g++) score->latency_ms += 20;
  }
}

static double f1(const struct score *s) { return 2 * s->hits / (2 * s->hits + s->alarms + s->misses); }
static double balanced(const struct score *s) {
  return 0.5 * (s->hits / (s->hits + s->misses) + s->quiet / (s->quiet + s->alarms));
}

static struct score scores[CONDITION_COUNT][VAD_PEERS];
static struct score voice_scores[MAX_VOICES][CONDITION_COUNT];

static void mean_of(const struct score *first, int apart, double *mean_f1, double *mean_balanced) {
  int count = 0;
  *mean_f1 = *mean_balanced = 0;
  for (int c = 0; c < CONDITION_COUNT; c++) {
    if (CONDITIONS[c].snr_db == EXTRA_SNR_DB) continue;
    *mean_f1 += f1(&first[c * apart]);
    *mean_balanced += balanced(&first[c * apart]);
    count++;
  }
  *mean_f1 /= count;
  *mean_balanced /= count;
}

static void print(FILE *csv, int peers) {
  printf("%-10s", "");
  for (int p = 0; p < peers; p++) printf(" | %-18s", vad_peer_name((enum vad_peer)p));
  printf("\n");
  fprintf(csv, "condition,detector,f1,balanced_accuracy,onset_ms\n");
  for (int c = 0; c < CONDITION_COUNT; c++) {
    printf("%-10s", CONDITIONS[c].name);
    for (int p = 0; p < peers; p++) {
      const struct score *s = &scores[c][p];
      printf(" | %.3f %.3f %6.0f", f1(s), balanced(s), s->latency_ms / s->onsets);
      fprintf(csv, "%s,%s,%.4f,%.4f,%.1f\n", CONDITIONS[c].name, vad_peer_name((enum vad_peer)p), f1(s),
              balanced(s), s->latency_ms / s->onsets);
    }
    printf("\n");
  }
  printf("%-10s", "mean of 19");
  for (int p = 0; p < peers; p++) {
    double mean_f1, mean_balanced;
    mean_of(&scores[0][p], VAD_PEERS, &mean_f1, &mean_balanced);
    printf(" | %.3f %.3f %6s", mean_f1, mean_balanced, "");
    fprintf(csv, "mean of 19,%s,%.4f,%.4f,\n", vad_peer_name((enum vad_peer)p), mean_f1, mean_balanced);
  }
  printf("\n");
}

/* One voice under all conditions, babble made of the others. Returns 0, −1 without memory or speech. */
static int measure(const struct vad_recordings *lists, int voices, int v, int seconds, int peers) {
  struct vad_corpus corpus;
  struct vad_recordings others[MAX_VOICES];
  int other = 0;
  for (int o = 0; o < voices; o++) {
    if (o != v || voices == 1) others[other++] = lists[o];
  }
  int samples = seconds * 50 * VAD_FRAME;
  int16_t *line = malloc(sizeof(*line) * (size_t)samples);
  float *babble = malloc(sizeof(*babble) * (size_t)samples);
  uint8_t *voice = malloc((size_t)seconds * 50);
  if (!line || !babble || !voice) return -1;
  if (vad_corpus_make(&corpus, &lists[v], seconds, SEED + (uint32_t)v) < 0) return -1;
  if (vad_babble_make(babble, samples, others, other, SEED + (uint32_t)v) < 0) return -1;
  for (int c = 0; c < CONDITION_COUNT; c++) {
    vad_condition_make(line, &corpus, &CONDITIONS[c], babble, SEED + (uint32_t)(v * 100 + c));
    for (int p = 0; p < peers; p++) {
      vad_peer_run((enum vad_peer)p, line, corpus.frames, voice);
      add(&scores[c][p], corpus.labels, voice, corpus.frames);
      if (p == VAD_OURS) add(&voice_scores[v][c], corpus.labels, voice, corpus.frames);
    }
  }
  vad_corpus_free(&corpus);
  free(line);
  free(babble);
  free(voice);
  return 0;
}

/* One detector over a raw recording, for a profiler to watch. */
static int run_alone(const char *name, const char *raw_path, int peers) {
  for (int p = 0; p < peers; p++) {
    if (strcmp(vad_peer_name((enum vad_peer)p), name) != 0) continue;
    FILE *in = fopen(raw_path, "rb");
    int16_t *line = malloc(LONGEST_RAW_FRAMES * VAD_FRAME * sizeof(*line));
    uint8_t *voice = malloc(LONGEST_RAW_FRAMES);
    if (!in || !line || !voice) {
      perror(raw_path);
      return 1;
    }
    int frames = (int)fread(line, VAD_FRAME * sizeof(*line), LONGEST_RAW_FRAMES, in);
    fclose(in);
    vad_peer_run((enum vad_peer)p, line, frames, voice);
    free(line);
    free(voice);
    return 0;
  }
  fprintf(stderr, "no %s here\n", name);
  return 1;
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "--only") == 0) return run_alone(argv[2], argv[3], vad_peers_open());
  if (argc < 4 || argc > 3 + MAX_VOICES) {
    fprintf(stderr, "usage: vad_bench CSV SECONDS LIST…   a LIST names the WAV files of one voice\n"
                    "       vad_bench --only DETECTOR RAW\n");
    return 2;
  }
  int voices = argc - 3;
  struct vad_recordings lists[MAX_VOICES];
  for (int v = 0; v < voices; v++) {
    if (vad_recordings_read(&lists[v], argv[3 + v]) <= 0) {
      fprintf(stderr, "%s: no speech\n", argv[3 + v]);
      return 1;
    }
  }
  int peers = vad_peers_open();
  if (peers < VAD_PEERS) puts("# SKIP webrtc: apt-get install libwebrtc-audio-processing1");
  for (int v = 0; v < voices; v++) {
    if (measure(lists, voices, v, atoi(argv[2]), peers) < 0) return 1;
  }
  FILE *csv = fopen(argv[1], "w");
  if (!csv) {
    perror(argv[1]);
    return 1;
  }
  print(csv, peers);
  fclose(csv);
  for (int v = 0; v < voices; v++) {
    double mean_f1, mean_balanced;
    mean_of(voice_scores[v], 1, &mean_f1, &mean_balanced);
    printf("%-40s %.3f %.3f\n", argv[3 + v], mean_f1, mean_balanced);
  }
  return 0;
}
