/* shim_sim.c — the calls of dahdi_shim.h that move simulated telephones. */
#include <errno.h>
#include <string.h>

#include "engine.h"

#define MAX_KEY_MS   10000
#define MAX_PULSE_MS 1000

static struct chan_sim *sim_at(struct dshim_engine *engine, int line) {
  struct line *found = engine_line(engine, line);
  return found ? found->sim : NULL;
}

static int submit_sim(struct dshim_engine *engine, int line, const struct command *command) {
  return sim_at(engine, line) ? engine_submit(engine, line, command) : -ENOTTY;
}

static int copy_digits(struct sim_action *action, const char *digits, const char *allowed) {
  size_t count = strnlen(digits, DSHIM_MAX_KEYS + 1);
  if (count < 1 || count > DSHIM_MAX_KEYS || strspn(digits, allowed) != count) return -EINVAL;
  memcpy(action->digits, digits, count + 1);
  return 0;
}

int dshim_sim_hook(struct dshim_engine *engine, int line, int lifted) {
  return submit_sim(engine, line, &(struct command){.kind = CMD_SIM_HOOK, .value = lifted});
}

int dshim_sim_flash(struct dshim_engine *engine, int line, int duration_ms) {
  if (duration_ms < 1 || duration_ms > MAX_KEY_MS) return -EINVAL;
  struct command command = {.kind = CMD_SIM_ACTION, .action = {.kind = SIM_FLASH, .on_ms = duration_ms}};
  return submit_sim(engine, line, &command);
}

int dshim_sim_press(struct dshim_engine *engine, int line, const char *digits, int on_ms, int off_ms,
                    int level_cdbm0, int twist_cdb) {
  if (on_ms < 1 || on_ms > MAX_KEY_MS || off_ms < 0 || off_ms > MAX_KEY_MS) return -EINVAL;
  struct command command = {.kind = CMD_SIM_ACTION,
                            .action = {.kind = SIM_PRESS,
                                       .on_ms = on_ms,
                                       .off_ms = off_ms,
                                       .level_cdbm0 = level_cdbm0,
                                       .twist_cdb = twist_cdb}};
  int result = copy_digits(&command.action, digits, "0123456789*#ABCD");
  return result < 0 ? result : submit_sim(engine, line, &command);
}

int dshim_sim_pulse(struct dshim_engine *engine, int line, const char *digits, int break_ms, int make_ms) {
  if (break_ms < 1 || break_ms > MAX_PULSE_MS || make_ms < 1 || make_ms > MAX_PULSE_MS) return -EINVAL;
  struct command command = {.kind = CMD_SIM_ACTION,
                            .action = {.kind = SIM_PULSE, .on_ms = break_ms, .off_ms = make_ms}};
  int result = copy_digits(&command.action, digits, "0123456789");
  return result < 0 ? result : submit_sim(engine, line, &command);
}

int dshim_sim_mic_write(struct dshim_engine *engine, int line, const int16_t *samples, int count) {
  struct chan_sim *sim = sim_at(engine, line);
  if (!sim || count < 0) return -ENOTTY;
  return spsc_write_samples(&sim->phone.mic_ring, sim->phone.mic_samples, SIM_MIC_RING_SAMPLES, samples, count);
}

int dshim_sim_mic_end(struct dshim_engine *engine, int line) {
  struct chan_sim *sim = sim_at(engine, line);
  if (!sim) return -ENOTTY;
  struct command command = {
      .kind = CMD_SIM_ACTION,
      .action = {.kind = SIM_SAY, .mic_position = spsc_write_position(&sim->phone.mic_ring)},
  };
  return engine_submit(engine, line, &command);
}

int dshim_sim_voltage(struct dshim_engine *engine, int line, int voltage_mv) {
  if (voltage_mv < 0 || voltage_mv > 200000) return -EINVAL;
  return submit_sim(engine, line, &(struct command){.kind = CMD_SIM_VOLTAGE, .value = voltage_mv});
}

int dshim_sim_plug(struct dshim_engine *engine, int line, int plugged) {
  return submit_sim(engine, line, &(struct command){.kind = CMD_SIM_PLUG, .value = plugged});
}

int dshim_sim_ear(struct dshim_engine *engine, int line, int16_t *out, int count) {
  struct chan_sim *sim = sim_at(engine, line);
  if (!sim) return -ENOTTY;
  return count < 0 ? -EINVAL : sim_ear_copy(sim->phone.ear, out, count);
}

int dshim_sim_state(struct dshim_engine *engine, int line, struct dshim_sim_state *out) {
  struct chan_sim *sim = sim_at(engine, line);
  if (!sim) return -ENOTTY;
  *out = (struct dshim_sim_state){
      .bursts = atomic_load_explicit(&sim->seen_bursts, memory_order_relaxed),
      .lifted = atomic_load_explicit(&sim->seen_lifted, memory_order_relaxed),
      .bell = atomic_load_explicit(&sim->seen_bell, memory_order_relaxed),
      .plugged = atomic_load_explicit(&sim->seen_plugged, memory_order_relaxed),
      .voltage_mv = atomic_load_explicit(&sim->seen_voltage_mv, memory_order_relaxed),
      .reversed = atomic_load_explicit(&sim->seen_reversed, memory_order_relaxed),
      .lamp = atomic_load_explicit(&sim->seen_lamp, memory_order_relaxed),
  };
  return 0;
}
