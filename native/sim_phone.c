#include "sim_phone.h"

#include <errno.h>
#include <string.h>

#include "durations.h"

#define SAMPLES_PER_MS 8
/* A finger winds the dial back up: longer than any receiver's inter-digit time. */
#define DIAL_PAUSE_MS 700

static const char KEYS[] = "123A456B789C*0#D";
static const double ROWS_HZ[4] = {697, 770, 852, 941};
static const double COLUMNS_HZ[4] = {1209, 1336, 1477, 1633};

int sim_phone_queue(struct sim_phone *phone, const struct sim_action *action) {
  if (phone->action_count == SIM_ACTIONS) return -EAGAIN;
  phone->actions[phone->action_count++] = *action;
  return 0;
}

void sim_phone_finished(struct sim_phone *phone, uint32_t sequence, int result) {
  phone->done[phone->done_count].sequence = sequence;
  phone->done[phone->done_count++].result = result;
}

static void finish_head(struct sim_phone *phone, int result) {
  sim_phone_finished(phone, phone->actions[0].sequence, result);
  phone->action_count--;
  memmove(&phone->actions[0], &phone->actions[1], sizeof(phone->actions[0]) * (size_t)phone->action_count);
  phone->head_started = false;
  phone->head_open = false;
  phone->head_digit = 0;
  phone->head_samples = 0;
}

void sim_phone_abort(struct sim_phone *phone, int result) {
  while (phone->action_count > 0) finish_head(phone, result);
  spsc_release(&phone->mic_ring, spsc_readable(&phone->mic_ring));
}

bool sim_phone_contact(const struct sim_phone *phone) {
  return phone->plugged && phone->lifted && !phone->head_open;
}

static int pulses_of(char digit) { return digit == '0' ? 10 : digit - '0'; }

static bool moves_contact(const struct sim_phone *phone) {
  return phone->action_count > 0 && (phone->actions[0].kind == SIM_PULSE || phone->actions[0].kind == SIM_FLASH);
}

static void move_pulse(struct sim_phone *phone) {
  const struct sim_action *action = &phone->actions[0];
  if (phone->head_open) {
    phone->head_open = false;
    bool last = --phone->head_pulses == 0;
    phone->head_next_ns += (last ? DIAL_PAUSE_MS : action->off_ms) * NS_PER_MS;
    if (last) phone->head_digit++;
    return;
  }
  if (phone->head_pulses == 0) {
    if (action->digits[phone->head_digit] == '\0') {
      finish_head(phone, 0);
      return;
    }
    phone->head_pulses = pulses_of(action->digits[phone->head_digit]);
  }
  phone->head_open = true;
  phone->head_next_ns += action->on_ms * NS_PER_MS;
}

bool sim_phone_move(struct sim_phone *phone, int64_t now_ns) {
  if (!moves_contact(phone)) return false;
  if (!phone->head_started) {
    phone->head_started = true;
    phone->head_next_ns = now_ns;
    phone->head_pulses = 0;
  }
  if (now_ns < phone->head_next_ns) return false;
  if (phone->actions[0].kind == SIM_PULSE) {
    move_pulse(phone);
  } else if (phone->head_open) {
    finish_head(phone, 0);
  } else {
    phone->head_open = true;
    phone->head_next_ns += phone->actions[0].on_ms * NS_PER_MS;
  }
  return true;
}

int64_t sim_phone_deadline(const struct sim_phone *phone) {
  if (!moves_contact(phone)) return INT64_MAX;
  return phone->head_started ? phone->head_next_ns : 0;
}

/* Adds count samples of the key's tones from sample index start on. */
static void add_key(const struct sim_action *action, char digit, int start, int16_t *samples, int count) {
  int key = (int)(strchr(KEYS, digit) - KEYS);
  double frequencies_hz[2] = {ROWS_HZ[key / 4], COLUMNS_HZ[key % 4]};
  double amplitudes[2] = {dsp_tone_amplitude(action->level_cdbm0 - action->twist_cdb / 2),
                          dsp_tone_amplitude(action->level_cdbm0 + action->twist_cdb / 2)};
  int16_t tone[DSHIM_BLOCK_SAMPLES];
  dsp_tone_render(frequencies_hz, amplitudes, 2, start, tone, count);
  for (int i = 0; i < count; i++) {
    int32_t sum = samples[i] + tone[i];
    samples[i] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
  }
}

static void press(struct sim_phone *phone, int16_t *samples, int count) {
  int at = 0;
  while (at < count && phone->action_count > 0 && phone->actions[0].kind == SIM_PRESS) {
    const struct sim_action *action = &phone->actions[0];
    int on = action->on_ms * SAMPLES_PER_MS;
    int whole = on + action->off_ms * SAMPLES_PER_MS;
    char digit = action->digits[phone->head_digit];
    int left = (phone->head_samples < on ? on : whole) - phone->head_samples;
    int taken = left < count - at ? left : count - at;
    if (phone->head_samples < on) add_key(action, digit, phone->head_samples, &samples[at], taken);
    at += taken;
    phone->head_samples += taken;
    if (phone->head_samples < whole) continue;
    phone->head_samples = 0;
    if (action->digits[++phone->head_digit] == '\0') finish_head(phone, 0);
  }
}

void sim_phone_speak(struct sim_phone *phone, int16_t *samples, int count) {
  spsc_read_samples(&phone->mic_ring, phone->mic_samples, SIM_MIC_RING_SAMPLES, samples, count);
  press(phone, samples, count);
  while (phone->action_count > 0 && phone->actions[0].kind == SIM_SAY &&
         spsc_read_position(&phone->mic_ring) >= phone->actions[0].mic_position) {
    finish_head(phone, 0);
  }
}

bool sim_phone_done(struct sim_phone *phone, uint32_t *sequence, int32_t *result) {
  if (phone->done_count == 0) return false;
  *sequence = phone->done[0].sequence;
  *result = phone->done[0].result;
  phone->done_count--;
  memmove(&phone->done[0], &phone->done[1], sizeof(phone->done[0]) * (size_t)phone->done_count);
  return true;
}

bool sim_phone_mic_low(struct sim_phone *phone) {
  if (spsc_readable(&phone->mic_ring) >= SIM_MIC_RING_SAMPLES / 2) {
    phone->mic_low_told = false;
    return false;
  }
  bool tell = !phone->mic_low_told;
  phone->mic_low_told = true;
  return tell;
}

void sim_ear_hear(struct sim_ear *ear, const int16_t *samples, int count) {
  uint64_t at = atomic_load_explicit(&ear->written, memory_order_relaxed);
  for (int i = 0; i < count; i++) {
    atomic_store_explicit(&ear->samples[(at + (uint64_t)i) & (DSHIM_EAR_RING_SAMPLES - 1)], samples[i],
                          memory_order_relaxed);
  }
  atomic_store_explicit(&ear->written, at + (uint64_t)count, memory_order_release);
}

int sim_ear_copy(struct sim_ear *ear, int16_t *out, int count) {
  /* A block more may be written while we read: the oldest block of a full ring is not to be trusted. */
  const uint64_t kept = DSHIM_EAR_RING_SAMPLES - DSHIM_BLOCK_SAMPLES;
  uint64_t end = atomic_load_explicit(&ear->written, memory_order_acquire);
  uint64_t there = end < kept ? end : kept;
  uint64_t taken = (uint64_t)count < there ? (uint64_t)count : there;
  for (uint64_t i = 0; i < taken; i++) {
    out[i] = atomic_load_explicit(&ear->samples[(end - taken + i) & (DSHIM_EAR_RING_SAMPLES - 1)],
                                  memory_order_relaxed);
  }
  return (int)taken;
}
