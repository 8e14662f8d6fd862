/* shim_ring.c — the calls of dahdi_shim.h that reach a telephone on its hook: the bell, and data for its display.
 */
#include <errno.h>

#include "engine.h"

#define MAX_MS (24 * 3600 * 1000)

static int fill_cadence(struct ring_cadence *cadence, const int32_t *on_off_ms, int bursts, int repeat,
                        int max_ms) {
  if (bursts < 1 || bursts > DSHIM_MAX_BURSTS || repeat < 0 || max_ms < 0) return -EINVAL;
  cadence->bursts = bursts;
  cadence->repeat = repeat;
  cadence->max_ms = max_ms;
  for (int i = 0; i < bursts; i++) {
    int32_t on_ms = on_off_ms[2 * i];
    int32_t off_ms = on_off_ms[2 * i + 1];
    if (on_ms < 1 || on_ms > MAX_MS || off_ms < 0 || off_ms > MAX_MS) return -EINVAL;
    cadence->on_off_ms[2 * i] = on_ms;
    cadence->on_off_ms[2 * i + 1] = off_ms;
  }
  return 0;
}

int dshim_ring(struct dshim_engine *engine, int line, const int32_t *on_off_ms, int bursts, int repeat,
               int max_ms) {
  struct command command = {.kind = CMD_RING};
  int result = fill_cadence(&command.cadence, on_off_ms, bursts, repeat, max_ms);
  return result < 0 ? result : engine_submit(engine, line, &command);
}

/* The samples go ahead of the command that knows of them. What no command ever told of, the next one skips. */
static int submit_data(struct dshim_engine *engine, int line, struct command *command, const int16_t *samples,
                       int count) {
  struct line *found = engine_line(engine, line);
  if (!found || count < 1 || count > DSHIM_DATA_RING_SAMPLES) return -EINVAL;
  struct line_data *data = &found->data;
  if (spsc_writable(&data->ring, DSHIM_DATA_RING_SAMPLES) < (uint64_t)count) return -EAGAIN;
  command->data.from = spsc_write_position(&data->ring);
  command->data.to = command->data.from + (uint64_t)count;
  spsc_write_samples(&data->ring, data->samples, DSHIM_DATA_RING_SAMPLES, samples, count);
  return engine_submit(engine, line, command);
}

int dshim_ring_data(struct dshim_engine *engine, int line, const int32_t *on_off_ms, int bursts, int repeat,
                    int max_ms, const int16_t *samples, int count, int flags, int after_burst) {
  struct command command = {.kind = CMD_RING, .data = {.flags = flags, .after_burst = after_burst}};
  int result = fill_cadence(&command.cadence, on_off_ms, bursts, repeat, max_ms);
  if (after_burst < 0) result = -EINVAL;
  return result < 0 ? result : submit_data(engine, line, &command, samples, count);
}

int dshim_data_send(struct dshim_engine *engine, int line, const int16_t *samples, int count, int lifted,
                    int flags) {
  struct command command = {.kind = CMD_DATA_SEND, .value = lifted, .data = {.flags = flags}};
  return submit_data(engine, line, &command, samples, count);
}

int dshim_message_waiting(struct dshim_engine *engine, int line, int messages) {
  if (messages < 0) return -EINVAL;
  return engine_submit(engine, line, &(struct command){.kind = CMD_MESSAGE_WAITING, .value = messages});
}

int dshim_ring_stop(struct dshim_engine *engine, int line) {
  return engine_submit(engine, line, &(struct command){.kind = CMD_RING_STOP});
}
