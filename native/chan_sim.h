/* chan_sim.h — a simulated FXS port and its telephone, behind the same operations as a card. */
#ifndef CHAN_SIM_H
#define CHAN_SIM_H

#include "chan_ops.h"
#include "g711.h"
#include "sim_hooksig.h"
#include "sim_phone.h"

struct chan_sim {
  struct chan chan;
  struct sim_phone phone;
  struct sim_hooksig hooksig;
  /* The port, as the kernel's driver keeps it. */
  bool bell, removed_told;
  int64_t bursts;
  uint32_t hang_up_sequence; /* its command waits until it is on-hook; 0 none */
  bool battery_dropped;
  int64_t battery_back_ns;           /* the kernel refuses to ring for a while after a drop */
  int64_t on_hook_transfer_until_ns; /* until then the ear hears on-hook, too, as a display does */
  bool reversed;
  int32_t messages; /* the card's lamp voltage is on */
  int64_t next_block_ns;
  struct chan_settings settings;
  int16_t last_sent[DSHIM_BLOCK_SAMPLES];
  double echo_gain, noise_amplitude;
  uint32_t noise_state;
  /* For dshim_sim_state on the caller's thread. */
  _Atomic int32_t seen_lifted, seen_bell, seen_plugged, seen_voltage_mv, seen_reversed, seen_lamp;
  _Atomic int64_t seen_bursts;
};

extern const struct chan_ops chan_sim_ops;

/* seed: of the line noise. ear: zeroed, outlives the channel. */
void chan_sim_init(struct chan_sim *sim, struct sim_ear *ear, uint32_t seed);
/* Hook, plug and voltage take effect at once. */
void chan_sim_lift(struct chan_sim *sim, int64_t now_ns);
/* Done, through sim_phone_done, when the loop has been open for so long that it cannot be a flash any more. */
void chan_sim_hang_up(struct chan_sim *sim, int64_t now_ns, uint32_t sequence);
void chan_sim_plug(struct chan_sim *sim, int64_t now_ns, bool plugged);
void chan_sim_voltage(struct chan_sim *sim, int32_t voltage_mv);
/* 0, −EAGAIN too much to do already, −ENOTCONN on-hook or unplugged. */
int chan_sim_act(struct chan_sim *sim, const struct sim_action *action);

#endif
