/*
 * agent.c — the tests' hand inside a guest. Serves one request per TCP connection on port 9000:
 *
 *   "sh LENGTH\n" + script            → "EXIT LENGTH\n" + its output, both streams
 *   "put LENGTH PATH\n" + bytes       → "ERRNO LENGTH\n" + nothing
 *   "get 0 PATH\n"                    → "ERRNO LENGTH\n" + the file
 *   "wait 0 PATH\n"                   → the same, once the file ends in the number 0: a script or a speech is done
 *
 *   "get 0 /clock\n"                  → CLOCK_MONOTONIC and CLOCK_REALTIME now, in ns
 *
 * /far/CHANNEL/{hook,mic,ear,listen,bell_log,hook_log} are no files but the telephone at the far end of a local
 * span: the same hands as the virtual card's debugfs files (see vfxs/vfxs_debugfs.c), made of a DAHDI channel of
 * ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "far_end.h"

#define AGENT_PORT     9000
#define DAHDI_FREEZONE _IOW(0xDA, 26, int) /* <dahdi/user.h> */
#define MOST_BYTES     (8 << 20)
#define LOOK_US        5000

static bool read_whole(int fd, void *into, size_t count) {
  char *at = into;
  while (count > 0) {
    ssize_t got = read(fd, at, count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    count -= (size_t)got;
  }
  return true;
}

static bool write_whole(int fd, const void *from, size_t count) {
  const char *at = from;
  while (count > 0) {
    ssize_t put = write(fd, at, count);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += put;
    count -= (size_t)put;
  }
  return true;
}

/* All that fd has to say; freed by the caller. */
static char *read_to_end(int fd, size_t *count) {
  size_t room = 65536;
  char *bytes = malloc(room);
  *count = 0;
  for (;;) {
    if (*count == room && room < MOST_BYTES) bytes = realloc(bytes, room *= 2);
    ssize_t got = read(fd, bytes + *count, room - *count);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return bytes;
    *count += (size_t)got;
  }
}

static int run_script(const char *script, char **output, size_t *count) {
  int ends[2];
  if (pipe(ends) < 0) return 127;
  pid_t child = fork();
  if (child == 0) {
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    for (int fd = 3; fd < 256; fd++) close(fd);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  *output = read_to_end(ends[0], count);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int get_file(const char *path, char **output, size_t *count) {
  if (strcmp(path, "/clock") == 0) {
    struct timespec mono;
    struct timespec real;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &real);
    *output = calloc(1, 64);
    *count = (size_t)sprintf(*output, "%lld %lld\n", mono.tv_sec * 1000000000LL + mono.tv_nsec,
                             real.tv_sec * 1000000000LL + real.tv_nsec);
    return 0;
  }
  int fd = open(path, O_RDONLY);
  if (fd < 0) return errno;
  *output = read_to_end(fd, count);
  close(fd);
  return 0;
}

/* debugfs takes what one write gives it, as far as there is room: the rest goes into another. */
static int put_file(const char *path, const char *bytes, size_t count) {
  int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
  if (fd < 0) return errno;
  int result = 0;
  while (count > 0 && result == 0) {
    ssize_t put = write(fd, bytes, count);
    if (put < 0) result = errno;
    else {
      bytes += put;
      count -= (size_t)put;
    }
  }
  close(fd);
  return result;
}

static void answer(int fd, int status, const char *bytes, size_t count) {
  char head[64];
  int length = snprintf(head, sizeof(head), "%d %zu\n", status, count);
  if (write_whole(fd, head, (size_t)length)) write_whole(fd, bytes, count);
}

/* The last number is 0: nothing is left to do. */
static bool is_done(const char *text, size_t count) {
  while (count > 0 && text[count - 1] == '\n') count--;
  return count > 0 && text[count - 1] == '0' && (count == 1 || text[count - 2] == ' ');
}

static void serve(int fd) {
  char head[512];
  size_t length = 0;
  while (length < sizeof(head) - 1 && read_whole(fd, head + length, 1) && head[length] != '\n') length++;
  head[length] = 0;
  char verb[8] = "";
  char path[400] = "";
  size_t count = 0;
  if (sscanf(head, "%7s %zu %399s", verb, &count, path) < 2 || count > MOST_BYTES) return;
  bool waits = strcmp(verb, "wait") == 0;
  char *body = malloc(count + 1);
  if (!read_whole(fd, body, count)) return;
  body[count] = 0;
  char *output = NULL;
  size_t output_count = 0;
  int status;
  bool far = strncmp(path, "/far/", 5) == 0;
  if (strcmp(verb, "sh") == 0) status = run_script(body, &output, &output_count);
  else if (strcmp(verb, "put") == 0) status = far ? far_put(path + 5, body, count) : put_file(path, body, count);
  else {
    for (;;) {
      status = far ? far_get(path + 5, &output, &output_count) : get_file(path, &output, &output_count);
      if (!waits || status != 0 || is_done(output, output_count)) break;
      free(output);
      output = NULL;
      output_count = 0;
      usleep(LOOK_US);
    }
  }
  answer(fd, status, output, output_count);
  free(body);
  free(output);
}

static void *connection(void *argument) {
  int fd = (int)(intptr_t)argument;
  serve(fd);
  close(fd);
  return NULL;
}

/* "agent freezone NUMBER": takes a tone zone from the driver, which no tool of DAHDI's does. 0 or errno. */
static int free_zone(const char *number) {
  int zone = atoi(number);
  int fd = open("/dev/dahdi/ctl", O_RDWR);
  return fd < 0 || ioctl(fd, DAHDI_FREEZONE, &zone) < 0 ? errno : 0;
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "freezone") == 0) return free_zone(words[2]);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(AGENT_PORT)};
  if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(listener, 64) < 0) {
    perror("agent");
    return 1;
  }
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) continue;
    pthread_t thread;
    if (pthread_create(&thread, NULL, connection, (void *)(intptr_t)fd) == 0) pthread_detach(thread);
    else close(fd);
  }
}
