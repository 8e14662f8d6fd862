#include "pulse_train.h"

#include "durations.h"

#define NS_PER_S 1000000000LL
#define LOOK_NS  (2 * NS_PER_MS)
/* <dahdi/kernel.h>: a longer break is no pulse (DAHDI_MAXPULSETIME, 200 ms), a longer make ends the digit
 * (DAHDI_PULSETIMEOUT, 250 ms); and what an event may be late. */
#define LONGEST_BREAK_NS (210 * NS_PER_MS)
#define LONGEST_MAKE_NS  (300 * NS_PER_MS)
/* What is told is surer than this: of the pulses per second, and of the share in parts of a period. */
#define PER_SECOND_UNSURE 0.05
#define BREAK_UNSURE      0.05

void pulse_train_reset(struct pulse_train *train) {
  *train = (struct pulse_train){.open = train->open, .looked_ns = train->looked_ns};
}

static void opened(struct pulse_train *train, int64_t at_ns, int64_t unsure_ns) {
  if (train->closings > 0 && at_ns - train->closed_ns > LONGEST_MAKE_NS) pulse_train_reset(train);
  train->opened_ns = at_ns;
  train->opened_unsure_ns = unsure_ns;
}

static void closed(struct pulse_train *train, int64_t at_ns, int64_t unsure_ns) {
  if (train->opened_ns == 0 || at_ns - train->opened_ns > LONGEST_BREAK_NS) {
    pulse_train_reset(train);
    return;
  }
  if (++train->closings == 1) {
    train->first_closed_ns = at_ns;
    train->first_unsure_ns = unsure_ns;
  } else {
    train->breaks_ns += at_ns - train->opened_ns;
    train->unsure_ns += train->opened_unsure_ns + unsure_ns;
  }
  train->closed_ns = at_ns;
  train->last_unsure_ns = unsure_ns;
}

void pulse_train_look(struct pulse_train *train, int64_t now_ns, bool open) {
  /* It moved somewhere between two looks. */
  int64_t unsure_ns = train->looked_ns != 0 ? (now_ns - train->looked_ns) / 2 : 0;
  bool moved = open != train->open;
  train->looked_ns = now_ns;
  train->open = open;
  if (!moved) return;
  if (open) opened(train, now_ns - unsure_ns, unsure_ns);
  else closed(train, now_ns - unsure_ns, unsure_ns);
}

int64_t pulse_train_deadline(const struct pulse_train *train) {
  int64_t runs_ns = 0;
  if (train->open && train->opened_ns != 0) runs_ns = train->opened_ns + LONGEST_BREAK_NS;
  else if (!train->open && train->closings > 0) runs_ns = train->closed_ns + LONGEST_MAKE_NS;
  return train->looked_ns < runs_ns ? train->looked_ns + LOOK_NS : INT64_MAX;
}

struct pulse_measure pulse_train_measure(const struct pulse_train *train, int32_t pulses) {
  struct pulse_measure measure = {0};
  if (pulses < 2 || train->closings != pulses) return measure;
  double span_ns = (double)(train->closed_ns - train->first_closed_ns);
  if ((double)(train->first_unsure_ns + train->last_unsure_ns) <= PER_SECOND_UNSURE * span_ns) {
    measure.per_second_hundredths = (int32_t)((pulses - 1) * (double)NS_PER_S / span_ns * 100.0 + 0.5);
  }
  if ((double)train->unsure_ns <= BREAK_UNSURE * span_ns) {
    measure.break_basis_points = (int32_t)((double)train->breaks_ns / span_ns * 10000.0 + 0.5);
  }
  return measure;
}
