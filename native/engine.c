#include "engine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S         1000000000LL
#define LONGEST_SLEEP_NS NS_PER_S

int64_t engine_now_ns(const struct dshim_engine *engine) {
  if (engine->mode == DSHIM_STEPPED) return engine->virtual_now_ns;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* One byte for any number of events: the caller drains all when it wakes. */
static void ring_doorbell(struct dshim_engine *engine) {
  if (engine->doorbell_fd < 0 || atomic_exchange(&engine->doorbell_rung, true)) return;
  const uint8_t one = 1;
  /* A full socket wakes the caller as well as one byte more would. */
  while (write(engine->doorbell_fd, &one, 1) < 0 && errno == EINTR) continue;
}

void engine_push(struct dshim_engine *engine, const struct dshim_event *event) {
  if (spsc_writable(&engine->event_ring, DSHIM_EVENT_RING) == 0) {
    atomic_fetch_add_explicit(&engine->events_lost, 1, memory_order_relaxed);
    return;
  }
  struct dshim_event *place = &engine->events[spsc_write_position(&engine->event_ring) & (DSHIM_EVENT_RING - 1)];
  *place = *event;
  place->told_ns = engine_now_ns(engine);
  spsc_publish(&engine->event_ring, 1);
  atomic_fetch_add_explicit(&engine->events_pushed, 1, memory_order_relaxed);
  ring_doorbell(engine);
}

static int sim_command(struct line *line, const struct command *command, int64_t now_ns) {
  struct chan_sim *sim = line->sim;
  if (!sim) return -ENOTTY;
  switch (command->kind) {
  case CMD_SIM_HOOK:
    if (command->value == 0) chan_sim_hang_up(sim, now_ns, command->sequence);
    else chan_sim_lift(sim, now_ns);
    /* Whoever moved it is answered after all that came of it. */
    line_service(line, now_ns);
    return command->value == 0 ? LINE_PENDING : 0;
  case CMD_SIM_VOLTAGE:
    chan_sim_voltage(sim, command->value);
    return 0;
  case CMD_SIM_PLUG:
    chan_sim_plug(sim, now_ns, command->value != 0);
    line->reopen_ns = now_ns; /* the driver would find it at once, too */
    line_service(line, now_ns);
    return 0;
  default: {
    struct sim_action action = command->action;
    action.sequence = command->sequence;
    int result = chan_sim_act(sim, &action);
    return result < 0 ? result : LINE_PENDING;
  }
  }
}

static int carry_out(struct dshim_engine *engine, const struct command *command, int64_t now_ns) {
  struct line *line = engine->lines[command->line];
  switch (command->kind) {
  case CMD_RING:
    return line_ring(line, now_ns, &command->cadence, &command->data, command->sequence);
  case CMD_RING_STOP:
    return line_ring_stop(line, now_ns);
  case CMD_PLAY_MARK:
    return playout_mark(&line->lanes.lane[command->lane], command->value, command->begin, command->position);
  case CMD_PLAY_FLUSH:
    return line_play_flush(line, now_ns, command->lane, command->position);
  case CMD_PLAY_SKIP:
    return playout_skip(&line->lanes.lane[command->lane], command->position, command->until);
  case CMD_PLAY_HOLD:
    return line_play_hold(line, now_ns, command->lane, command->value != 0);
  case CMD_PLAY_BARGE:
    return playout_barge_on(&line->lanes.lane[command->lane], command->value, command->flags);
  case CMD_TALK:
    return line_talk(line, now_ns, command->lane, command->position, command->target, command->max);
  case CMD_BRIDGE:
    return line_bridge(line, command->value);
  case CMD_BATTERY_DROP:
    return line_battery_drop(line, now_ns, command->value != 0);
  case CMD_DATA_SEND:
    return line_data_send(line, now_ns, &command->data, command->value != 0, command->sequence);
  case CMD_MESSAGE_WAITING:
    return line->up ? line->chan->ops->vmwi(line->chan, now_ns, command->value) : -ENODEV;
  case CMD_TAP:
    line_tap_set(&line->tap, command->sequence, command->value);
    return 0;
  default:
    return sim_command(line, command, now_ns);
  }
}

static void take_commands(struct dshim_engine *engine, int64_t now_ns) {
  while (spsc_readable(&engine->command_ring) > 0) {
    const struct command *command =
        &engine->commands[spsc_read_position(&engine->command_ring) & (ENGINE_COMMANDS - 1)];
    int result = carry_out(engine, command, now_ns);
    if (result != LINE_PENDING) {
      line_command_done(engine->lines[command->line], now_ns, command->sequence, result);
    }
    spsc_release(&engine->command_ring, 1);
  }
}

/* A telephone must not ring on for somebody who cannot stop it. What is played runs dry by itself; who talks over
 * a bridge is not interrupted. */
static void mind_the_caller(struct dshim_engine *engine, int64_t now_ns) {
  if (!watchdog_look(&engine->watchdog, now_ns)) return;
  for (int i = 0; i < engine->line_count; i++) line_ring_abandon(engine->lines[i], now_ns);
}

void engine_service(struct dshim_engine *engine, int64_t now_ns) {
  take_commands(engine, now_ns);
  mind_the_caller(engine, now_ns);
  for (int i = 0; i < engine->line_count; i++) line_service(engine->lines[i], now_ns);
}

int64_t engine_deadline(const struct dshim_engine *engine) {
  int64_t deadline = watchdog_deadline(&engine->watchdog);
  for (int i = 0; i < engine->line_count; i++) {
    int64_t line = line_deadline(engine->lines[i]);
    if (line < deadline) deadline = line;
  }
  return deadline;
}

void engine_close_lines(struct dshim_engine *engine) {
  for (int i = 0; i < engine->line_count; i++) line_close(engine->lines[i]);
}

/* Descriptors to wait for: the command eventfd first, then every line that has one. */
static nfds_t gather(struct dshim_engine *engine, struct pollfd *fds) {
  nfds_t count = 0;
  fds[count++] = (struct pollfd){.fd = engine->wake_fd, .events = POLLIN};
  for (int i = 0; i < engine->line_count; i++) {
    struct line *line = engine->lines[i];
    int fd = line->up ? line->chan->ops->fd(line->chan) : -1;
    if (fd >= 0) fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN | POLLPRI};
  }
  return count;
}

static void note_lateness(struct dshim_engine *engine, int64_t late_ns) {
  if (late_ns > atomic_load_explicit(&engine->max_wake_late_ns, memory_order_relaxed)) {
    atomic_store_explicit(&engine->max_wake_late_ns, late_ns, memory_order_relaxed);
  }
}

void *engine_thread(void *argument) {
  struct dshim_engine *engine = argument;
  prctl(PR_SET_NAME, "dahdi-io");
  prctl(PR_SET_TIMERSLACK, 1UL);
  struct pollfd fds[1 + DSHIM_MAX_LINES];
  while (!atomic_load_explicit(&engine->stop, memory_order_acquire)) {
    engine_service(engine, engine_now_ns(engine));
    int64_t deadline = engine_deadline(engine);
    int64_t now_ns = engine_now_ns(engine);
    int64_t sleep_ns = deadline > now_ns ? deadline - now_ns : 0;
    if (sleep_ns > LONGEST_SLEEP_NS) sleep_ns = LONGEST_SLEEP_NS;
    struct timespec timeout = {.tv_sec = sleep_ns / NS_PER_S, .tv_nsec = sleep_ns % NS_PER_S};
    nfds_t count = gather(engine, fds);
    int ready = ppoll(fds, count, &timeout, NULL);
    atomic_fetch_add_explicit(&engine->wakeups, 1, memory_order_relaxed);
    if (ready == 0 && sleep_ns < LONGEST_SLEEP_NS) note_lateness(engine, engine_now_ns(engine) - deadline);
    if (ready > 0 && (fds[0].revents & POLLIN) != 0) {
      uint64_t commands;
      while (read(engine->wake_fd, &commands, sizeof(commands)) < 0 && errno == EINTR) continue;
    }
  }
  engine_close_lines(engine);
  return NULL;
}
