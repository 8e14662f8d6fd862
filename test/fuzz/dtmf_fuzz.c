/* dsp_dtmf on any sound, in blocks of any size: events come in pairs, in order, and never from the future; and the
 * block sizes make no difference. */
#include "dsp_dtmf.h"
#include "fuzz.h"

struct heard {
  struct dsp_dtmf_event events[FUZZ_MAX_EVENTS];
  int count;
};

static void listen(struct heard *heard, struct fuzz_sound sound, int whole) {
  static struct dsp_dtmf dtmf;
  dsp_dtmf_init(&dtmf);
  heard->count = 0;
  for (int done = 0; done < sound.count;) {
    int block = whole ? sound.count : fuzz_next_block(&sound, done);
    int most = 2 + block / DSP_DTMF_SUB_SAMPLES;
    MUST(heard->count + most <= FUZZ_MAX_EVENTS + 2);
    struct dsp_dtmf_event told[FUZZ_MAX_EVENTS];
    int count = dsp_dtmf_process(&dtmf, sound.samples + done, block, told, most);
    MUST(count >= 0 && count <= most);
    done += block;
    for (int i = 0; i < count; i++) {
      MUST(told[i].at_sample >= 0 && told[i].at_sample <= done);
      heard->events[heard->count++] = told[i];
    }
  }
  struct dsp_dtmf_event last;
  if (dsp_dtmf_flush(&dtmf, &last)) heard->events[heard->count++] = last;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct fuzz_sound sound;
  static struct heard blocks, whole;
  fuzz_sound_of(&sound, data, size);
  listen(&blocks, sound, 0);
  MUST(blocks.count % 2 == 0);
  for (int i = 0; i < blocks.count; i += 2) {
    const struct dsp_dtmf_event *down = &blocks.events[i];
    const struct dsp_dtmf_event *up = down + 1;
    MUST(down->kind == DSP_DTMF_DOWN && up->kind == DSP_DTMF_UP && down->digit == up->digit);
    MUST(strchr("0123456789*#ABCD", down->digit) != NULL);
    MUST(up->at_sample >= down->at_sample && up->duration_samples > 0);
    MUST(i == 0 || down->at_sample >= blocks.events[i - 1].at_sample);
    MUST(down->level_cdbm0 > -9000 && down->level_cdbm0 < 700);
  }
  if (sound.count == 0) return 0;
  listen(&whole, sound, 1);
  MUST(whole.count == blocks.count);
  for (int i = 0; i < whole.count; i++)
    MUST(whole.events[i].at_sample == blocks.events[i].at_sample &&
         whole.events[i].digit == blocks.events[i].digit);
  return 0;
}
