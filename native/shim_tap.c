/* shim_tap.c — the calls of dahdi_shim.h that take a line's sound out. */
#include <errno.h>

#include "engine.h"

int dshim_tap_open(struct dshim_engine *engine, int line, int told_every) {
  if (told_every < 1 || told_every > DSHIM_TAP_BLOCKS / 2) return -EINVAL;
  return engine_submit(engine, line, &(struct command){.kind = CMD_TAP, .value = told_every});
}

int dshim_tap_close(struct dshim_engine *engine, int line) {
  return engine_submit(engine, line, &(struct command){.kind = CMD_TAP, .value = 0});
}

int dshim_tap_read(struct dshim_engine *engine, int line, struct dshim_tap_block *out, int max) {
  struct line *found = engine_line(engine, line);
  if (!found || max < 0) return -EINVAL;
  struct line_tap *tap = &found->tap;
  int count = 0;
  while (count < max && spsc_readable(&tap->ring) > 0) {
    out[count++] = tap->blocks[spsc_read_position(&tap->ring) & (DSHIM_TAP_BLOCKS - 1)];
    spsc_release(&tap->ring, 1);
  }
  return count;
}
