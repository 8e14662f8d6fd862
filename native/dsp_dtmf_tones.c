#include "dsp_dtmf_tones.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "dsp_level.h"

#if !defined(DSP_SCALAR) && defined(__SSE2__)
#include <emmintrin.h>
#define DTMF_SSE2 1
#elif !defined(DSP_SCALAR) && defined(__ARM_NEON)
#include <arm_neon.h>
#define DTMF_NEON 1
#endif

#define SUB    DSP_DTMF_SUB_SAMPLES
#define HALF   (SUB / 2)
#define PAIRS  (HALF / 2) /* of samples: what one multiply-add takes */
#define GROUPS (DTMF_FUNCTIONS / 4)
#define LOWS   3
/* 12 bits: 20 × 2^15 × 2^12 × the mean of a rectified sine is below 2^31. */
#define TABLE_ONE 4096.0

/* ITU-T Q.23: rows are the low group, columns the high group. */
const float dtmf_tones_hz[DSP_DTMF_TONES] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};

/* Between them they hold DC, hum (50, 60 Hz) and dial tone (350 + 440 Hz, 425 Hz: ITU-T E.180) in 5 ms. A seventh
 * would begin to take from 697 Hz. */
static const double LOW_EVEN_HZ[LOWS] = {0, 250, 430};
static const double LOW_ODD_HZ[LOWS] = {60, 300, 440};

struct inverse {
  float rr, rc, cc; /* of a pair's 2 × 2 matrix of products */
};

static struct {
  /* For each two samples and four functions: f0[k] f0[k+1] f1[k] f1[k+1] … */
  _Alignas(16) int16_t even[PAIRS][GROUPS][8];
  _Alignas(16) int16_t odd[PAIRS][GROUPS][8];
  float even_weight[DSP_DTMF_TONES], odd_weight[DSP_DTMF_TONES]; /* correlation² to energy */
  float low_weight;
  struct inverse even_inverse[16], odd_inverse[16];
} tables;

static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

/* ---- tables ------------------------------------------------------------------------------------------------- */

static double product(const double *a, const double *b) {
  double sum = 0.0;
  for (int k = 0; k < HALF; k++) sum += a[k] * b[k];
  return sum;
}

/* Takes from f what the orthonormal functions of basis hold. */
static void make_orthogonal(double *f, double basis[LOWS][HALF], int count) {
  for (int b = 0; b < count; b++) {
    double part = product(f, basis[b]);
    for (int k = 0; k < HALF; k++) f[k] -= part * basis[b][k];
  }
}

static void make_half(int odd, const double low_hz[LOWS], int16_t table[PAIRS][GROUPS][8], float *weight,
                      struct inverse *inverse) {
  double low[LOWS][HALF];
  double f[DTMF_FUNCTIONS][HALF] = {{0}};
  for (int i = 0; i < LOWS + DSP_DTMF_TONES; i++) {
    double *to = i < LOWS ? low[i] : f[i - LOWS];
    double hz = i < LOWS ? low_hz[i] : (double)dtmf_tones_hz[i - LOWS];
    for (int k = 0; k < HALF; k++) {
      double phase = 2.0 * M_PI * hz / DSP_SAMPLE_RATE_HZ * (k + 0.5);
      to[k] = odd ? sin(phase) : cos(phase);
    }
    make_orthogonal(to, low, i < LOWS ? i : LOWS);
    if (i >= LOWS) continue;
    double norm = sqrt(product(to, to));
    for (int k = 0; k < HALF; k++) to[k] /= norm;
  }
  /* The low functions get the height of a sine: its norm over 20 samples is √10. */
  for (int i = 0; i < LOWS; i++)
    for (int k = 0; k < HALF; k++) f[DSP_DTMF_TONES + i][k] = low[i][k] * sqrt(HALF / 2.0);
  for (int i = 0; i < DTMF_FUNCTIONS; i++)
    for (int k = 0; k < HALF; k++) table[k / 2][i / 4][i % 4 * 2 + k % 2] = (int16_t)lrint(f[i][k] * TABLE_ONE);
  for (int i = 0; i < DSP_DTMF_TONES; i++)
    weight[i] = (float)(1.0 / (product(f[i], f[i]) * TABLE_ONE * TABLE_ONE));
  for (int p = 0; p < 16; p++) {
    const double *row = f[p / 4];
    const double *column = f[4 + p % 4];
    double cross = product(row, column);
    double scale = 1.0 / (product(row, row) * product(column, column) - cross * cross) / TABLE_ONE;
    inverse[p] = (struct inverse){(float)(product(column, column) * scale), (float)(-cross * scale),
                                  (float)(product(row, row) * scale)};
  }
}

static void make_tables(void) {
  make_half(0, LOW_EVEN_HZ, tables.even, tables.even_weight, tables.even_inverse);
  make_half(1, LOW_ODD_HZ, tables.odd, tables.odd_weight, tables.odd_inverse);
  tables.low_weight = (float)(1.0 / (HALF / 2.0 * TABLE_ONE * TABLE_ONE));
}

void dtmf_tones_init(void) { pthread_once(&tables_once, make_tables); }

/* ---- the scalar twin: what the others must equal ------------------------------------------------------------ */

/* Halves are taken before sums and differences, which then fit 16 bits. */
void dtmf_tones_correlate_scalar(const int16_t *samples, struct dtmf_correlation *out) {
  int32_t even[HALF];
  int32_t odd[HALF];
  for (int k = 0; k < HALF; k++) {
    even[k] = (samples[HALF + k] >> 1) + (samples[HALF - 1 - k] >> 1);
    odd[k] = (samples[HALF + k] >> 1) - (samples[HALF - 1 - k] >> 1);
  }
  memset(out, 0, sizeof(*out));
  for (int p = 0; p < PAIRS; p++) {
    for (int i = 0; i < DTMF_FUNCTIONS; i++) {
      const int16_t *e = &tables.even[p][i / 4][i % 4 * 2];
      const int16_t *o = &tables.odd[p][i / 4][i % 4 * 2];
      out->even[i] += even[2 * p] * e[0] + even[2 * p + 1] * e[1];
      out->odd[i] += odd[2 * p] * o[0] + odd[2 * p + 1] * o[1];
    }
  }
}

uint32_t dtmf_tones_energy_scalar(const int16_t *samples) {
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

uint32_t dtmf_tones_energy(const int16_t *samples) {
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

void dtmf_tones_correlate(const int16_t *samples, struct dtmf_correlation *out) {
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
  correlate_half(even[0], even[1], even[2], tables.even, out->even);
  correlate_half(odd[0], odd[1], odd[2], tables.odd, out->odd);
}

#elif defined(DTMF_NEON)

uint32_t dtmf_tones_energy(const int16_t *samples) {
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

void dtmf_tones_correlate(const int16_t *samples, struct dtmf_correlation *out) {
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
  correlate_half(even, tables.even, out->even);
  correlate_half(odd, tables.odd, out->odd);
}

#else

uint32_t dtmf_tones_energy(const int16_t *samples) { return dtmf_tones_energy_scalar(samples); }

void dtmf_tones_correlate(const int16_t *samples, struct dtmf_correlation *out) {
  dtmf_tones_correlate_scalar(samples, out);
}

#endif

/* ---- energies and fits -------------------------------------------------------------------------------------- */

static inline float strongest(const float power[4]) {
  float a = power[0] > power[1] ? power[0] : power[1];
  float b = power[2] > power[3] ? power[2] : power[3];
  return a > b ? a : b;
}

float dtmf_tones_sub(struct dsp_dtmf_sub *sub) {
  struct dtmf_correlation correlation;
  dtmf_tones_correlate(sub->samples, &correlation);
  sub->correlated = 1;
  float power[DSP_DTMF_TONES];
  for (int t = 0; t < DSP_DTMF_TONES; t++) {
    sub->even[t] = (float)correlation.even[t];
    sub->odd[t] = (float)correlation.odd[t];
    power[t] =
        sub->even[t] * sub->even[t] * tables.even_weight[t] + sub->odd[t] * sub->odd[t] * tables.odd_weight[t];
  }
  float low[4];
  for (int i = 0; i < 4; i++) {
    float even = (float)correlation.even[DSP_DTMF_TONES + i];
    float odd = (float)correlation.odd[DSP_DTMF_TONES + i];
    low[i] = even * even + odd * odd;
  }
  sub->low = (low[0] + low[1] + low[2]) * tables.low_weight;
  sub->in_band = sub->energy - sub->low;
  if (sub->in_band < 1.0F) sub->in_band = 1.0F;
  return (strongest(power) + strongest(&power[4])) / sub->in_band;
}

float dtmf_tones_power(const struct dsp_dtmf_sub *sub) {
  float sum = 0.0F;
  for (int t = 0; t < DSP_DTMF_TONES; t++)
    sum += sub->even[t] * sub->even[t] * tables.even_weight[t] + sub->odd[t] * sub->odd[t] * tables.odd_weight[t];
  return sum;
}

float dtmf_tones_low_leak(int tone) {
  float norms = 1.0F / tables.even_weight[tone] + 1.0F / tables.odd_weight[tone];
  return fmaxf(0.0F, HALF / 2.0F - 0.5F * norms / (float)(TABLE_ONE * TABLE_ONE));
}

float dtmf_tones_fit(const struct dsp_dtmf_sub *sub, int pair, struct dtmf_phasor out[2]) {
  int row = pair / 4;
  int column = 4 + pair % 4;
  const struct inverse *even = &tables.even_inverse[pair];
  const struct inverse *odd = &tables.odd_inverse[pair];
  out[0].re = even->rr * sub->even[row] + even->rc * sub->even[column];
  out[1].re = even->rc * sub->even[row] + even->cc * sub->even[column];
  out[0].im = -(odd->rr * sub->odd[row] + odd->rc * sub->odd[column]);
  out[1].im = -(odd->rc * sub->odd[row] + odd->cc * sub->odd[column]);
  float explained = out[0].re * sub->even[row] + out[1].re * sub->even[column] - out[0].im * sub->odd[row] -
                    out[1].im * sub->odd[column];
  return explained / (float)TABLE_ONE;
}
