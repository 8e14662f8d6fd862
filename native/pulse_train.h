/*
 * pulse_train.h — how fast and with which breaks a rotary dial sends its pulses, from looks at the loop.
 *
 * The driver tells that a digit began and which it was, never its edges: they are looked for every 2 ms, from the
 * first break that was seen until the digit is told, and at no other time. What was seen:
 *
 *   closed ──┐ 1 ┌───┐ 2 ┌───┐ 3 ┌────── …
 *   open     └───┘   └───┘   └───┘
 *                ├───────┼───────┤        two periods, from the first closing to the last
 *
 * The first break is left out: its beginning was seen by a look every 20 ms. A digit of one pulse has no period,
 * and nothing is said of it; nor where looks came too late for the limits below, or missed a pulse.
 */
#ifndef PULSE_TRAIN_H
#define PULSE_TRAIN_H

#include <stdbool.h>
#include <stdint.h>

struct pulse_train {
  bool open;         /* at the last look */
  int64_t looked_ns; /* 0 not yet */
  int64_t opened_ns, closed_ns;
  int64_t first_closed_ns;
  int32_t closings;                   /* since the train began */
  int64_t breaks_ns;                  /* since the first closing */
  int64_t first_unsure_ns, unsure_ns; /* how far the first closing may be off; the sum over all edges since */
  int64_t opened_unsure_ns, last_unsure_ns;
};

struct pulse_measure {
  int32_t per_second_hundredths; /* 0 not measured */
  int32_t break_basis_points;    /* the break's share of a period, hundredths of a percent; 0 not measured */
};

/* A handset was lifted or hung up, a digit or a flash was told. */
void pulse_train_reset(struct pulse_train *train);
/* The loop of a lifted telephone, as it is at now_ns. */
void pulse_train_look(struct pulse_train *train, int64_t now_ns, bool open);
/* When to look next; INT64_MAX: no train runs. */
int64_t pulse_train_deadline(const struct pulse_train *train);
/* The driver has counted so many pulses. */
struct pulse_measure pulse_train_measure(const struct pulse_train *train, int32_t pulses);

#endif
