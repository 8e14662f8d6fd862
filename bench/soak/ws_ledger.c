#include "ws_ledger.h"

#include <stdlib.h>
#include <string.h>

void ledger_init(struct ledger *ledger, size_t client_count) {
  memset(ledger, 0, sizeof *ledger);
  ledger->client_count = client_count;
  ledger->clients = calloc(client_count, sizeof *ledger->clients);
  if (!ledger->clients) abort();
}

/* Somebody saw what nobody saw before. Who is past this place has lost it. */
static void insert(struct ledger *ledger, size_t place, int64_t id) {
  if (ledger->count == ledger->room) {
    ledger->room = ledger->room ? 2 * ledger->room : 1024;
    ledger->ids = realloc(ledger->ids, ledger->room * sizeof *ledger->ids);
    if (!ledger->ids) abort();
  }
  if (place < ledger->count) {
    memmove(&ledger->ids[place + 1], &ledger->ids[place], (ledger->count - place) * sizeof *ledger->ids);
    for (size_t i = 0; i < ledger->client_count; i++) {
      if (ledger->clients[i].place <= place) continue;
      ledger->clients[i].place++;
      ledger->clients[i].lost++;
    }
  }
  ledger->ids[place] = id;
  ledger->count++;
}

void ledger_see(struct ledger *ledger, size_t client, int64_t id, int64_t late_ns) {
  ledger->frames++;
  if (late_ns < 0) {
    ledger->early++;
    late_ns = 0;
  }
  if (late_ns > ledger->worst_ns) ledger->worst_ns = late_ns;
  int64_t step = late_ns / LEDGER_STEP_NS;
  ledger->steps[step < LEDGER_STEPS ? step : LEDGER_STEPS]++;

  struct ledger_client *seen = &ledger->clients[client];
  if (id == seen->last_id) {
    seen->duplicates++;
    return;
  }
  if (id < seen->last_id) {
    seen->disordered++;
    return;
  }
  seen->last_id = id;
  while (seen->place < ledger->count && ledger->ids[seen->place] < id) {
    seen->place++;
    seen->lost++;
  }
  if (seen->place == ledger->count || ledger->ids[seen->place] != id) insert(ledger, seen->place, id);
  seen->place++;
}

void ledger_end(struct ledger *ledger) {
  for (size_t i = 0; i < ledger->client_count; i++) {
    struct ledger_client *client = &ledger->clients[i];
    client->lost += ledger->count - client->place;
    client->place = ledger->count;
  }
}

int64_t ledger_late_ns(const struct ledger *ledger, double part) {
  if (ledger->frames == 0) return 0;
  uint64_t rank = (uint64_t)((double)ledger->frames * part); /* how many may be earlier than the one looked for */
  if (rank >= ledger->frames) rank = ledger->frames - 1;
  uint64_t passed = 0;
  for (int64_t step = 0; step < LEDGER_STEPS; step++) {
    passed += ledger->steps[step];
    if (passed > rank) return (step + 1) * LEDGER_STEP_NS;
  }
  return ledger->worst_ns;
}
