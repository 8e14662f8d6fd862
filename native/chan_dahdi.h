/* chan_dahdi.h — a channel of a DAHDI card, behind chan_ops. */
#ifndef CHAN_DAHDI_H
#define CHAN_DAHDI_H

#include "chan_ops.h"

#define DAHDI_DEVICE_PATH_BYTES 128

struct chan_dahdi {
  struct chan chan;
  char device[DAHDI_DEVICE_PATH_BYTES];
  int32_t channel;
  int fd; /* −1 closed */
};

extern const struct chan_ops chan_dahdi_ops;

/* device: "/dev/dahdi/channel", which takes DAHDI_SPECIFY. −ENAMETOOLONG, −EINVAL for a channel below 1. */
int chan_dahdi_init(struct chan_dahdi *dahdi, const char *device, int channel);

#endif
