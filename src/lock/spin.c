/* spin: test and test-and-set. A waiter reads until the lock looks free, so that the holder keeps the line. */
#include <stdatomic.h>

#include "../clock.h"
#include "../lock.h"

struct spin {
  _Atomic uint32_t is_held;
};

static int init(void *lock, bool is_pshared) {
  struct spin *spin = lock;

  (void)is_pshared; /* memory is memory */
  atomic_init(&spin->is_held, 0);
  return 0;
}

static inline bool try_acquire(void *lock) {
  struct spin *spin = lock;

  return atomic_exchange_explicit(&spin->is_held, 1, memory_order_acquire) == 0;
}

static inline void acquire(void *lock) {
  struct spin *spin = lock;

  while (!try_acquire(lock))
    while (atomic_load_explicit(&spin->is_held, memory_order_relaxed) != 0)
      pvt_clock_relax();
}

static inline void release(void *lock) {
  struct spin *spin = lock;

  atomic_store_explicit(&spin->is_held, 0, memory_order_release);
}

static void done(void *lock) {
  (void)lock;
}

#include "turns.h"

const struct pvt_lock pvt_lock_spin = {
    .name = "spin",
    .bytes = sizeof(struct spin),
    .init = init,
    .acquire = acquire,
    .try_acquire = try_acquire,
    .release = release,
    .done = done,
    .turns = take_turns,
    .turns_holding = take_turns_holding,
};
