/* line_voltage.c — what a card measures between tip and ring, told when it has changed. */
#include <stdlib.h>

#include "durations.h"
#include "engine.h"
#include "line.h"

#define VOLTAGE_NS      (1000 * NS_PER_MS)
#define VOLTAGE_STEP_MV 50

void line_forget_voltage(struct line *line, int64_t now_ns) {
  line->voltage_told = false;
  line->stats.voltage_known = 0;
  line->stats.voltage_min_mv = INT32_MAX;
  line->stats.voltage_max_mv = 0;
  line->next_voltage_ns = now_ns;
}

void line_read_voltage(struct line *line, int64_t now_ns) {
  if (now_ns < line->next_voltage_ns) return;
  /* Open while lifted: hung up, or a flash? A reading told now would stand before the on-hook that is dated back.
   */
  if (line->break_began_ns != 0) {
    line->next_voltage_ns = now_ns + BLOCK_NS;
    return;
  }
  line->next_voltage_ns = now_ns + VOLTAGE_NS;
  struct chan_stats now;
  if (line->chan->ops->stats(line->chan, now_ns, true, &now) < 0 || !now.voltage_known) return;
  struct dshim_line_stats *stats = &line->stats;
  int32_t across_mv = abs(now.tip_mv - now.ring_mv);
  stats->voltage_known = 1;
  stats->voltage_time_ns = now_ns;
  stats->tip_mv = now.tip_mv;
  stats->ring_mv = now.ring_mv;
  stats->battery_mv = now.battery_mv;
  if (across_mv < stats->voltage_min_mv) stats->voltage_min_mv = across_mv;
  if (across_mv > stats->voltage_max_mv) stats->voltage_max_mv = across_mv;
  int32_t told_mv = abs(line->told_tip_mv - line->told_ring_mv);
  if (line->voltage_told && abs(across_mv - told_mv) < VOLTAGE_STEP_MV) return;
  line->voltage_told = true;
  line->told_tip_mv = now.tip_mv;
  line->told_ring_mv = now.ring_mv;
  line_tell(line, DSHIM_EV_VOLTAGE, now_ns, now.tip_mv, now.ring_mv, now.battery_mv);
}
