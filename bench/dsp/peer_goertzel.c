/* What a textbook has: eight Goertzel filters over 205 samples (25.6 ms), thresholds, two equal blocks make a
 * digit. */
#include <math.h>

#include "peers.h"

#define N 205

static void hear(const int16_t *samples, int count, struct peer_heard *heard) {
  static const double hz[8] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};
  int last = -1;
  heard->count = 0;
  for (int at = 0; at + N <= count + 5 * N; at += N) {
    double power[8];
    double energy = 1e-9;
    for (int t = 0; t < 8; t++) {
      double k = 2 * cos(2 * M_PI * hz[t] / 8000);
      double s1 = 0;
      double s2 = 0;
      for (int n = at; n < at + N; n++) {
        double x = n < count ? samples[n] : 0;
        double s = x + k * s1 - s2;
        s2 = s1;
        s1 = s;
        if (t == 0) energy += x * x;
      }
      power[t] = (s1 * s1 + s2 * s2 - k * s1 * s2) * 2 / N;
    }
    int row = 0;
    int column = 4;
    for (int t = 1; t < 4; t++) row = power[t] > power[row] ? t : row;
    for (int t = 5; t < 8; t++) column = power[t] > power[column] ? t : column;
    double twist = 10 * log10((power[column] + 1e-9) / (power[row] + 1e-9));
    int digit = row * 4 + column - 4;
    if (energy < N * 1000.0 || fabs(twist) > 8 || power[row] + power[column] < 0.6 * energy) digit = -1;
    if (digit >= 0 && digit != last && heard->count < PEER_MAX_DIGITS) {
      heard->digits[heard->count] = "123A456B789C*0#D"[digit];
      heard->onset[heard->count] = at;
      heard->length[heard->count++] = N;
    } else if (digit >= 0 && heard->count > 0) {
      heard->length[heard->count - 1] += N;
    }
    last = digit;
  }
  heard->digits[heard->count] = '\0';
}

const struct peer peer_goertzel = {"goertzel", hear};
