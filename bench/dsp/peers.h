/* peers.h — detectors side by side: each hears a group and gives the digits, with their times where it tells them.
 */
#ifndef PEERS_H
#define PEERS_H

#include <stdint.h>

#define PEER_MAX_DIGITS 4096

struct peer_heard {
  int count;
  char digits[PEER_MAX_DIGITS + 1];
  double onset[PEER_MAX_DIGITS], length[PEER_MAX_DIGITS]; /* samples */
};

struct peer {
  const char *name;
  void (*hear)(const int16_t *samples, int count, struct peer_heard *heard);
};

/* Samples in a call to spandsp: 8 to date its reports, up to 160 where only the digits count. */
extern int peer_spandsp_block;

extern const struct peer peer_ours, peer_spandsp, peer_goertzel;

#endif
