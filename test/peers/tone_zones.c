/*
 * What Debian's libtonezone holds: one line "country TAB tone TAB description" for dial, busy, ringback and
 * reorder, in its own notation.
 */
#include <stdio.h>

#include <dahdi/tonezone.h>

#define ZONES 256 /* it counts them sparsely and has no end mark that can be asked for */

int main(void) {
  static const char *const names[] = {"dial", "busy", "ringback", "reorder"};
  for (int number = 0; number < ZONES; number++) {
    const struct tone_zone *zone = tone_zone_find_by_num(number);
    if (zone == NULL) continue;
    for (int tone = 0; tone < DAHDI_TONE_MAX; tone++) {
      const struct tone_zone_sound *sound = &zone->tones[tone];
      if (sound->toneid < 4 && sound->data[0] != '\0')
        printf("%s\t%s\t%s\n", zone->country, names[sound->toneid], sound->data);
    }
  }
  return 0;
}
