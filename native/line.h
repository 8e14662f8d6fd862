/* line.h — one line in the I/O thread: its channel, what it hears, rings and plays. */
#ifndef LINE_H
#define LINE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "bridge.h"
#include "chan_ops.h"
#include "dahdi_shim.h"
#include "dsp_dtmf.h"
#include "dsp_progress.h"
#include "dsp_vad.h"
#include "lanes.h"
#include "line_tap.h"
#include "pulse_train.h"
#include "ring_cadence.h"

struct dshim_engine;

/* A snapshot that one thread writes and another reads, word by word: see line_publish and line_snapshot. */
struct shared_stats {
  _Atomic uint32_t version; /* odd while it is being written */
  _Atomic uint32_t words[sizeof(struct dshim_line_stats) / sizeof(uint32_t)];
};

/* Where a command's data lie in the line's ring, and when they are to be sent. */
struct data_span {
  uint64_t from, to; /* positions; equal: none */
  int32_t flags;     /* enum dshim_data_flag */
  int32_t after_burst;
};

enum data_stage {
  DATA_NONE = 0,
  DATA_AWAITS_BURST, /* the end of span.after_burst */
  DATA_SENDING,
  DATA_LEAVING, /* all handed to the card, whose queue has not sent it yet */
};

/* What is sent in the place of the playout: line_data.c. */
struct line_data {
  struct spsc_ring ring;
  int16_t samples[DSHIM_DATA_RING_SAMPLES];
  uint64_t known; /* up to here commands have told of it */
  struct data_span span;
  enum data_stage stage;
  uint32_t sequence; /* of its command */
  int64_t gone_ns;   /* leaving: then it has been heard */
  bool reversed;     /* tip and ring are, by us */
};

struct line {
  struct dshim_engine *engine;
  int32_t index;
  struct chan *chan;
  struct chan_sim *sim; /* chan, when simulated; else NULL */
  struct lanes lanes;
  struct bridge_seat bridge;
  struct line_data data;
  struct line_tap tap;

  bool up;
  int64_t reopen_ns;
  int32_t told_error, told_stage; /* the LINE_DOWN told last */

  bool lifted;
  int64_t break_began_ns; /* the loop is open while lifted: a flash, a pulse or the end; 0 closed */
  int64_t last_break_ns;  /* the break before, until the driver has told what it was; 0 none */
  int64_t pulses_began_ns;
  struct pulse_train pulses;
  int64_t disagrees_ns; /* since when the loop is not as the events told; 0 it is */

  struct ring_cadence cadence;
  uint32_t ring_sequence;     /* of the cadence that runs; 0 none */
  struct ring_cadence wanted; /* asked for, the card said EBUSY */
  uint32_t wanted_sequence;   /* 0 none */
  int64_t wanted_retry_ns, wanted_until_ns;

  struct dsp_dtmf dtmf;
  struct dsp_vad vad;
  /* What we send is listened to as well: its keys come back from the hybrid, and nobody pressed them. */
  struct dsp_dtmf sent_dtmf;
  int32_t refusals_told;       /* of the digit detector's refused candidates */
  int32_t sent_digit;          /* ASCII, down now or just released; 0 none */
  int64_t sent_digit_until_ns; /* INT64_MAX while it is down */
  int32_t echoed_digit;        /* heard, known for an echo: its UP is not told either; 0 none */
  int64_t heard_samples;       /* since the detectors were reset */
  int64_t heard_until_ns;
  struct dsp_progress progress;
  /* A talkspurt is told a little late, so that a key's tone is not taken for a voice. */
  bool voice_held, voice_told, voice_is_key;
  struct dshim_event held_voice;
  int64_t held_until_ns;
  int32_t barged_in; /* enum dshim_barge: what was heard in this block */
  int32_t barged_digit;

  int16_t block[DSHIM_BLOCK_SAMPLES]; /* made, not yet taken by the card */
  int32_t blocks_owed;                /* to the card */
  int32_t card_blocks;                /* written and not yet sent, by the count of what was received since */
  int32_t ahead_blocks;               /* how many those should be */
  int64_t dry_ns;                     /* the last underrun, or when one block of it was given back */
  bool block_made;

  int64_t next_voltage_ns;
  int32_t told_tip_mv, told_ring_mv;
  bool voltage_told;
  int64_t served_ns; /* the last block, 0 none */
  int64_t block_ns;  /* when its last sample was spoken, 0 none */
  struct dshim_line_stats stats;
  struct shared_stats shared;
};

/* All that is due at now_ns. */
void line_service(struct line *line, int64_t now_ns);
int64_t line_deadline(const struct line *line);
/* A command's outcome is 0, −errno, or LINE_PENDING: it will be told later. */
#define LINE_PENDING 1
/* data: also without any, and then what an earlier command's wait for is over. */
int line_ring(struct line *line, int64_t now_ns, const struct ring_cadence *cadence, const struct data_span *data,
              uint32_t sequence);
int line_data_send(struct line *line, int64_t now_ns, const struct data_span *data, bool lifted,
                   uint32_t sequence);
int line_ring_stop(struct line *line, int64_t now_ns);
/* The caller stands still: nobody is left who could stop it. */
void line_ring_abandon(struct line *line, int64_t now_ns);
int line_play_flush(struct line *line, int64_t now_ns, int32_t lane, uint64_t position);
int line_play_hold(struct line *line, int64_t now_ns, int32_t lane, bool held);
/* Drops what was written up to position; max 0 closes. */
int line_talk(struct line *line, int64_t now_ns, int32_t lane, uint64_t position, int32_t target, int32_t max);
/* number 0: none. */
int line_bridge(struct line *line, int32_t number);
int line_battery_drop(struct line *line, int64_t now_ns, bool dropped);
void line_command_done(struct line *line, int64_t now_ns, uint32_t sequence, int32_t result);
void line_close(struct line *line);

/* ---- between line.c and line_*.c */
/* The card refused as one does that is gone. */
bool line_card_gone(int result);
/* It is opened again after a while. error: errno. */
void line_went_down(struct line *line, int64_t now_ns, int error, int32_t stage);
/* A card that was just opened has neither sent nor delivered any. */
void line_begin_blocks(struct line *line);
/* What is owed to the card, then what it delivers: false when the line was lost meanwhile. */
bool line_send_blocks(struct line *line, int64_t now_ns);
bool line_receive_blocks(struct line *line, int64_t now_ns);
/* The card had nothing to send. */
void line_ran_dry(struct line *line, int64_t now_ns);
/* Every second. */
void line_read_voltage(struct line *line, int64_t now_ns);
void line_forget_voltage(struct line *line, int64_t now_ns);
/* An event of the hook, as the driver tells it; and what the loop looks like now. */
void line_hook_event(struct line *line, int64_t now_ns, const struct chan_event *event);
void line_hook_look(struct line *line, int64_t now_ns);
/* No break is under way. */
void line_hook_forget(struct line *line);
/* What it heard goes to the others on its bridge. */
void line_bridge_heard(struct line *line, const int16_t *samples);
/* Fills the block from the lanes and the bridge. */
void line_play_block(struct line *line);
/* The card has sent a block. */
void line_play_heard(struct line *line, int64_t now_ns);
/* Throws away what waits in the card: it is sent again. */
void line_take_back(struct line *line, int64_t now_ns);
/* Ends all lanes; what was played after heard_until_ns nobody heard. */
void line_play_until(struct line *line, int64_t now_ns, int64_t heard_until_ns, enum dshim_play_end end);
/* Ends the playbacks that what was heard barges in on. */
void line_play_barge(struct line *line, int64_t now_ns);
/* What was not told of the tap: with it the caller has all that was heard before what comes next. */
void line_tell_tap(struct line *line, int64_t now_ns);
void line_tell(struct line *line, enum dshim_event_kind kind, int64_t time_ns, int32_t a, int32_t b, int32_t c);
/* Nothing when no cadence runs. */
void line_ring_done(struct line *line, int64_t now_ns, enum dshim_ring_end end, int error);
/* A ring that the card has not accepted yet will not be. */
void line_refuse_wanted(struct line *line, int64_t now_ns, int error);
void line_retry_wanted(struct line *line, int64_t now_ns);
/* The data that were to be sent before it have been. */
void line_ring_wanted_now(struct line *line, int64_t now_ns);
/* What is to be sent with the ring that begins: kept for its burst, or begun. */
void line_data_refuse(struct line *line, const struct data_span *data);
void line_data_take(struct line *line, int64_t now_ns, const struct data_span *data, uint32_t sequence);
void line_data_begin(struct line *line, int64_t now_ns);
/* Ends what is sent or kept for later; the line hears no more of it. */
void line_data_cut(struct line *line, int64_t now_ns);
/* What falls due: the end of what was sent. */
void line_data_on(struct line *line, int64_t now_ns);
int64_t line_data_deadline(const struct line *line);
/* Fills the block and returns true while data are being sent. */
bool line_data_block(struct line *line, int64_t now_ns, int16_t *block);
/* The ring that a reversal announced is over. */
void line_data_restore_polarity(struct line *line, int64_t now_ns);
/* The cadence's edges that fall due. */
void line_ring_on(struct line *line, int64_t now_ns);
void line_hear_from_now(struct line *line, int64_t now_ns);
/* spoken_ns: when the block's last sample was. */
void line_hear(struct line *line, int64_t spoken_ns, const int16_t *samples);
/* The block that goes to the telephone now. */
void line_hear_sent(struct line *line, int64_t now_ns, const int16_t *samples);
/* Nothing more will be heard: what is open is closed, not after not_after_ns. */
void line_hear_the_end(struct line *line, int64_t not_after_ns);
/* The same for tones of call progress, by line_hear.c. */
void line_progress_reset(struct line *line);
void line_progress_hear(struct line *line, const int16_t *samples);
void line_progress_sent(struct line *line, const int16_t *samples);
void line_progress_end(struct line *line, int64_t not_after_ns);

/* ---- the snapshot for the caller's thread */
void line_publish(struct line *line);
void line_snapshot(struct line *line, struct dshim_line_stats *out);

#endif
