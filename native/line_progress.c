/* line_progress.c — tones of call progress that a line hears, told in the engine's time. */
#include "durations.h"
#include "engine.h"
#include "line.h"

static const struct dsp_progress_plan *plan_of(const struct line *line) { return &line->engine->progress_plan; }

static void tell(struct line *line, const struct dsp_progress_event *event, int64_t not_after_ns) {
  int64_t at_ns = line->heard_until_ns - (line->progress.samples - event->at_sample) * SAMPLE_NS;
  int64_t began_ns = line->heard_until_ns - (line->progress.samples - event->began_sample) * SAMPLE_NS;
  if (at_ns > not_after_ns) at_ns = not_after_ns;
  engine_push(line->engine,
              &(struct dshim_event){.time_ns = at_ns,
                                    .kind = DSHIM_EV_PROGRESS,
                                    .line = line->index,
                                    .a = event->id,
                                    .b = event->active,
                                    .c = event->level_cdbm0,
                                    .d = (int32_t)(at_ns > began_ns ? (at_ns - began_ns) / NS_PER_MS : 0)});
}

void line_progress_hear(struct line *line, const int16_t *samples) {
  if (plan_of(line)->tones == 0) return;
  struct dsp_progress_event events[2];
  int count = dsp_progress_block(plan_of(line), &line->progress, samples, events);
  for (int i = 0; i < count; i++) tell(line, &events[i], line->heard_until_ns);
}

void line_progress_sent(struct line *line, const int16_t *samples) {
  if (plan_of(line)->tones > 0) dsp_progress_sent(plan_of(line), &line->progress, samples);
}

void line_progress_end(struct line *line, int64_t not_after_ns) {
  struct dsp_progress_event event;
  if (dsp_progress_flush(plan_of(line), &line->progress, &event)) tell(line, &event, not_after_ns);
}

void line_progress_reset(struct line *line) { dsp_progress_reset(&line->progress); }
