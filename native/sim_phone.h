/*
 * sim_phone.h — a person before a simulated telephone. What the person does is queued and done one after
 * another; hook, plug and voltage take effect at once. Keys and speech become microphone samples; what the
 * loop does about the hook is sim_hooksig.c's business, as it is the kernel's with a card.
 */
#ifndef SIM_PHONE_H
#define SIM_PHONE_H

#include <stdbool.h>
#include <stdint.h>

#include "dahdi_shim.h"
#include "dsp_tone.h"
#include "spsc_ring.h"

#define SIM_ACTIONS          16
#define SIM_MIC_RING_SAMPLES 65536 /* 8.2 s of speech waiting to be said */

enum sim_action_kind { SIM_PRESS, SIM_PULSE, SIM_FLASH, SIM_SAY };

struct sim_action {
  int32_t kind;
  uint32_t sequence;
  int32_t on_ms, off_ms; /* press; flash: on_ms is the break; pulse: break and make */
  int32_t level_cdbm0, twist_cdb;
  uint64_t mic_position; /* say: done when the microphone has got this far */
  char digits[DSHIM_MAX_KEYS + 1];
};

/* The ear is written by the I/O thread and read by the caller's while it is: single samples are atomic. */
struct sim_ear {
  _Atomic uint64_t written;
  _Atomic int16_t samples[DSHIM_EAR_RING_SAMPLES];
};

struct sim_phone {
  bool lifted, plugged;
  int32_t voltage_mv; /* −1: what the loop gives of itself */
  struct sim_action actions[SIM_ACTIONS];
  int32_t action_count;
  /* The action at the head of the queue. */
  bool head_started;
  int32_t head_digit;   /* index into digits */
  int32_t head_samples; /* press: samples sent of this digit, tone and pause */
  int32_t head_pulses;  /* pulse: breaks still to come of this digit */
  bool head_open;       /* pulse, flash: the contact is open now */
  int64_t head_next_ns; /* pulse, flash: when the contact moves next */
  /* Finished actions, told to the engine through sim_phone_done. */
  struct {
    uint32_t sequence;
    int32_t result;
  } done[2 * SIM_ACTIONS];
  int32_t done_count;
  struct spsc_ring mic_ring;
  int16_t mic_samples[SIM_MIC_RING_SAMPLES];
  bool mic_low_told;
  struct sim_ear *ear;
};

/* 0 or −EAGAIN: too much to do already. */
int sim_phone_queue(struct sim_phone *phone, const struct sim_action *action);
/* Ends all that is queued with result (−ECANCELED): hung up, unplugged. What the mouth had to say is dropped. */
void sim_phone_abort(struct sim_phone *phone, int result);
/* Is the hook's contact closed? False while on-hook and in the breaks of a flash or a pulse. */
bool sim_phone_contact(const struct sim_phone *phone);
/* Moves the contact if it is due at now_ns; true when it did. Call again until false. */
bool sim_phone_move(struct sim_phone *phone, int64_t now_ns);
/* When the contact moves next of itself; INT64_MAX: never. */
int64_t sim_phone_deadline(const struct sim_phone *phone);
/* Adds what the microphone hears to count samples. */
void sim_phone_speak(struct sim_phone *phone, int16_t *samples, int count);
/* Tells a command that is no queued action as finished. */
void sim_phone_finished(struct sim_phone *phone, uint32_t sequence, int result);
/* Takes a finished action: true when there was one. */
bool sim_phone_done(struct sim_phone *phone, uint32_t *sequence, int32_t *result);
/* True once when the mouth has room for more speech again. */
bool sim_phone_mic_low(struct sim_phone *phone);
void sim_ear_hear(struct sim_ear *ear, const int16_t *samples, int count);
/* The newest count samples, oldest first; returns how many there were. Any thread. */
int sim_ear_copy(struct sim_ear *ear, int16_t *out, int count);

#endif
