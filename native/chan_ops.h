/*
 * chan_ops.h — what the I/O thread needs of a card. chan_dahdi.c is the real one, chan_sim.c the
 * simulated one. Every call is made by the I/O thread only, none may block, malloc or print.
 * All return ≥ 0 or −errno.
 */
#ifndef CHAN_OPS_H
#define CHAN_OPS_H

#include "dahdi_shim.h"

/* What the card tells, in the driver's own terms: kernel events translated at this one edge. */
enum chan_event_kind {
  CHAN_EV_NONE = 0,
  CHAN_EV_OFF_HOOK, /* also ends ringing: DAHDI_EVENT_RINGOFFHOOK */
  CHAN_EV_ON_HOOK,
  CHAN_EV_FLASH, /* DAHDI_EVENT_WINKFLASH */
  CHAN_EV_PULSE_START,
  CHAN_EV_PULSE_DIGIT, /* value: ASCII */
  CHAN_EV_ALARM,       /* value: alarm bits, 0 cleared */
  CHAN_EV_UNDERRUN,
  CHAN_EV_OVERRUN,
  CHAN_EV_REMOVED,
  CHAN_EV_OTHER, /* value: the driver's number, for the counters */
};

struct chan_event {
  int32_t kind;
  int32_t value;
};

struct chan_stats {
  int32_t lifted; /* the loop as the driver sees it now, flash filter or not */
  int32_t alarms;
  int32_t signalling;
  int32_t voltage_known;
  int32_t tip_mv, ring_mv, battery_mv;
};

struct chan_settings {
  int32_t flash_max_ms;
  int32_t echo_cancel_taps;
  int32_t rx_gain_cdb, tx_gain_cdb;
  int32_t buffers;
  int32_t vmwi_lamps; /* bits of enum dshim_vmwi_lamp that the telephone has */
  int32_t dtmf_explain;
  int32_t sim_echo_cdb, sim_noise_cdbm0, sim_companding;
};

struct chan; /* the implementation's own, embedded as its first member */

struct chan_ops {
  const char *name;
  /* Opens and configures: −errno, with *stage saying where. now_ns starts the simulator's block clock. */
  int (*open)(struct chan *chan, const struct chan_settings *settings, int64_t now_ns, int32_t *stage);
  void (*close)(struct chan *chan);
  /* A descriptor for ppoll (POLLIN block, POLLPRI event), or −1 when it is paced by wake_ns. */
  int (*fd)(struct chan *chan);
  /* When this channel next wants service whatever its descriptor says; INT64_MAX never. */
  int64_t (*wake_ns)(struct chan *chan);
  /* One block from the telephone: 1 read, 0 none yet, −errno (−ENODEV gone). */
  int (*read)(struct chan *chan, int64_t now_ns, int16_t *samples);
  /* One block to the telephone: 1 taken, 0 full, −errno. */
  int (*write)(struct chan *chan, int64_t now_ns, const int16_t *samples);
  /* The next queued event: 1 one, 0 none, −errno. */
  int (*event)(struct chan *chan, int64_t now_ns, struct chan_event *event);
  /* Bell on or off. −EBUSY: try again shortly (battery was dropped) or lifted. */
  int (*ring)(struct chan *chan, int64_t now_ns, bool on);
  /* Battery off (true) or on. */
  int (*battery_drop)(struct chan *chan, int64_t now_ns, bool dropped);
  /* voltage: also ask the card for its line voltage (slower). */
  int (*stats)(struct chan *chan, int64_t now_ns, bool voltage, struct chan_stats *stats);
  /* Throws away what was written and not yet played. */
  int (*flush)(struct chan *chan, int64_t now_ns);
  /* For the next ms an on-hook telephone hears what is sent. −ENOTTY: nothing is to be switched for that, or it
   * cannot be. It ends by itself. */
  int (*on_hook_transfer)(struct chan *chan, int64_t now_ns, int32_t ms);
  /* Tip and ring exchanged (true) or as they were. −ENOTTY where the card cannot, −EINVAL while it rings. */
  int (*polarity)(struct chan *chan, int64_t now_ns, bool reversed);
  /* Lights the telephone's lamp by the card's own means (settings.vmwi_lamps): messages 0 puts it out. −ENOTTY. */
  int (*vmwi)(struct chan *chan, int64_t now_ns, int32_t messages);
};

struct chan {
  const struct chan_ops *ops;
  int32_t capabilities; /* enum dshim_capability, valid while open */
  bool queues;          /* what is written waits in the card; else it is heard at once */
};

#endif
