#include "line_tap.h"

void line_tap_set(struct line_tap *tap, uint32_t number, int32_t told_every) {
  if (tap->told_every == 0) {
    tap->number = number;
    tap->made = 0;
    tap->told = 0;
  }
  tap->told_every = told_every;
}

void line_tap_written(struct line_tap *tap, const int16_t *sent) {
  memcpy(tap->in_card[tap->card_written % LINE_TAP_IN_CARD], sent, sizeof(tap->in_card[0]));
  tap->card_written++;
}

void line_tap_flushed(struct line_tap *tap) { tap->card_sent = tap->card_written; }

bool line_tap_heard(struct line_tap *tap, int64_t time_ns, const int16_t *heard, bool keep) {
  const int16_t *sent = NULL;
  if (tap->card_sent != tap->card_written) sent = tap->in_card[tap->card_sent++ % LINE_TAP_IN_CARD];
  if (tap->told_every == 0 || !keep) return false;
  int32_t block = tap->made++;
  if (spsc_writable(&tap->ring, DSHIM_TAP_BLOCKS) == 0) {
    tap->lost++;
    return false;
  }
  struct dshim_tap_block *place = &tap->blocks[spsc_write_position(&tap->ring) & (DSHIM_TAP_BLOCKS - 1)];
  place->time_ns = time_ns;
  place->tap = tap->number;
  place->block = block;
  memcpy(place->heard, heard, sizeof(place->heard));
  if (sent) memcpy(place->sent, sent, sizeof(place->sent));
  else memset(place->sent, 0, sizeof(place->sent));
  spsc_publish(&tap->ring, 1);
  return tap->made - tap->told >= tap->told_every;
}

int32_t line_tap_untold(struct line_tap *tap) {
  if (tap->told_every == 0 || tap->made == tap->told) return 0;
  tap->told = tap->made;
  return tap->made;
}
