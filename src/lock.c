#include "lock.h"

#include <errno.h>
#include <string.h>

#include "shared.h"

#define ROW(row) &pvt_lock_##row,
const struct pvt_lock *const pvt_locks[] = {
#include "lock_rows.h"
    NULL};
#undef ROW

#define DOZE_NS 20000000u   /* long enough for a waiter to fall asleep */
#define LISTEN_NS 10000000u /* how often a worker looks whether it is to end */
#define PATIENCE_NS 3000000000u

const struct pvt_lock *pvt_lock_find(const char *name) {
  for (const struct pvt_lock *const *lock = pvt_locks; *lock != NULL; lock++)
    if (strcmp((*lock)->name, name) == 0)
      return *lock;
  return NULL;
}

int pvt_lock_init(const struct pvt_lock *lock, void *memory, bool is_pshared) {
  if (is_pshared && lock->threads_only != NULL)
    return -ENOTSUP;
  return lock->init(memory, is_pshared);
}

/* ---- The check: a holder and a waiter ---- */

enum stage { STARTED, HELD, TRIED, LET_IN };

struct check {
  const struct pvt_lock *lock;
  void *memory;
  _Atomic uint32_t stage; /* enum stage; only ever goes up */
  _Atomic bool is_held;   /* by the holder; taken back just before it releases */
  _Atomic bool is_broken;
};

static void reach(struct check *check, enum stage stage) {
  atomic_store(&check->stage, stage);
  pvt_shared_wake(&check->stage, 2);
}

/* False: the crew is being stopped. */
static bool await(struct check *check, const struct pvt_worker *worker, enum stage stage) {
  for (;;) {
    uint32_t seen = atomic_load(&check->stage);

    if (seen >= (uint32_t)stage)
      return true;
    if (pvt_worker_must_end(worker))
      return false;
    pvt_shared_wait(&check->stage, seen, LISTEN_NS);
  }
}

static int hold(struct check *check, const struct pvt_worker *worker) {
  check->lock->acquire(check->memory);
  atomic_store(&check->is_held, true);
  reach(check, HELD);
  if (await(check, worker, TRIED))
    pvt_clock_sleep_until(pvt_clock_ns() + DOZE_NS);
  atomic_store(&check->is_held, false);
  check->lock->release(check->memory);
  return PVT_DONE;
}

static int wait(struct check *check, const struct pvt_worker *worker) {
  const struct pvt_lock *lock = check->lock;

  if (!await(check, worker, HELD))
    return PVT_DONE;
  if (lock->try_acquire(check->memory))
    atomic_store(&check->is_broken, true);
  reach(check, TRIED);
  lock->acquire(check->memory);
  if (atomic_load(&check->is_held))
    atomic_store(&check->is_broken, true);
  lock->release(check->memory);
  if (lock->try_acquire(check->memory))
    lock->release(check->memory);
  else
    atomic_store(&check->is_broken, true);
  reach(check, LET_IN);
  return PVT_DONE;
}

static int take_part(struct pvt_worker *worker) {
  return (worker->index == 0 ? hold : wait)(worker->shared, worker);
}

/* Bounded here and not in the crew: a waiter that nobody wakes would be waited for, for ever. */
static int watch(struct pvt_crew *crew, struct check *check) {
  uint64_t end_ns = pvt_clock_ns() + PATIENCE_NS;

  for (;;) {
    bool was_alive = pvt_crew_is_alive(crew, 1);
    uint32_t seen = atomic_load(&check->stage);

    if (atomic_load(&check->is_broken))
      return -EPROTO;
    if (seen == LET_IN)
      return 0;
    if (!was_alive)
      return -ECHILD;
    if (pvt_clock_ns() > end_ns)
      return -ETIMEDOUT;
    pvt_shared_wait(&check->stage, seen, LISTEN_NS);
  }
}

int pvt_lock_check(const struct pvt_lock *lock, void *memory, const struct pvt_model *model, const int *cpus,
                   unsigned cpus_count) {
  struct pvt_crew_spec spec = {.workers = 2, .step = take_part, .cpus = cpus, .cpus_count = cpus_count};
  struct pvt_crew *crew;
  struct check *check;
  int status;

  if (model->shares_a_thread)
    return -EINVAL;
  status = pvt_shared_new(sizeof *check, &spec.shared);
  if (status < 0)
    return status;
  check = spec.shared;
  check->lock = lock;
  check->memory = memory;
  status = pvt_crew_start(model, &spec, &crew);
  if (status == 0) {
    pvt_crew_open(crew);
    status = watch(crew, check);
    pvt_crew_stop(crew);
  }
  pvt_shared_free(check, sizeof *check);
  return status;
}
