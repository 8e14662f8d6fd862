/* dsp_vad.h — finds talkspurts in 8 kHz S16. No thread, no malloc, no ioctl. */
#ifndef DSP_VAD_H
#define DSP_VAD_H

#include <stdint.h>

enum dsp_vad_event_kind { DSP_VAD_START = 1, DSP_VAD_END = 2 };

struct dsp_vad_event {
  int64_t at_sample;        /* counted from the last reset: START the onset, END the last active sample */
  int32_t kind;             /* enum dsp_vad_event_kind */
  int32_t level_cdbm0;      /* now: at START of what was heard since onset, at END of the line then */
  int32_t segment_cdbm0;    /* END: mean level of the whole talkspurt */
  int32_t duration_samples; /* END */
};

struct dsp_vad; /* defined in this header by the implementation so that callers can embed it */

void dsp_vad_init(struct dsp_vad *vad);
void dsp_vad_reset(struct dsp_vad *vad);
/* At most 2 events per 160 samples. */
int dsp_vad_process(struct dsp_vad *vad, const int16_t *samples, int count, struct dsp_vad_event *out,
                    int max);
int dsp_vad_active(const struct dsp_vad *vad);
int32_t dsp_vad_level_cdbm0(const struct dsp_vad *vad); /* of the last 20 ms */
int32_t dsp_vad_noise_cdbm0(const struct dsp_vad *vad); /* the noise floor it believes in */

#endif
