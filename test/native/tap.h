/* tap.h — the Test Anything Protocol, as little of it as is needed. */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>

static int tap_count;
static int tap_failures;

#define tap_ok(condition, ...) tap_ok_at((condition) ? 1 : 0, #condition, __FILE__, __LINE__, __VA_ARGS__)

__attribute__((format(printf, 5, 6))) static inline void
tap_ok_at(int good, const char *condition, const char *file, int line, const char *format, ...) {
  tap_count++;
  if (!good) tap_failures++;
  printf("%sok %d - ", good ? "" : "not ", tap_count);
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  vprintf(format, arguments);
  __builtin_va_end(arguments);
  printf("\n");
  if (!good) printf("#   %s:%d: %s\n", file, line, condition);
  fflush(stdout);
}

static inline int tap_done(void) {
  printf("1..%d\n", tap_count);
  return tap_failures > 0 ? 1 : 0;
}

#endif
