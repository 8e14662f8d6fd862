/* durations.h — units of the engine's clock. */
#ifndef DURATIONS_H
#define DURATIONS_H

#define NS_PER_MS 1000000LL
#define SAMPLE_NS 125000LL /* at 8 kHz */
#define BLOCK_NS  (20 * NS_PER_MS)

#endif
