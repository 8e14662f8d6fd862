/* dsp_progress on any sound and any tones that its plan takes: tones begin and end in turn, in the order of time.
 */
#include "dsp_progress.h"
#include "fuzz.h"

/* The first bytes are tones: the plan refuses what is none, and then the North American ones are listened for. */
static void make_plan(struct dsp_progress_plan *plan, const uint8_t *data, size_t size) {
  static struct dshim_progress_tone tones[DSHIM_PROGRESS_TONES];
  static const struct dshim_progress_tone american[] = {
      {.id = 1, .sines = 2, .frequencies_chz = {35000, 44000}, .tolerance_chz = 500},
      {.id = 2,
       .sines = 2,
       .frequencies_chz = {48000, 62000},
       .tolerance_chz = 500,
       .phases = 2,
       .cadence_ms = {500, 500}},
      {.id = 5, .sines = 1, .frequencies_chz = {210000}, .tolerance_chz = 1500, .sure_ms = 500},
  };
  int count = size > 0 ? data[0] % (DSHIM_PROGRESS_TONES + 1) : 0;
  memset(tones, 0, sizeof(tones));
  memcpy(tones, data, size < sizeof(tones) ? size : sizeof(tones));
  if (count > 0 && dsp_progress_plan(plan, tones, count) == 0) return;
  MUST(dsp_progress_plan(plan, american, 3) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct fuzz_sound sound;
  static struct dsp_progress_plan plan;
  static struct dsp_progress progress;
  make_plan(&plan, data, size);
  fuzz_sound_of(&sound, data, size);
  dsp_progress_reset(&progress);
  int open = 0;
  int64_t before = 0;
  for (int done = 0; done + DSHIM_BLOCK_SAMPLES <= sound.count; done += DSHIM_BLOCK_SAMPLES) {
    struct dsp_progress_event told[2];
    (void)fuzz_next_block(&sound, 0);
    if (sound.state & 0x4000) dsp_progress_sent(&plan, &progress, sound.samples);
    int count = dsp_progress_block(&plan, &progress, &sound.samples[done], told);
    MUST(count >= 0 && count <= 2);
    for (int i = 0; i < count; i++) {
      MUST(told[i].active == !open);
      MUST(told[i].began_sample >= 0 && told[i].began_sample <= told[i].at_sample);
      MUST(told[i].at_sample >= before && told[i].at_sample <= done + DSHIM_BLOCK_SAMPLES);
      before = told[i].at_sample;
      open = !open;
    }
  }
  struct dsp_progress_event last;
  MUST(dsp_progress_flush(&plan, &progress, &last) == open);
  return 0;
}
