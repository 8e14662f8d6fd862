#include "chan_dahdi.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "dahdi_abi.h"

#define BLOCK_BYTES (DSHIM_BLOCK_SAMPLES * (int)sizeof(int16_t))

_Static_assert((int)DSHIM_LAMP_LINE_REVERSAL == (int)DAHDI_ABI_VMWI_LREV &&
                   (int)DSHIM_LAMP_HIGH_VOLTAGE_DC == (int)DAHDI_ABI_VMWI_HVDC &&
                   (int)DSHIM_LAMP_NEON == (int)DAHDI_ABI_VMWI_HVAC,
               "lamps are told to the driver as they are");

#define LONGEST_BURST_MS 3600000

static struct chan_dahdi *dahdi_of(struct chan *chan) { return (struct chan_dahdi *)chan; }

/* 0 or −errno. */
static int control(int fd, unsigned long request, void *argument) {
  int result;
  do {
    result = ioctl(fd, request, argument);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

int chan_dahdi_init(struct chan_dahdi *dahdi, const char *device, int channel) {
  size_t length = strlen(device);
  if (channel < 1) return -EINVAL;
  if (length >= sizeof(dahdi->device)) return -ENAMETOOLONG;
  memcpy(dahdi->device, device, length + 1);
  dahdi->chan.ops = &chan_dahdi_ops;
  dahdi->channel = channel;
  dahdi->fd = -1;
  return 0;
}

static bool feeds_a_telephone(int32_t signalling) {
  return signalling == DAHDI_ABI_SIG_FXOKS || signalling == DAHDI_ABI_SIG_FXOLS ||
         signalling == DAHDI_ABI_SIG_FXOGS;
}

/* Each is asked with what changes nothing, which also takes back what an owner before us may have left. */
static int32_t signals_on_hook(int fd, int32_t vmwi_lamps) {
  int32_t capabilities = 0;
  int one_ms = 1;
  int none = 0;
  if (control(fd, DAHDI_ABI_ONHOOKTRANSFER, &one_ms) == 0) capabilities |= DSHIM_CAP_ON_HOOK_TRANSFER;
  /* EINVAL: the battery is off just now. */
  int polarity = control(fd, DAHDI_ABI_SETPOLARITY, &none);
  if (polarity == 0 || polarity == -EINVAL) capabilities |= DSHIM_CAP_POLARITY;
  if (vmwi_lamps == 0) return capabilities;
  struct dahdi_abi_vmwi lamps = {.vmwi_type = (uint32_t)vmwi_lamps};
  if (control(fd, DAHDI_ABI_VMWI_CONFIG, &lamps) == 0 && control(fd, DAHDI_ABI_VMWI, &none) == 0)
    capabilities |= DSHIM_CAP_VMWI;
  return capabilities;
}

/* Left alone, the driver would cut a ring into its tone zone's own cadence: ours are timed by line_ring.c. */
static int set_endless_burst(int fd) {
  struct dahdi_abi_ring_cadence endless = {{LONGEST_BURST_MS, 1}};
  return control(fd, DAHDI_ABI_SETCADENCE, &endless);
}

/* From an open descriptor to a channel in service. */
static int configure(struct chan_dahdi *dahdi, const struct chan_settings *settings, int32_t *stage) {
  int fd = dahdi->fd;
  int channel = dahdi->channel;
  int result;
  *stage = DSHIM_STAGE_SPECIFY;
  if ((result = control(fd, DAHDI_ABI_SPECIFY, &channel)) < 0) return result;

  *stage = DSHIM_STAGE_PARAMS;
  struct dahdi_abi_params params = {0};
  if ((result = control(fd, DAHDI_ABI_GET_PARAMS, &params)) < 0) return result;
  /* For a second, a card that was taken away can be opened again: it says so by this alarm. */
  *stage = DSHIM_STAGE_REMOVED;
  if ((params.chan_alarms & DAHDI_ABI_ALARM_NOTOPEN) != 0) return -ENODEV;
  *stage = DSHIM_STAGE_SIGNALLING;
  if (!feeds_a_telephone(params.sigtype)) return -EPROTO;
  *stage = DSHIM_STAGE_PARAMS;
  params.rxflashtime = settings->flash_max_ms;
  if ((result = control(fd, DAHDI_ABI_SET_PARAMS, &params)) < 0) return result;

  if ((result = set_endless_burst(fd)) < 0) return result;

  *stage = DSHIM_STAGE_LINEAR;
  int on = 1;
  if ((result = control(fd, DAHDI_ABI_SETLINEAR, &on)) < 0) return result;

  *stage = DSHIM_STAGE_BUFFERS;
  /* In linear mode the driver counts in bytes of 16-bit samples here, and in samples below. */
  struct dahdi_abi_bufferinfo buffers = {.txbufpolicy = DAHDI_ABI_POLICY_IMMEDIATE,
                                         .rxbufpolicy = DAHDI_ABI_POLICY_IMMEDIATE,
                                         .numbufs = settings->buffers,
                                         .bufsize = DSHIM_BLOCK_SAMPLES};
  if ((result = control(fd, DAHDI_ABI_SET_BUFINFO, &buffers)) < 0) return result;
  control(fd, DAHDI_ABI_BUFFER_EVENTS, &on); /* older drivers have none: over- and underruns stay uncounted */

  /* "Yes" is no proof of a canceller (the ioctl succeeds without one), "no" is proof of none. */
  int taps = settings->echo_cancel_taps;
  bool cancels = control(fd, DAHDI_ABI_ECHOCANCEL, &taps) == 0 && taps > 0;
  struct dahdi_abi_wctdm_stats volts;
  bool measures = control(fd, DAHDI_ABI_WCTDM_GET_STATS, &volts) == 0;
  dahdi->chan.capabilities = DSHIM_CAP_GAIN | (cancels ? DSHIM_CAP_ECHO_CANCEL : 0) |
                             (measures ? DSHIM_CAP_VOLTAGE : 0) | signals_on_hook(fd, settings->vmwi_lamps);
  dahdi->chan.queues = true;

  int all = DAHDI_ABI_FLUSH_ALL; /* what the last owner left is not ours to tell */
  control(fd, DAHDI_ABI_FLUSH, &all);
  *stage = DSHIM_STAGE_NONE;
  return 0;
}

static int dahdi_open(struct chan *chan, const struct chan_settings *settings, int64_t now_ns, int32_t *stage) {
  struct chan_dahdi *dahdi = dahdi_of(chan);
  (void)now_ns;
  *stage = DSHIM_STAGE_OPEN;
  dahdi->fd = open(dahdi->device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (dahdi->fd < 0) return -errno;
  int result = configure(dahdi, settings, stage);
  if (result < 0) {
    close(dahdi->fd);
    dahdi->fd = -1;
  }
  return result;
}

static void dahdi_close(struct chan *chan) {
  struct chan_dahdi *dahdi = dahdi_of(chan);
  if (dahdi->fd >= 0) close(dahdi->fd);
  dahdi->fd = -1;
}

static int dahdi_fd(struct chan *chan) { return dahdi_of(chan)->fd; }

static int64_t dahdi_wake_ns(struct chan *chan) {
  (void)chan;
  return INT64_MAX; /* the descriptor tells */
}

/* EAGAIN: not yet. ELAST: an event is pending and wants to be taken first. Neither is an error. */
static int transferred(ssize_t bytes) {
  if (bytes == BLOCK_BYTES) return 1;
  if (bytes >= 0) return 0;
  return errno == EAGAIN || errno == EINTR || errno == DAHDI_ABI_ELAST ? 0 : -errno;
}

static int dahdi_read(struct chan *chan, int64_t now_ns, int16_t *samples) {
  (void)now_ns;
  return transferred(read(dahdi_of(chan)->fd, samples, BLOCK_BYTES));
}

static int dahdi_write(struct chan *chan, int64_t now_ns, const int16_t *samples) {
  (void)now_ns;
  return transferred(write(dahdi_of(chan)->fd, samples, BLOCK_BYTES));
}

static struct chan_event translate(int32_t number, const struct dahdi_abi_params *params) {
  if (number & DAHDI_ABI_EVENT_PULSEDIGIT) {
    return (struct chan_event){.kind = CHAN_EV_PULSE_DIGIT, .value = number & 0xFF};
  }
  switch (number) {
  case DAHDI_ABI_EVENT_RINGOFFHOOK:
    return (struct chan_event){.kind = CHAN_EV_OFF_HOOK};
  case DAHDI_ABI_EVENT_ONHOOK:
    return (struct chan_event){.kind = CHAN_EV_ON_HOOK};
  case DAHDI_ABI_EVENT_WINKFLASH:
    return (struct chan_event){.kind = CHAN_EV_FLASH};
  case DAHDI_ABI_EVENT_PULSE_START:
    return (struct chan_event){.kind = CHAN_EV_PULSE_START};
  case DAHDI_ABI_EVENT_ALARM:
  case DAHDI_ABI_EVENT_NOALARM:
    return (struct chan_event){.kind = CHAN_EV_ALARM, .value = (int32_t)params->chan_alarms};
  case DAHDI_ABI_EVENT_READ_OVERRUN:
    return (struct chan_event){.kind = CHAN_EV_OVERRUN};
  case DAHDI_ABI_EVENT_WRITE_UNDERRUN:
    return (struct chan_event){.kind = CHAN_EV_UNDERRUN};
  case DAHDI_ABI_EVENT_REMOVED:
    return (struct chan_event){.kind = CHAN_EV_REMOVED};
  default:
    return (struct chan_event){.kind = CHAN_EV_OTHER, .value = number};
  }
}

static int dahdi_event(struct chan *chan, int64_t now_ns, struct chan_event *event) {
  int fd = dahdi_of(chan)->fd;
  (void)now_ns;
  int32_t number = DAHDI_ABI_EVENT_NONE;
  int result = control(fd, DAHDI_ABI_GETEVENT, &number);
  /* A channel that was taken away fails with ENODEV but does say REMOVED. */
  if (result < 0 && number != DAHDI_ABI_EVENT_REMOVED) return result;
  if (number == DAHDI_ABI_EVENT_NONE) return 0;
  struct dahdi_abi_params params = {0};
  if (number == DAHDI_ABI_EVENT_ALARM) control(fd, DAHDI_ABI_GET_PARAMS, &params);
  *event = translate(number, &params);
  return 1;
}

static int hook(struct chan_dahdi *dahdi, int state) {
  int result = control(dahdi->fd, DAHDI_ABI_HOOK, &state);
  return result == -EINPROGRESS ? 0 : result; /* on a non-blocking descriptor: it has begun */
}

static int dahdi_ring(struct chan *chan, int64_t now_ns, bool on) {
  struct chan_dahdi *dahdi = dahdi_of(chan);
  (void)now_ns;
  int result = hook(dahdi, on ? DAHDI_ABI_RING : DAHDI_ABI_RINGOFF);
  if (result != -ENODATA) return result;
  /* No tone zone, or none when the channel was opened: one that was loaded since is taken now. */
  int zone = DAHDI_ABI_ZONE_DEFAULT;
  if (control(dahdi->fd, DAHDI_ABI_SETTONEZONE, &zone) < 0 || set_endless_burst(dahdi->fd) < 0) return -ENODATA;
  return hook(dahdi, DAHDI_ABI_RING);
}

static int dahdi_battery_drop(struct chan *chan, int64_t now_ns, bool dropped) {
  struct chan_dahdi *dahdi = dahdi_of(chan);
  (void)now_ns;
  return hook(dahdi, dropped ? DAHDI_ABI_ONHOOK : DAHDI_ABI_OFFHOOK);
}

static int dahdi_stats(struct chan *chan, int64_t now_ns, bool voltage, struct chan_stats *stats) {
  struct chan_dahdi *dahdi = dahdi_of(chan);
  (void)now_ns;
  struct dahdi_abi_params params = {0};
  int result = control(dahdi->fd, DAHDI_ABI_GET_PARAMS, &params);
  if (result < 0) return result;
  *stats = (struct chan_stats){
      .lifted = params.rxisoffhook != 0, .alarms = (int32_t)params.chan_alarms, .signalling = params.sigtype};
  if (!voltage || !(chan->capabilities & DSHIM_CAP_VOLTAGE)) return 0;
  struct dahdi_abi_wctdm_stats volts;
  if (control(dahdi->fd, DAHDI_ABI_WCTDM_GET_STATS, &volts) < 0) return 0;
  stats->voltage_known = 1;
  stats->tip_mv = volts.tipvolt;
  stats->ring_mv = volts.ringvolt;
  stats->battery_mv = volts.batvolt;
  return 0;
}

/* How much was waiting, the driver does not tell: GET_BUFINFO answers −1 since ever. */
static int dahdi_flush(struct chan *chan, int64_t now_ns) {
  int what = DAHDI_ABI_FLUSH_WRITE;
  (void)now_ns;
  return control(dahdi_of(chan)->fd, DAHDI_ABI_FLUSH, &what);
}

static int dahdi_on_hook_transfer(struct chan *chan, int64_t now_ns, int32_t ms) {
  (void)now_ns;
  return control(dahdi_of(chan)->fd, DAHDI_ABI_ONHOOKTRANSFER, &ms);
}

static int dahdi_polarity(struct chan *chan, int64_t now_ns, bool reversed) {
  int state = reversed;
  (void)now_ns;
  return control(dahdi_of(chan)->fd, DAHDI_ABI_SETPOLARITY, &state);
}

static int dahdi_vmwi(struct chan *chan, int64_t now_ns, int32_t messages) {
  (void)now_ns;
  if (!(chan->capabilities & DSHIM_CAP_VMWI)) return -ENOTTY;
  return control(dahdi_of(chan)->fd, DAHDI_ABI_VMWI, &messages);
}

const struct chan_ops chan_dahdi_ops = {
    .name = "dahdi",
    .open = dahdi_open,
    .close = dahdi_close,
    .fd = dahdi_fd,
    .wake_ns = dahdi_wake_ns,
    .read = dahdi_read,
    .write = dahdi_write,
    .event = dahdi_event,
    .ring = dahdi_ring,
    .battery_drop = dahdi_battery_drop,
    .stats = dahdi_stats,
    .flush = dahdi_flush,
    .on_hook_transfer = dahdi_on_hook_transfer,
    .polarity = dahdi_polarity,
    .vmwi = dahdi_vmwi,
};
