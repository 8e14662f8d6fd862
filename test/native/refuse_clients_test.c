/*
 * Who goes when descriptors run short: real connections at real ports, put at the numbers that the test wants.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dahdi_shim.h"
#include "tap.h"

enum { LIMIT = 64, RESERVE = 8, CROWDED = LIMIT - 2 * RESERVE, LAST = LIMIT - RESERVE };

static int listener, port;

static void listen_here(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, (struct sockaddr *)&address, size);
  listen(listener, 8);
  getsockname(listener, (struct sockaddr *)&address, &size);
  port = ntohs(address.sin_port);
}

struct pair {
  int client, served;
};

static int at(int fd, int number) {
  int moved = fcntl(fd, F_DUPFD, number);
  close(fd);
  return moved;
}

static struct pair connection(int served_at) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
  int client = socket(AF_INET, SOCK_STREAM, 0);
  connect(client, (struct sockaddr *)&address, sizeof address);
  return (struct pair){client, at(accept(listener, NULL, NULL), served_at)};
}

static void say(struct pair pair) {
  char byte = 'G';
  if (send(pair.client, &byte, 1, 0) == 1) recv(pair.served, &byte, 1, 0);
}

static bool goes(struct pair pair) {
  char byte;
  bool gone = recv(pair.client, &byte, 1, MSG_DONTWAIT) == 0;
  close(pair.client);
  close(pair.served);
  return gone;
}

static int refuse(int silent_ms) { return dshim_refuse_clients(0, port, RESERVE, silent_ms); }

int main(void) {
  struct rlimit limit = {LIMIT, LIMIT};
  setrlimit(RLIMIT_NOFILE, &limit);
  listen_here();

  struct pair silent = connection(20);
  tap_ok(refuse(0) == 0, "where there is room nobody goes, silent or not");

  struct pair talker = connection(21), crowding = connection(CROWDED);
  say(talker);
  say(crowding);
  tap_ok(refuse(60000) == 0, "in a crowd nobody goes who just came");
  tap_ok(refuse(0) == 1, "in a crowd one goes who is silent");
  tap_ok(goes(silent) && !goes(talker) && !goes(crowding), "and only that one");

  struct pair last = connection(LAST), very_last = connection(LIMIT - 1), early = connection(20);
  say(last);
  say(very_last);
  say(early);
  tap_ok(refuse(0) == 2, "clients do not get the last ones");
  tap_ok(goes(last) && goes(very_last) && !goes(early), "whatever they said, and others stay");

  struct pair ours = connection(20);
  ours.client = at(ours.client, LAST);
  listener = at(listener, LAST + 1);
  int file = at(open("/dev/null", O_RDONLY), LAST + 2);
  tap_ok(refuse(0) == 0, "our own may have them: a connection that we made, a port, a file");
  tap_ok(dshim_refuse_clients(port, 0, RESERVE, 0) == 0 && !goes(ours), "and do not make a crowd");
  close(file);

  struct pair other = connection(LAST + 4);
  tap_ok(dshim_refuse_clients(1, 2, RESERVE, 0) == 0 && !goes(other),
         "nor connections at ports that are not ours");
  struct pair much = connection(LIMIT - 2 * (LIMIT / 4));
  tap_ok(dshim_refuse_clients(port, 0, 1000, 0) == 1 && goes(much), "no more than a quarter is kept");
  tap_ok(dshim_refuse_clients(port, 0, 0, 0) == -EINVAL && dshim_refuse_clients(port, 0, 1, -1) == -EINVAL,
         "nonsense is refused");
  return tap_done();
}
