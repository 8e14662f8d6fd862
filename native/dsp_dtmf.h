/* dsp_dtmf.h — hears DTMF digits (ITU-T Q.23) in 8 kHz S16. No thread, no malloc, no ioctl. */
#ifndef DSP_DTMF_H
#define DSP_DTMF_H

#include <stdint.h>

enum dsp_dtmf_event_kind { DSP_DTMF_DOWN = 1, DSP_DTMF_UP = 2 };

struct dsp_dtmf_event {
  int64_t at_sample;        /* counted from the last reset: DOWN the tone's onset, UP its end */
  int32_t kind;             /* enum dsp_dtmf_event_kind */
  int32_t digit;            /* ASCII 0-9 * # A-D */
  int32_t level_cdbm0;      /* mean of the two tones' levels, hundredths of dBm0 */
  int32_t duration_samples; /* UP: the tone's length */
};

struct dsp_dtmf; /* defined in this header by the implementation so that callers can embed it */

/* init once, reset to forget everything heard (on-hook); process takes any count ≥ 0 of samples and
 * returns how many events it wrote to out, oldest first; max ≥ 4 per 160 samples is never exceeded. */
void dsp_dtmf_init(struct dsp_dtmf *dtmf);
void dsp_dtmf_reset(struct dsp_dtmf *dtmf);
int dsp_dtmf_process(struct dsp_dtmf *dtmf, const int16_t *samples, int count,
                     struct dsp_dtmf_event *out, int max);

#endif
