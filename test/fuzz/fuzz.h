/* fuzz.h — libFuzzer's input as sound: the first byte picks the block sizes, the rest are samples. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MAX_SAMPLES 16384
#define FUZZ_MAX_EVENTS  (2 + FUZZ_MAX_SAMPLES / 40)

#define MUST(condition)                                                                                           \
  do {                                                                                                            \
    if (!(condition)) {                                                                                           \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                     \
      abort();                                                                                                    \
    }                                                                                                             \
  } while (0)

struct fuzz_sound {
  int16_t samples[FUZZ_MAX_SAMPLES];
  int count;
  uint32_t state; /* of the block sizes */
};

/* libFuzzer mutates bytes; a detector wants sound. Odd first bytes repeat a short excerpt, which makes tones. */
static inline void fuzz_sound_of(struct fuzz_sound *sound, const uint8_t *data, size_t size) {
  sound->count = 0;
  sound->state = size > 0 ? data[0] + 1U : 1U;
  if (size < 3) return;
  size_t given = (size - 1) / 2;
  if (given > FUZZ_MAX_SAMPLES) given = FUZZ_MAX_SAMPLES;
  memcpy(sound->samples, data + 1, 2 * given);
  size_t count = given;
  if (data[0] & 1)
    for (; count < FUZZ_MAX_SAMPLES; count++) sound->samples[count] = sound->samples[count % given];
  sound->count = (int)count;
}

/* 0 to 399 samples, but never more than are left. */
static inline int fuzz_next_block(struct fuzz_sound *sound, int done) {
  sound->state = sound->state * 1664525U + 1013904223U;
  int block = (int)(sound->state >> 16) % 400;
  return block < sound->count - done ? block : sound->count - done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
