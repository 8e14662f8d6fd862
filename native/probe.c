#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dahdi_abi.h"
#include "dahdi_shim.h"

#define PATH_BYTES 160

/* An open descriptor, or −errno. */
static int open_node(const char *path) {
  int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

/* 0 or −errno. */
static int ask(int fd, unsigned long request, void *argument) {
  return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

static void probe_channel(int control, int channel, struct dshim_probe *out) {
  /* On the control node the driver answers for any channel by number: the channel itself stays closed. */
  struct dahdi_abi_params params = {.channo = channel};
  int result = ask(control, DAHDI_ABI_GET_PARAMS, &params);
  out->channel_error = -result;
  if (result < 0) return;
  out->signalling = params.sigtype;
  out->possible_signallings = params.sigcap;
  out->lifted = params.rxisoffhook != 0;
  out->alarms = (int32_t)params.chan_alarms;
  out->law = params.curlaw;
}

static void probe_zone(int pseudo, struct dshim_probe *out) {
  /* GETTONEZONE answers 0 both for North America and for none: asking for the default one tells them apart. */
  int zone = DAHDI_ABI_ZONE_DEFAULT;
  int result = ask(pseudo, DAHDI_ABI_SETTONEZONE, &zone);
  if (result == 0) result = ask(pseudo, DAHDI_ABI_GETTONEZONE, &zone);
  out->zone_error = -result;
  out->zone = result == 0 ? zone : -1;
}

int dshim_probe(const char *device, int channel, struct dshim_probe *out) {
  memset(out, 0, sizeof(*out));
  const char *slash = strrchr(device, '/');
  if (!slash || channel < 1) return -EINVAL;
  if (slash - device > PATH_BYTES - (int)sizeof("/pseudo")) return -ENAMETOOLONG;
  char path[PATH_BYTES];
  int folder = (int)(slash - device);
  int fd;

  fd = open_node(device); /* opens no channel: that would take DAHDI_SPECIFY */
  out->device_error = fd < 0 ? -fd : 0;
  if (fd >= 0) close(fd);

  snprintf(path, sizeof(path), "%.*s/ctl", folder, device);
  fd = open_node(path);
  out->control_error = out->channel_error = fd < 0 ? -fd : 0;
  if (fd >= 0) {
    probe_channel(fd, channel, out);
    close(fd);
  }

  snprintf(path, sizeof(path), "%.*s/pseudo", folder, device);
  fd = open_node(path);
  out->zone = -1;
  out->zone_error = fd < 0 ? -fd : 0;
  if (fd >= 0) {
    probe_zone(fd, out);
    close(fd);
  }
  return 0;
}
