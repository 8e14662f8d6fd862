/* line_hear.c — what a line hears: digits and talkspurts, told in the engine's time. */
#include <string.h>

#include "dsp_level.h"
#include "durations.h"
#include "engine.h"
#include "line.h"

/* A key is sure some 40 ms after its onset, and stands in the block after that. */
#define VOICE_HOLD_NS   (80 * NS_PER_MS)
#define KEY_IS_VOICE_NS (60 * NS_PER_MS) /* a digit's and a talkspurt's onset this near are one thing */
#define DETECTOR_EVENTS 16
/* A key's echo ends later than the key: by the card's queue, the hybrid's tail and the detector's own delay. */
#define ECHO_TAIL_NS (200 * NS_PER_MS)

/* Sample numbers of the detectors to engine time: heard_until_ns is when the newest sample was spoken. */
static int64_t sample_time_ns(const struct line *line, int64_t at_sample) {
  return line->heard_until_ns - (line->heard_samples - at_sample) * SAMPLE_NS;
}

static void tell_held_voice(struct line *line) {
  if (!line->voice_held) return;
  line->voice_held = false;
  line->voice_told = true;
  engine_push(line->engine, &line->held_voice);
  line->barged_in |= DSHIM_BARGE_VOICE;
}

_Static_assert((int)DSP_DTMF_REASONS == DSHIM_DTMF_REASONS && (int)DSP_DTMF_NOISY == DSHIM_DTMF_NOISY &&
                   (int)DSP_DTMF_NOT_ABRUPT == DSHIM_DTMF_NOT_ABRUPT,
               "enum dshim_dtmf_reason is enum dsp_dtmf_reason");

/* Two numbers in one: an int16 each. */
static int32_t pair_of(int32_t low, int32_t high) {
  return (int32_t)((uint32_t)(low & 0xFFFF) | (uint32_t)(high & 0xFFFF) << 16);
}

static void tell_detail(struct line *line, enum dshim_event_kind kind, int64_t at_ns, int32_t digit,
                        const struct dsp_dtmf_detail *detail) {
  if (line->engine->settings.dtmf_explain == 0) return;
  struct dshim_event event = {.time_ns = at_ns,
                              .kind = kind,
                              .line = line->index,
                              .a = digit,
                              .b = pair_of(detail->low_cdbm0, detail->high_cdbm0),
                              .c = pair_of(detail->low_offset_chz, detail->high_offset_chz),
                              .d = pair_of(detail->snr_cdb, 0)};
  engine_push(line->engine, &event);
}

/* More than one refusal in a block of 20 ms: all are counted, the last is told. */
static void tell_refusals(struct line *line) {
  const struct dsp_dtmf *dtmf = &line->dtmf;
  if (dtmf->refused_candidates == line->refusals_told) return;
  line->refusals_told = dtmf->refused_candidates;
  memcpy(line->stats.dtmf_refused, dtmf->refusals, sizeof(line->stats.dtmf_refused));
  tell_detail(line, DSHIM_EV_DTMF_REFUSED, sample_time_ns(line, dtmf->refusal.at_sample),
              dtmf->refusal.digit | dtmf->refusal.reason << 8, &dtmf->refusal.detail);
}

static void tell_digit(struct line *line, const struct dsp_dtmf_event *event, int64_t not_after_ns) {
  int64_t at_ns = sample_time_ns(line, event->at_sample);
  if (at_ns > not_after_ns) at_ns = not_after_ns;
  if (event->kind == DSP_DTMF_DOWN) {
    if (event->digit == line->sent_digit && line->heard_until_ns <= line->sent_digit_until_ns) {
      line->echoed_digit = event->digit;
      return;
    }
    int64_t apart = line->held_voice.time_ns - at_ns;
    if (line->voice_held && apart < KEY_IS_VOICE_NS && apart > -KEY_IS_VOICE_NS) {
      line->voice_held = false;
      line->voice_is_key = true;
    }
    const struct dsp_dtmf_detail *detail = &line->dtmf.detail;
    line->stats.dtmf_digits++;
    line->stats.dtmf_low_cdbm0 = detail->low_cdbm0;
    line->stats.dtmf_high_cdbm0 = detail->high_cdbm0;
    line->stats.dtmf_low_offset_chz = detail->low_offset_chz;
    line->stats.dtmf_high_offset_chz = detail->high_offset_chz;
    line->stats.dtmf_snr_cdb = detail->snr_cdb;
    line_tell(line, DSHIM_EV_DTMF_DOWN, at_ns, event->digit, event->level_cdbm0, 0);
    tell_detail(line, DSHIM_EV_DTMF_DETAIL, at_ns, event->digit, detail);
    line->barged_in |= DSHIM_BARGE_DTMF;
    line->barged_digit = event->digit;
  } else if (line->echoed_digit != 0) {
    line->echoed_digit = 0;
  } else {
    line_tell(line, DSHIM_EV_DTMF_UP, at_ns, event->digit, event->level_cdbm0, event->duration_samples / 8);
  }
}

static void tell_voice(struct line *line, const struct dsp_vad_event *event, int64_t not_after_ns) {
  int64_t at_ns = sample_time_ns(line, event->at_sample);
  if (at_ns > not_after_ns) at_ns = not_after_ns;
  if (event->kind == DSP_VAD_START) {
    line->voice_held = true;
    line->voice_told = false;
    line->voice_is_key = false;
    line->held_until_ns = line->heard_until_ns + VOICE_HOLD_NS;
    line->held_voice = (struct dshim_event){
        .time_ns = at_ns, .kind = DSHIM_EV_VOICE_START, .line = line->index, .a = event->level_cdbm0};
    return;
  }
  if (!line->voice_is_key) tell_held_voice(line);
  if (line->voice_told) {
    line_tell(line, DSHIM_EV_VOICE_END, at_ns, event->level_cdbm0, event->segment_cdbm0,
              event->duration_samples / 8);
  }
  line->voice_told = false;
  line->voice_held = false;
}

void line_hear(struct line *line, int64_t spoken_ns, const int16_t *samples) {
  line->heard_samples += DSHIM_BLOCK_SAMPLES;
  line->heard_until_ns = spoken_ns;
  struct dsp_vad_event voices[DETECTOR_EVENTS];
  int count = dsp_vad_process(&line->vad, samples, DSHIM_BLOCK_SAMPLES, voices, DETECTOR_EVENTS);
  for (int i = 0; i < count; i++) tell_voice(line, &voices[i], spoken_ns);
  struct dsp_dtmf_event digits[DETECTOR_EVENTS];
  count = dsp_dtmf_process(&line->dtmf, samples, DSHIM_BLOCK_SAMPLES, digits, DETECTOR_EVENTS);
  for (int i = 0; i < count; i++) tell_digit(line, &digits[i], spoken_ns);
  tell_refusals(line);
  if (line->voice_held && spoken_ns >= line->held_until_ns) tell_held_voice(line);
  line_progress_hear(line, samples);
  line->stats.level_cdbm0 = dsp_vad_level_cdbm0(&line->vad);
  line->stats.noise_cdbm0 = dsp_vad_noise_cdbm0(&line->vad);
  line->stats.voice_active = line->voice_told;
}

/* Nothing more will be heard: what is open is closed, not after not_after_ns. */
void line_hear_the_end(struct line *line, int64_t not_after_ns) {
  struct dsp_dtmf_event digit;
  if (dsp_dtmf_flush(&line->dtmf, &digit)) tell_digit(line, &digit, not_after_ns);
  struct dsp_vad_event voice;
  if (dsp_vad_flush(&line->vad, &voice)) tell_voice(line, &voice, not_after_ns);
  line_progress_end(line, not_after_ns);
  line->voice_held = false;
  line->stats.voice_active = 0;
  line->stats.level_cdbm0 = DSP_SILENCE_CDBM0;
}

void line_hear_sent(struct line *line, int64_t now_ns, const int16_t *samples) {
  dsp_vad_far_end(&line->vad, samples, DSHIM_BLOCK_SAMPLES);
  line_progress_sent(line, samples);
  struct dsp_dtmf_event digits[DETECTOR_EVENTS];
  int count = dsp_dtmf_process(&line->sent_dtmf, samples, DSHIM_BLOCK_SAMPLES, digits, DETECTOR_EVENTS);
  for (int i = 0; i < count; i++) {
    line->sent_digit = digits[i].digit;
    line->sent_digit_until_ns = digits[i].kind == DSP_DTMF_DOWN ? INT64_MAX : now_ns + ECHO_TAIL_NS;
  }
}

void line_hear_from_now(struct line *line, int64_t now_ns) {
  dsp_dtmf_reset(&line->dtmf);
  dsp_vad_reset(&line->vad);
  dsp_dtmf_reset(&line->sent_dtmf);
  line_progress_reset(line);
  line->sent_digit = 0;
  line->echoed_digit = 0;
  line->heard_samples = 0;
  line->heard_until_ns = now_ns;
}
