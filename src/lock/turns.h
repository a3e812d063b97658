/*
 * turns.h - the loops that are measured. A lock's file includes it after its own acquire() and release(), so that both
 * are called directly, or inlined, as they would be in the program that the number is meant for.
 */
#ifndef PVT_LOCK_TURNS_H
#define PVT_LOCK_TURNS_H

#include "../lock.h"

static int take_turns(void *lock, volatile uint64_t *counter, uint64_t turns, pvt_hold_fn *hold, void *context) {
  (void)hold;
  (void)context;
  for (uint64_t turn = 0; turn < turns; turn++) {
    acquire(lock);
    *counter = *counter + 1;
    release(lock);
  }
  return 0;
}

static int take_turns_holding(void *lock, volatile uint64_t *counter, uint64_t turns, pvt_hold_fn *hold,
                              void *context) {
  int status = 0;

  for (uint64_t turn = 0; turn < turns && status == 0; turn++) {
    uint64_t seen;

    acquire(lock);
    seen = *counter;
    status = hold(context);
    *counter = seen + 1;
    release(lock);
  }
  return status;
}

#endif
