#include "ws_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HANDSHAKE_S = 10 };

struct address {
  char host[128], port[8], path[512];
  struct addrinfo *found;
};

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("ws_readers: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static int64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The kernel stamps by the clock that may be set, events carry the one that may not: what lies between them now. A
 * thread that was put aside between the two readings reads again, or the difference would be off by as long. */
static int64_t realtime_ahead_ns(void) {
  enum { TOGETHER_NS = 5000, TRIES = 100 };
  for (int i = 0; i < TRIES; i++) {
    int64_t before_ns = clock_ns(CLOCK_MONOTONIC);
    int64_t real_ns = clock_ns(CLOCK_REALTIME);
    if (clock_ns(CLOCK_MONOTONIC) - before_ns < TOGETHER_NS) return real_ns - before_ns;
  }
  die("this machine's clocks are too slow to read");
}

ssize_t socket_receive(struct client *client, struct arrival *arrival) {
  struct iovec room = {client->bytes + client->held, sizeof client->bytes - client->held};
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
  struct msghdr message = {
      .msg_iov = &room, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t bytes = recvmsg(client->fd, &message, 0);
  if (bytes < 0) return -errno;
  client->held += (size_t)bytes;
  arrival->by_kernel = false;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
    arrival->at_ns = stamp.tv_sec * 1000000000LL + stamp.tv_nsec - realtime_ahead_ns();
    arrival->by_kernel = true;
  }
  if (!arrival->by_kernel) arrival->at_ns = clock_ns(CLOCK_MONOTONIC);
  return bytes;
}

/* Over a connection to itself, like those that are measured: datagrams are stamped at the latest when they are
 * read. */
void socket_await_stamps(void) {
  enum { TRIES = 1000 };
  static struct client self;
  const int on = 1;
  const struct timespec pause = {.tv_nsec = 1000000};
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof here;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  self.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(self.fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&here, length) < 0 || listen(listener, 1) < 0 ||
      getsockname(listener, (struct sockaddr *)&here, &length) < 0 ||
      connect(self.fd, (struct sockaddr *)&here, length) < 0)
    die("no connection to itself: %s", strerror(errno));
  int other = accept(listener, NULL, NULL);
  struct arrival arrival = {0};
  for (int i = 0; i < TRIES && !arrival.by_kernel; i++, self.held = 0) {
    if (i > 0) nanosleep(&pause, NULL);
    if (send(other, "?", 1, MSG_NOSIGNAL) != 1 || socket_receive(&self, &arrival) != 1)
      die("no byte to itself: %s", strerror(errno));
  }
  close(other);
  close(listener); /* self stays open, and the kernel keeps stamping */
}

/* A client's frames are masked (RFC 6455, 5.3). What a control frame holds is 125 bytes at most. */
void socket_send_control(const struct client *client, enum opcode opcode, const uint8_t *payload, size_t bytes) {
  uint8_t frame[6 + 125] = {(uint8_t)(0x80 | opcode), (uint8_t)(0x80 | bytes)};
  if (getrandom(frame + 2, 4, 0) != 4) die("no random bytes");
  for (size_t i = 0; i < bytes; i++) frame[6 + i] = payload[i] ^ frame[2 + i % 4];
  size_t length = 6 + bytes;
  /* A server that resets us is told where we read. */
  if (send(client->fd, frame, length, MSG_NOSIGNAL) != (ssize_t)length && errno != EPIPE && errno != ECONNRESET)
    die("a control frame does not go out: %s", strerror(errno));
}

struct address *address_parse(const char *url) {
  struct address *address = calloc(1, sizeof *address);
  if (!address) die("no memory");
  address->path[0] = '/';
  if (sscanf(url, "ws://%127[^:/]:%7[0-9]%511s", address->host, address->port, address->path) < 2)
    die("not ws://HOST:PORT/PATH: %s", url);
  struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  int error = getaddrinfo(address->host, address->port, &wanted, &address->found);
  if (error) die("%s: %s", address->host, gai_strerror(error));
  return address;
}

void address_free(struct address *address) {
  freeaddrinfo(address->found);
  free(address);
}

struct arrival socket_open(struct client *client, const struct address *to) {
  /* The key of RFC 6455's own example, and what a server has to make of it: no client needs a hash of its own. */
  static const char accepted[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
  const int on = 1;
  const struct timeval patience = {.tv_sec = HANDSHAKE_S};
  client->fd = socket(to->found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client->fd < 0) die("socket: %s", strerror(errno));
  setsockopt(client->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on); /* `clock` says whether it did */
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(client->fd, to->found->ai_addr, to->found->ai_addrlen) < 0) die("connect: %s", strerror(errno));
  char request[1024];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        to->path, to->host, to->port);
  if (send(client->fd, request, (size_t)length, MSG_NOSIGNAL) != length) die("send: %s", strerror(errno));
  for (;;) {
    struct arrival arrival;
    ssize_t bytes = socket_receive(client, &arrival);
    if (bytes == -EINTR) continue;
    if (bytes <= 0) die("no answer to the handshake: %s", bytes < 0 ? strerror((int)-bytes) : "closed");
    const uint8_t *end = memmem(client->bytes, client->held, "\r\n\r\n", 4);
    if (!end) continue;
    size_t head = (size_t)(end - client->bytes) + 4;
    if (memcmp(client->bytes, "HTTP/1.1 101", 12) != 0 || !memmem(client->bytes, head, accepted, strlen(accepted)))
      die("not upgraded: %.*s", (int)head, client->bytes);
    client->held -= head;
    memmove(client->bytes, client->bytes + head, client->held);
    if (fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0) die("fcntl: %s", strerror(errno));
    return arrival;
  }
}
