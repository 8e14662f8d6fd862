/* line_bridge.c — lines that hear each other. */
#include <errno.h>

#include "engine.h"
#include "line.h"

static void leave(struct line *line) {
  struct dshim_engine *engine = line->engine;
  line->bridge.number = 0;
  for (int i = 0; i < engine->line_count; i++) {
    bridge_part(&engine->lines[i]->bridge, line->index);
    bridge_part(&line->bridge, i);
  }
}

int line_bridge(struct line *line, int32_t number) {
  struct dshim_engine *engine = line->engine;
  if (number == line->bridge.number) return 0;
  int32_t members = 0;
  for (int i = 0; i < engine->line_count; i++) members += engine->lines[i]->bridge.number == number;
  if (number != 0 && members >= DSHIM_BRIDGE_LINES) return -ENOSPC;
  if (line->bridge.number != 0) leave(line);
  line->bridge.number = number;
  for (int i = 0; number != 0 && i < engine->line_count; i++) {
    struct line *other = engine->lines[i];
    if (other == line || other->bridge.number != number) continue;
    if (bridge_meet(&line->bridge, i) && bridge_meet(&other->bridge, line->index)) continue;
    leave(line); /* those who left a moment ago still fade */
    return -EAGAIN;
  }
  return 0;
}

void line_bridge_heard(struct line *line, const int16_t *samples) {
  if (line->bridge.number == 0) return;
  struct dshim_engine *engine = line->engine;
  for (int i = 0; i < engine->line_count; i++) {
    if (engine->lines[i]->bridge.number == line->bridge.number) {
      bridge_hear(&engine->lines[i]->bridge, line->index, samples);
    }
  }
}
