/* Dials of known speed and break, looked at with a card's jitter: what is told is right, and what was not seen is
 * not told. */
#include "pulse_train.h"

#include <stdlib.h>

#include "durations.h"
#include "tap.h"

static uint32_t random_state = 1;
static int64_t random_ns(int64_t below_ns) {
  random_state = random_state * 1664525U + 1013904223U;
  return (int64_t)(random_state / 4294967296.0 * (double)below_ns);
}

/* Is the loop open at_ns after the first break began? */
static bool open_at(int64_t at_ns, int pulses, double break_ms, double make_ms) {
  double at_ms = (double)at_ns / NS_PER_MS;
  double period_ms = break_ms + make_ms;
  int period = (int)(at_ms / period_ms);
  return at_ms >= 0 && period < pulses && at_ms - period * period_ms < break_ms;
}

/* Looks as line_service does: every 20 ms, sooner when the train wants it, and late by up to late_ns. */
static struct pulse_measure dial(int pulses, double break_ms, double make_ms, int64_t late_ns) {
  struct pulse_train train = {0};
  int64_t start_ns = 1000 * NS_PER_MS + random_ns(20 * NS_PER_MS);
  int64_t end_ns = start_ns + (int64_t)(pulses * (break_ms + make_ms) * NS_PER_MS) + 250 * NS_PER_MS;
  int64_t block_ns = 900 * NS_PER_MS;
  for (int64_t now_ns = block_ns; now_ns < end_ns;) {
    pulse_train_look(&train, now_ns, open_at(now_ns - start_ns, pulses, break_ms, make_ms));
    while (block_ns <= now_ns) block_ns += 20 * NS_PER_MS;
    int64_t next_ns = pulse_train_deadline(&train);
    next_ns = (next_ns < block_ns ? next_ns : block_ns) + random_ns(late_ns + 1);
    now_ns = next_ns > now_ns ? next_ns : now_ns + 1;
  }
  return pulse_train_measure(&train, pulses);
}

static void speeds_and_breaks(void) {
  const double speeds[] = {8, 10, 12, 16, 20};
  for (int s = 0; s < 5; s++) {
    for (int percent = 50; percent <= 70; percent += 5) {
      double period_ms = 1000 / speeds[s];
      double worst_speed = 0;
      double worst_break = 0;
      int missing = 0;
      for (int digit = 2; digit <= 10; digit++) {
        for (int again = 0; again < 20; again++) {
          struct pulse_measure measure =
              dial(digit, period_ms * percent / 100, period_ms * (100 - percent) / 100, NS_PER_MS / 2);
          if (measure.per_second_hundredths == 0 || measure.break_basis_points == 0) {
            missing++;
            continue;
          }
          double speed_off = abs(measure.per_second_hundredths - (int)(speeds[s] * 100)) / speeds[s];
          double break_off = abs(measure.break_basis_points - percent * 100) / 100.0;
          if (speed_off > worst_speed) worst_speed = speed_off;
          if (break_off > worst_break) worst_break = break_off;
        }
      }
      tap_ok(worst_speed <= 5 && worst_break <= 5 && missing <= 9 * 20 / 20,
             "%2.0f pulses/s, %d %% break: at most %.1f %% and %.1f points off, %d not told", speeds[s], percent,
             worst_speed, worst_break, missing);
    }
  }
}

static void nothing_is_invented(void) {
  struct pulse_measure one = dial(1, 60, 40, 0);
  tap_ok(one.per_second_hundredths == 0 && one.break_basis_points == 0, "one pulse has no period");

  int told = 0;
  int wrong = 0;
  for (int again = 0; again < 200; again++) {
    struct pulse_measure late = dial(5, 60, 40, 60 * NS_PER_MS);
    told += late.break_basis_points != 0;
    wrong += late.break_basis_points != 0 && abs(late.break_basis_points - 6000) > 500;
    wrong += late.per_second_hundredths != 0 && abs(late.per_second_hundredths - 1000) > 50;
  }
  tap_ok(wrong == 0, "with looks up to 60 ms late nothing wrong is told");
  tap_ok(told == 0, "and of the break nothing at all: %d", told);

  struct pulse_train train = {0};
  pulse_train_look(&train, NS_PER_MS, false);
  tap_ok(pulse_train_deadline(&train) == INT64_MAX, "a loop that stands still is not looked at more often");
  pulse_train_look(&train, 10 * NS_PER_MS, true);
  tap_ok(pulse_train_deadline(&train) == 12 * NS_PER_MS, "a break is");
  pulse_train_look(&train, 400 * NS_PER_MS, true);
  tap_ok(pulse_train_deadline(&train) == INT64_MAX, "but not one too long for a pulse");
  pulse_train_look(&train, 500 * NS_PER_MS, false);
  tap_ok(train.closings == 0 && pulse_train_deadline(&train) == INT64_MAX, "which is none");
}

int main(void) {
  speeds_and_breaks();
  nothing_is_invented();
  return tap_done();
}
