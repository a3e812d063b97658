/* test_lock.c - what every lock promises, in every model whose workers run at once, private and process-shared. */
#include "lock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>

#include "shared.h"

#define SECONDS 30

enum { BATCH = 1000, CHEAP_TURNS = 200000, DEAR_TURNS = 50 };
#define PATIENCE_NS 6000000000u

/* The three ways to share a lock that are compared. */
static const struct sharing {
  const char *name;
  const struct pvt_model *model;
  bool is_pshared;
} sharings[] = {
    {"thread private", &pvt_model_thread, false},
    {"thread pshared", &pvt_model_thread, true},
    {"process pshared", &pvt_model_process, true},
};
enum { SHARINGS = sizeof sharings / sizeof sharings[0] };

struct table {
  const struct pvt_lock *lock;
  uint64_t cheap, dear; /* turns of each worker */
  _Atomic uint32_t single_threaded;
  volatile uint64_t counter;
  _Alignas(PVT_APART_BYTES) char memory[PVT_APART_BYTES];
};

static struct table *table_new(const struct pvt_lock *lock, bool is_pshared) {
  void *memory;
  struct table *table;

  cr_assert_eq(pvt_shared_new(sizeof *table, &memory), 0);
  table = memory;
  cr_assert_leq(lock->bytes, sizeof table->memory);
  table->lock = lock;
  cr_assert_eq(pvt_lock_init(lock, table->memory, is_pshared), 0);
  return table;
}

static void table_free(struct table *table) {
  table->lock->done(table->memory);
  pvt_shared_free(table, sizeof *table);
}

/* The lock's worst moment: the holder is off the CPU, between its reading and its writing of the counter. */
static int yield(void *context) {
  (void)context;
  sched_yield();
  return 0;
}

/* The very loops that are measured. */
static int take_turns(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  const struct pvt_lock *lock = table->lock;

  if (worker->operations < table->cheap) {
    worker->operations += BATCH;
    return lock->turns(table->memory, &table->counter, BATCH, NULL, NULL) < 0 ? -EPROTO : PVT_MORE;
  }
  worker->operations += table->dear;
  return lock->turns_holding(table->memory, &table->counter, table->dear, yield, NULL);
}

/* A lock that wakes nobody must fail the test, not hang it: what it would leave behind outlives the test. */
static bool is_over_in_time(struct pvt_crew *crew) {
  uint64_t end_ns = pvt_clock_ns() + PATIENCE_NS;

  for (unsigned i = 0; i < pvt_crew_workers(crew); i++)
    while (pvt_crew_is_alive(crew, i)) {
      if (pvt_clock_ns() > end_ns)
        return false;
      pvt_clock_sleep_until(pvt_clock_ns() + 1000000u);
    }
  return true;
}

static void run(const struct sharing *sharing, struct table *table, pvt_step *step, unsigned workers, bool on_one_cpu) {
  cpu_set_t set;
  int cpu = 0;
  struct pvt_crew_spec spec = {
      .workers = workers, .step = step, .shared = table, .cpus = on_one_cpu ? &cpu : NULL, .cpus_count = on_one_cpu};
  struct pvt_crew *crew;
  uint64_t operations = 0;
  int status;

  cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
  while (!CPU_ISSET((unsigned)cpu, &set))
    cpu++;
  cr_assert_eq(pvt_crew_start(sharing->model, &spec, &crew), 0);
  pvt_crew_open(crew);
  status = is_over_in_time(crew) ? pvt_crew_wait(crew) : -ETIMEDOUT;
  for (unsigned i = 0; i < workers; i++)
    operations += pvt_crew_worker(crew, i)->operations;
  pvt_crew_stop(crew);
  cr_assert_eq(status, 0, "%s, %s: %d", table->lock->name, sharing->name, status);
  cr_expect_eq(operations, workers * (table->cheap + table->dear));
  cr_expect_eq(table->counter, operations, "%s, %s: counted %llu of %llu", table->lock->name, sharing->name,
               (unsigned long long)table->counter, (unsigned long long)operations);
}

typedef void promise_fn(const struct pvt_lock *lock, const struct sharing *sharing);

static void each(promise_fn *promise) {
  for (const struct pvt_lock *const *lock = pvt_locks; *lock != NULL; lock++)
    for (unsigned i = 0; i < SHARINGS; i++)
      if (!sharings[i].is_pshared || (*lock)->threads_only == NULL)
        promise(*lock, &sharings[i]);
}

static void loses_no_increment(const struct pvt_lock *lock, const struct sharing *sharing) {
  struct table *table = table_new(lock, sharing->is_pshared);

  table->cheap = CHEAP_TURNS;
  table->dear = DEAR_TURNS;
  run(sharing, table, take_turns, 2, false);
  table_free(table);
}

Test(lock, loses_no_increment, .timeout = SECONDS) {
  each(loses_no_increment);
}

/* A waiter that spins away the holder's CPU only delays it. */
static void serves_four_on_one_cpu(const struct pvt_lock *lock, const struct sharing *sharing) {
  struct table *table = table_new(lock, sharing->is_pshared);

  table->cheap = UINT64_C(10) * BATCH;
  table->dear = 5;
  run(sharing, table, take_turns, 4, true);
  table_free(table);
}

Test(lock, serves_four_on_one_cpu, .timeout = SECONDS) {
  each(serves_four_on_one_cpu);
}

static void refuses_while_held_and_hands_on(const struct pvt_lock *lock, const struct sharing *sharing) {
  struct table *table = table_new(lock, sharing->is_pshared);
  int status = pvt_lock_check(lock, table->memory, sharing->model, NULL, 0);

  cr_expect_eq(status, 0, "%s, %s: %d", lock->name, sharing->name, status);
  table_free(table);
}

Test(lock, refuses_while_held_and_hands_on, .timeout = SECONDS) {
  each(refuses_while_held_and_hands_on);
}

static void is_free_after_init_and_after_release(const struct pvt_lock *lock, const struct sharing *sharing) {
  struct table *table = table_new(lock, sharing->is_pshared);

  cr_expect(lock->try_acquire(table->memory), "%s", lock->name);
  cr_expect_not(lock->try_acquire(table->memory), "%s: its own holder came in twice", lock->name);
  lock->release(table->memory);
  lock->acquire(table->memory);
  lock->release(table->memory);
  cr_expect(lock->try_acquire(table->memory), "%s", lock->name);
  lock->release(table->memory);
  table_free(table);
}

Test(lock, is_free_after_init_and_after_release, .timeout = SECONDS) {
  each(is_free_after_init_and_after_release);
}

static int fail(void *context) {
  (void)context;
  return -EIO;
}

static void is_released_when_the_holder_fails(const struct pvt_lock *lock, const struct sharing *sharing) {
  struct table *table = table_new(lock, sharing->is_pshared);

  cr_expect_eq(lock->turns_holding(table->memory, &table->counter, 10, fail, NULL), -EIO);
  cr_expect_eq(table->counter, 1);
  cr_expect(lock->try_acquire(table->memory), "%s", lock->name);
  lock->release(table->memory);
  table_free(table);
}

Test(lock, is_released_when_the_holder_fails, .timeout = SECONDS) {
  each(is_released_when_the_holder_fails);
}

/* glibc leaves out the lock prefix of a private mutex where it believes that there is one thread: such a worker would
 * be measured with less than a lock. */
static int note_single_thread(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  struct stat tasks;

  if (stat("/proc/self/task", &tasks) == -1)
    return -errno;
  if (__libc_single_threaded || tasks.st_nlink < 2 + 2) /* itself, its parent, and a link for each thread */
    atomic_fetch_add(&table->single_threaded, 1);
  return PVT_DONE;
}

Test(lock, no_worker_is_alone_in_its_process, .timeout = SECONDS) {
  for (unsigned i = 0; i < SHARINGS; i++)
    for (unsigned workers = 1; workers <= 2; workers++) {
      struct table *table = table_new(&pvt_lock_mutex, sharings[i].is_pshared);

      run(&sharings[i], table, note_single_thread, workers, false);
      cr_expect_eq(table->single_threaded, 0, "%s, %u workers", sharings[i].name, workers);
      table_free(table);
    }
}

/* ---- What the check itself would see ---- */

Test(lock, check_sees_a_mutex_that_is_private_by_mistake, .timeout = SECONDS) {
  struct table *table = table_new(&pvt_lock_mutex, false);

  cr_expect_eq(pvt_lock_check(&pvt_lock_mutex, table->memory, &pvt_model_process, NULL, 0), -ETIMEDOUT);
  table_free(table);
}

static bool always(void *lock) {
  (void)lock;
  return true;
}

static bool never(void *lock) {
  (void)lock;
  return false;
}

Test(lock, check_sees_a_second_holder_and_a_lock_that_stays_shut, .timeout = SECONDS) {
  bool (*const wrong[])(void *) = {always, never};

  for (unsigned i = 0; i < 2; i++) {
    struct pvt_lock lock = pvt_lock_mutex;
    struct table *table = table_new(&pvt_lock_mutex, true);

    lock.try_acquire = wrong[i];
    cr_expect_eq(pvt_lock_check(&lock, table->memory, &pvt_model_thread, NULL, 0), -EPROTO);
    table_free(table);
  }
}

/* ---- The seam ---- */

Test(lock, refuses_to_be_shared_where_it_cannot, .timeout = SECONDS) {
  struct pvt_lock lock = pvt_lock_spin;
  uint32_t memory = 0;

  lock.threads_only = "its waiters are on a list of addresses";
  cr_expect_eq(pvt_lock_init(&lock, &memory, true), -ENOTSUP);
  cr_expect_eq(pvt_lock_init(&lock, &memory, false), 0);
}

Test(lock, is_found_by_its_name, .timeout = SECONDS) {
  for (const struct pvt_lock *const *lock = pvt_locks; *lock != NULL; lock++)
    cr_expect_eq(pvt_lock_find((*lock)->name), *lock);
  cr_expect_null(pvt_lock_find("none such"));
}
