#include "line.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dsp_level.h"
#include "engine.h"

#define NS_PER_MS        1000000LL
#define SAMPLE_NS        125000LL
#define BLOCK_NS         (DSHIM_BLOCK_SAMPLES * SAMPLE_NS)
#define REOPEN_NS        (1000 * NS_PER_MS)
#define VOLTAGE_NS       (1000 * NS_PER_MS)
#define VOLTAGE_STEP_MV  50
#define RING_RETRY_NS    (50 * NS_PER_MS)
#define RING_PATIENCE_NS (1000 * NS_PER_MS) /* a kewl disconnect keeps the card busy for 800 ms */
/* A key is sure some 40 ms after its onset, and stands in the block after that. */
#define VOICE_HOLD_NS        (80 * NS_PER_MS)
#define KEY_IS_VOICE_NS      (60 * NS_PER_MS) /* a digit's and a talkspurt's onset this near are one thing */
#define MAX_BLOCKS_A_SERVICE 64
#define DETECTOR_EVENTS      16
#define PREFILL_BLOCKS       2 /* 40 ms between us and an underrun of the card */

static void tell(struct line *line, enum dshim_event_kind kind, int64_t time_ns, int32_t a, int32_t b, int32_t c) {
  struct dshim_event event = {.time_ns = time_ns, .kind = kind, .line = line->index, .a = a, .b = b, .c = c};
  engine_push(line->engine, &event);
}

static void tell_playout(void *context, enum dshim_event_kind kind, int32_t id, int32_t end, int32_t samples,
                         int64_t time_ns) {
  struct line *line = context;
  tell(line, kind, time_ns > 0 ? time_ns : engine_now_ns(line->engine), id, end, samples);
}

void line_command_done(struct line *line, int64_t now_ns, uint32_t sequence, int32_t result) {
  tell(line, DSHIM_EV_COMMAND_DONE, now_ns, (int32_t)sequence, result, 0);
}

/* ---- ringing -------------------------------------------------------------------------------- */

static void ring_done(struct line *line, int64_t now_ns, enum dshim_ring_end end, int error) {
  uint32_t sequence = line->ring_sequence;
  if (sequence == 0) return;
  line->ring_sequence = 0;
  line->cadence.active = false;
  line->stats.ringing = 0;
  tell(line, DSHIM_EV_RING_DONE, now_ns, end, error, (int32_t)sequence);
}

/* A ring that the card has not accepted yet will not be. */
static void refuse_wanted(struct line *line, int64_t now_ns, int error) {
  uint32_t sequence = line->wanted_sequence;
  if (sequence == 0) return;
  line->wanted_sequence = 0;
  line_command_done(line, now_ns, sequence, error);
}

static int begin_ring(struct line *line, int64_t now_ns, const struct ring_cadence *cadence, uint32_t sequence) {
  int result = line->chan->ops->ring(line->chan, now_ns, true);
  if (result < 0) return result;
  line->cadence = *cadence;
  line->ring_sequence = sequence;
  line->stats.ringing = 1;
  ring_cadence_start(&line->cadence, now_ns);
  line_command_done(line, now_ns, sequence, 0);
  tell(line, DSHIM_EV_RING_BURST, now_ns, 0, 1, 0);
  return LINE_PENDING;
}

int line_ring(struct line *line, int64_t now_ns, const struct ring_cadence *cadence, uint32_t sequence) {
  if (!line->up) return -ENODEV;
  if (line->lifted) return -EBUSY;
  refuse_wanted(line, now_ns, -ECANCELED);
  if (line->ring_sequence != 0) {
    /* Replaced: quiet first, so that the new cadence's first burst is a burst of its own. */
    line->chan->ops->ring(line->chan, now_ns, false);
    ring_done(line, now_ns, DSHIM_RING_STOPPED, 0);
  }
  int result = begin_ring(line, now_ns, cadence, sequence);
  if (result != -EBUSY) return result;
  line->wanted = *cadence;
  line->wanted_sequence = sequence;
  line->wanted_retry_ns = now_ns + RING_RETRY_NS;
  line->wanted_until_ns = now_ns + RING_PATIENCE_NS;
  return LINE_PENDING;
}

static void retry_wanted(struct line *line, int64_t now_ns) {
  if (line->wanted_sequence == 0 || now_ns < line->wanted_retry_ns) return;
  line->wanted_retry_ns = now_ns + RING_RETRY_NS;
  int result = line->lifted ? -EBUSY : begin_ring(line, now_ns, &line->wanted, line->wanted_sequence);
  if (result == LINE_PENDING) line->wanted_sequence = 0;
  else if (result != -EBUSY || line->lifted || now_ns >= line->wanted_until_ns)
    refuse_wanted(line, now_ns, result);
}

int line_ring_stop(struct line *line, int64_t now_ns) {
  refuse_wanted(line, now_ns, -ECANCELED);
  if (line->ring_sequence == 0) return 0;
  int result = line->up ? line->chan->ops->ring(line->chan, now_ns, false) : 0;
  ring_done(line, now_ns, DSHIM_RING_STOPPED, 0);
  return result;
}

static void ring_on(struct line *line, int64_t now_ns) {
  for (;;) {
    enum ring_action action = ring_cadence_step(&line->cadence, now_ns);
    if (action == RING_NOTHING) return;
    bool on = action == RING_ON;
    int result = line->chan->ops->ring(line->chan, now_ns, on);
    tell(line, DSHIM_EV_RING_BURST, now_ns, line->cadence.burst_number, on ? 1 : 0, 0);
    if (result < 0 && result != -EBUSY) ring_done(line, now_ns, DSHIM_RING_ERROR, -result);
    else if (action == RING_FINISHED) ring_done(line, now_ns, DSHIM_RING_COMPLETED, 0);
    else if (action == RING_CAPPED) ring_done(line, now_ns, DSHIM_RING_DURATION, 0);
  }
}

/* ---- hearing -------------------------------------------------------------------------------- */

/* Sample numbers of the detectors to engine time: heard_until_ns is when the newest sample was spoken. */
static int64_t sample_time_ns(const struct line *line, int64_t at_sample) {
  return line->heard_until_ns - (line->heard_samples - at_sample) * SAMPLE_NS;
}

static void tell_held_voice(struct line *line) {
  if (!line->voice_held) return;
  line->voice_held = false;
  line->voice_told = true;
  engine_push(line->engine, &line->held_voice);
}

static void tell_digit(struct line *line, const struct dsp_dtmf_event *event, int64_t not_after_ns) {
  int64_t at_ns = sample_time_ns(line, event->at_sample);
  if (at_ns > not_after_ns) at_ns = not_after_ns;
  if (event->kind == DSP_DTMF_DOWN) {
    int64_t apart = line->held_voice.time_ns - at_ns;
    if (line->voice_held && apart < KEY_IS_VOICE_NS && apart > -KEY_IS_VOICE_NS) {
      line->voice_held = false;
      line->voice_is_key = true;
    }
    line->stats.dtmf_digits++;
    tell(line, DSHIM_EV_DTMF_DOWN, at_ns, event->digit, event->level_cdbm0, 0);
  } else {
    tell(line, DSHIM_EV_DTMF_UP, at_ns, event->digit, event->level_cdbm0, event->duration_samples / 8);
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
    tell(line, DSHIM_EV_VOICE_END, at_ns, event->level_cdbm0, event->segment_cdbm0, event->duration_samples / 8);
  }
  line->voice_told = false;
  line->voice_held = false;
}

static void hear(struct line *line, int64_t now_ns, const int16_t *samples) {
  line->heard_samples += DSHIM_BLOCK_SAMPLES;
  line->heard_until_ns = now_ns;
  struct dsp_vad_event voices[DETECTOR_EVENTS];
  int count = dsp_vad_process(&line->vad, samples, DSHIM_BLOCK_SAMPLES, voices, DETECTOR_EVENTS);
  for (int i = 0; i < count; i++) tell_voice(line, &voices[i], now_ns);
  struct dsp_dtmf_event digits[DETECTOR_EVENTS];
  count = dsp_dtmf_process(&line->dtmf, samples, DSHIM_BLOCK_SAMPLES, digits, DETECTOR_EVENTS);
  for (int i = 0; i < count; i++) tell_digit(line, &digits[i], now_ns);
  if (line->voice_held && now_ns >= line->held_until_ns) tell_held_voice(line);
  line->stats.level_cdbm0 = dsp_vad_level_cdbm0(&line->vad);
  line->stats.noise_cdbm0 = dsp_vad_noise_cdbm0(&line->vad);
  line->stats.voice_active = line->voice_told;
}

/* Nothing more will be heard: what is open is closed, not after not_after_ns. */
static void hear_the_end(struct line *line, int64_t not_after_ns) {
  struct dsp_dtmf_event digit;
  if (dsp_dtmf_flush(&line->dtmf, &digit)) tell_digit(line, &digit, not_after_ns);
  struct dsp_vad_event voice;
  if (dsp_vad_flush(&line->vad, &voice)) tell_voice(line, &voice, not_after_ns);
  line->voice_held = false;
  line->stats.voice_active = 0;
  line->stats.level_cdbm0 = DSP_SILENCE_CDBM0;
}

static void hear_from_now(struct line *line, int64_t now_ns) {
  dsp_dtmf_reset(&line->dtmf);
  dsp_vad_reset(&line->vad);
  line->heard_samples = 0;
  line->heard_until_ns = now_ns;
}

/* ---- the hook ------------------------------------------------------------------------------- */

static void lift(struct line *line, int64_t now_ns) {
  if (line->lifted) return;
  uint32_t sequence = line->ring_sequence;
  if (sequence != 0) {
    line->chan->ops->ring(line->chan, now_ns, false);
    ring_done(line, now_ns, DSHIM_RING_ANSWERED, 0);
  }
  refuse_wanted(line, now_ns, -EBUSY);
  line->lifted = true;
  line->break_began_ns = 0;
  line->pulses_began_ns = 0;
  hear_from_now(line, now_ns);
  tell(line, DSHIM_EV_OFF_HOOK, now_ns, sequence != 0, (int32_t)sequence, 0);
}

static void hang_up(struct line *line, int64_t now_ns) {
  if (!line->lifted) return;
  /* The driver was sure only when no flash could come any more; the loop opened before that. */
  int64_t at_ns =
      line->break_began_ns > 0 ? line->break_began_ns : now_ns - line->engine->settings.flash_max_ms * NS_PER_MS;
  hear_the_end(line, at_ns);
  line->lifted = false;
  line->break_began_ns = 0;
  tell(line, DSHIM_EV_ON_HOOK, at_ns, 0, 0, 0);
}

static int64_t since_ms(int64_t began_ns, int64_t now_ns) {
  return began_ns > 0 ? (now_ns - began_ns) / NS_PER_MS : 0;
}

static void take_event(struct line *line, int64_t now_ns, const struct chan_event *event) {
  switch (event->kind) {
  case CHAN_EV_OFF_HOOK:
    lift(line, now_ns);
    break;
  case CHAN_EV_ON_HOOK:
    hang_up(line, now_ns);
    break;
  case CHAN_EV_FLASH:
    tell(line, DSHIM_EV_FLASH, now_ns, (int32_t)since_ms(line->break_began_ns, now_ns), 0, 0);
    line->break_began_ns = 0;
    break;
  case CHAN_EV_PULSE_START:
    line->pulses_began_ns = line->break_began_ns > 0 ? line->break_began_ns : now_ns;
    break;
  case CHAN_EV_PULSE_DIGIT:
    tell(line, DSHIM_EV_PULSE_DIGIT, now_ns, event->value, (int32_t)since_ms(line->pulses_began_ns, now_ns), 0);
    line->pulses_began_ns = 0;
    break;
  case CHAN_EV_ALARM:
    line->stats.alarms = event->value;
    tell(line, DSHIM_EV_ALARM, now_ns, event->value, 0, 0);
    break;
  case CHAN_EV_UNDERRUN:
    line->stats.card_underruns++;
    break;
  case CHAN_EV_OVERRUN:
    line->stats.card_overruns++;
    break;
  default:
    break;
  }
}

/* ---- life ----------------------------------------------------------------------------------- */

static void went_down(struct line *line, int64_t now_ns, int error, int32_t stage) {
  if (line->up) {
    ring_done(line, now_ns, DSHIM_RING_ERROR, error);
    refuse_wanted(line, now_ns, -ENODEV);
    if (line->lifted) hear_the_end(line, now_ns);
    uint64_t written = spsc_read_position(&line->playout.ring) + spsc_readable(&line->playout.ring);
    line_play_flush(line, now_ns, written, DSHIM_PLAY_LOST);
    line->chan->ops->close(line->chan);
  }
  line->up = false;
  line->lifted = false;
  line->voltage_told = false;
  line->reopen_ns = now_ns + REOPEN_NS;
  line->stats.stage = stage;
  line->stats.error = error;
  if (line->told_error == error && line->told_stage == stage) return;
  line->told_error = error;
  line->told_stage = stage;
  tell(line, DSHIM_EV_LINE_DOWN, now_ns, error, stage, 0);
}

static void bring_up(struct line *line, int64_t now_ns) {
  struct chan *chan = line->chan;
  int32_t stage = DSHIM_STAGE_NONE;
  int result = chan->ops->open(chan, &line->engine->settings, now_ns, &stage);
  if (result < 0) {
    went_down(line, now_ns, -result, stage);
    return;
  }
  struct chan_stats stats;
  result = chan->ops->stats(chan, now_ns, false, &stats);
  line->up = true;
  if (result < 0) {
    went_down(line, now_ns, -result, DSHIM_STAGE_PARAMS);
    return;
  }
  line->told_error = 0;
  line->told_stage = DSHIM_STAGE_NONE;
  line->lifted = stats.lifted != 0;
  line->break_began_ns = 0;
  line->stats.stage = DSHIM_STAGE_NONE;
  line->stats.error = 0;
  line->stats.capabilities = chan->capabilities;
  line->stats.signalling = stats.signalling;
  line->stats.alarms = stats.alarms;
  line->stats.voltage_known = 0;
  line->stats.voltage_min_mv = INT32_MAX;
  line->stats.voltage_max_mv = 0;
  line->next_voltage_ns = now_ns;
  line->blocks_owed = chan->tx_queue_blocks > 0 ? PREFILL_BLOCKS : 0;
  line->block_made = false;
  line->served_ns = 0;
  hear_from_now(line, now_ns);
  tell(line, DSHIM_EV_LINE_UP, now_ns, line->lifted, chan->capabilities, stats.signalling);
}

static bool lost(int result) {
  return result == -ENODEV || result == -EIO || result == -ENXIO || result == -EBADF;
}

static void gain(int16_t *samples, int32_t cdb) {
  if (cdb == 0) return;
  double factor = pow(10.0, cdb / 2000.0);
  for (int i = 0; i < DSHIM_BLOCK_SAMPLES; i++) {
    double sample = samples[i] * factor;
    samples[i] = (int16_t)(sample > INT16_MAX ? INT16_MAX : sample < INT16_MIN ? INT16_MIN : sample);
  }
}

/* Events first: with one pending, the kernel refuses to read and write. Returns false when the line is lost. */
static bool drain_events(struct line *line, int64_t now_ns) {
  struct chan_event event;
  int result;
  while ((result = line->chan->ops->event(line->chan, now_ns, &event)) == 1) {
    if (event.kind == CHAN_EV_REMOVED) {
      went_down(line, now_ns, ENODEV, DSHIM_STAGE_REMOVED);
      return false;
    }
    take_event(line, now_ns, &event);
  }
  if (!lost(result)) return true;
  went_down(line, now_ns, -result, DSHIM_STAGE_REMOVED);
  return false;
}

static bool send_blocks(struct line *line, int64_t now_ns) {
  struct chan *chan = line->chan;
  while (line->blocks_owed > 0) {
    if (!line->block_made) {
      playout_block(&line->playout, line->block, chan->tx_queue_blocks, line, tell_playout);
      gain(line->block, line->engine->settings.tx_gain_cdb);
      dsp_vad_far_end(&line->vad, line->block, DSHIM_BLOCK_SAMPLES);
      line->block_made = true;
    }
    int result = chan->ops->write(chan, now_ns, line->block);
    if (lost(result)) {
      went_down(line, now_ns, -result, DSHIM_STAGE_IO);
      return false;
    }
    if (result != 1) return true; /* full, or an event is pending: the next service tries again */
    line->block_made = false;
    line->blocks_owed--;
    line->stats.tx_blocks++;
    playout_heard(&line->playout, now_ns, line, tell_playout);
  }
  return true;
}

static void look_at_loop(struct line *line, int64_t now_ns) {
  struct chan_stats stats;
  if (!line->lifted || line->chan->ops->stats(line->chan, now_ns, false, &stats) < 0) return;
  if (stats.lifted) line->break_began_ns = 0;
  else if (line->break_began_ns == 0) line->break_began_ns = now_ns;
}

static void read_voltage(struct line *line, int64_t now_ns) {
  if (now_ns < line->next_voltage_ns) return;
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
  tell(line, DSHIM_EV_VOLTAGE, now_ns, now.tip_mv, now.ring_mv, now.battery_mv);
}

static bool receive_blocks(struct line *line, int64_t now_ns) {
  struct chan *chan = line->chan;
  int16_t samples[DSHIM_BLOCK_SAMPLES];
  for (int i = 0; i < MAX_BLOCKS_A_SERVICE; i++) {
    int result = chan->ops->read(chan, now_ns, samples);
    if (lost(result)) {
      went_down(line, now_ns, -result, result == -ENODEV ? DSHIM_STAGE_REMOVED : DSHIM_STAGE_IO);
      return false;
    }
    if (result != 1) return true;
    struct dshim_line_stats *stats = &line->stats;
    int64_t gap_ns = line->served_ns > 0 ? now_ns - line->served_ns : 0;
    if (gap_ns > stats->max_service_gap_ns) stats->max_service_gap_ns = gap_ns;
    if (gap_ns > 2 * BLOCK_NS) stats->late_blocks += gap_ns / BLOCK_NS - 1;
    line->served_ns = now_ns;
    stats->rx_blocks++;
    look_at_loop(line, now_ns);
    if (line->lifted) {
      gain(samples, line->engine->settings.rx_gain_cdb);
      hear(line, now_ns, samples);
    }
    if (line->blocks_owed < MAX_BLOCKS_A_SERVICE) line->blocks_owed++;
    if (!send_blocks(line, now_ns)) return false;
  }
  return true;
}

static void tell_sim(struct line *line, int64_t now_ns) {
  uint32_t sequence;
  int32_t result;
  while (sim_phone_done(&line->sim->phone, &sequence, &result)) line_command_done(line, now_ns, sequence, result);
  if (chan_sim_mic_low(line->sim)) tell(line, DSHIM_EV_MIC_LOW, now_ns, 0, 0, 0);
}

void line_service(struct line *line, int64_t now_ns) {
  if (!line->up && now_ns >= line->reopen_ns) bring_up(line, now_ns);
  if (line->up && drain_events(line, now_ns)) {
    retry_wanted(line, now_ns);
    ring_on(line, now_ns);
    look_at_loop(line, now_ns);
    if (send_blocks(line, now_ns) && receive_blocks(line, now_ns) && drain_events(line, now_ns)) {
      read_voltage(line, now_ns);
    }
  }
  if (line->sim) tell_sim(line, now_ns);
  line_publish(line);
}

int64_t line_deadline(const struct line *line) {
  int64_t deadline = line->sim ? line->chan->ops->wake_ns(line->chan) : INT64_MAX;
  if (!line->up) return line->reopen_ns < deadline ? line->reopen_ns : deadline;
  int64_t wake = line->chan->ops->wake_ns(line->chan);
  if (wake < deadline) deadline = wake;
  int64_t ring = ring_cadence_deadline(&line->cadence);
  if (ring < deadline) deadline = ring;
  if (line->wanted_sequence != 0 && line->wanted_retry_ns < deadline) deadline = line->wanted_retry_ns;
  if (line->next_voltage_ns < deadline) deadline = line->next_voltage_ns;
  return deadline;
}

int line_play_flush(struct line *line, int64_t now_ns, uint64_t position, enum dshim_play_end end) {
  int unheard = line->up ? line->chan->ops->flush(line->chan, now_ns) : 0;
  line->block_made = false;
  playout_flush(&line->playout, position, unheard > 0 ? unheard : 0, end, now_ns, line, tell_playout);
  return 0;
}

int line_battery_drop(struct line *line, int64_t now_ns, bool dropped) {
  return line->up ? line->chan->ops->battery_drop(line->chan, now_ns, dropped) : -ENODEV;
}

void line_close(struct line *line) {
  if (!line->up) return;
  if (line->ring_sequence != 0) line->chan->ops->ring(line->chan, engine_now_ns(line->engine), false);
  line->chan->ops->close(line->chan);
  line->up = false;
}

/* ---- the snapshot: a sequence lock of single atomic words ---------------------------------------
 * Whoever sees a word of a new version sees that version's odd number too, because each word is released after
 * it: no fence is needed, which the thread sanitizer could not follow. */

void line_publish(struct line *line) {
  struct dshim_line_stats stats = line->stats;
  stats.up = line->up;
  stats.lifted = line->lifted;
  stats.play_underruns = line->playout.underruns;
  stats.play_queued_samples = (int32_t)spsc_readable(&line->playout.ring);
  if (!stats.voltage_known) stats.voltage_min_mv = 0;
  uint32_t words[sizeof(stats) / sizeof(uint32_t)];
  memcpy(words, &stats, sizeof(words));
  struct shared_stats *shared = &line->shared;
  uint32_t version = atomic_load_explicit(&shared->version, memory_order_relaxed);
  atomic_store_explicit(&shared->version, version + 1, memory_order_relaxed);
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    atomic_store_explicit(&shared->words[i], words[i], memory_order_release);
  }
  atomic_store_explicit(&shared->version, version + 2, memory_order_release);
}

void line_snapshot(struct line *line, struct dshim_line_stats *out) {
  struct shared_stats *shared = &line->shared;
  uint32_t words[sizeof(*out) / sizeof(uint32_t)];
  uint32_t before;
  uint32_t after;
  do {
    before = atomic_load_explicit(&shared->version, memory_order_acquire);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
      words[i] = atomic_load_explicit(&shared->words[i], memory_order_acquire);
    }
    after = atomic_load_explicit(&shared->version, memory_order_relaxed);
  } while (before != after || (before & 1) != 0);
  memcpy(out, words, sizeof(*out));
}
