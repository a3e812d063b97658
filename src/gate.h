/* gate.h - workers wait here until all are ready, and start at one moment. Lives in memory from pvt_shared_new. */
#ifndef PVT_GATE_H
#define PVT_GATE_H

#include <stdbool.h>

#include "clock.h"
#include "shared.h"

/* Woken workers need this long to come back to a CPU; they spin for what is left of it, so that all start together. */
#define PVT_GATE_HEADSTART_NS 200000u

enum pvt_gate_state { PVT_GATE_CLOSED, PVT_GATE_OPEN, PVT_GATE_ABANDONED };

struct pvt_gate {
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t state;    /* enum pvt_gate_state */
  _Atomic uint64_t opened_ns;                          /* the common start; a worker's first stamp is never earlier */
  _Atomic uint64_t deadline_ns;                        /* windowed work ends with its first step after this; 0: none */
  _Atomic uint32_t stopping;                           /* workers end after their current step */
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t arrivals; /* workers that came to the gate or ended: bumped and woken */
};

/* What a worker writes about itself; the master reads it when the worker has ended. */
struct pvt_stamps {
  uint64_t first_ns;      /* just after the gate; 0: it never started */
  uint64_t last_ns;       /* just after its last step */
  struct pvt_usage usage; /* a little more than between the two stamps: the clocks are read outside them */
};

/* Master: opens the gate; window_ns 0 means no deadline. Returns the common start. */
uint64_t pvt_gate_open(struct pvt_gate *gate, uint64_t window_ns);
/* Master: no worker is to pass any more; those inside end after their current step. */
void pvt_gate_abandon(struct pvt_gate *gate);
/* Worker: sleeps until the gate is open, then spins to the common start. Returns false if it was abandoned. */
bool pvt_gate_pass(struct pvt_gate *gate);
/* Worker: tells the master that something about it has changed. */
void pvt_gate_announce(struct pvt_gate *gate);

/* How much of the span all workers shared: (earliest last - latest first) / (latest last - earliest first), 0..1. */
double pvt_gate_overlap(const struct pvt_stamps *const *stamps, unsigned workers);
/* Latest last - earliest first. */
uint64_t pvt_gate_span_ns(const struct pvt_stamps *const *stamps, unsigned workers);

#endif
