/* proof.h - what a measurement must have shown before it counts. */
#ifndef PVT_PROOF_H
#define PVT_PROOF_H

#include <stddef.h>
#include <stdint.h>

enum {
  PVT_PROOF_WORK = 1 << 0,   /* operations counted by those who did them = operations asked, or claimed */
  PVT_PROOF_SHARED = 1 << 1, /* what a worker wrote to shared memory, the master reads */
  PVT_PROOF_PRIVATE =
      1 << 2, /* the master's own memory changed under a worker's hand if, and only if, the model says so */
  PVT_PROOF_GATE = 1 << 3,    /* no worker began before the gate was open */
  PVT_PROOF_OVERLAP = 1 << 4, /* the workers were at it together for >= 0.95 of the window */
  PVT_PROOF_EXCLUSION =
      1 << 5,               /* one holder at a time: a plain counter lost no increment, and a second try was refused */
  PVT_PROOF_ORDER = 1 << 6, /* every message came once, in order, unchanged */
};

/* The first proof that is required and was not shown, as a sentence; NULL if none is missing. */
const char *pvt_proof_missing(uint32_t required, uint32_t shown);

#endif
