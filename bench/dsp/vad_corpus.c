#include "vad_corpus.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"

#define WAV_HEADER_BYTES   44
#define SHORTEST_SAMPLES   4000 /* half a second: a prompt, not a beep */
#define LONGEST_SAMPLES    80000
#define SPEECH_CDBM0       (-2000)
#define LINE_NOISE_CDBM0   (-7000) /* a subscriber line is not digital silence */
#define LABEL_BELOW_DB     30      /* under the active level */
#define LABEL_GAP_FRAMES   10      /* 200 ms */
#define LABEL_LEAST_FRAMES 2       /* 40 ms */
#define HUM_HARMONICS      9

static double uniform(uint32_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state / 4294967296.0;
}

static double gauss(uint32_t *state) {
  double sum = 0;
  for (int i = 0; i < 6; i++) sum += uniform(state);
  return (sum - 3.0) * sqrt(2.0); /* variance 1 */
}

int vad_recordings_read(struct vad_recordings *list, const char *list_path) {
  FILE *in = fopen(list_path, "r");
  if (!in) return -1;
  char path[1024];
  list->count = 0;
  list->paths = NULL;
  while (fgets(path, sizeof(path), in)) {
    path[strcspn(path, "\n")] = '\0';
    if (strstr(path, "/silence/") || strstr(path, "tone") || strstr(path, "beep")) continue;
    FILE *wav = fopen(path, "rb");
    if (!wav) continue;
    fseek(wav, 0, SEEK_END);
    long bytes = ftell(wav) - WAV_HEADER_BYTES;
    fclose(wav);
    if (bytes < 2 * SHORTEST_SAMPLES) continue;
    char **grown = realloc(list->paths, sizeof(*grown) * (size_t)(list->count + 1));
    if (!grown) break;
    list->paths = grown;
    list->paths[list->count++] = strdup(path);
  }
  fclose(in);
  return list->count;
}

static int read_wav(const char *path, int16_t *out) {
  FILE *wav = fopen(path, "rb");
  if (!wav) return 0;
  fseek(wav, WAV_HEADER_BYTES, SEEK_SET);
  size_t count = fread(out, sizeof(*out), LONGEST_SAMPLES, wav);
  fclose(wav);
  return (int)count;
}

/* Power of 20 ms frames above their own mean less 30 dB, iterated: the level while there is speech. */
static double active_power(const float *speech, int frames) {
  double threshold = 0;
  double power = 0;
  for (int pass = 0; pass < 4; pass++) {
    double sum = 0;
    int active = 0;
    for (int f = 0; f < frames; f++) {
      double energy = 0;
      for (int i = 0; i < VAD_FRAME; i++) energy += (double)speech[f * VAD_FRAME + i] * speech[f * VAD_FRAME + i];
      if (energy <= threshold * VAD_FRAME) continue;
      sum += energy / VAD_FRAME;
      active++;
    }
    power = active > 0 ? sum / active : 0;
    threshold = power * pow(10, -LABEL_BELOW_DB / 10.0);
  }
  return power;
}

static void scale(float *samples, int count, double by) {
  for (int i = 0; i < count; i++) samples[i] = (float)(samples[i] * by);
}

/* Prompts one after another; pauses between them when wanted. */
static int talk(float *out, int samples, const struct vad_recordings *voice, int pauses, uint32_t *seed) {
  int16_t *prompt = malloc(sizeof(*prompt) * LONGEST_SAMPLES);
  if (!prompt || voice->count == 0) return free(prompt), -1;
  memset(out, 0, sizeof(*out) * (size_t)samples);
  int at = pauses ? 8000 : 0;
  while (at < samples) {
    int count = read_wav(voice->paths[(int)(uniform(seed) * voice->count)], prompt);
    for (int i = 0; i < count && at < samples; i++) out[at++] = prompt[i];
    if (pauses) at += (int)(8000 * 0.3 * pow(10, uniform(seed))); /* 0.3–3 s, as many short as long */
  }
  free(prompt);
  scale(out, samples, sqrt(dsp_mean_square(SPEECH_CDBM0) / active_power(out, samples / VAD_FRAME)));
  return 0;
}

static void make_labels(struct vad_corpus *corpus) {
  double threshold = active_power(corpus->speech, corpus->frames) * pow(10, -LABEL_BELOW_DB / 10.0) * VAD_FRAME;
  for (int f = 0; f < corpus->frames; f++) {
    double energy = 0;
    for (int i = 0; i < VAD_FRAME; i++) {
      double sample = corpus->speech[f * VAD_FRAME + i];
      energy += sample * sample;
    }
    corpus->labels[f] = energy > threshold;
  }
  for (int f = 0, last = -1; f < corpus->frames; f++) {
    if (!corpus->labels[f]) continue;
    if (last >= 0 && f - last - 1 <= LABEL_GAP_FRAMES) memset(&corpus->labels[last], 1, (size_t)(f - last));
    last = f;
  }
  for (int f = 0; f < corpus->frames;) {
    int from = f;
    while (f < corpus->frames && corpus->labels[f]) f++;
    if (f - from < LABEL_LEAST_FRAMES) memset(&corpus->labels[from], 0, (size_t)(f - from));
    while (f < corpus->frames && !corpus->labels[f]) f++;
  }
}

int vad_corpus_make(struct vad_corpus *corpus, const struct vad_recordings *voice, int seconds, uint32_t seed) {
  corpus->frames = seconds * 50;
  corpus->speech = malloc(sizeof(float) * (size_t)corpus->frames * VAD_FRAME);
  corpus->labels = malloc((size_t)corpus->frames);
  uint32_t state = seed * 2654435761U + 1;
  if (!corpus->speech || !corpus->labels) return -1;
  if (talk(corpus->speech, corpus->frames * VAD_FRAME, voice, 1, &state) < 0) return -1;
  make_labels(corpus);
  return 0;
}

void vad_corpus_free(struct vad_corpus *corpus) {
  free(corpus->speech);
  free(corpus->labels);
}

int vad_babble_make(float *out, int samples, const struct vad_recordings *voices, int count, uint32_t seed) {
  float *one = malloc(sizeof(*one) * (size_t)samples);
  uint32_t state = seed * 2246822519U + 7;
  if (!one) return -1;
  memset(out, 0, sizeof(*out) * (size_t)samples);
  for (int v = 0; v < VAD_BABBLE_VOICES; v++) {
    if (talk(one, samples, &voices[v % count], 0, &state) < 0) return free(one), -1;
    for (int i = 0; i < samples; i++) out[i] += one[i];
  }
  free(one);
  return 0;
}

static void make_noise(float *out, int samples, enum vad_noise kind, const float *babble, uint32_t *state) {
  double before[2] = {0, 0};
  double mains_hz = uniform(state) < 0.5 ? 50 : 60;
  double phases[HUM_HARMONICS];
  for (int h = 0; h < HUM_HARMONICS; h++) phases[h] = 2 * M_PI * uniform(state);
  for (int i = 0; i < samples; i++) {
    double white = gauss(state);
    if (kind == VAD_WHITE) out[i] = (float)white;
    if (kind == VAD_HISS) out[i] = (float)(white - 1.6 * before[0] + 0.64 * before[1]); /* rises 12 dB/octave */
    if (kind == VAD_BABBLE) out[i] = babble[i];
    before[1] = before[0];
    before[0] = white;
    if (kind != VAD_HUM) continue;
    double sum = 0;
    for (int h = 0; h < HUM_HARMONICS; h++)
      sum += sin(2 * M_PI * mains_hz * (h + 1) * i / 8000 + phases[h]) / (h + 1);
    out[i] = (float)sum;
  }
}

void vad_condition_make(int16_t *out, const struct vad_corpus *corpus, const struct vad_condition *condition,
                        const float *babble, uint32_t seed) {
  int samples = corpus->frames * VAD_FRAME;
  uint32_t state = seed * 3266489917U + 11;
  float *noise = calloc((size_t)samples, sizeof(*noise));
  if (!noise) abort();
  if (condition->noise != VAD_CLEAN) {
    make_noise(noise, samples, condition->noise, babble, &state);
    double sum = 0;
    for (int i = 0; i < samples; i++) sum += (double)noise[i] * noise[i];
    double wanted = active_power(corpus->speech, corpus->frames) * pow(10, -condition->snr_db / 10.0);
    scale(noise, samples, sqrt(wanted * samples / sum));
  }
  double line = sqrt(dsp_mean_square(LINE_NOISE_CDBM0));
  double gain = pow(10, condition->level_db / 20.0);
  for (int i = 0; i < samples; i++) {
    double sum = ((double)corpus->speech[i] + noise[i]) * gain + line * gauss(&state);
    out[i] = (int16_t)lrint(fmax(-32768, fmin(32767, sum)));
  }
  free(noise);
}
