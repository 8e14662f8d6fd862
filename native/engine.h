/*
 * engine.h — the loop behind dahdi_shim.h. One service of all lines is the same code in both modes; REALTIME
 * runs it on a thread that sleeps in ppoll until the next deadline, STEPPED on a virtual clock that jumps there.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "chan_dahdi.h"
#include "chan_ops.h"
#include "chan_sim.h"
#include "dahdi_shim.h"
#include "line.h"
#include "spsc_ring.h"
#include "watchdog.h"

#define ENGINE_COMMANDS 256 /* a power of two */

enum command_kind {
  CMD_RING = 1,
  CMD_RING_STOP,
  CMD_PLAY_MARK,
  CMD_PLAY_FLUSH,
  CMD_PLAY_SKIP,
  CMD_PLAY_HOLD,
  CMD_PLAY_BARGE,
  CMD_TALK,
  CMD_BRIDGE,
  CMD_BATTERY_DROP,
  CMD_DATA_SEND,
  CMD_MESSAGE_WAITING,
  CMD_TAP,
  CMD_SIM_HOOK,
  CMD_SIM_ACTION,
  CMD_SIM_VOLTAGE,
  CMD_SIM_PLUG,
};

struct command {
  uint32_t kind;
  int32_t line;
  uint32_t sequence;
  int32_t value;
  int32_t lane;
  bool begin;
  int32_t flags;
  int32_t target, max; /* samples */
  uint64_t position, until;
  struct data_span data; /* of CMD_RING and CMD_DATA_SEND */
  union {
    struct ring_cadence cadence;
    struct sim_action action;
  };
};

struct dshim_engine {
  int32_t mode;
  bool started;
  struct chan_settings settings;
  struct dsp_progress_plan progress_plan; /* never changed once started */
  int32_t watchdog_ms;
  struct watchdog watchdog;
  struct line *lines[DSHIM_MAX_LINES];
  int32_t line_count;
  int64_t virtual_now_ns;

  struct spsc_ring command_ring; /* caller → I/O thread */
  struct command commands[ENGINE_COMMANDS];
  uint32_t next_sequence;
  int wake_fd; /* eventfd: a command waits */

  struct spsc_ring event_ring; /* I/O thread → caller */
  struct dshim_event events[DSHIM_EVENT_RING];
  int doorbell_fd;            /* our end */
  int doorbell_caller_fd;     /* the caller's, −1 once it was taken */
  _Atomic bool doorbell_rung; /* a byte is on its way that nobody has drained for */

  pthread_t thread;
  _Atomic bool stop;
  _Atomic int64_t events_pushed, events_lost, wakeups, max_wake_late_ns;
  int32_t realtime_error;
  bool memory_locked;
};

int64_t engine_now_ns(const struct dshim_engine *engine);
/* The line of that number, or NULL. */
struct line *engine_line(struct dshim_engine *engine, int line);
/* From the caller's thread: a sequence number > 0, −EAGAIN, −EINVAL. */
int engine_submit(struct dshim_engine *engine, int line, const struct command *command);
void engine_push(struct dshim_engine *engine, const struct dshim_event *event);
/* Commands, then every line: all that is due at now_ns. */
void engine_service(struct dshim_engine *engine, int64_t now_ns);
/* When something is due next, whatever the descriptors say. */
int64_t engine_deadline(const struct dshim_engine *engine);
void *engine_thread(void *engine);
void engine_close_lines(struct dshim_engine *engine);

#endif
