/*
 * vad_corpus.h — speech with pauses, the noises laid over it, and what is voice in it.
 *
 * Speech is recorded prompts of one voice, shuffled by a seed, with pauses of 0.3–3 s between them, brought to
 * −20 dBm0 while active. A label says of 20 ms whether there is voice: the clean signal's energy is above the
 * active level less 30 dB; gaps of up to 200 ms are bridged (ITU-T P.56 bridges the same); what is then shorter
 * than 40 ms is a click and not voice. Noise is laid on afterwards: the labels do not know of it.
 */
#ifndef VAD_CORPUS_H
#define VAD_CORPUS_H

#include <stdint.h>

#define VAD_FRAME         160 /* 20 ms of 8 kHz */
#define VAD_BABBLE_VOICES 8

enum vad_noise { VAD_CLEAN, VAD_WHITE, VAD_HISS, VAD_HUM, VAD_BABBLE };

struct vad_condition {
  const char *name;
  enum vad_noise noise;
  int snr_db;   /* active speech against the noise's mean power */
  int level_db; /* applied to all of it */
};

struct vad_recordings { /* of one voice */
  char **paths;
  int count;
};

struct vad_corpus {
  float *speech;
  uint8_t *labels; /* per frame */
  int frames;
};

/* The files of a list, one path a line; files shorter than 0.5 s and those that are tones are left out. */
int vad_recordings_read(struct vad_recordings *list, const char *list_path);
/* Talk of that many seconds; labels are made. Returns 0, −1 without memory or speech. */
int vad_corpus_make(struct vad_corpus *corpus, const struct vad_recordings *voice, int seconds, uint32_t seed);
void vad_corpus_free(struct vad_corpus *corpus);
/* Several talkers at once, without pauses, at −20 dBm0; out has samples. */
int vad_babble_make(float *out, int samples, const struct vad_recordings *voices, int count, uint32_t seed);
/* The condition's signal as a line would hear it; babble is what vad_babble_make gave. */
void vad_condition_make(int16_t *out, const struct vad_corpus *corpus, const struct vad_condition *condition,
                        const float *babble, uint32_t seed);

#endif
