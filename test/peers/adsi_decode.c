/*
 * What spandsp hears of a caller ID: S16 8 kHz from standard input; for every message that it takes for whole (its
 * checksum is right) one line of "type" and "number=text" for each field, numbers in hexadecimal.
 *   adsi_decode class|clip|clip_dtmf
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Its header wants the C library's types before it. */
#include <spandsp.h>

struct decoder {
  adsi_rx_state_t *rx;
  int messages;
};

static void print_body(const uint8_t *body, int length) {
  for (int i = 0; i < length; i++) {
    if (isgraph(body[i]) || body[i] == ' ') putchar(body[i]);
    else printf("\\x%02x", body[i]);
  }
}

static void heard(void *context, const uint8_t *message, int length) {
  struct decoder *decoder = context;
  decoder->messages++;
  int at = -1;
  do {
    uint8_t type;
    const uint8_t *body;
    int body_length;
    at = adsi_next_field(decoder->rx, message, length, at, &type, &body, &body_length);
    if (at < 0) break;
    if (body == NULL) {
      printf("%02x", type);
    } else {
      printf("\t%02x=", type);
      print_body(body, body_length);
    }
  } while (at < length);
  printf(at == -2 ? "\tbroken\n" : "\n");
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    int standard;
  } standards[] = {
      {"class", ADSI_STANDARD_CLASS}, {"clip", ADSI_STANDARD_CLIP}, {"clip_dtmf", ADSI_STANDARD_CLIP_DTMF}};
  int standard = ADSI_STANDARD_NONE;
  for (int i = 0; i < 3; i++) {
    if (count == 2 && strcmp(arguments[1], standards[i].name) == 0) standard = standards[i].standard;
  }
  if (standard == ADSI_STANDARD_NONE) {
    fprintf(stderr, "usage: adsi_decode class|clip|clip_dtmf <samples\n");
    return 2;
  }
  struct decoder decoder = {0};
  decoder.rx = adsi_rx_init(NULL, standard, heard, &decoder);
  int16_t block[160];
  size_t samples;
  while ((samples = fread(block, sizeof(block[0]), 160, stdin)) > 0) adsi_rx(decoder.rx, block, (int)samples);
  adsi_rx_free(decoder.rx);
  return decoder.messages > 0 ? 0 : 1;
}
