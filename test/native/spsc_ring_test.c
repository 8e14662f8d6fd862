/* One thread writes numbered samples, another reads them: none lost, none twice, none out of order. */
#include "spsc_ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "tap.h"

#define CAPACITY 256
#define TOTAL    200000

static struct spsc_ring ring;
static int16_t array[CAPACITY];

static void *produce(void *unused) {
  (void)unused;
  int next = 0;
  while (next < TOTAL) {
    int16_t chunk[37];
    int count = TOTAL - next < 37 ? TOTAL - next : 37;
    for (int i = 0; i < count; i++) chunk[i] = (int16_t)(next + i);
    int written = spsc_write_samples(&ring, array, CAPACITY, chunk, count);
    next += written;
    if (written == 0) sched_yield();
  }
  return NULL;
}

int main(void) {
  int16_t chunk[CAPACITY + 1] = {0};
  tap_ok(spsc_read_samples(&ring, array, CAPACITY, chunk, 5) == 0, "an empty ring gives nothing");
  tap_ok(spsc_write_samples(&ring, array, CAPACITY, chunk, CAPACITY + 1) == CAPACITY, "a full ring takes no more");
  tap_ok(spsc_writable(&ring, CAPACITY) == 0, "and says so");
  tap_ok(spsc_read_samples(&ring, array, CAPACITY, chunk, CAPACITY + 1) == CAPACITY, "all of it comes out");

  pthread_t producer;
  pthread_create(&producer, NULL, produce, NULL);
  int next = 0;
  bool in_order = true;
  while (next < TOTAL) {
    int count = spsc_read_samples(&ring, array, CAPACITY, chunk, 53);
    for (int i = 0; i < count; i++) in_order = in_order && chunk[i] == (int16_t)(next + i);
    next += count;
    if (count == 0) sched_yield();
  }
  pthread_join(producer, NULL);
  tap_ok(in_order, "%d samples crossed threads in order", TOTAL);
  tap_ok(spsc_readable(&ring) == 0, "and no more than those");
  return tap_done();
}
