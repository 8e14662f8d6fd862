/*
 * A card that fails, for LD_PRELOAD: while the file $FAILING_CARD names one of "write", "sync" or "cut", what reaches a file
 * of the event log fails with EIO, or, for "cut", arrives in half. The kernel's own way after a failed sync: the next one
 * succeeds, although what it had to write is not there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fails(int fd, const char *how) {
  const char *control = getenv("FAILING_CARD");
  if (!control) return 0;
  char said[16] = "", link[64], path[4096];
  int file = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t length = syscall(SYS_read, file, said, sizeof said - 1);
  syscall(SYS_close, file);
  if (length <= 0 || strncmp(said, how, strlen(how)) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return strstr(path, "events.db") != NULL;
}

static int io_error(void) {
  errno = EIO;
  return -1;
}

ssize_t pwrite64(int fd, const void *data, size_t count, off_t offset) {
  if (fails(fd, "write")) return io_error();
  if (fails(fd, "cut")) {
    syscall(SYS_pwrite64, fd, data, count / 2, offset);
    return io_error();
  }
  return syscall(SYS_pwrite64, fd, data, count, offset);
}

ssize_t pwrite(int fd, const void *data, size_t count, off_t offset) { return pwrite64(fd, data, count, offset); }

ssize_t write(int fd, const void *data, size_t count) {
  if (fails(fd, "write")) return io_error();
  return syscall(SYS_write, fd, data, count);
}

int fdatasync(int fd) { return fails(fd, "sync") ? io_error() : (int)syscall(SYS_fdatasync, fd); }

int fsync(int fd) { return fails(fd, "sync") ? io_error() : (int)syscall(SYS_fsync, fd); }
