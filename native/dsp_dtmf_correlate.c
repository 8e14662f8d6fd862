#include "dsp_dtmf_correlate.h"

#include <string.h>

#if !defined(DSP_SCALAR) && defined(__SSE2__)
#include <emmintrin.h>
#define DTMF_SSE2 1
#elif !defined(DSP_SCALAR) && defined(__ARM_NEON)
#include <arm_neon.h>
#define DTMF_NEON 1
#endif

#define SUB    DSP_DTMF_SUB_SAMPLES
#define HALF   DTMF_HALF
#define PAIRS  DTMF_PAIRS
#define GROUPS DTMF_GROUPS

/* ---- the scalar twin: what the others must equal ------------------------------------------------------------ */

/* Halves are taken before sums and differences, which then fit 16 bits. */
void dtmf_correlate_scalar(const int16_t *samples, struct dtmf_correlation *out) {
  int32_t even[HALF];
  int32_t odd[HALF];
  for (int k = 0; k < HALF; k++) {
    even[k] = (samples[HALF + k] >> 1) + (samples[HALF - 1 - k] >> 1);
    odd[k] = (samples[HALF + k] >> 1) - (samples[HALF - 1 - k] >> 1);
  }
  memset(out, 0, sizeof(*out));
  for (int p = 0; p < PAIRS; p++) {
    for (int i = 0; i < DTMF_FUNCTIONS; i++) {
      const int16_t *e = &dtmf_functions.even[p][i / 4][i % 4 * 2];
      const int16_t *o = &dtmf_functions.odd[p][i / 4][i % 4 * 2];
      out->even[i] += even[2 * p] * e[0] + even[2 * p + 1] * e[1];
      out->odd[i] += odd[2 * p] * o[0] + odd[2 * p + 1] * o[1];
    }
  }
}

uint32_t dtmf_energy_scalar(const int16_t *samples) {
  uint32_t energy = 0;
  for (int n = 0; n < SUB; n += 2) {
    uint32_t two = (uint32_t)(samples[n] * samples[n]) + (uint32_t)(samples[n + 1] * samples[n + 1]);
    energy += two >> 5;
  }
  return energy;
}

/* ---- the twins ---------------------------------------------------------------------------------------------- */

#if defined(DTMF_SSE2)

static inline __m128i load8(const int16_t *at) { return _mm_loadu_si128((const __m128i *)(const void *)at); }

static inline __m128i reversed(__m128i v) {
  v = _mm_shufflelo_epi16(v, _MM_SHUFFLE(0, 1, 2, 3));
  v = _mm_shufflehi_epi16(v, _MM_SHUFFLE(0, 1, 2, 3));
  return _mm_shuffle_epi32(v, _MM_SHUFFLE(1, 0, 3, 2));
}

uint32_t dtmf_energy(const int16_t *samples) {
  __m128i sum = _mm_setzero_si128();
  for (int n = 0; n < SUB; n += 8) {
    __m128i v = load8(&samples[n]);
    sum = _mm_add_epi32(sum, _mm_srli_epi32(_mm_madd_epi16(v, v), 5));
  }
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(1, 0, 3, 2)));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, _MM_SHUFFLE(2, 3, 0, 1)));
  return (uint32_t)_mm_cvtsi128_si32(sum);
}

static inline void correlate_half(__m128i a, __m128i b, __m128i c, const int16_t table[PAIRS][GROUPS][8],
                                  int32_t *out) {
  __m128i sum[GROUPS] = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
#define TAKE(p, from, lane)                                                                                       \
  do {                                                                                                            \
    __m128i two = _mm_shuffle_epi32(from, (lane)*0x55);                                                           \
    for (int g = 0; g < GROUPS; g++)                                                                              \
      sum[g] = _mm_add_epi32(sum[g], _mm_madd_epi16(two, *(const __m128i *)(const void *)table[p][g]));           \
  } while (0)
  TAKE(0, a, 0);
  TAKE(1, a, 1);
  TAKE(2, a, 2);
  TAKE(3, a, 3);
  TAKE(4, b, 0);
  TAKE(5, b, 1);
  TAKE(6, b, 2);
  TAKE(7, b, 3);
  TAKE(8, c, 0);
  TAKE(9, c, 1);
#undef TAKE
  for (int g = 0; g < GROUPS; g++) _mm_storeu_si128((__m128i *)(void *)&out[4 * g], sum[g]);
}

void dtmf_correlate(const int16_t *samples, struct dtmf_correlation *out) {
  __m128i left[3] = {
      reversed(load8(&samples[12])), reversed(load8(&samples[4])),
      _mm_shufflelo_epi16(_mm_loadl_epi64((const __m128i *)(const void *)samples), _MM_SHUFFLE(0, 1, 2, 3))};
  __m128i right[3] = {load8(&samples[20]), load8(&samples[28]),
                      _mm_loadl_epi64((const __m128i *)(const void *)&samples[36])};
  __m128i even[3];
  __m128i odd[3];
  for (int i = 0; i < 3; i++) {
    left[i] = _mm_srai_epi16(left[i], 1);
    right[i] = _mm_srai_epi16(right[i], 1);
    even[i] = _mm_add_epi16(right[i], left[i]);
    odd[i] = _mm_sub_epi16(right[i], left[i]);
  }
  correlate_half(even[0], even[1], even[2], dtmf_functions.even, out->even);
  correlate_half(odd[0], odd[1], odd[2], dtmf_functions.odd, out->odd);
}

#elif defined(DTMF_NEON)

uint32_t dtmf_energy(const int16_t *samples) {
  uint32x4_t sum = vdupq_n_u32(0);
  for (int n = 0; n < SUB; n += 8) {
    int16x4x2_t v = vld2_s16(&samples[n]); /* even and odd samples: a pair's squares meet in one lane */
    uint32x4_t two = vreinterpretq_u32_s32(vmlal_s16(vmull_s16(v.val[0], v.val[0]), v.val[1], v.val[1]));
    sum = vaddq_u32(sum, vshrq_n_u32(two, 5));
  }
  return vaddvq_u32(sum);
}

static inline int16x8_t reversed(int16x8_t v) {
  v = vrev64q_s16(v);
  return vextq_s16(v, v, 4);
}

static inline void correlate_half(const int16_t *half, const int16_t table[PAIRS][GROUPS][8], int32_t *out) {
  int32x4_t sum[GROUPS] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (int p = 0; p < PAIRS; p++) {
    for (int g = 0; g < GROUPS; g++) {
      int16x4x2_t f = vld2_s16(table[p][g]);
      sum[g] = vmlal_n_s16(sum[g], f.val[0], half[2 * p]);
      sum[g] = vmlal_n_s16(sum[g], f.val[1], half[2 * p + 1]);
    }
  }
  for (int g = 0; g < GROUPS; g++) vst1q_s32(&out[4 * g], sum[g]);
}

void dtmf_correlate(const int16_t *samples, struct dtmf_correlation *out) {
  int16x8_t left[3] = {reversed(vld1q_s16(&samples[12])), reversed(vld1q_s16(&samples[4])),
                       vcombine_s16(vrev64_s16(vld1_s16(samples)), vdup_n_s16(0))};
  int16x8_t right[3] = {vld1q_s16(&samples[20]), vld1q_s16(&samples[28]),
                        vcombine_s16(vld1_s16(&samples[36]), vdup_n_s16(0))};
  int16_t even[24];
  int16_t odd[24];
  for (int i = 0; i < 3; i++) {
    left[i] = vshrq_n_s16(left[i], 1);
    right[i] = vshrq_n_s16(right[i], 1);
    vst1q_s16(&even[8 * i], vaddq_s16(right[i], left[i]));
    vst1q_s16(&odd[8 * i], vsubq_s16(right[i], left[i]));
  }
  correlate_half(even, dtmf_functions.even, out->even);
  correlate_half(odd, dtmf_functions.odd, out->odd);
}

#else

uint32_t dtmf_energy(const int16_t *samples) { return dtmf_energy_scalar(samples); }

void dtmf_correlate(const int16_t *samples, struct dtmf_correlation *out) { dtmf_correlate_scalar(samples, out); }

#endif
