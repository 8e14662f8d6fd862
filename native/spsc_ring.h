/*
 * spsc_ring.h — one producer, one consumer, C11 atomics. Positions count for ever and are masked into an
 * array whose length is a power of two; the array itself belongs to whoever embeds the ring.
 */
#ifndef SPSC_RING_H
#define SPSC_RING_H

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#define SPSC_CACHE_LINE 64

struct spsc_ring {
  _Alignas(SPSC_CACHE_LINE) _Atomic uint64_t written; /* by the producer */
  _Alignas(SPSC_CACHE_LINE) _Atomic uint64_t read;    /* by the consumer */
};

/* Items that the consumer may read: their contents are visible. */
static inline uint64_t spsc_readable(struct spsc_ring *ring) {
  return atomic_load_explicit(&ring->written, memory_order_acquire) -
         atomic_load_explicit(&ring->read, memory_order_relaxed);
}

/* Places that the producer may fill. */
static inline uint64_t spsc_writable(struct spsc_ring *ring, uint64_t capacity) {
  return capacity - (atomic_load_explicit(&ring->written, memory_order_relaxed) -
                     atomic_load_explicit(&ring->read, memory_order_acquire));
}

static inline uint64_t spsc_write_position(struct spsc_ring *ring) {
  return atomic_load_explicit(&ring->written, memory_order_relaxed);
}

static inline uint64_t spsc_read_position(struct spsc_ring *ring) {
  return atomic_load_explicit(&ring->read, memory_order_relaxed);
}

/* The producer has filled count places. */
static inline void spsc_publish(struct spsc_ring *ring, uint64_t count) {
  uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
  atomic_store_explicit(&ring->written, at + count, memory_order_release);
}

/* The consumer is done with count items. */
static inline void spsc_release(struct spsc_ring *ring, uint64_t count) {
  uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
  atomic_store_explicit(&ring->read, at + count, memory_order_release);
}

/* Samples, as many as fit; capacity is the array's length. Returns how many were copied. */
static inline int spsc_write_samples(struct spsc_ring *ring, int16_t *array, uint64_t capacity,
                                     const int16_t *samples, int count) {
  uint64_t room = spsc_writable(ring, capacity);
  uint64_t taken = (uint64_t)count < room ? (uint64_t)count : room;
  uint64_t at = spsc_write_position(ring) & (capacity - 1);
  uint64_t first = taken < capacity - at ? taken : capacity - at;
  memcpy(&array[at], samples, first * sizeof(*samples));
  memcpy(&array[0], samples + first, (taken - first) * sizeof(*samples));
  spsc_publish(ring, taken);
  return (int)taken;
}

static inline int spsc_read_samples(struct spsc_ring *ring, const int16_t *array, uint64_t capacity,
                                    int16_t *samples, int count) {
  uint64_t there = spsc_readable(ring);
  uint64_t taken = (uint64_t)count < there ? (uint64_t)count : there;
  uint64_t at = spsc_read_position(ring) & (capacity - 1);
  uint64_t first = taken < capacity - at ? taken : capacity - at;
  memcpy(samples, &array[at], first * sizeof(*samples));
  memcpy(samples + first, &array[0], (taken - first) * sizeof(*samples));
  spsc_release(ring, taken);
  return (int)taken;
}

#endif
