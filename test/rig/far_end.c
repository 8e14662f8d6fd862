#include "far_end.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../native/dahdi_abi.h"

#define MAX_FAR_ENDS 16
#define MAX_CHANNEL  64
#define MAX_STEPS    512
#define MAX_EDGES    512
#define MIC_SAMPLES  (1 << 19)
#define EAR_SAMPLES  (1 << 18)
#define BLOCK        160
#define BUFFERS      32        /* <dahdi/kernel.h>: DAHDI_MAX_NUM_BUFS */
#define LOOK_NS      2000000LL /* how often hook scripts and bells are looked at */
#define RXSIG_RING   3         /* enum dahdi_rxsig, <dahdi/kernel.h> */

struct edge_log {
  struct {
    int64_t ns;
    bool on;
  } edges[MAX_EDGES];
  unsigned count;
};

struct far_end {
  int channel, fd;
  bool lifted, bell;
  bool listens; /* on-hook, too, but for the time in which its bell rings */
  struct {
    bool lifted;
    unsigned ms;
  } steps[MAX_STEPS];
  unsigned step, step_count;
  int64_t step_ends_ns;
  struct edge_log hook_log, bell_log;
  int16_t *mic, *ear;
  uint64_t mic_written, mic_read, ear_written;
  int card_blocks; /* written and not yet sent: one goes with each that comes */
};

static struct far_end ends[MAX_FAR_ENDS];
static int end_count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_t thread;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void note(struct edge_log *log, bool on) {
  log->edges[log->count % MAX_EDGES].ns = now_ns();
  log->edges[log->count++ % MAX_EDGES].on = on;
}

static void set_hook(struct far_end *end, bool lifted) {
  if (end->lifted == lifted) return;
  int state = lifted ? DAHDI_ABI_OFFHOOK : DAHDI_ABI_ONHOOK;
  ioctl(end->fd, DAHDI_ABI_HOOK, &state); /* EINPROGRESS: it has begun */
  end->lifted = lifted;
  note(&end->hook_log, lifted);
}

static void run_script(struct far_end *end) {
  int64_t now = now_ns();
  while (end->step < end->step_count && now >= end->step_ends_ns) {
    if (end->step_ends_ns != 0) end->step++; /* the step before has had its time */
    if (end->step == end->step_count) break;
    set_hook(end, end->steps[end->step].lifted);
    unsigned ms = end->steps[end->step].ms;
    if (ms == 0) {
      end->step++;
      end->step_ends_ns = 0;
    } else {
      end->step_ends_ns = (end->step_ends_ns != 0 ? end->step_ends_ns : now) + ms * 1000000LL;
    }
  }
  if (end->step == end->step_count) end->step_ends_ns = 0;
}

static void look_at_bell(struct far_end *end) {
  struct dahdi_abi_params params;
  memset(&params, 0, sizeof(params));
  if (ioctl(end->fd, DAHDI_ABI_GET_PARAMS, &params) < 0) return;
  bool bell = params.rxhooksig == RXSIG_RING && !end->lifted;
  if (bell != end->bell) note(&end->bell_log, bell);
  end->bell = bell;
}

static void move_audio(struct far_end *end) {
  int16_t block[BLOCK];
  int event;
  while (ioctl(end->fd, DAHDI_ABI_GETEVENT, &event) == 0 && event != 0) continue;
  while (read(end->fd, block, sizeof(block)) == (ssize_t)sizeof(block)) {
    if (end->card_blocks > 0) end->card_blocks--;
    if (!end->lifted && (!end->listens || end->bell)) continue;
    for (int i = 0; i < BLOCK; i++) end->ear[end->ear_written++ & (EAR_SAMPLES - 1)] = block[i];
  }
  while (end->mic_read < end->mic_written) {
    uint64_t left = end->mic_written - end->mic_read;
    for (unsigned i = 0; i < BLOCK; i++)
      block[i] = i < left ? end->mic[(end->mic_read + i) & (MIC_SAMPLES - 1)] : 0;
    if (write(end->fd, block, sizeof(block)) != (ssize_t)sizeof(block)) return;
    end->mic_read += left < BLOCK ? left : BLOCK;
    end->card_blocks++;
  }
}

static void *run(void *unused) {
  for (;;) {
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < end_count; i++) {
      run_script(&ends[i]);
      look_at_bell(&ends[i]);
      move_audio(&ends[i]);
    }
    pthread_mutex_unlock(&mutex);
    struct timespec pause = {.tv_nsec = LOOK_NS};
    nanosleep(&pause, NULL);
  }
  return unused;
}

static int open_end(struct far_end *end, int channel) {
  end->fd = open("/dev/dahdi/channel", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (end->fd < 0) return errno;
  int on = 1;
  struct dahdi_abi_bufferinfo buffers = {.numbufs = BUFFERS, .bufsize = BLOCK};
  if (ioctl(end->fd, DAHDI_ABI_SPECIFY, &channel) < 0 || ioctl(end->fd, DAHDI_ABI_SETLINEAR, &on) < 0 ||
      ioctl(end->fd, DAHDI_ABI_SET_BUFINFO, &buffers) < 0) {
    int error = errno;
    close(end->fd);
    return error;
  }
  end->channel = channel;
  end->mic = calloc(MIC_SAMPLES, sizeof(int16_t));
  end->ear = calloc(EAR_SAMPLES, sizeof(int16_t));
  return 0;
}

/* Under the mutex. NULL: *error says why. */
static struct far_end *find(const char *name, const char **what, int *error) {
  char *rest;
  long channel = strtol(name, &rest, 10);
  *error = ENOENT;
  if (*rest != '/' || channel < 1 || channel > MAX_CHANNEL) return NULL;
  *what = rest + 1;
  for (int i = 0; i < end_count; i++)
    if (ends[i].channel == channel) return &ends[i];
  if (end_count == MAX_FAR_ENDS) return NULL;
  if ((*error = open_end(&ends[end_count], (int)channel)) != 0) return NULL;
  if (end_count++ == 0) {
    struct sched_param priority = {.sched_priority = 20}; /* a telephone line does not wait for a server */
    pthread_create(&thread, NULL, run, NULL);
    pthread_setschedparam(thread, SCHED_FIFO, &priority);
  }
  return &ends[end_count - 1];
}

static int put_script(struct far_end *end, const char *text) {
  unsigned count = 0;
  char *copy = strdup(text);
  char *place = NULL;
  for (char *word = strtok_r(copy, " \n", &place); word && count < MAX_STEPS;
       word = strtok_r(NULL, " \n", &place)) {
    unsigned lifted = 0;
    unsigned ms = 0;
    if (sscanf(word, "%u:%u", &lifted, &ms) < 1) continue;
    end->steps[count].lifted = lifted != 0;
    end->steps[count++].ms = ms;
  }
  free(copy);
  end->step = 0;
  end->step_count = count;
  end->step_ends_ns = 0;
  run_script(end);
  return 0;
}

static int put_mic(struct far_end *end, const char *bytes, size_t count) {
  size_t samples = count / sizeof(int16_t);
  if (end->mic_written - end->mic_read + samples > MIC_SAMPLES) return ENOSPC;
  for (size_t i = 0; i < samples; i++) {
    int16_t sample;
    memcpy(&sample, bytes + 2 * i, sizeof(sample));
    end->mic[end->mic_written++ & (MIC_SAMPLES - 1)] = sample;
  }
  return 0;
}

int far_put(const char *name, const char *bytes, size_t count) {
  const char *what;
  int error;
  pthread_mutex_lock(&mutex);
  if (strcmp(name, "all/hook") == 0) {
    for (int i = 0; i < end_count; i++) put_script(&ends[i], bytes);
    pthread_mutex_unlock(&mutex);
    return 0;
  }
  struct far_end *end = find(name, &what, &error);
  if (end) {
    error = 0;
    if (strcmp(what, "hook") == 0) error = put_script(end, bytes);
    else if (strcmp(what, "mic") == 0) error = put_mic(end, bytes, count);
    else if (strcmp(what, "listen") == 0) {
      end->listens = bytes[0] == '1';
      end->ear_written = 0;
    } else if (strcmp(what, "bell_log") == 0) end->bell_log.count = 0;
    else if (strcmp(what, "hook_log") == 0) end->hook_log.count = 0;
    else error = ENOENT;
  }
  pthread_mutex_unlock(&mutex);
  return error;
}

static char *log_text(const struct edge_log *log) {
  char *text = calloc(MAX_EDGES, 32);
  size_t length = 0;
  unsigned first = log->count > MAX_EDGES ? log->count - MAX_EDGES : 0;
  for (unsigned i = first; i < log->count; i++) {
    int printed =
        sprintf(text + length, "%lld %d\n", (long long)log->edges[i % MAX_EDGES].ns, log->edges[i % MAX_EDGES].on);
    length += (size_t)printed;
  }
  return text;
}

/* Not yet said: ours, and what waits in the driver. */
static uint64_t mic_left(const struct far_end *end) {
  return end->mic_written - end->mic_read + (uint64_t)end->card_blocks * BLOCK;
}

int far_get(const char *name, char **bytes, size_t *count) {
  const char *what;
  int error;
  pthread_mutex_lock(&mutex);
  struct far_end *end = find(name, &what, &error);
  if (end) {
    error = 0;
    if (strcmp(what, "bell_log") == 0) *bytes = log_text(&end->bell_log);
    else if (strcmp(what, "hook_log") == 0) *bytes = log_text(&end->hook_log);
    else if (strcmp(what, "hook") == 0) {
      *bytes = calloc(1, 64);
      sprintf(*bytes, "%d %u\n", end->lifted, end->step_count - end->step);
    } else if (strcmp(what, "mic") == 0) {
      *bytes = calloc(1, 64);
      sprintf(*bytes, "%llu\n", (unsigned long long)mic_left(end));
    } else if (strcmp(what, "ear") == 0) {
      uint64_t samples = end->ear_written < EAR_SAMPLES ? end->ear_written : EAR_SAMPLES;
      *count = samples * sizeof(int16_t);
      int16_t *copy = malloc(*count + 1);
      for (uint64_t i = 0; i < samples; i++)
        copy[i] = end->ear[(end->ear_written - samples + i) & (EAR_SAMPLES - 1)];
      *bytes = (char *)copy;
    } else error = ENOENT;
    if (*bytes && strcmp(what, "ear") != 0) *count = strlen(*bytes);
  }
  pthread_mutex_unlock(&mutex);
  return error;
}
