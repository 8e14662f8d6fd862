#include "chan_sim.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"
#include "durations.h"

/* <dahdi/kernel.h>: KEWLTIME + AFTERKEWLTIME. */
#define AFTER_DROP_MS 800
/* The catch-up after a stall is bounded by what a driver buffers. */
#define MAX_BACKLOG_BLOCKS 32
/* A common card's feed and the drop over a telephone of 200 Ω at 23 mA. */
#define ON_HOOK_TIP_MV  (-1500)
#define ON_HOOK_RING_MV (-49500)
#define LIFTED_TIP_MV   (-1500)
#define LIFTED_RING_MV  (-9600)
#define BATTERY_MV      (-53000)
#define DAHDI_SIG_FXOKS ((1 << 12) | (1 << 5))

static struct chan_sim *sim_of(struct chan *chan) { return (struct chan_sim *)chan; }

static void measure(const struct chan_sim *sim, int32_t *tip_mv, int32_t *ring_mv) {
  *tip_mv = sim->hooksig.loop_closed ? LIFTED_TIP_MV : ON_HOOK_TIP_MV;
  *ring_mv = sim->hooksig.loop_closed ? LIFTED_RING_MV : ON_HOOK_RING_MV;
  if (sim->phone.voltage_mv >= 0) *ring_mv = *tip_mv - sim->phone.voltage_mv;
  if (sim->battery_dropped) *ring_mv = *tip_mv;
  if (!sim->reversed) return;
  int32_t tip = *tip_mv;
  *tip_mv = *ring_mv;
  *ring_mv = tip;
}

static void show(struct chan_sim *sim) {
  int32_t tip_mv;
  int32_t ring_mv;
  measure(sim, &tip_mv, &ring_mv);
  atomic_store_explicit(&sim->seen_lifted, sim->phone.lifted, memory_order_relaxed);
  atomic_store_explicit(&sim->seen_bell, sim->bell, memory_order_relaxed);
  atomic_store_explicit(&sim->seen_plugged, sim->phone.plugged, memory_order_relaxed);
  atomic_store_explicit(&sim->seen_voltage_mv, abs(tip_mv - ring_mv), memory_order_relaxed);
  atomic_store_explicit(&sim->seen_reversed, sim->reversed, memory_order_relaxed);
  atomic_store_explicit(&sim->seen_lamp, sim->messages > 0, memory_order_relaxed);
  atomic_store_explicit(&sim->seen_bursts, sim->bursts, memory_order_relaxed);
}

static void hung_up(struct chan_sim *sim) {
  if (sim->hang_up_sequence != 0) sim_phone_finished(&sim->phone, sim->hang_up_sequence, 0);
  sim->hang_up_sequence = 0;
}

/* Everything that falls due up to now_ns, each at its own time, as in a kernel that was awake meanwhile: contacts
 * that move, the driver's timers. */
static void catch_up(struct chan_sim *sim, int64_t now_ns) {
  int64_t at_ns = now_ns;
  do {
    bool closed = sim_phone_contact(&sim->phone);
    if (closed) sim->bell = false; /* ring trip */
    sim_hooksig_loop(&sim->hooksig, at_ns, closed);
    int64_t moves_ns = sim_phone_deadline(&sim->phone);
    at_ns = moves_ns > 0 && moves_ns < now_ns ? moves_ns : now_ns;
    if (sim_hooksig_due(&sim->hooksig, at_ns)) hung_up(sim);
  } while (sim_phone_move(&sim->phone, now_ns));
  show(sim);
}

void chan_sim_init(struct chan_sim *sim, struct sim_ear *ear, uint32_t seed) {
  sim->chan.ops = &chan_sim_ops;
  sim->phone.plugged = true;
  sim->phone.voltage_mv = -1;
  sim->phone.ear = ear;
  sim->noise_state = seed;
  sim_hooksig_init(&sim->hooksig);
  show(sim);
}

void chan_sim_lift(struct chan_sim *sim, int64_t now_ns) {
  hung_up(sim);
  sim->phone.lifted = true;
  catch_up(sim, now_ns);
}

void chan_sim_hang_up(struct chan_sim *sim, int64_t now_ns, uint32_t sequence) {
  sim_phone_abort(&sim->phone, -ECANCELED);
  hung_up(sim);
  sim->hang_up_sequence = sequence;
  sim->phone.lifted = false;
  catch_up(sim, now_ns);
  if (!sim->hooksig.off_hook) hung_up(sim);
}

void chan_sim_plug(struct chan_sim *sim, int64_t now_ns, bool plugged) {
  if (!plugged) {
    sim_phone_abort(&sim->phone, -ECANCELED);
    hung_up(sim);
  }
  sim->phone.plugged = plugged;
  if (!plugged) sim->bell = false;
  catch_up(sim, now_ns);
}

void chan_sim_voltage(struct chan_sim *sim, int32_t voltage_mv) {
  sim->phone.voltage_mv = voltage_mv;
  show(sim);
}

int chan_sim_act(struct chan_sim *sim, const struct sim_action *action) {
  if (!sim->phone.plugged || !sim->phone.lifted) return -ENOTCONN;
  return sim_phone_queue(&sim->phone, action);
}

static int sim_open(struct chan *chan, const struct chan_settings *settings, int64_t now_ns, int32_t *stage) {
  struct chan_sim *sim = sim_of(chan);
  if (!sim->phone.plugged) {
    *stage = DSHIM_STAGE_REMOVED;
    return -ENODEV;
  }
  sim->settings = *settings;
  sim->chan.capabilities = DSHIM_CAP_VOLTAGE | DSHIM_CAP_GAIN | DSHIM_CAP_SIMULATED | DSHIM_CAP_ON_HOOK_TRANSFER |
                           DSHIM_CAP_POLARITY | (settings->vmwi_lamps != 0 ? DSHIM_CAP_VMWI : 0);
  sim->chan.queues = false;
  sim->echo_gain = settings->sim_echo_cdb > 0 ? pow(10.0, -settings->sim_echo_cdb / 2000.0) : 0.0;
  sim->noise_amplitude =
      settings->sim_noise_cdbm0 > DSP_SILENCE_CDBM0 ? sqrt(3.0 * dsp_mean_square(settings->sim_noise_cdbm0)) : 0.0;
  sim->on_hook_transfer_until_ns = 0;
  sim->reversed = false;
  sim->messages = 0;
  sim->phone.mic_low_told = true; /* nothing was ever asked for */
  sim->removed_told = false;
  sim_hooksig_open(&sim->hooksig, sim_phone_contact(&sim->phone), settings->flash_max_ms);
  memset(sim->last_sent, 0, sizeof(sim->last_sent));
  sim->next_block_ns = now_ns + BLOCK_NS;
  catch_up(sim, now_ns);
  return 0;
}

static void sim_close(struct chan *chan) {
  struct chan_sim *sim = sim_of(chan);
  sim->hooksig.opened = false;
  sim->bell = false; /* the kernel silences a channel that its owner gives back */
  show(sim);
}

static int sim_fd(struct chan *chan) {
  (void)chan;
  return -1;
}

static int64_t sim_wake_ns(struct chan *chan) {
  const struct chan_sim *sim = sim_of(chan);
  int64_t wake = sim_phone_deadline(&sim->phone);
  if (!sim->hooksig.opened) return wake;
  if (sim->next_block_ns < wake) wake = sim->next_block_ns;
  int64_t timer = sim_hooksig_deadline(&sim->hooksig);
  return timer < wake ? timer : wake;
}

static double noise(struct chan_sim *sim) {
  sim->noise_state = sim->noise_state * 1664525U + 1013904223U;
  return ((double)sim->noise_state / 4294967295.0 - 0.5) * 2.0 * sim->noise_amplitude;
}

static int sim_read(struct chan *chan, int64_t now_ns, int16_t *samples) {
  struct chan_sim *sim = sim_of(chan);
  catch_up(sim, now_ns);
  if (!sim->phone.plugged) return -ENODEV;
  if (now_ns < sim->next_block_ns) return 0;
  int64_t backlog = (now_ns - sim->next_block_ns) / BLOCK_NS;
  if (backlog > MAX_BACKLOG_BLOCKS) {
    sim->next_block_ns += (backlog - MAX_BACKLOG_BLOCKS) * BLOCK_NS;
    sim_hooksig_push(&sim->hooksig, CHAN_EV_OVERRUN, 0);
  }
  sim->next_block_ns += BLOCK_NS;
  memset(samples, 0, DSHIM_BLOCK_SAMPLES * sizeof(*samples));
  if (!sim->hooksig.loop_closed) return 1;
  sim_phone_speak(&sim->phone, samples, DSHIM_BLOCK_SAMPLES);
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    double heard = samples[i] + sim->echo_gain * sim->last_sent[i];
    if (sim->noise_amplitude > 0.0) heard += noise(sim);
    heard = fmax(INT16_MIN, fmin(INT16_MAX, heard));
    samples[i] = g711_through((enum g711_law)sim->settings.sim_companding, (int16_t)lrint(heard));
  }
  return 1;
}

/* A block is what was heard in the 20 ms before now. */
static bool hears(const struct chan_sim *sim, int64_t now_ns) {
  if (sim->battery_dropped) return false;
  return sim->hooksig.loop_closed || (!sim->bell && now_ns <= sim->on_hook_transfer_until_ns);
}

static int sim_write(struct chan *chan, int64_t now_ns, const int16_t *samples) {
  struct chan_sim *sim = sim_of(chan);
  if (!sim->phone.plugged) return -ENODEV;
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    sim->last_sent[i] = g711_through((enum g711_law)sim->settings.sim_companding, samples[i]);
  }
  if (hears(sim, now_ns)) sim_ear_hear(sim->phone.ear, sim->last_sent, DSHIM_BLOCK_SAMPLES);
  return 1;
}

static int sim_event(struct chan *chan, int64_t now_ns, struct chan_event *event) {
  struct chan_sim *sim = sim_of(chan);
  catch_up(sim, now_ns);
  if (!sim->phone.plugged) {
    if (sim->removed_told) return -ENODEV;
    sim->removed_told = true;
    *event = (struct chan_event){.kind = CHAN_EV_REMOVED};
    return 1;
  }
  return sim_hooksig_take(&sim->hooksig, event) ? 1 : 0;
}

static int sim_ring(struct chan *chan, int64_t now_ns, bool on) {
  struct chan_sim *sim = sim_of(chan);
  if (!sim->phone.plugged) return -ENODEV;
  if (on && (sim->battery_dropped || now_ns < sim->battery_back_ns)) return -EBUSY;
  if (on && !sim->bell && !sim->hooksig.loop_closed) sim->bursts++;
  /* The kernel accepts it on a lifted loop too, where no bell can sound. */
  sim->bell = on && !sim->hooksig.loop_closed;
  show(sim);
  return 0;
}

static int sim_battery_drop(struct chan *chan, int64_t now_ns, bool dropped) {
  struct chan_sim *sim = sim_of(chan);
  if (!sim->phone.plugged) return -ENODEV;
  sim->battery_dropped = dropped;
  if (dropped) sim->battery_back_ns = now_ns + AFTER_DROP_MS * NS_PER_MS;
  show(sim);
  return 0;
}

static int sim_stats(struct chan *chan, int64_t now_ns, bool voltage, struct chan_stats *stats) {
  struct chan_sim *sim = sim_of(chan);
  (void)now_ns;
  if (!sim->phone.plugged) return -ENODEV;
  *stats = (struct chan_stats){.lifted = sim->hooksig.loop_closed, .signalling = DAHDI_SIG_FXOKS};
  if (!voltage) return 0;
  stats->voltage_known = 1;
  stats->battery_mv = BATTERY_MV;
  measure(sim, &stats->tip_mv, &stats->ring_mv);
  return 0;
}

static int sim_flush(struct chan *chan, int64_t now_ns) {
  (void)chan;
  (void)now_ns;
  return 0; /* nothing waits: a block is heard when it is written */
}

static int sim_on_hook_transfer(struct chan *chan, int64_t now_ns, int32_t ms) {
  struct chan_sim *sim = sim_of(chan);
  if (!sim->phone.plugged) return -ENODEV;
  sim->on_hook_transfer_until_ns = now_ns + ms * NS_PER_MS;
  return 0;
}

static int sim_polarity(struct chan *chan, int64_t now_ns, bool reversed) {
  struct chan_sim *sim = sim_of(chan);
  (void)now_ns;
  if (!sim->phone.plugged) return -ENODEV;
  if (sim->bell || sim->battery_dropped) return -EINVAL; /* as wctdm */
  sim->reversed = reversed;
  show(sim);
  return 0;
}

static int sim_vmwi(struct chan *chan, int64_t now_ns, int32_t messages) {
  struct chan_sim *sim = sim_of(chan);
  (void)now_ns;
  if (!sim->phone.plugged) return -ENODEV;
  if (!(chan->capabilities & DSHIM_CAP_VMWI)) return -ENOTTY;
  sim->messages = messages;
  show(sim);
  return 0;
}

const struct chan_ops chan_sim_ops = {
    .name = "simulated",
    .open = sim_open,
    .close = sim_close,
    .fd = sim_fd,
    .wake_ns = sim_wake_ns,
    .read = sim_read,
    .write = sim_write,
    .event = sim_event,
    .ring = sim_ring,
    .battery_drop = sim_battery_drop,
    .stats = sim_stats,
    .flush = sim_flush,
    .on_hook_transfer = sim_on_hook_transfer,
    .polarity = sim_polarity,
    .vmwi = sim_vmwi,
};
