/* mutex: the pthread mutex of the normal type. A waiter sleeps on a futex. */
#include <pthread.h>

#include "../lock.h"

/* Private and process-shared differ in one bit of the futex calls, and so only where somebody has to wait. */
static int init(void *lock, bool is_pshared) {
  pthread_mutexattr_t attributes;
  int status = pthread_mutexattr_init(&attributes);

  if (status != 0)
    return -status;
  status = pthread_mutexattr_setpshared(&attributes, is_pshared ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE);
  if (status == 0)
    status = pthread_mutex_init(lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return -status;
}

static void acquire(void *lock) {
  pthread_mutex_lock(lock);
}

static bool try_acquire(void *lock) {
  return pthread_mutex_trylock(lock) == 0;
}

static void release(void *lock) {
  pthread_mutex_unlock(lock);
}

static void done(void *lock) {
  pthread_mutex_destroy(lock);
}

#include "turns.h"

const struct pvt_lock pvt_lock_mutex = {
    .name = "mutex",
    .bytes = sizeof(pthread_mutex_t),
    .is_parking = true,
    .has_private = true,
    .init = init,
    .acquire = acquire,
    .try_acquire = try_acquire,
    .release = release,
    .done = done,
    .turns = take_turns,
    .turns_holding = take_turns_holding,
};
