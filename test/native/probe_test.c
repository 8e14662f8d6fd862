/*
 * The doctor's look at a driver, against a fake kernel: open, ioctl and close are wrapped by the linker. What is
 * proven is that no channel is ever opened, whose answers are asked for where, and that all is closed again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "dahdi_abi.h"
#include "dahdi_shim.h"
#include "tap.h"

enum { FD_DEVICE = 70, FD_CONTROL, FD_PSEUDO };

static char did[1024];
static int device_errno, control_errno, pseudo_errno, params_errno, zone_errno;

static void note(const char *what) {
  size_t length = strlen(did);
  snprintf(did + length, sizeof(did) - length, "%s ", what);
}

static int fail(int error) {
  errno = error;
  return -1;
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
  note(path);
  if (!(flags & O_NONBLOCK)) note("BLOCKING");
  if (strcmp(path, "/dev/dahdi/channel") == 0) return device_errno ? fail(device_errno) : FD_DEVICE;
  if (strcmp(path, "/dev/dahdi/ctl") == 0) return control_errno ? fail(control_errno) : FD_CONTROL;
  if (strcmp(path, "/dev/dahdi/pseudo") == 0) return pseudo_errno ? fail(pseudo_errno) : FD_PSEUDO;
  return fail(ENOENT);
}

int __wrap_close(int fd);
int __wrap_close(int fd) {
  note(fd == FD_DEVICE ? "close-device" : fd == FD_CONTROL ? "close-ctl" : "close-pseudo");
  return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (fd == FD_CONTROL && request == DAHDI_ABI_GET_PARAMS) {
    note("GET_PARAMS");
    struct dahdi_abi_params *params = argument;
    if (params_errno) return fail(params_errno);
    tap_ok(params->channo == 3, "asks for the channel by its number");
    params->sigtype = DAHDI_ABI_SIG_FXOKS;
    params->sigcap = DAHDI_ABI_SIG_FXOKS | DAHDI_ABI_SIG_FXOLS;
    params->rxisoffhook = 1;
    params->chan_alarms = 8;
    params->curlaw = 2;
    return 0;
  }
  if (fd == FD_PSEUDO && request == DAHDI_ABI_SETTONEZONE) {
    note("SETTONEZONE");
    tap_ok(*(int *)argument == DAHDI_ABI_ZONE_DEFAULT, "asks for the default zone");
    return zone_errno ? fail(zone_errno) : 0;
  }
  if (fd == FD_PSEUDO && request == DAHDI_ABI_GETTONEZONE) {
    note("GETTONEZONE");
    *(int *)argument = 4;
    return 0;
  }
  note("OTHER");
  return fail(ENOTTY);
}

int main(void) {
  struct dshim_probe probe;

  tap_ok(dshim_probe("/dev/dahdi/channel", 3, &probe) == 0, "looks");
  tap_ok(strcmp(did, "/dev/dahdi/channel close-device /dev/dahdi/ctl GET_PARAMS close-ctl "
                     "/dev/dahdi/pseudo SETTONEZONE GETTONEZONE close-pseudo ") == 0,
         "opens no channel, and closes all: %s", did);
  tap_ok(probe.device_error == 0 && probe.control_error == 0 && probe.channel_error == 0 && probe.zone_error == 0,
         "no error");
  tap_ok(probe.signalling == DAHDI_ABI_SIG_FXOKS && probe.lifted == 1 && probe.alarms == 8 && probe.law == 2 &&
             probe.possible_signallings == (DAHDI_ABI_SIG_FXOKS | DAHDI_ABI_SIG_FXOLS) && probe.zone == 4,
         "and tells what it saw");

  zone_errno = ENODATA;
  dshim_probe("/dev/dahdi/channel", 3, &probe);
  tap_ok(probe.zone_error == ENODATA && probe.zone == -1, "no tone zone");

  params_errno = EINVAL;
  dshim_probe("/dev/dahdi/channel", 3, &probe);
  tap_ok(probe.channel_error == EINVAL && probe.control_error == 0 && probe.signalling == 0, "no such channel");

  did[0] = '\0';
  device_errno = control_errno = pseudo_errno = EACCES;
  dshim_probe("/dev/dahdi/channel", 3, &probe);
  tap_ok(probe.device_error == EACCES && probe.control_error == EACCES && probe.channel_error == EACCES &&
             probe.zone_error == EACCES && probe.zone == -1,
         "no permission");
  tap_ok(!strstr(did, "close"), "what was not opened is not closed");

  tap_ok(dshim_probe("channel", 3, &probe) == -EINVAL, "a device without a folder is refused");
  tap_ok(dshim_probe("/dev/dahdi/channel", 0, &probe) == -EINVAL, "channel 0 is refused");
  char long_path[400];
  memset(long_path, 'a', sizeof(long_path));
  long_path[0] = '/';
  memcpy(long_path + sizeof(long_path) - 4, "/ch", 4);
  tap_ok(dshim_probe(long_path, 1, &probe) == -ENAMETOOLONG, "a path that is too long is refused");
  return tap_done();
}
