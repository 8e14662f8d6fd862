/* dsp_vad on any sound, with any sound being sent: talkspurts start and end in turn, within what was heard. */
#include "dsp_vad.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct fuzz_sound sound;
  static struct dsp_vad vad;
  fuzz_sound_of(&sound, data, size);
  dsp_vad_init(&vad);
  int open = 0;
  int64_t before = 0;
  for (int done = 0; done < sound.count;) {
    int block = fuzz_next_block(&sound, done);
    if (sound.state & 0x100) dsp_vad_far_end(&vad, sound.samples + sound.count - done - block, block);
    int most = 1 + block / DSP_VAD_FRAME_SAMPLES;
    struct dsp_vad_event told[8];
    MUST(most <= 8);
    int count = dsp_vad_process(&vad, sound.samples + done, block, told, most);
    MUST(count >= 0 && count <= most);
    done += block;
    for (int i = 0; i < count; i++) {
      MUST(told[i].kind == (open ? DSP_VAD_END : DSP_VAD_START));
      MUST(told[i].at_sample >= before && told[i].at_sample <= done);
      MUST(told[i].level_cdbm0 <= 700);
      if (open) MUST(told[i].duration_samples >= 0 && told[i].duration_samples <= done);
      before = told[i].at_sample;
      open = !open;
    }
    MUST(dsp_vad_level_cdbm0(&vad) <= 700 && dsp_vad_noise_cdbm0(&vad) <= 700);
  }
  struct dsp_vad_event last;
  MUST(dsp_vad_flush(&vad, &last) == open);
  return 0;
}
