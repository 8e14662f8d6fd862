/*
 * ws_readers.c — well-behaved clients of the event WebSocket, as many as one likes in one thread.
 *
 *   ws_readers ws://HOST:PORT/PATH?QUERY CLIENTS
 *
 * Prints "ready" once all are upgraded. When its standard input says an id or ends, it waits until each has that
 * one (for 45 s: what never comes is lost), reads what has come, and prints one line of JSON: {"clients", "clock",
 * "frames", "lost", "duplicates", "disordered", "closed", "wrong", "early", "p50Ms", "p99Ms", "maxMs", "ids"}.
 * `wrong` counts the clients that lost, or got twice, or in another order, what any other one got, or were closed;
 * `ids` is all that anybody got.
 *
 * Every text frame must hold "id":"N" and "stamp_ns":N, CLOCK_MONOTONIC when what it tells happened. It is late by
 * the time from there to its last byte's arrival at its client's socket, as the kernel says (SO_TIMESTAMPNS): what
 * the server and the network answer for, and not how busy this program is. Where one read brings two frames, both
 * arrived with the second: never better than it was. `clock` says "kernel", or "recv" where the kernel gives no
 * stamps, or "mixed".
 *
 * Several clients rest REST_MS after they have read: on one machine the sender pays for waking a reader, up to a
 * third of what a frame costs it, and a real crowd is woken elsewhere.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ws_ledger.h"
#include "ws_socket.h"

enum { MOST_CLIENTS = 20000, EVENTS = 256, LOOK_MS = 10, REST_MS = 10, PATIENCE_MS = 45000 };

static struct ledger ledger;
static struct client *clients;
static uint64_t stamped_by_kernel;
static uint64_t closed;

static void leave(struct client *client) {
  close(client->fd);
  client->fd = -1;
  closed++;
}

/* The number behind these words. */
static int64_t number_after(const uint8_t *text, size_t bytes, const char *words) {
  const uint8_t *found = memmem(text, bytes, words, strlen(words));
  const uint8_t *end = text + bytes;
  const uint8_t *digit = found ? found + strlen(words) : end;
  if (digit == end || *digit < '0' || *digit > '9') die("a frame without %s: %.*s", words, (int)bytes, text);
  int64_t number = 0;
  for (int digits = 0; digit < end && *digit >= '0' && *digit <= '9' && digits < 18; digit++, digits++)
    number = 10 * number + (*digit - '0');
  return number;
}

/* Its whole length; 0: it has not come whole. */
static size_t take_frame(struct client *client, const uint8_t *frame, size_t held, struct arrival arrival) {
  if (held < 2) return 0;
  size_t head = 2;
  size_t bytes = frame[1] & 0x7f;
  if (frame[1] & 0x80) die("a masked frame from a server");
  if (bytes == 127) die("a frame with a 64-bit length");
  if (bytes == 126) {
    head = 4;
    if (held < head) return 0;
    bytes = (size_t)(frame[2] << 8 | frame[3]);
  }
  if (held < head + bytes) return 0;
  const uint8_t *payload = frame + head;
  int first = frame[0];
  if (!(first & 0x80) || first & 0x70) die("a frame that is a part, or extended: 0x%02x", first);
  if (first & 0x08 && bytes > 125) die("a control frame of %zu bytes", bytes);
  switch (first & 0x0f) {
  case TEXT: {
    int64_t id = number_after(payload, bytes, "\"id\":\"");
    int64_t stamp_ns = number_after(payload, bytes, "\"stamp_ns\":");
    ledger_see(&ledger, (size_t)(client - clients), id, arrival.at_ns - stamp_ns);
    stamped_by_kernel += arrival.by_kernel;
    break;
  }
  case PING:
    socket_send_control(client, PONG, payload, bytes);
    break;
  case PONG:
    break;
  case CLOSE:
    socket_send_control(client, CLOSE, payload, bytes < 2 ? 0 : 2);
    leave(client);
    break;
  default:
    die("a frame of a kind that is not expected: 0x%02x", first);
  }
  return head + bytes;
}

static void take_frames(struct client *client, struct arrival arrival) {
  size_t taken = 0;
  while (client->fd >= 0) {
    size_t length = take_frame(client, client->bytes + taken, client->held - taken, arrival);
    if (length == 0) break;
    taken += length;
  }
  client->held -= taken;
  if (client->held > 0 && taken > 0) memmove(client->bytes, client->bytes + taken, client->held);
}

static void read_on(struct client *client) {
  struct arrival arrival;
  ssize_t bytes = socket_receive(client, &arrival);
  if (bytes > 0) take_frames(client, arrival);
  else if (bytes != -EAGAIN && bytes != -EINTR) leave(client);
}

static bool all_have(int64_t id) {
  for (size_t i = 0; i < ledger.client_count; i++)
    if (clients[i].fd >= 0 && ledger.clients[i].last_id < id) return false;
  return true;
}

/* The standard input's id; 0: it says none. */
static int64_t awaited_id(void) {
  char text[32] = "";
  return read(STDIN_FILENO, text, sizeof text - 1) > 0 ? strtoll(text, NULL, 10) : 0;
}

/* Until the standard input speaks, then until all have that id, and then as long as there is something left to
 * read. */
static void read_all(int epoll) {
  struct epoll_event events[EVENTS];
  int64_t last_id = 0;
  int waited_ms = 0;
  for (bool ending = false;;) {
    bool waits = ending && waited_ms < PATIENCE_MS && !all_have(last_id);
    int count = epoll_wait(epoll, events, EVENTS, waits ? LOOK_MS : ending ? 0 : -1);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) die("epoll_wait: %s", strerror(errno));
    if (count == 0 && !waits) return;
    if (count == 0) waited_ms += LOOK_MS;
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr) read_on(events[i].data.ptr);
      else {
        ending = true;
        last_id = awaited_id();
        epoll_ctl(epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
      }
    }
    if (ledger.client_count > 1 && count < EVENTS)
      nanosleep(&(struct timespec){.tv_nsec = REST_MS * 1000000L}, NULL);
  }
}

static void print_seen(size_t count) {
  uint64_t lost = 0, duplicates = 0, disordered = 0, wrong = 0;
  ledger_end(&ledger);
  for (size_t i = 0; i < count; i++) {
    const struct ledger_client *client = &ledger.clients[i];
    lost += client->lost;
    duplicates += client->duplicates;
    disordered += client->disordered;
    wrong += client->lost + client->duplicates + client->disordered > 0 || clients[i].fd < 0;
  }
  const char *clock = stamped_by_kernel == ledger.frames ? "kernel" : stamped_by_kernel == 0 ? "recv" : "mixed";
  printf("{\"clients\":%zu,\"clock\":\"%s\",\"frames\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"duplicates\":%" PRIu64
         ",\"disordered\":%" PRIu64 ",",
         count, clock, ledger.frames, lost, duplicates, disordered);
  printf("\"closed\":%" PRIu64 ",\"wrong\":%" PRIu64 ",\"early\":%" PRIu64
         ",\"p50Ms\":%.2f,\"p99Ms\":%.2f,\"maxMs\":%.3f,\"ids\":[",
         closed, wrong, ledger.early, (double)ledger_late_ns(&ledger, 0.5) / 1e6,
         (double)ledger_late_ns(&ledger, 0.99) / 1e6, (double)ledger.worst_ns / 1e6);
  for (size_t i = 0; i < ledger.count; i++) printf("%s%" PRId64, i ? "," : "", ledger.ids[i]);
  printf("]}\n");
}

int main(int argc, char **argv) {
  long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
  if (count < 1 || count > MOST_CLIENTS) die("ws_readers ws://HOST:PORT/PATH CLIENTS, up to %d", MOST_CLIENTS);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  ledger_init(&ledger, (size_t)count);
  clients = calloc((size_t)count, sizeof *clients); /* a page or two of each is ever touched */
  if (!clients) die("no memory for %ld clients", count);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event input = {.events = EPOLLIN};
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) < 0)
    die("the standard input must be a pipe: %s", strerror(errno));
  socket_await_stamps();
  struct address *address = address_parse(argv[1]);
  for (long i = 0; i < count; i++) {
    take_frames(&clients[i], socket_open(&clients[i], address));
    struct epoll_event readable = {.events = EPOLLIN, .data.ptr = &clients[i]};
    if (clients[i].fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &readable) < 0)
      die("epoll_ctl: %s", strerror(errno));
  }
  address_free(address);
  puts("ready");
  fflush(stdout);
  read_all(epoll);
  for (long i = 0; i < count; i++)
    if (clients[i].fd >= 0) socket_send_control(&clients[i], CLOSE, (const uint8_t[]){0x03, 0xe8}, 2); /* 1000 */
  print_seen((size_t)count);
  return 0;
}
