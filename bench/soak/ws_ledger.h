/*
 * ws_ledger.h — what a crowd of clients saw: which ids each got, and how late.
 *
 * The ledger is the list of all ids that anybody saw, in their order; each client has a place in it, as a
 * subscription has one in the server's log. An id that a client passes without having had it is lost for that
 * client, so that a thousand of them are compared exactly, for as long as one likes, in the memory of one.
 */
#ifndef WS_LEDGER_H
#define WS_LEDGER_H

#include <stddef.h>
#include <stdint.h>

enum { LEDGER_STEP_NS = 10000, LEDGER_STEPS = 100000 };

/* One client. An id that comes too late is lost and disordered. */
struct ledger_client {
  size_t place; /* every id before this one it had, or lost */
  int64_t last_id;
  uint64_t lost;
  uint64_t duplicates;
  uint64_t disordered;
};

struct ledger {
  int64_t *ids;
  size_t count;
  size_t room;
  struct ledger_client *clients;
  size_t client_count;
  uint64_t frames;
  uint64_t early; /* arrived before they were stamped: a clock was set, nothing here is to be believed */
  int64_t worst_ns;
  uint32_t steps[LEDGER_STEPS + 1]; /* frames by lateness, LEDGER_STEP_NS each; the last is for all above */
};

/* Both abort where memory ends. */
void ledger_init(struct ledger *ledger, size_t client_count);
void ledger_see(struct ledger *ledger, size_t client, int64_t id, int64_t late_ns);

/* Nothing more comes: what others had and a client did not is lost for it. */
void ledger_end(struct ledger *ledger);

/* The lateness that this part of all frames does not exceed, rounded up to a step; 0 without frames. */
int64_t ledger_late_ns(const struct ledger *ledger, double part);

#endif
