/*
 * dahdi_shim.h — THE contract between the real-time C side and everything above it.
 *
 * One engine owns one I/O thread that serves every line: it reads and writes the card in blocks of
 * 160 samples (20 ms at 8 kHz), hears digits and voice, times ring cadences, and never waits for the
 * caller. The caller (JavaScript) pushes commands and audio in, and drains events out; both ways are
 * lock-free single-producer single-consumer rings.
 *
 *        caller thread                                    I/O thread
 *   dshim_ring() … ──── command ring ────────▶ engine loop ──▶ struct chan_ops (card or simulator)
 *   dshim_play_write ── sample ring per line ─▶ playout                │
 *   dshim_tap_read() ◀─ sample ring per line ◀ what was heard and sent  │
 *   dshim_drain() ◀──── event ring ◀────────── DTMF, VAD, hook … ◀─────┘
 *   doorbell fd   ◀──── one byte when the event ring was not empty-handed
 *
 * Conventions
 *   - Every function returns ≥ 0 or −errno. Commands return a sequence number > 0; the outcome comes as
 *     a DSHIM_EV_COMMAND_DONE event carrying that number.
 *   - Times are nanoseconds of CLOCK_MONOTONIC; in a stepped engine, of its virtual clock, which starts
 *     at DSHIM_STEPPED_EPOCH_NS.
 *   - Levels are hundredths of dBm0 (cdBm0): a digital milliwatt, i.e. a sine of −3.14 dBFS (mu-law,
 *     ITU-T G.711), is 0 dBm0, so a full-scale sine is +3.14 dBm0.
 *   - Lines are numbered from 0 in the order in which they were added.
 *   - Only the thread that made the engine may call; dshim_destroy joins the I/O thread.
 */
#ifndef DAHDI_SHIM_H
#define DAHDI_SHIM_H

#include <stdbool.h>
#include <stdint.h>

#define DSHIM_ABI_VERSION          3
#define DSHIM_SAMPLE_RATE_HZ       8000
#define DSHIM_BLOCK_SAMPLES        160 /* 20 ms */
#define DSHIM_MAX_LINES            32
#define DSHIM_MAX_BURSTS           32   /* of one ring cadence */
#define DSHIM_MAX_KEYS             64   /* of one simulated press */
#define DSHIM_EVENT_RING           4096 /* events; past it they are counted as lost */
#define DSHIM_LANES                8    /* that a line is spoken to over at once: see "playout" below */
#define DSHIM_OVERLAYS             3    /* lanes 1 … 3; lane 0 is the queue */
#define DSHIM_TALKERS              4    /* lanes DSHIM_FIRST_TALKER … 7 */
#define DSHIM_FIRST_TALKER         4
#define DSHIM_BRIDGE_LINES         8      /* that may hear each other on one bridge */
#define DSHIM_PLAY_RING_SAMPLES    65536  /* 8.2 s of the queue, a power of two as the next ones */
#define DSHIM_OVERLAY_RING_SAMPLES 16384  /* 2 s */
#define DSHIM_TALK_RING_SAMPLES    8192   /* 1.02 s */
#define DSHIM_DATA_RING_SAMPLES    65536  /* 8.2 s per line of caller ID and the like, a power of two */
#define DSHIM_TAP_BLOCKS           512    /* 10.2 s per line of what it hears and is sent, a power of two */
#define DSHIM_EAR_RING_SAMPLES     262144 /* 32.8 s that a simulated telephone's ear heard last */
#define DSHIM_STEPPED_EPOCH_NS     1000000000LL
#define DSHIM_PROGRESS_TONES       8  /* that a line is listened to for */
#define DSHIM_PROGRESS_SINES       4  /* of one of them */
#define DSHIM_PROGRESS_PHASES      12 /* of its cadence */

#if defined(__GNUC__)
#define DSHIM_API __attribute__((visibility("default")))
#else
#define DSHIM_API
#endif

struct dshim_engine;

/* ---- what the engine tells ------------------------------------------------------------------ */

enum dshim_event_kind {
  DSHIM_EV_LINE_UP = 1,       /* a: 1 lifted, 0 on-hook; b: dshim_capability bits; c: DAHDI signalling */
  DSHIM_EV_LINE_DOWN = 2,     /* a: errno; b: enum dshim_stage; told once per change of (errno, stage) */
  DSHIM_EV_OFF_HOOK = 3,      /* a: 1 when it tripped our ringing; b: ring sequence number or 0 */
  DSHIM_EV_ON_HOOK = 4,       /* time_ns is when the loop opened, not when the driver was sure */
  DSHIM_EV_FLASH = 5,         /* a: duration ms */
  DSHIM_EV_PULSE_DIGIT = 6,   /* a: ASCII digit; b: duration ms of the pulse train, 0 unknown;
                                 c: pulses/s in hundredths; d: break's share in hundredths of %; 0 unknown */
  DSHIM_EV_DTMF_DOWN = 7,     /* a: ASCII digit; b: level cdBm0, mean of the two tones' levels */
  DSHIM_EV_DTMF_UP = 8,       /* a: ASCII digit; b: level cdBm0; c: duration ms; time_ns: tone's end */
  DSHIM_EV_VOICE_START = 9,   /* a: level cdBm0 now; time_ns: talkspurt's onset */
  DSHIM_EV_VOICE_END = 10,    /* a: level cdBm0 now; b: mean level of the talkspurt; c: duration ms */
  DSHIM_EV_RING_BURST = 11,   /* a: burst number from 0; b: 1 bell on, 0 bell off */
  DSHIM_EV_RING_DONE = 12,    /* a: enum dshim_ring_end; b: errno when error; c: ring sequence number */
  DSHIM_EV_PLAY_STARTED = 13, /* a: mark id; d: lane */
  DSHIM_EV_PLAY_DONE = 14,    /* a: mark id; b: enum dshim_play_end; c: samples played between the marks; d: lane,
                                 and << 8 the ASCII digit that barged in, 0 a dial's, not known yet */
  DSHIM_EV_PLAY_LOW = 15,     /* d: lane, whose ring fell below half while a playback has samples to come */
  DSHIM_EV_VOLTAGE = 16,      /* a: tip mV; b: ring mV; c: battery mV; at most 1/s, when changed ≥ 50 mV */
  DSHIM_EV_ALARM = 17,        /* a: DAHDI alarm bits, 0 cleared */
  DSHIM_EV_COMMAND_DONE = 18, /* a: sequence number; b: 0 or −errno */
  DSHIM_EV_MIC_LOW = 19,      /* simulated: the microphone's sample ring fell below half */
  DSHIM_EV_PULSE_START = 20,  /* the first pulse of a digit; time_ns: its break's beginning */
  DSHIM_EV_DTMF_DETAIL = 31,  /* with DSHIM_OPT_DTMF_EXPLAIN, after its DTMF_DOWN: a: ASCII digit; b, c, d below */
  DSHIM_EV_DTMF_REFUSED = 32, /* the same option: a: ASCII digit, and enum dshim_dtmf_reason << 8; b, c, d:
                                 two int16 each, the low group's in the low half: levels cdBm0, offsets from the
                                 nominal frequencies in 0.01 Hz, SNR cdB (the low half alone) */
  DSHIM_EV_DATA_STARTED = 40, /* a: sequence number of its command; b: ms until the card's queue has reached it */
  DSHIM_EV_TAP_BLOCKS = 42,   /* a: number of the tap; b: blocks that it has made, lost ones too */
  DSHIM_EV_DATA_DONE = 41,    /* a: sequence number; b: 1 heard whole, 0 cut off or never begun */
  DSHIM_EV_PROGRESS = 30,     /* a: dshim_progress_tone.id; b: 1 it is sure, 0 it is over; c: level cdBm0;
                                 d: ms since it began */
};

/* Why what resembled a key was none: what it deviated most in. See dsp_dtmf.h. */
enum dshim_dtmf_reason {
  DSHIM_DTMF_TOO_SHORT = 0,
  DSHIM_DTMF_TOO_QUIET = 1,
  DSHIM_DTMF_OFF_FREQUENCY = 2,
  DSHIM_DTMF_UNSTEADY = 3,
  DSHIM_DTMF_NOT_ABRUPT = 4,
  DSHIM_DTMF_TWIST = 5,
  DSHIM_DTMF_NOT_ALONE = 6,
  DSHIM_DTMF_LOW_SOUND = 7,
  DSHIM_DTMF_NOISY = 8,
};
#define DSHIM_DTMF_REASONS 9

enum dshim_capability {
  DSHIM_CAP_VOLTAGE = 1 << 0,
  DSHIM_CAP_ECHO_CANCEL = 1 << 1,
  DSHIM_CAP_GAIN = 1 << 2,
  DSHIM_CAP_SIMULATED = 1 << 3,
  DSHIM_CAP_ON_HOOK_TRANSFER = 1 << 4, /* without it an on-hook telephone hears us if the card happens to let it */
  DSHIM_CAP_POLARITY = 1 << 5,
  DSHIM_CAP_VMWI = 1 << 6, /* and DSHIM_OPT_VMWI_LAMPS is set */
};

/* Where opening or serving a line failed, so that the words above can name the mend. */
enum dshim_stage {
  DSHIM_STAGE_NONE = 0,
  DSHIM_STAGE_OPEN = 1,       /* open() of the device node: ENOENT no driver, EACCES no permission */
  DSHIM_STAGE_SPECIFY = 2,    /* DAHDI_SPECIFY: ENXIO no such channel, EBUSY somebody holds it */
  DSHIM_STAGE_PARAMS = 3,     /* DAHDI_GET_PARAMS */
  DSHIM_STAGE_SIGNALLING = 4, /* the channel does not feed a telephone (EPROTO): it wants fxoks */
  DSHIM_STAGE_LINEAR = 5,     /* DAHDI_SETLINEAR */
  DSHIM_STAGE_BUFFERS = 6,    /* block size, buffer policy */
  DSHIM_STAGE_IO = 7,         /* read or write failed while in service */
  DSHIM_STAGE_REMOVED = 8,    /* ENODEV: the card or telephone port was taken away */
};

enum dshim_ring_end {
  DSHIM_RING_COMPLETED = 0,
  DSHIM_RING_DURATION = 1, /* the cap in ms ended it */
  DSHIM_RING_STOPPED = 2,  /* dshim_ring_stop */
  DSHIM_RING_ANSWERED = 3, /* ring trip */
  DSHIM_RING_ERROR = 4,
};

enum dshim_play_end {
  DSHIM_PLAY_COMPLETED = 0,
  DSHIM_PLAY_FLUSHED = 1,
  DSHIM_PLAY_LOST = 2,    /* with its line */
  DSHIM_PLAY_HUNG_UP = 3, /* what was heard counts until the loop opened */
  DSHIM_PLAY_BARGED_DTMF = 4,
  DSHIM_PLAY_BARGED_VOICE = 5,
};

/* What the person on the line may cut a playback short with. */
enum dshim_barge {
  DSHIM_BARGE_DTMF = 1 << 0, /* a key goes down, a dial begins to turn back */
  DSHIM_BARGE_VOICE = 1 << 1,
};

struct dshim_event {
  int64_t time_ns; /* when it happened */
  int64_t told_ns; /* when the I/O thread pushed it: latency is measured from here */
  uint32_t kind;   /* enum dshim_event_kind */
  int32_t line;    /* −1: the engine itself */
  int32_t a, b, c, d;
};
_Static_assert(sizeof(struct dshim_event) == 40, "dshim_event has no padding");

/* The ids by which the caller names tones of call progress; to C they are numbers. */
enum dshim_progress {
  DSHIM_PROGRESS_DIAL = 1,
  DSHIM_PROGRESS_BUSY = 2,
  DSHIM_PROGRESS_REORDER = 3,
  DSHIM_PROGRESS_RINGBACK = 4,
  DSHIM_PROGRESS_FAX_CED = 5,
  DSHIM_PROGRESS_FAX_CNG = 6,
};

/* A tone that a far end may send, as a country or a norm has it. */
struct dshim_progress_tone {
  int32_t id;                                    /* ≥ 1, told back with the event */
  int32_t sines;                                 /* that sound together, 1 … DSHIM_PROGRESS_SINES */
  int32_t frequencies_chz[DSHIM_PROGRESS_SINES]; /* hundredths of Hz, 200 to 3800 Hz */
  int32_t tolerance_chz;                         /* either way; more than 960 for one sine only */
  int32_t phases;                                /* of the cadence, even; 0: it is continuous */
  int32_t cadence_ms[DSHIM_PROGRESS_PHASES];     /* on, off, on, off …, then again from the start */
  int32_t sure_ms; /* continuous: sure after so long; a cadence: so long into its pause, 0: when begun again */
};
_Static_assert(sizeof(struct dshim_progress_tone) == 21 * 4, "dshim_progress_tone has no padding");

/* A snapshot of one line; all counters since the engine was made. */
struct dshim_line_stats {
  int64_t rx_blocks;      /* blocks read from the card */
  int64_t tx_blocks;      /* blocks written to the card */
  int64_t play_underruns; /* blocks in which a playback had no sample ready: JavaScript was late; no talker's */
  int64_t card_underruns; /* the driver's own count (DAHDI_EVENT_WRITEOVERRUN… as BUFFER_EVENTS tell) */
  int64_t card_overruns;
  int64_t late_blocks;        /* blocks served more than one block time after they were due */
  int64_t max_service_gap_ns; /* longest time between two services of this line */
  int64_t dtmf_digits;        /* digits accepted since start */
  int64_t voltage_time_ns;    /* of the last reading */
  int64_t tap_lost_blocks;    /* nobody read the tap for so long that its ring was full */
  int64_t bridge_slips;       /* blocks of other lines that were left out or sent twice: clocks that differ */
  int32_t up;                 /* 1 in service */
  int32_t lifted;             /* 1 off-hook */
  int32_t ringing;            /* 1 while a cadence runs */
  int32_t stage;              /* enum dshim_stage, when not up */
  int32_t error;              /* errno, when not up */
  int32_t capabilities;
  int32_t signalling;
  int32_t voltage_known; /* 0: this card cannot tell */
  int32_t tip_mv, ring_mv, battery_mv;
  int32_t voltage_min_mv, voltage_max_mv; /* of |tip − ring| since the line came up */
  int32_t level_cdbm0;                    /* of the last block heard */
  int32_t noise_cdbm0;                    /* the voice detector's noise floor */
  int32_t voice_active;
  int32_t play_queued_samples;              /* in the queue's ring, not heard yet */
  int32_t alarms;                           /* DAHDI alarm bits */
  int32_t dtmf_refused[DSHIM_DTMF_REASONS]; /* by enum dshim_dtmf_reason, since start */
  /* Of the last digit; meaningless before the first. */
  int32_t dtmf_low_cdbm0, dtmf_high_cdbm0;
  int32_t dtmf_low_offset_chz, dtmf_high_offset_chz;
  int32_t dtmf_snr_cdb;
};
_Static_assert(sizeof(struct dshim_line_stats) == 11 * 8 + 32 * 4, "dshim_line_stats has no padding");

/* 20 ms of a lifted line, both ways, sample for sample in the same time. */
struct dshim_tap_block {
  int64_t time_ns;                    /* when the last sample was on the line */
  uint32_t tap;                       /* sequence number of the dshim_tap_open that it came of */
  int32_t block;                      /* number in that tap, from 0: what is missing was lost */
  int16_t heard[DSHIM_BLOCK_SAMPLES]; /* from the telephone, after DSHIM_OPT_RX_GAIN_CDB */
  int16_t
      sent[DSHIM_BLOCK_SAMPLES]; /* to it, after DSHIM_OPT_TX_GAIN_CDB; what a card's queue held back as well */
};
_Static_assert(sizeof(struct dshim_tap_block) == 16 + 4 * DSHIM_BLOCK_SAMPLES, "dshim_tap_block has no padding");

struct dshim_engine_stats {
  int64_t events_pushed;
  int64_t events_lost; /* the event ring was full: JavaScript stood still for very long */
  int64_t wakeups;
  int64_t max_wake_late_ns; /* how late the thread woke for a deadline, at worst */
  int64_t watchdog_trips;   /* times that the caller did not drain for DSHIM_OPT_WATCHDOG_MS */
  int32_t realtime;         /* 1 SCHED_FIFO, 0 the kernel refused (see realtime_error) */
  int32_t realtime_error;   /* errno of that refusal */
  int32_t memory_locked;    /* 1 the engine's own buffers are locked in memory */
  int32_t lines;
};
_Static_assert(sizeof(struct dshim_engine_stats) == 5 * 8 + 4 * 4, "dshim_engine_stats has no padding");

/* A simulated telephone, as a person standing before it would tell. */
struct dshim_sim_state {
  int64_t bursts; /* rung so far, since the engine was made */
  int32_t lifted;
  int32_t bell; /* 1 the bell sounds now */
  int32_t plugged;
  int32_t voltage_mv; /* |tip − ring| */
  int32_t reversed;   /* tip and ring are exchanged */
  int32_t lamp;       /* dshim_message_waiting */
};
_Static_assert(sizeof(struct dshim_sim_state) == 32, "dshim_sim_state has no padding");

/* What the driver tells of a channel to somebody who does not open it. */
struct dshim_probe {
  int32_t device_error;  /* errno of opening the device node, 0 none: ENOENT no driver, EACCES no permission */
  int32_t control_error; /* the same of the control node, "ctl" beside it */
  int32_t channel_error; /* of asking: EINVAL no such channel; that of the control node where it is closed */
  int32_t signalling;    /* 0: dahdi_cfg has not set the channel up */
  int32_t possible_signallings; /* bits that the port's hardware can do */
  int32_t lifted;
  int32_t alarms;     /* DAHDI alarm bits */
  int32_t law;        /* 1 mu-law, 2 A-law */
  int32_t zone_error; /* ENODATA: no tone zone is loaded; else of the node "pseudo", where that is asked */
  int32_t zone;       /* number of the default tone zone, 0 North America; −1 unknown */
};
_Static_assert(sizeof(struct dshim_probe) == 10 * 4, "dshim_probe has no padding");

/* ---- life ----------------------------------------------------------------------------------- */

enum dshim_mode {
  DSHIM_REALTIME = 0, /* an I/O thread paces itself by the card, or the clock when simulated */
  DSHIM_STEPPED = 1,  /* no thread: dshim_step runs the same loop on a virtual clock */
};

enum dshim_option {                             /* value; default */
                    DSHIM_OPT_FLASH_MAX_MS = 1, /* rxflashtime: a longer break is on-hook; 200 < v ≤ 1500; 800 */
                    DSHIM_OPT_ECHO_CANCEL = 2,  /* taps, 0 off; 128 */
                    DSHIM_OPT_RX_GAIN_CDB = 3,  /* from the telephone; −2400 … 2400; 0 */
                    DSHIM_OPT_TX_GAIN_CDB = 4,  /* to the telephone; −2400 … 2400; 0 */
                    DSHIM_OPT_BUFFERS = 5,      /* driver buffers of one block; 8 … 32; 32 */
                    DSHIM_OPT_SIM_ECHO_CDB = 6, /* hybrid echo below what is sent, 0 none; 2400 (24 dB) */
                    DSHIM_OPT_SIM_NOISE_CDBM0 = 7, /* line noise, ≤ −9000 none; −6500 */
                    DSHIM_OPT_SIM_COMPANDING = 8,  /* 0 none, 1 mu-law, 2 A-law, both ways as a card does; 1 */
                    DSHIM_OPT_VMWI_LAMPS = 9,      /* bits of enum dshim_vmwi_lamp; 0 */
                    DSHIM_OPT_DTMF_EXPLAIN = 10,   /* 1: tells DTMF_DETAIL and DTMF_REFUSED; 0 */
                    DSHIM_OPT_WATCHDOG_MS = 11,    /* who does not drain for so long stands still: rings end,
                                                      RING_DONE(ERROR, ETIMEDOUT); 0 off; ≤ 600000; 10000 */
};

/* How a telephone's lamp is lit: DAHDI_VMWI_LREV, _HVDC, _HVAC. The wrong voltage may harm a telephone. */
enum dshim_vmwi_lamp {
  DSHIM_LAMP_LINE_REVERSAL = 1 << 0,
  DSHIM_LAMP_HIGH_VOLTAGE_DC = 1 << 1,
  DSHIM_LAMP_NEON = 1 << 2,
};

DSHIM_API int dshim_abi_version(void);

/* A new engine without lines, NULL when memory is short. mode: enum dshim_mode. Free: dshim_destroy. */
DSHIM_API struct dshim_engine *dshim_create(int mode);

/* Before dshim_start; applies to every line. −EINVAL out of range, −EBUSY started. */
DSHIM_API int dshim_set_option(struct dshim_engine *engine, int option, int value);

/* Adds a line and returns its number. device: "/dev/dahdi/channel" (opened, then DAHDI_SPECIFY).
 * Nothing is opened here: the I/O thread opens it and tries again twice a second until it comes up. */
DSHIM_API int dshim_add_dahdi(struct dshim_engine *engine, const char *device, int channel);
DSHIM_API int dshim_add_sim(struct dshim_engine *engine);

/* What every line listens for besides digits and voices, before dshim_start; none: the default. Of two tones that
 * sound alike the one whose cadence fits better is told, else the earlier. What we send ourselves is not told.
 * −EINVAL: not as the struct has it, or more than DSHIM_PROGRESS_TONES, or of more frequencies
 * than 12; −EBUSY: started. */
DSHIM_API int dshim_progress_tones(struct dshim_engine *engine, const struct dshim_progress_tone *tones,
                                   int count);

/* Starts the I/O thread (REALTIME), or opens the lines on the next step (STEPPED). */
DSHIM_API int dshim_start(struct dshim_engine *engine);

/* Stops every ring, closes every line, joins the thread, frees all. Safe on a never-started engine. */
DSHIM_API void dshim_destroy(struct dshim_engine *engine);

/* STEPPED only: advances the virtual clock by ms (≥ 0), doing everything that falls due on the way in
 * its order; commands pushed before are carried out first, at the old time. −EINVAL when REALTIME. */
DSHIM_API int dshim_step(struct dshim_engine *engine, int ms);

/* The engine's clock (CLOCK_MONOTONIC or virtual) in ns; a double is exact to 2^53 ns, 104 days. */
DSHIM_API double dshim_now_ns(struct dshim_engine *engine);

/* A non-blocking socket: readable (one or more bytes, value 1) after events were pushed. The engine
 * keeps its end; the caller owns the returned descriptor and closes it. Call once. */
DSHIM_API int dshim_doorbell(struct dshim_engine *engine);

/* Copies up to max events, oldest first, into out; returns how many. It is the sign of life as well that
 * DSHIM_OPT_WATCHDOG_MS waits for: call it several times a second, events or not. */
DSHIM_API int dshim_drain(struct dshim_engine *engine, struct dshim_event *out, int max);

DSHIM_API int dshim_line_stats(struct dshim_engine *engine, int line, struct dshim_line_stats *out);
DSHIM_API int dshim_engine_stats(struct dshim_engine *engine, struct dshim_engine_stats *out);

/* ---- commands: > 0 sequence number, −EAGAIN command ring full, −EINVAL bad arguments ---------- */

/* Rings. on_off_ms: bursts × {on, off} in ms, on ≥ 1, off ≥ 0 (copied). repeat: times the whole list,
 * 0 for ever. max_ms: wall-clock cap, 0 none. A cadence already running is replaced without an event.
 * Done when the card has accepted the first burst: 0, −EBUSY lifted or battery still down, −ENODATA no
 * tone zone, −ENODEV line down. Then DSHIM_EV_RING_BURST…, and one DSHIM_EV_RING_DONE, at the end of
 * the last burst and not after its trailing silence. */
DSHIM_API int dshim_ring(struct dshim_engine *engine, int line, const int32_t *on_off_ms, int bursts, int repeat,
                         int max_ms);

/* ---- data: what a telephone's display is told in tones. The samples are copied into a ring of the line's own and
 *      sent in the place of the playout, which waits meanwhile. Each command that carries data ends what another
 *      sends or keeps for later. −EAGAIN: no room for them in the ring; −EINVAL none, or more than it can hold. */

enum dshim_data_flag {
  DSHIM_DATA_BEFORE_RINGING = 1 << 0,   /* else after a burst */
  DSHIM_DATA_REVERSE_POLARITY = 1 << 1, /* exchange tip and ring first, and back when the ring is over */
};

/* dshim_ring with data for the on-hook telephone. Without DSHIM_DATA_BEFORE_RINGING they are sent as burst
 * after_burst (from 0) ends, be it the last one: the ring itself changes in nothing, and RING_DONE does not wait
 * for them. What is still unsent when the next burst begins is cut off, so the samples begin and end with the
 * silences that the norm wants. With it they come first and the bell when the last sample has left the card's
 * queue; COMMAND_DONE is later by that. A lift and dshim_ring_stop end them at once. DATA_STARTED and DATA_DONE
 * carry the ring's number. */
DSHIM_API int dshim_ring_data(struct dshim_engine *engine, int line, const int32_t *on_off_ms, int bursts,
                              int repeat, int max_ms, const int16_t *samples, int count, int flags,
                              int after_burst);
/* Data without ringing, to a telephone that is lifted (1) or on-hook (0). Done when they begin: 0, or −EBUSY the
 * telephone is not so, or its bell rings or is about to. flags: DSHIM_DATA_REVERSE_POLARITY, on-hook. Then
 * DATA_STARTED and DATA_DONE; a hook that moves ends them at once. */
DSHIM_API int dshim_data_send(struct dshim_engine *engine, int line, const int16_t *samples, int count, int lifted,
                              int flags);
/* The card's own lamp voltage: messages 0 off. Done with 0, or −ENOTTY. */
DSHIM_API int dshim_message_waiting(struct dshim_engine *engine, int line, int messages);

/* Done with 0 even when nothing rings. RING_DONE(STOPPED) precedes COMMAND_DONE when something did. */
DSHIM_API int dshim_ring_stop(struct dshim_engine *engine, int line);

/* ---- playout: what a line is told. Each lane has a sample ring, and all are added up, saturating, in every
 * block. Lane 0 is the queue; lanes 1 … 3 are overlays, one sound each; lanes 4 … 7 talkers. −EINVAL: no such
 * lane.
 *
 * Announce a mark before writing the samples that it bounds: position counts all samples ever written with
 * dshim_play_write on this lane (dshim_play_position). id ≥ 1 is the caller's. begin tells PLAY_STARTED when the
 * sample at position is handed to the card, end tells PLAY_DONE when the last sample before position has left the
 * card's queue. Marks of a lane complete in order. */
DSHIM_API int dshim_play_begin(struct dshim_engine *engine, int line, int lane, int id, double position);
DSHIM_API int dshim_play_end(struct dshim_engine *engine, int line, int lane, int id, double position);
/* Copies up to count samples into the lane's ring; returns how many fitted (0: full). Not a command. */
DSHIM_API int dshim_play_write(struct dshim_engine *engine, int line, int lane, const int16_t *samples, int count);
/* Samples ever accepted by dshim_play_write. */
DSHIM_API double dshim_play_position(struct dshim_engine *engine, int line, int lane);
/* Drops everything written so far, in the ring and in the card's queue, and fades in 5 ms: an open mark completes
 * with PLAY_DONE(FLUSHED) and the samples that were heard; begins never reached give no event. While another lane
 * sounds in the card's queue, that is left alone: the end comes 40 to 120 ms later, and the other has no gap. */
DSHIM_API int dshim_play_flush(struct dshim_engine *engine, int line, int lane);
/* Takes out what was written from position on, samples and marks, before its turn: what is written next comes
 * right behind what stands before. No event tells it. Done with −EALREADY when its turn has come, −ENOSPC when
 * that was done in 8 places that are still to come. Not for talkers. */
DSHIM_API int dshim_play_skip(struct dshim_engine *engine, int line, int lane, double position);
/* Stops a lane (1) as a flush would and keeps what is in it, or lets it go on (0) with the very sample at which
 * the fade began, faded in. A flush does not end it. */
DSHIM_API int dshim_play_hold(struct dshim_engine *engine, int line, int lane, int held);
/* While the playback of that mark is heard, its lane is flushed in the block in which a key is known to go down or
 * a voice to begin (flags: enum dshim_barge; 0 no more): PLAY_DONE(BARGED_…). No echo of what we send counts. Then
 * the lane is silent, whatever is written, until dshim_play_flush. After dshim_play_begin; done with −ENOENT when
 * the mark is not known or over. */
DSHIM_API int dshim_play_barge(struct dshim_engine *engine, int line, int lane, int id, int flags);

/* Makes a lane of a talker's live audio: silence until target_ms of it wait (or have passed since the first of it
 * came), then paced by the card's clock; when it ran dry, the same again. More than max_ms waiting, and the oldest
 * go, down to target_ms; so does what stood above that for two seconds without ever being needed, because it is a
 * delay. 0 ≤ target_ms ≤ max_ms, 20 ≤ max_ms ≤ 1000; or max_ms 0: nothing is dropped, for who speaks ahead of
 * time. Where it is dropped, the buffer learns: by what was late, beyond the first two seconds, it keeps more than
 * the target, up to 160 ms and well below max_ms, and lets half of that go after each minute in which it was not
 * needed. Counts from 0. */
DSHIM_API int dshim_talk_open(struct dshim_engine *engine, int line, int lane, int target_ms, int max_ms);
/* Drops what waits, with a fade. */
DSHIM_API int dshim_talk_close(struct dshim_engine *engine, int line, int lane);

/* Since dshim_talk_open. */
struct dshim_talk_stats {
  int64_t underruns;    /* it ran dry, and went on within 500 ms: else it was a pause */
  int64_t late_samples; /* of silence in those */
  int64_t dropped_samples;
  int32_t queued_samples; /* now */
  int32_t reserved;
};
_Static_assert(sizeof(struct dshim_talk_stats) == 32, "dshim_talk_stats has no padding");
DSHIM_API int dshim_talk_stats(struct dshim_engine *engine, int line, int lane, struct dshim_talk_stats *out);

/* Puts the line on the bridge of that number (≥ 1), or on none (0): what each line on it hears while it is lifted,
 * after DSHIM_OPT_RX_GAIN_CDB, is added to what the others are sent, block by block; no line is sent its own. Two
 * cards' clocks are made one by leaving out or repeating a block of 20 ms, with a fade, when it must be: counted
 * in dshim_line_stats.bridge_slips. −ENOSPC: DSHIM_BRIDGE_LINES are on it. */
DSHIM_API int dshim_bridge(struct dshim_engine *engine, int line, int number);

/* ---- the tap: what a line hears and is sent, for recordings and live audio. One reader; blocks are made while
 * the telephone is lifted, and wait in a ring of DSHIM_TAP_BLOCKS. Where it is full the newest are lost, which
 * their numbers and dshim_line_stats.tap_lost_blocks show. */

/* Opens it, or says anew how often TAP_BLOCKS is to tell: every told_every blocks, 1 … DSHIM_TAP_BLOCKS / 2, and
 * before ON_HOOK and LINE_DOWN what was not told yet. Events that a block gave rise to (a digit, a voice) are told
 * before the TAP_BLOCKS that counts it: who reads just so many blocks knows all that was heard in them. A tap that
 * is open keeps its number. */
DSHIM_API int dshim_tap_open(struct dshim_engine *engine, int line, int told_every);
/* When that is done no more blocks are made; those that wait may be read, or left for the next tap's reader, who
 * knows them by their number. */
DSHIM_API int dshim_tap_close(struct dshim_engine *engine, int line);
/* Copies up to max blocks, oldest first; returns how many. Not a command. */
DSHIM_API int dshim_tap_read(struct dshim_engine *engine, int line, struct dshim_tap_block *out, int max);

/* Drops (1) or restores (0) battery on the loop: the server's way to hang up on a lifted telephone. */
DSHIM_API int dshim_battery_drop(struct dshim_engine *engine, int line, int dropped);

/* Renders count samples of a sum of up to 4 sines (Hz), each at level_cdbm0, from sample start of an
 * endless tone: consecutive calls join without a click. No engine, no state. Returns count. */
DSHIM_API int dshim_tone_render(const double *frequencies_hz, int tones, int level_cdbm0, double start,
                                int16_t *out, int count);

/* ---- simulated telephones: as commands above; done when the telephone has done it.
 *      A telephone does its actions one after another. −ENOTTY on a real line. ------------------- */

/* Lifting takes effect at once; hanging up is done when the loop has been open for too long to be a flash. */
DSHIM_API int dshim_sim_hook(struct dshim_engine *engine, int line, int lifted);
DSHIM_API int dshim_sim_flash(struct dshim_engine *engine, int line, int duration_ms);
/* digits: 1 … DSHIM_MAX_KEYS of 0-9 * # A-D. level: of each tone, as Q.24 counts; twist: high group over
 * low group, half of it on each side of level. Done when the last tone and its pause were sent. */
DSHIM_API int dshim_sim_press(struct dshim_engine *engine, int line, const char *digits, int on_ms, int off_ms,
                              int level_cdbm0, int twist_cdb);
/* Rotary dial: digits of 0-9; each pulse is a break and a make of 1 … 1000 ms. */
DSHIM_API int dshim_sim_pulse(struct dshim_engine *engine, int line, const char *digits, int break_ms,
                              int make_ms);
/* Speech into the microphone: write samples (returns how many fitted), then end (a command, done when
 * all of it was said). */
DSHIM_API int dshim_sim_mic_write(struct dshim_engine *engine, int line, const int16_t *samples, int count);
DSHIM_API int dshim_sim_mic_end(struct dshim_engine *engine, int line);
DSHIM_API int dshim_sim_voltage(struct dshim_engine *engine, int line, int voltage_mv);
DSHIM_API int dshim_sim_plug(struct dshim_engine *engine, int line, int plugged);
/* Copies the newest count samples (≤ DSHIM_EAR_RING_SAMPLES) that the ear heard, oldest first; returns
 * how many there were. May be called while the telephone hears. */
DSHIM_API int dshim_sim_ear(struct dshim_engine *engine, int line, int16_t *out, int count);
DSHIM_API int dshim_sim_state(struct dshim_engine *engine, int line, struct dshim_sim_state *out);

/* ---- looking without touching: for the doctor; needs no engine --------------------------------- */

/* Opens device ("/dev/dahdi/channel") and its neighbours "ctl" and "pseudo", asks, closes. The channel itself
 * is never opened, so that one in use is not disturbed, and one that is not gets no hang-up. 0, or −EINVAL,
 * −ENAMETOOLONG for arguments; whatever the driver refuses stands in *out. Any thread. */
DSHIM_API int dshim_probe(const char *device, int channel, struct dshim_probe *out);

/* ---- the process: things that Bun has no call for --------------------------------------------- */

/* sd_notify(3) without libsystemd: sends text to $NOTIFY_SOCKET. 0 when there is none. */
DSHIM_API int dshim_sd_notify(const char *text);

/* Keeps the last `reserve` descriptors that the process may have (RLIMIT_NOFILE) for what is no client: a card
 * that comes back, a file. The kernel gives the lowest number that is free, so whoever has one of those came when
 * all others were taken:
 *
 *   0 ……… served ……… | crowded: `reserve` of them | `reserve` of them  | end
 *                      who was silent so far goes   clients are refused
 *
 * A client is a TCP connection to port_a or port_b. In a crowd the ones go that have not sent a byte in the
 * silent_ms since they came. What goes is shut down, and closed by its owner, who reads its end. Returns how many;
 * −EINVAL. */
DSHIM_API int dshim_refuse_clients(int port_a, int port_b, int reserve, int silent_ms);

#endif
