/*
 * The DAHDI channel against a fake kernel: open, ioctl, read, write and close of chan_dahdi.c are wrapped by the
 * linker. What is proven is what we ask of the kernel, in which order, and what we make of its answers; that the
 * real kernel behaves so is the kernel rig's to show.
 */
#include "chan_dahdi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

#include "dahdi_abi.h"
#include "tap.h"

#define FD 77

static char asked[1024]; /* "SPECIFY(3) GET_PARAMS …" */
static int open_errno;
static unsigned long failing_request;
static int failing_errno;
static int signalling = DAHDI_ABI_SIG_FXOKS;
static int next_event;
static int event_errno;
static int hook_errno;
static int last_hook = -1;
static int last_value = -1; /* of on-hook transfer, polarity, VMWI */
static int flash_ms;
static int io_errno;
static struct dahdi_abi_bufferinfo wanted_buffers;

static const struct {
  unsigned long request;
  const char *name;
} NAMES[] = {{DAHDI_ABI_SPECIFY, "SPECIFY"},
             {DAHDI_ABI_GET_PARAMS, "GET_PARAMS"},
             {DAHDI_ABI_SET_PARAMS, "SET_PARAMS"},
             {DAHDI_ABI_SETLINEAR, "SETLINEAR"},
             {DAHDI_ABI_SETCADENCE, "SETCADENCE"},
             {DAHDI_ABI_ONHOOKTRANSFER, "ONHOOKTRANSFER"},
             {DAHDI_ABI_SETPOLARITY, "SETPOLARITY"},
             {DAHDI_ABI_VMWI_CONFIG, "VMWI_CONFIG"},
             {DAHDI_ABI_VMWI, "VMWI"},
             {DAHDI_ABI_SETTONEZONE, "SETTONEZONE"},
             {DAHDI_ABI_SET_BUFINFO, "SET_BUFINFO"},
             {DAHDI_ABI_BUFFER_EVENTS, "BUFFER_EVENTS"},
             {DAHDI_ABI_ECHOCANCEL, "ECHOCANCEL"},
             {DAHDI_ABI_WCTDM_GET_STATS, "GET_STATS"},
             {DAHDI_ABI_FLUSH, "FLUSH"},
             {DAHDI_ABI_HOOK, "HOOK"},
             {DAHDI_ABI_GETEVENT, "GETEVENT"}};

static void note(unsigned long request) {
  for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
    if (NAMES[i].request != request) continue;
    size_t length = strlen(asked);
    snprintf(asked + length, sizeof(asked) - length, "%s ", NAMES[i].name);
  }
}

static int fail(int error) {
  errno = error;
  return -1;
}

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
  if (open_errno) return fail(open_errno);
  tap_ok(strcmp(path, "/dev/dahdi/channel") == 0 && (flags & O_NONBLOCK), "opens the node, non-blocking");
  return FD;
}

int __wrap_close(int fd);
int __wrap_close(int fd) {
  (void)fd;
  strcat(asked, "close ");
  return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  (void)fd;
  note(request);
  if (request == DAHDI_ABI_GETEVENT) {
    *(int *)argument = next_event;
    next_event = DAHDI_ABI_EVENT_NONE;
    return event_errno ? fail(event_errno) : 0;
  }
  if (request == failing_request) return fail(failing_errno);
  if (request == DAHDI_ABI_GET_PARAMS) {
    struct dahdi_abi_params *params = argument;
    memset(params, 0, sizeof(*params));
    params->sigtype = signalling;
    params->rxflashtime = 1250;
    params->rxisoffhook = 1;
    params->chan_alarms = 8;
  } else if (request == DAHDI_ABI_SET_PARAMS) {
    flash_ms = ((struct dahdi_abi_params *)argument)->rxflashtime;
  } else if (request == DAHDI_ABI_SET_BUFINFO) {
    wanted_buffers = *(struct dahdi_abi_bufferinfo *)argument;
  } else if (request == DAHDI_ABI_WCTDM_GET_STATS) {
    *(struct dahdi_abi_wctdm_stats *)argument = (struct dahdi_abi_wctdm_stats){-1500, -49000, -52000};
  } else if (request == DAHDI_ABI_SETTONEZONE) {
    hook_errno = 0;
  } else if (request == DAHDI_ABI_ONHOOKTRANSFER || request == DAHDI_ABI_SETPOLARITY ||
             request == DAHDI_ABI_VMWI || request == DAHDI_ABI_VMWI_CONFIG) {
    last_value = *(int *)argument;
  } else if (request == DAHDI_ABI_HOOK) {
    last_hook = *(int *)argument;
    return hook_errno ? fail(hook_errno) : 0;
  }
  return 0;
}

ssize_t __wrap_read(int fd, void *buffer, size_t count);
ssize_t __wrap_read(int fd, void *buffer, size_t count) {
  (void)fd;
  if (io_errno) return fail(io_errno);
  memset(buffer, 1, count);
  return (ssize_t)count;
}

ssize_t __wrap_write(int fd, const void *buffer, size_t count);
ssize_t __wrap_write(int fd, const void *buffer, size_t count) {
  (void)fd;
  (void)buffer;
  return io_errno ? fail(io_errno) : (ssize_t)count;
}

static struct chan_dahdi dahdi;
static struct chan_settings settings = {.flash_max_ms = 800, .echo_cancel_taps = 128, .buffers = 8};

static int open_again(int32_t *stage) {
  asked[0] = '\0';
  chan_dahdi_init(&dahdi, "/dev/dahdi/channel", 3);
  return dahdi.chan.ops->open(&dahdi.chan, &settings, 0, stage);
}

static void fails_at(const char *what, unsigned long request, int error, int32_t expected_stage) {
  int32_t stage = 0;
  failing_request = request;
  failing_errno = error;
  int result = open_again(&stage);
  failing_request = 0;
  tap_ok(result == -error && stage == expected_stage && strstr(asked, "close"),
         "%s: errno %d at stage %d, and is closed", what, -result, stage);
}

static struct chan_event event_for(int number) {
  struct chan_event event = {0};
  next_event = number;
  dahdi.chan.ops->event(&dahdi.chan, 0, &event);
  return event;
}

static bool can(int32_t capability) { return (dahdi.chan.capabilities & capability) != 0; }

/* What reaches a telephone that nobody lifted. */
static void on_hook(void) {
  const struct chan_ops *ops = dahdi.chan.ops;
  int32_t stage;
  failing_request = DAHDI_ABI_ONHOOKTRANSFER;
  failing_errno = ENOTTY;
  tap_ok(open_again(&stage) == 0 && !can(DSHIM_CAP_ON_HOOK_TRANSFER), "a driver without on-hook transfer says so");
  tap_ok(ops->on_hook_transfer(&dahdi.chan, 0, 900) == -ENOTTY, "and when it is asked for it");
  failing_request = DAHDI_ABI_SETPOLARITY;
  tap_ok(open_again(&stage) == 0 && !can(DSHIM_CAP_POLARITY), "one without polarity says so");
  failing_errno = EINVAL;
  tap_ok(open_again(&stage) == 0 && can(DSHIM_CAP_POLARITY), "one whose battery is off has it all the same");
  failing_request = 0;
  open_again(&stage);
  tap_ok(ops->on_hook_transfer(&dahdi.chan, 0, 900) == 0 && last_value == 900, "on-hook transfer, in ms");
  tap_ok(ops->polarity(&dahdi.chan, 0, true) == 0 && last_value == 1, "reversed");
  tap_ok(ops->polarity(&dahdi.chan, 0, false) == 0 && last_value == 0, "and back");
  asked[0] = '\0';
  tap_ok(ops->vmwi(&dahdi.chan, 0, 3) == -ENOTTY && asked[0] == '\0',
         "no lamp's voltage where nobody named a lamp");
  settings.vmwi_lamps = DSHIM_LAMP_NEON;
  open_again(&stage);
  tap_ok(can(DSHIM_CAP_VMWI) && strstr(asked, "VMWI_CONFIG VMWI "),
         "a lamp that was named is set up, and put out");
  tap_ok(ops->vmwi(&dahdi.chan, 0, 3) == 0 && last_value == 3, "and lit");
  failing_request = DAHDI_ABI_VMWI_CONFIG;
  failing_errno = ENOTTY;
  tap_ok(open_again(&stage) == 0 && !can(DSHIM_CAP_VMWI), "a card without says so");
  failing_request = 0;
  settings.vmwi_lamps = 0;
  open_again(&stage);
}

int main(void) {
  tap_ok(chan_dahdi_init(&dahdi, "/dev/dahdi/channel", 0) == -EINVAL, "channel 0 is none");
  int32_t stage = -1;
  tap_ok(open_again(&stage) == 0 && stage == DSHIM_STAGE_NONE, "comes into service");
  tap_ok(strcmp(asked, "SPECIFY GET_PARAMS SET_PARAMS SETCADENCE SETLINEAR SET_BUFINFO BUFFER_EVENTS ECHOCANCEL "
                       "GET_STATS ONHOOKTRANSFER SETPOLARITY FLUSH ") == 0,
         "in this order: %s", asked);
  tap_ok(flash_ms == 800, "the flash time is set");
  tap_ok(wanted_buffers.bufsize == 160 && wanted_buffers.numbufs == 8, "blocks of 160, 8 of them");
  tap_ok(dahdi.chan.capabilities == (DSHIM_CAP_VOLTAGE | DSHIM_CAP_ECHO_CANCEL | DSHIM_CAP_GAIN |
                                     DSHIM_CAP_ON_HOOK_TRANSFER | DSHIM_CAP_POLARITY),
         "all it can do, but for a lamp that nobody named");

  open_errno = ENOENT;
  tap_ok(open_again(&stage) == -ENOENT && stage == DSHIM_STAGE_OPEN, "no driver");
  open_errno = EACCES;
  tap_ok(open_again(&stage) == -EACCES && stage == DSHIM_STAGE_OPEN, "no permission");
  open_errno = 0;
  fails_at("somebody holds it", DAHDI_ABI_SPECIFY, EBUSY, DSHIM_STAGE_SPECIFY);
  fails_at("no such channel", DAHDI_ABI_SPECIFY, ENXIO, DSHIM_STAGE_SPECIFY);
  fails_at("not DAHDI", DAHDI_ABI_SPECIFY, ENOTTY, DSHIM_STAGE_SPECIFY);
  fails_at("params", DAHDI_ABI_GET_PARAMS, EINVAL, DSHIM_STAGE_PARAMS);
  fails_at("linear", DAHDI_ABI_SETLINEAR, EINVAL, DSHIM_STAGE_LINEAR);
  fails_at("buffers", DAHDI_ABI_SET_BUFINFO, ENOMEM, DSHIM_STAGE_BUFFERS);
  signalling = 1 << 13 | 1; /* fxsks: a port that is fed by a line */
  tap_ok(open_again(&stage) == -EPROTO && stage == DSHIM_STAGE_SIGNALLING, "wrong signalling");
  signalling = DAHDI_ABI_SIG_FXOLS;
  tap_ok(open_again(&stage) == 0, "loop start feeds a telephone, too");
  failing_request = DAHDI_ABI_WCTDM_GET_STATS;
  failing_errno = ENOTTY;
  tap_ok(open_again(&stage) == 0 && !(dahdi.chan.capabilities & DSHIM_CAP_VOLTAGE),
         "a card that measures nothing says so");
  struct chan_stats stats;
  tap_ok(dahdi.chan.ops->stats(&dahdi.chan, 0, true, &stats) == 0 && !stats.voltage_known, "and invents no volts");
  failing_request = 0;
  open_again(&stage);

  tap_ok(event_for(DAHDI_ABI_EVENT_RINGOFFHOOK).kind == CHAN_EV_OFF_HOOK, "lifted");
  tap_ok(event_for(DAHDI_ABI_EVENT_ONHOOK).kind == CHAN_EV_ON_HOOK, "hung up");
  tap_ok(event_for(DAHDI_ABI_EVENT_WINKFLASH).kind == CHAN_EV_FLASH, "flash");
  tap_ok(event_for(DAHDI_ABI_EVENT_PULSE_START).kind == CHAN_EV_PULSE_START, "pulses begin");
  struct chan_event pulse = event_for(DAHDI_ABI_EVENT_PULSEDIGIT | '7');
  tap_ok(pulse.kind == CHAN_EV_PULSE_DIGIT && pulse.value == '7', "a pulse digit carries its ASCII");
  tap_ok(event_for(DAHDI_ABI_EVENT_ALARM).value == 8, "an alarm carries its bits");
  tap_ok(event_for(DAHDI_ABI_EVENT_NOALARM).value == 0, "its end none");
  tap_ok(event_for(DAHDI_ABI_EVENT_READ_OVERRUN).kind == CHAN_EV_OVERRUN, "overrun");
  tap_ok(event_for(DAHDI_ABI_EVENT_WRITE_UNDERRUN).kind == CHAN_EV_UNDERRUN, "underrun");
  struct chan_event nothing;
  tap_ok(dahdi.chan.ops->event(&dahdi.chan, 0, &nothing) == 0, "no event is none");
  event_errno = ENODEV;
  tap_ok(event_for(DAHDI_ABI_EVENT_REMOVED).kind == CHAN_EV_REMOVED, "taken away: ENODEV, and says REMOVED");
  tap_ok(dahdi.chan.ops->event(&dahdi.chan, 0, &nothing) == -ENODEV, "and only ENODEV after that");
  event_errno = 0;

  hook_errno = EINPROGRESS;
  tap_ok(dahdi.chan.ops->ring(&dahdi.chan, 0, true) == 0 && last_hook == DAHDI_ABI_RING, "EINPROGRESS is ringing");
  hook_errno = EBUSY;
  tap_ok(dahdi.chan.ops->ring(&dahdi.chan, 0, true) == -EBUSY, "EBUSY is not");
  hook_errno = ENODATA;
  failing_request = DAHDI_ABI_SETTONEZONE;
  failing_errno = ENODATA;
  tap_ok(dahdi.chan.ops->ring(&dahdi.chan, 0, true) == -ENODATA, "no tone zone");
  failing_request = 0;
  asked[0] = '\0';
  tap_ok(dahdi.chan.ops->ring(&dahdi.chan, 0, true) == 0 &&
             strcmp(asked, "HOOK SETTONEZONE SETCADENCE HOOK ") == 0,
         "a tone zone that was loaded since is taken, without its cadence: %s", asked);
  hook_errno = 0;
  dahdi.chan.ops->ring(&dahdi.chan, 0, false);
  tap_ok(last_hook == DAHDI_ABI_RINGOFF, "bell off");
  dahdi.chan.ops->battery_drop(&dahdi.chan, 0, true);
  tap_ok(last_hook == DAHDI_ABI_ONHOOK, "battery off");
  dahdi.chan.ops->battery_drop(&dahdi.chan, 0, false);
  tap_ok(last_hook == DAHDI_ABI_OFFHOOK, "battery on");

  on_hook();

  int16_t block[160];
  tap_ok(dahdi.chan.ops->read(&dahdi.chan, 0, block) == 1 && dahdi.chan.ops->write(&dahdi.chan, 0, block) == 1,
         "a block each way");
  io_errno = DAHDI_ABI_ELAST;
  tap_ok(dahdi.chan.ops->read(&dahdi.chan, 0, block) == 0 && dahdi.chan.ops->write(&dahdi.chan, 0, block) == 0,
         "an event pending is no error");
  io_errno = EAGAIN;
  tap_ok(dahdi.chan.ops->read(&dahdi.chan, 0, block) == 0, "nor is nothing there");
  io_errno = ENODEV;
  tap_ok(dahdi.chan.ops->read(&dahdi.chan, 0, block) == -ENODEV, "a card taken away is");
  tap_ok(dahdi.chan.ops->flush(&dahdi.chan, 0) == 0, "a flush is asked of the driver");
  tap_ok(dahdi.chan.ops->stats(&dahdi.chan, 0, true, &stats) == 0 && stats.lifted && stats.ring_mv == -49000,
         "what the card sees");
  return tap_done();
}
