#include "dsp_dtmf_tones.h"

#include <math.h>
#include <pthread.h>

#include "dsp_dtmf_correlate.h"
#include "dsp_level.h"

#define HALF   DTMF_HALF
#define PAIRS  DTMF_PAIRS
#define GROUPS DTMF_GROUPS
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
  float even_weight[DSP_DTMF_TONES], odd_weight[DSP_DTMF_TONES]; /* correlation² to energy */
  float low_weight;
  struct inverse even_inverse[16], odd_inverse[16];
} tables;

struct dtmf_functions dtmf_functions;

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
  make_half(0, LOW_EVEN_HZ, dtmf_functions.even, tables.even_weight, tables.even_inverse);
  make_half(1, LOW_ODD_HZ, dtmf_functions.odd, tables.odd_weight, tables.odd_inverse);
  tables.low_weight = (float)(1.0 / (HALF / 2.0 * TABLE_ONE * TABLE_ONE));
}

void dtmf_tones_init(void) { pthread_once(&tables_once, make_tables); }

/* ---- energies and fits -------------------------------------------------------------------------------------- */

static inline float strongest(const float power[4]) {
  float a = power[0] > power[1] ? power[0] : power[1];
  float b = power[2] > power[3] ? power[2] : power[3];
  return a > b ? a : b;
}

float dtmf_tones_sub(struct dsp_dtmf_sub *sub) {
  struct dtmf_correlation correlation;
  dtmf_correlate(sub->samples, &correlation);
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
