/* libdahdi_shim.c — the calls of dahdi_shim.h: checks arguments, makes commands, hands out snapshots. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dahdi_shim.h"
#include "dsp_level.h"
#include "engine.h"

#define REALTIME_PRIORITY 10 /* above every normal task, below the kernel's own threads (50) */

int dshim_abi_version(void) { return DSHIM_ABI_VERSION; }

/* Zeroed, on a page of its own. Rings of megabytes are not written at the start: lock_memory makes them real. */
static void *map_zeroed(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

struct dshim_engine *dshim_create(int mode) {
  struct dshim_engine *engine = map_zeroed(sizeof(*engine));
  if (!engine) return NULL;
  engine->mode = mode;
  engine->virtual_now_ns = DSHIM_STEPPED_EPOCH_NS;
  engine->settings = (struct chan_settings){.flash_max_ms = 800,
                                            .echo_cancel_taps = 128,
                                            .buffers = 32,
                                            .sim_echo_cdb = 2400,
                                            .sim_noise_cdbm0 = -6500,
                                            .sim_companding = G711_ULAW};
  engine->watchdog_ms = 10000;
  engine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int pair[2] = {-1, -1};
  if (engine->wake_fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
    if (engine->wake_fd >= 0) close(engine->wake_fd);
    munmap(engine, sizeof(*engine));
    return NULL;
  }
  engine->doorbell_fd = pair[0];
  engine->doorbell_caller_fd = pair[1];
  return engine;
}

int dshim_set_option(struct dshim_engine *engine, int option, int value) {
  if (engine->started) return -EBUSY;
  struct chan_settings *settings = &engine->settings;
  const struct {
    int32_t *place;
    int low, high;
  } options[] = {
      [DSHIM_OPT_FLASH_MAX_MS] = {&settings->flash_max_ms, 201, 1500},
      [DSHIM_OPT_ECHO_CANCEL] = {&settings->echo_cancel_taps, 0, 1024},
      [DSHIM_OPT_RX_GAIN_CDB] = {&settings->rx_gain_cdb, -2400, 2400},
      [DSHIM_OPT_TX_GAIN_CDB] = {&settings->tx_gain_cdb, -2400, 2400},
      [DSHIM_OPT_BUFFERS] = {&settings->buffers, 8, 32},
      [DSHIM_OPT_SIM_ECHO_CDB] = {&settings->sim_echo_cdb, 0, 9000},
      [DSHIM_OPT_SIM_NOISE_CDBM0] = {&settings->sim_noise_cdbm0, -12000, 0},
      [DSHIM_OPT_SIM_COMPANDING] = {&settings->sim_companding, G711_NONE, G711_ALAW},
      [DSHIM_OPT_VMWI_LAMPS] = {&settings->vmwi_lamps, 0, 7},
      [DSHIM_OPT_DTMF_EXPLAIN] = {&settings->dtmf_explain, 0, 1},
      [DSHIM_OPT_WATCHDOG_MS] = {&engine->watchdog_ms, 0, 600000},
  };
  if (option < 1 || option >= (int)(sizeof(options) / sizeof(options[0]))) return -EINVAL;
  if (value < options[option].low || value > options[option].high) return -EINVAL;
  *options[option].place = value;
  return 0;
}

int dshim_progress_tones(struct dshim_engine *engine, const struct dshim_progress_tone *tones, int count) {
  if (engine->started) return -EBUSY;
  struct dsp_progress_plan plan;
  int result = dsp_progress_plan(&plan, tones, count);
  if (result == 0) engine->progress_plan = plan;
  return result;
}

static int add_line(struct dshim_engine *engine, struct chan *chan, struct chan_sim *sim) {
  struct line *line = map_zeroed(sizeof(*line));
  if (!line) return -ENOMEM;
  line->engine = engine;
  line->index = engine->line_count;
  line->chan = chan;
  line->sim = sim;
  lanes_init(&line->lanes);
  bridge_init(&line->bridge);
  dsp_dtmf_init(&line->dtmf);
  dsp_dtmf_init(&line->sent_dtmf);
  dsp_vad_init(&line->vad);
  dsp_progress_reset(&line->progress);
  line->stats.level_cdbm0 = DSP_SILENCE_CDBM0;
  line->stats.noise_cdbm0 = DSP_SILENCE_CDBM0;
  line_publish(line);
  engine->lines[engine->line_count] = line;
  return engine->line_count++;
}

int dshim_add_dahdi(struct dshim_engine *engine, const char *device, int channel) {
  if (engine->started) return -EBUSY;
  if (engine->line_count == DSHIM_MAX_LINES) return -ENOSPC;
  struct chan_dahdi *dahdi = calloc(1, sizeof(*dahdi));
  if (!dahdi) return -ENOMEM;
  int result = chan_dahdi_init(dahdi, device, channel);
  if (result == 0) result = add_line(engine, &dahdi->chan, NULL);
  if (result < 0) free(dahdi);
  return result;
}

int dshim_add_sim(struct dshim_engine *engine) {
  if (engine->started) return -EBUSY;
  if (engine->line_count == DSHIM_MAX_LINES) return -ENOSPC;
  struct chan_sim *sim = aligned_alloc(SPSC_CACHE_LINE, (sizeof(*sim) + 63) & ~(size_t)63);
  struct sim_ear *ear = calloc(1, sizeof(*ear)); /* apart: never locked, touched only as far as it is heard */
  if (!sim || !ear) {
    free(sim);
    free(ear);
    return -ENOMEM;
  }
  memset(sim, 0, sizeof(*sim));
  chan_sim_init(sim, ear, 0x9E3779B9U * (uint32_t)(engine->line_count + 1));
  int result = add_line(engine, &sim->chan, sim);
  if (result < 0) {
    free(ear);
    free(sim);
  }
  return result;
}

/* Only our own memory: mlockall would pin gigabytes of the JavaScript engine's reservations. */
static bool lock_memory(struct dshim_engine *engine) {
  bool locked = mlock(engine, sizeof(*engine)) == 0;
  for (int i = 0; i < engine->line_count; i++) {
    locked = mlock(engine->lines[i], sizeof(*engine->lines[i])) == 0 && locked;
  }
  return locked;
}

int dshim_start(struct dshim_engine *engine) {
  if (engine->started) return -EBUSY;
  engine->started = true;
  watchdog_start(&engine->watchdog, engine->watchdog_ms, engine_now_ns(engine));
  if (engine->mode == DSHIM_STEPPED) return 0;
  engine->memory_locked = lock_memory(engine);
  /* Signals belong to the caller's threads: a new thread inherits the mask. */
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int result = pthread_create(&engine->thread, NULL, engine_thread, engine);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (result != 0) {
    engine->started = false;
    return -result;
  }
  struct sched_param priority = {.sched_priority = REALTIME_PRIORITY};
  engine->realtime_error = pthread_setschedparam(engine->thread, SCHED_FIFO, &priority);
  return 0;
}

static void wake(struct dshim_engine *engine) {
  const uint64_t one = 1;
  while (write(engine->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR) continue;
}

void dshim_destroy(struct dshim_engine *engine) {
  if (!engine) return;
  if (engine->started && engine->mode == DSHIM_REALTIME) {
    atomic_store_explicit(&engine->stop, true, memory_order_release);
    wake(engine);
    pthread_join(engine->thread, NULL);
  } else {
    engine_close_lines(engine);
  }
  for (int i = 0; i < engine->line_count; i++) {
    struct line *line = engine->lines[i];
    if (line->sim) free(line->sim->phone.ear);
    free(line->chan); /* the channel is its implementation's first member */
    munmap(line, sizeof(*line));
  }
  close(engine->wake_fd);
  close(engine->doorbell_fd);
  if (engine->doorbell_caller_fd >= 0) close(engine->doorbell_caller_fd);
  munmap(engine, sizeof(*engine));
}

int dshim_step(struct dshim_engine *engine, int ms) {
  if (engine->mode != DSHIM_STEPPED || !engine->started || ms < 0) return -EINVAL;
  int64_t target_ns = engine->virtual_now_ns + ms * 1000000LL;
  engine_service(engine, engine->virtual_now_ns);
  for (int64_t next; (next = engine_deadline(engine)) <= target_ns;) {
    if (next > engine->virtual_now_ns) engine->virtual_now_ns = next;
    engine_service(engine, engine->virtual_now_ns);
  }
  engine->virtual_now_ns = target_ns;
  return 0;
}

double dshim_now_ns(struct dshim_engine *engine) { return (double)engine_now_ns(engine); }

int dshim_doorbell(struct dshim_engine *engine) {
  int fd = engine->doorbell_caller_fd;
  if (fd < 0) return -EBUSY;
  engine->doorbell_caller_fd = -1;
  return fd;
}

int dshim_drain(struct dshim_engine *engine, struct dshim_event *out, int max) {
  watchdog_alive(&engine->watchdog);
  /* Cleared first: what is pushed while we copy rings again. */
  atomic_store(&engine->doorbell_rung, false);
  int count = 0;
  while (count < max && spsc_readable(&engine->event_ring) > 0) {
    out[count++] = engine->events[spsc_read_position(&engine->event_ring) & (DSHIM_EVENT_RING - 1)];
    spsc_release(&engine->event_ring, 1);
  }
  return count;
}

struct line *engine_line(struct dshim_engine *engine, int line) {
  return line >= 0 && line < engine->line_count ? engine->lines[line] : NULL;
}

int dshim_line_stats(struct dshim_engine *engine, int line, struct dshim_line_stats *out) {
  struct line *found = engine_line(engine, line);
  if (!found) return -EINVAL;
  line_snapshot(found, out);
  return 0;
}

int dshim_engine_stats(struct dshim_engine *engine, struct dshim_engine_stats *out) {
  *out = (struct dshim_engine_stats){
      .events_pushed = atomic_load_explicit(&engine->events_pushed, memory_order_relaxed),
      .events_lost = atomic_load_explicit(&engine->events_lost, memory_order_relaxed),
      .wakeups = atomic_load_explicit(&engine->wakeups, memory_order_relaxed),
      .max_wake_late_ns = atomic_load_explicit(&engine->max_wake_late_ns, memory_order_relaxed),
      .watchdog_trips = atomic_load_explicit(&engine->watchdog.trips, memory_order_relaxed),
      .realtime = engine->started && engine->mode == DSHIM_REALTIME && engine->realtime_error == 0,
      .realtime_error = engine->realtime_error,
      .memory_locked = engine->memory_locked,
      .lines = engine->line_count,
  };
  return 0;
}

/* ---- commands ------------------------------------------------------------------------------- */

int engine_submit(struct dshim_engine *engine, int line, const struct command *command) {
  if (!engine_line(engine, line)) return -EINVAL;
  if (spsc_writable(&engine->command_ring, ENGINE_COMMANDS) == 0) return -EAGAIN;
  /* Positive as an int, for ever. */
  engine->next_sequence = engine->next_sequence % INT32_MAX + 1;
  struct command *place = &engine->commands[spsc_write_position(&engine->command_ring) & (ENGINE_COMMANDS - 1)];
  *place = *command;
  place->line = line;
  place->sequence = engine->next_sequence;
  spsc_publish(&engine->command_ring, 1);
  if (engine->mode == DSHIM_REALTIME) wake(engine);
  return (int)engine->next_sequence;
}

int dshim_battery_drop(struct dshim_engine *engine, int line, int dropped) {
  return engine_submit(engine, line, &(struct command){.kind = CMD_BATTERY_DROP, .value = dropped});
}

int dshim_tone_render(const double *frequencies_hz, int tones, int level_cdbm0, double start, int16_t *out,
                      int count) {
  if (tones < 1 || tones > DSP_TONE_MAX || count < 0) return -EINVAL;
  double amplitudes[DSP_TONE_MAX];
  for (int t = 0; t < tones; t++) {
    if (!(frequencies_hz[t] > 0.0) || !(frequencies_hz[t] < DSHIM_SAMPLE_RATE_HZ / 2.0)) return -EINVAL;
    amplitudes[t] = dsp_tone_amplitude(level_cdbm0);
  }
  dsp_tone_render(frequencies_hz, amplitudes, tones, start, out, count);
  return count;
}
