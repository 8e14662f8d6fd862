/* shim_process.c — the calls of dahdi_shim.h about the process itself. */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "dahdi_shim.h"

int dshim_sd_notify(const char *text) {
  static int notify_fd = -1; /* kept: without a descriptor left systemd would take us for stuck */
  const char *path = getenv("NOTIFY_SOCKET");
  if (!path || (path[0] != '/' && path[0] != '@')) return 0;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof(address.sun_path)) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0'; /* abstract */
  if (notify_fd < 0) notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (notify_fd < 0) return -errno;
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
  ssize_t sent = sendto(notify_fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
  return sent < 0 ? -errno : 0;
}

#define SCAN_DESCRIPTORS 65536 /* looked through at once: some 10 ms */

/* A connection that somebody made to one of our ports: not one that we made, and not the port itself. */
static bool is_client(int fd, const int ports[2]) {
  struct sockaddr_storage own;
  socklen_t size = sizeof own;
  if (getsockname(fd, (struct sockaddr *)&own, &size) != 0) return false;
  int port = 0;
  if (own.ss_family == AF_INET) port = ntohs(((const struct sockaddr_in *)&own)->sin_port);
  if (own.ss_family == AF_INET6) port = ntohs(((const struct sockaddr_in6 *)&own)->sin6_port);
  if (port == 0 || (port != ports[0] && port != ports[1])) return false;
  int listens = 1;
  size = sizeof listens;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && !listens;
}

static bool was_silent(int fd, int silent_ms) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_bytes_received == 0 && info.tcpi_last_data_recv >= (unsigned)silent_ms;
}

int dshim_refuse_clients(int port_a, int port_b, int reserve, int silent_ms) {
  if (reserve < 1 || silent_ms < 0) return -EINVAL;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -errno;
  if (limit.rlim_cur > 1 << 20) return 0; /* nobody has so many clients */
  const int ports[2] = {port_a, port_b};
  const int end = (int)limit.rlim_cur;
  if (reserve > end / 4) reserve = end / 4;
  int refused = 0;
  bool crowded = false;
  for (int fd = end - 2 * reserve; fd < end; fd++) {
    if (!is_client(fd, ports)) continue;
    crowded = true;
    if (fd >= end - reserve && shutdown(fd, SHUT_RDWR) == 0) refused++;
  }
  if (!crowded) return 0;
  for (int fd = 0; fd < end - reserve && fd < SCAN_DESCRIPTORS; fd++) {
    if (is_client(fd, ports) && was_silent(fd, silent_ms) && shutdown(fd, SHUT_RDWR) == 0) refused++;
  }
  return refused;
}
