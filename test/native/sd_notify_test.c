/*
 * systemd hears of us also when the process may open nothing more: it would take us for stuck, and end us.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dahdi_shim.h"
#include "tap.h"

static int hears(int systemd, const char *text) {
  char heard[64] = "";
  ssize_t length = recv(systemd, heard, sizeof heard - 1, MSG_DONTWAIT);
  return length == (ssize_t)strlen(text) && strcmp(heard, text) == 0;
}

int main(void) {
  tap_ok(dshim_sd_notify("READY=1") == 0, "without systemd nothing is told");

  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "sd_notify_test %d", getpid());
  int systemd = socket(AF_UNIX, SOCK_DGRAM, 0);
  bind(systemd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + 1 + (size_t)length));
  address.sun_path[0] = '@';
  setenv("NOTIFY_SOCKET", address.sun_path, 1);
  tap_ok(dshim_sd_notify("READY=1") == 0 && hears(systemd, "READY=1"), "it is told");

  struct rlimit usual, none;
  getrlimit(RLIMIT_NOFILE, &usual);
  none = usual;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  tap_ok(socket(AF_UNIX, SOCK_DGRAM, 0) < 0, "nothing more can be opened");
  tap_ok(dshim_sd_notify("WATCHDOG=1") == 0 && hears(systemd, "WATCHDOG=1"), "and it is told all the same");
  setrlimit(RLIMIT_NOFILE, &usual); /* the sanitizer's own files */
  return tap_done();
}
