/*
 * lock.h - how workers exclude each other: one at a time, the others wait.
 *
 * acquire, try_acquire and release are for tests and proofs. What is measured are the two loops, made anew for each
 * lock by lock/turns.h, so that the lock is called directly and the only call through a pointer is one per batch.
 */
#ifndef PVT_LOCK_H
#define PVT_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

/* What a holder does with the lock held, beside counting. Returns 0 or -errno. */
typedef int pvt_hold_fn(void *context);
/* So many turns: acquire, add one to the plain counter, release. With a hold, the counter is read before it and written
 * after it, so that a second holder is sure to lose an increment. Returns 0, or what hold returned, the lock released.
 */
typedef int pvt_turns_fn(void *lock, volatile uint64_t *counter, uint64_t turns, pvt_hold_fn *hold, void *context);

/* One row of the seam. The lock itself is memory of the caller's: zeroed, and from pvt_shared_new if processes share
 * it. */
struct pvt_lock {
  const char *name;
  size_t bytes;
  bool is_parking;                          /* a waiter sleeps in the kernel; false: it spins */
  bool has_private;                         /* a private lock does something else than a process-shared one */
  const char *threads_only;                 /* why processes cannot share it, a sentence, or NULL */
  int (*init)(void *lock, bool is_pshared); /* 0 or -errno; call it through pvt_lock_init */
  void (*acquire)(void *lock);
  bool (*try_acquire)(void *lock); /* never waits */
  void (*release)(void *lock);
  void (*done)(void *lock);    /* nobody holds it */
  pvt_turns_fn *turns;         /* takes no notice of hold */
  pvt_turns_fn *turns_holding; /* calls hold(context) in each turn */
};

#define ROW(row) extern const struct pvt_lock pvt_lock_##row;
#include "lock_rows.h"
#undef ROW
extern const struct pvt_lock *const pvt_locks[]; /* ends with NULL */
const struct pvt_lock *pvt_lock_find(const char *name);

/* Returns 0, -ENOTSUP (processes cannot share it), or the row's own -errno. */
int pvt_lock_init(const struct pvt_lock *lock, void *memory, bool is_pshared);

/* Two workers of the model show that the lock excludes and hands on: while one holds it, the other's try is refused;
 * the other then waits, is let in after the release and not before, and finds the lock free after its own. The lock is
 * initialised and free; models whose workers share a thread cannot. Returns 0, -EPROTO (two holders at once, or a free
 * lock refused), -ETIMEDOUT (the waiter was not let in for 3 s), or the -errno of making the crew. */
int pvt_lock_check(const struct pvt_lock *lock, void *memory, const struct pvt_model *model, const int *cpus,
                   unsigned cpus_count);

#endif
