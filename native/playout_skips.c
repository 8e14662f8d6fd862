#include "playout_skips.h"

#include <errno.h>
#include <string.h>

int playout_skips_add(struct playout_skips *skips, uint64_t from, uint64_t to) {
  int count = skips->count;
  while (count > 0 && skips->skip[count - 1].from >= from) count--;
  if (count > 0 && skips->skip[count - 1].to >= from) {
    skips->skip[count - 1].to = to;
  } else if (count < PLAYOUT_SKIPS) {
    skips->skip[count].from = from;
    skips->skip[count].to = to;
    count++;
  } else {
    return -ENOSPC;
  }
  skips->count = count;
  return 0;
}

uint64_t playout_skips_over(const struct playout_skips *skips, uint64_t place) {
  for (int i = 0; i < skips->count; i++) {
    if (place >= skips->skip[i].from && place < skips->skip[i].to) return skips->skip[i].to;
  }
  return place;
}

uint64_t playout_skips_between(const struct playout_skips *skips, uint64_t from, uint64_t to) {
  uint64_t between = 0;
  for (int i = 0; i < skips->count; i++) {
    uint64_t first = skips->skip[i].from > from ? skips->skip[i].from : from;
    uint64_t last = skips->skip[i].to < to ? skips->skip[i].to : to;
    if (last > first) between += last - first;
  }
  return between;
}

void playout_skips_passed(struct playout_skips *skips, uint64_t place) {
  int passed = 0;
  while (passed < skips->count && skips->skip[passed].to <= place) passed++;
  skips->count -= passed;
  memmove(&skips->skip[0], &skips->skip[passed], (size_t)skips->count * sizeof(skips->skip[0]));
}
