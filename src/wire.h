/* wire.h - what a harness asks its subject to measure, and what the subject answers. Same build on both ends. */
#ifndef PVT_WIRE_H
#define PVT_WIRE_H

#include <stdint.h>

#include "samples.h"

enum { PVT_NAME_BYTES = 160, PVT_WHY_BYTES = 240, PVT_CPUS_MAX = 256 };

/* One repetition of one row. */
struct pvt_request {
  char row[PVT_NAME_BYTES];
  uint64_t operations; /* counted rows: do exactly so many. Windowed rows: 0 */
  uint64_t window_ns;  /* windowed rows: how long. Counted rows: 0 */
  uint32_t cpus_count;
  int32_t cpus[PVT_CPUS_MAX]; /* CPUs to use, the most different ones first */
};

struct pvt_measure {
  int32_t status;          /* 0, or the -errno that ended it */
  uint32_t proofs;         /* PVT_PROOF_… shown */
  char why[PVT_WHY_BYTES]; /* of a status: what failed, a sentence */
  uint64_t operations;     /* done and proved */
  uint64_t span_ns;        /* wall time of those operations */
  uint64_t cpu_ns;         /* CPU time of all workers */
  uint64_t voluntary, involuntary, faults;
  double overlap;                 /* 0..1; 1 for a single worker */
  struct pvt_quantiles quantiles; /* count 0: not sampled */
  struct pvt_histogram histogram;
};

/* Over a SOCK_SEQPACKET descriptor, whole or not at all. Returns 0 or -errno; -ECONNRESET when the other end is gone.
 */
int pvt_wire_send(int fd, const void *message, size_t bytes);
int pvt_wire_receive(int fd, void *message, size_t bytes);

/* Sets status and why; printf-like. Returns status, so that a row can say: return pvt_measure_fail(...). */
int pvt_measure_fail(struct pvt_measure *measure, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
