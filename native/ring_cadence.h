/* ring_cadence.h — when a bell is on and off. Pure: time comes in by parameter, nothing goes out. */
#ifndef RING_CADENCE_H
#define RING_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"

enum ring_action { RING_NOTHING = 0, RING_ON, RING_OFF, RING_FINISHED, RING_CAPPED };

struct ring_cadence {
  int32_t on_off_ms[2 * DSHIM_MAX_BURSTS];
  int32_t bursts, repeat; /* repeat 0: for ever */
  int32_t max_ms;         /* 0: none */
  int32_t burst, round;   /* where it is */
  int32_t burst_number;   /* since the start */
  bool active, on;
  int64_t next_ns, cap_ns; /* INT64_MAX: never */
};

/* The bell goes on at now_ns: its caller has seen to that. */
void ring_cadence_start(struct ring_cadence *cadence, int64_t now_ns);
/* What falls due at now_ns, one thing a call: RING_NOTHING when all is done. RING_FINISHED and RING_CAPPED mean
 * bell off and the end; the end comes with the last burst's end, not after its silence. */
enum ring_action ring_cadence_step(struct ring_cadence *cadence, int64_t now_ns);
/* When to call step again; INT64_MAX when it does not ring. */
int64_t ring_cadence_deadline(const struct ring_cadence *cadence);

#endif
