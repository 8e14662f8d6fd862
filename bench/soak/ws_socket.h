/* ws_socket.h — one client's connection: the handshake, what arrives and when, and the little that it sends. */
#ifndef WS_SOCKET_H
#define WS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { LONGEST_FRAME = 4 + UINT16_MAX }; /* no event comes near it; a 64-bit length is refused */

enum opcode { CONTINUATION = 0x0, TEXT = 0x1, CLOSE = 0x8, PING = 0x9, PONG = 0xa };

struct client {
  int fd; /* −1: closed */
  size_t held;
  uint8_t bytes[LONGEST_FRAME];
};

/* When the last byte of what was read arrived, on CLOCK_MONOTONIC: as the kernel says, or else when it was read.
 */
struct arrival {
  int64_t at_ns;
  bool by_kernel;
};

/* What ends a measurement is said on standard error, and ends the program with 1. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

/* The kernel begins to stamp a moment after the first socket of the machine asked for it. Waits for it, a second
 * at most: some never do, and then `arrival` says so. */
void socket_await_stamps(void);

/* ws://HOST:PORT/PATH, looked up once for all. */
struct address;
struct address *address_parse(const char *url);
void address_free(struct address *address);

/* Upgraded; what came behind the answer is held. */
struct arrival socket_open(struct client *client, const struct address *to);

/* Reads behind what is held, without waiting; 0 at the end, or −errno. */
ssize_t socket_receive(struct client *client, struct arrival *arrival);

/* What a control frame holds is 125 bytes at most. */
void socket_send_control(const struct client *client, enum opcode opcode, const uint8_t *payload, size_t bytes);

#endif
