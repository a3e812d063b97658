/* What does it cost to take turns, within a process and between processes? */
#include <errno.h>
#include <string.h>

#include "lock.h"
#include "model.h"
#include "place.h"
#include "question.h"
#include "workload.h"

enum { CONTENDERS_MAX = 2 };

/* What the holder does, beside counting, before it lets go; and how many turns make a step of 10 to 50 us. */
struct holder {
  const char *name;
  const struct pvt_workload *workload; /* NULL: nothing */
  uint64_t service_ns, turns;
};

static const struct holder holders[] = {
    {"none", NULL, 0, 1000},
    {"spin", &pvt_workload_row_spin, 1000, 20},
    {"sleep", &pvt_workload_row_sleep, 100000, 1},
};
enum { NONE, SPIN, SLEEP, HOLDERS };

/* One row: these contenders take turns with this lock. */
struct contest {
  const struct pvt_model *model;
  const struct pvt_lock *lock; /* NULL: the floor, which needs none */
  bool is_pshared;
  unsigned contenders;
  const struct holder *holder;
};

/* What the contenders see. The lock is on memory of its own, and what it protects on another line. */
struct table { // NOLINT(clang-analyzer-optin.performance.Padding)
  void *lock;
  pvt_turns_fn *turns;
  const struct holder *holder;
  _Alignas(PVT_APART_BYTES) volatile uint64_t counter;
  _Alignas(PVT_APART_BYTES) struct pvt_work work[CONTENDERS_MAX];
};

/* The thinnest way to count together: the hardware takes the turns. */
// NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes
static int fetch_add(void *lock, volatile uint64_t *counter, uint64_t turns, pvt_hold_fn *hold, void *context) {
  (void)lock;
  (void)hold;
  (void)context;
  for (uint64_t turn = 0; turn < turns; turn++)
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
  return 0;
}

static int work_once(void *context) {
  return pvt_work_once(context);
}

static int take_turns(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  uint64_t turns = table->holder->turns;
  int status = table->turns(table->lock, &table->counter, turns, work_once, worker->own);

  if (status < 0)
    return status;
  worker->operations += turns;
  return PVT_MORE;
}

static int begin_work(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  const struct holder *holder = table->holder;
  struct pvt_work_spec spec = {.service_ns = holder->service_ns};

  worker->own = &table->work[worker->index];
  return holder->workload == NULL ? 0 : pvt_work_init(worker->own, holder->workload, &spec);
}

static void end_work(struct pvt_worker *worker) {
  const struct table *table = worker->shared;

  if (table->holder->workload != NULL)
    pvt_work_done(worker->own);
}

/* Once in each subject, which measures one row: two workers of the row's model, before anything is measured. */
static int check_lock(const struct contest *contest, void *lock, const int *cpus, unsigned cpus_count,
                      struct pvt_measure *ret) {
  static const struct contest *checked;
  int status;

  if (checked == contest)
    return 0;
  status = pvt_lock_check(contest->lock, lock, contest->model, cpus, cpus_count);
  if (status < 0)
    return pvt_measure_fail(ret, status, "%s: %s", contest->lock->name,
                            status == -EPROTO      ? "two holders at once, or a free lock refused"
                            : status == -ETIMEDOUT ? "a waiter was not let in"
                                                   : strerror(-status));
  checked = contest;
  return 0;
}

/* Who counts what: the workers their turns, the lock's holders the counter, the workloads what was done meanwhile. */
static int judge(const struct contest *contest, const struct pvt_crew *crew, const struct table *table,
                 struct pvt_measure *ret) {
  uint64_t held = 0;

  for (unsigned i = 0; i < contest->contenders; i++) {
    ret->operations += pvt_crew_worker(crew, i)->operations;
    held += table->work[i].done;
  }
  if (table->counter != ret->operations)
    return pvt_measure_fail(ret, -EPROTO, "%llu turns were taken, %llu were counted",
                            (unsigned long long)ret->operations, (unsigned long long)table->counter);
  if (contest->lock != NULL)
    ret->proofs |= PVT_PROOF_EXCLUSION; /* check_lock has shown the rest of it */
  if (contest->holder->workload == NULL || held == ret->operations)
    ret->proofs |= PVT_PROOF_WORK;
  return 0;
}

static int contend(const struct contest *contest, struct table *table, const int *cpus, unsigned cpus_count,
                   const struct pvt_request *request, struct pvt_measure *ret) {
  struct pvt_crew_spec spec = {.workers = contest->contenders,
                               .step = take_turns,
                               .prepare = begin_work,
                               .finish = end_work,
                               .shared = table,
                               .cpus = cpus,
                               .cpus_count = cpus_count,
                               .window_ns = request->window_ns};
  struct pvt_crew *crew;
  int status;

  pvt_workload_spins(contest->holder->service_ns); /* children inherit the calibration */
  status = pvt_crew_start(contest->model, &spec, &crew);
  if (status < 0)
    return pvt_measure_fail(ret, status, "cannot start %u workers: %s", contest->contenders, strerror(-status));
  pvt_crew_open(crew);
  status = pvt_crew_wait(crew);
  pvt_crew_report(crew, ret);
  if (status < 0)
    pvt_measure_fail(ret, status, "a worker: %s", strerror(-status));
  else
    status = judge(contest, crew, table, ret);
  pvt_crew_stop(crew);
  return status;
}

static enum pvt_placement placement(unsigned contenders) {
  return contenders == 1 ? PVT_SAME_CPU : PVT_CROSS_CPU;
}

static int measure(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret) {
  const struct contest *contest = row->subject;
  const struct pvt_lock *lock = contest->lock;
  size_t lock_bytes = lock == NULL ? 1 : lock->bytes;
  int cpus[PVT_CPUS_MAX], count = pvt_place_cpus(placement(contest->contenders), request, cpus), status;
  void *memory = NULL, *lock_memory = NULL;
  struct table *table;

  if (count < 0)
    return pvt_measure_fail(ret, count, "placement: %s", strerror(-count));
  status = pvt_shared_new(sizeof *table, &memory);
  if (status == 0)
    status = pvt_shared_new(lock_bytes, &lock_memory);
  if (status == 0 && lock != NULL)
    status = pvt_lock_init(lock, lock_memory, contest->is_pshared);
  if (status < 0) {
    pvt_measure_fail(ret, status, "set-up: %s", strerror(-status));
    goto out;
  }
  table = memory;
  table->lock = lock_memory;
  table->holder = contest->holder;
  table->turns = lock == NULL ? fetch_add : contest->holder->workload == NULL ? lock->turns : lock->turns_holding;
  if (lock != NULL)
    status = check_lock(contest, lock_memory, cpus, (unsigned)count, ret);
  if (status == 0)
    status = contend(contest, table, cpus, (unsigned)count, request, ret);
  if (lock != NULL)
    lock->done(lock_memory);
out:
  pvt_shared_free(lock_memory, lock_bytes);
  pvt_shared_free(memory, sizeof *table);
  return status;
}

/* The first look: what everybody uses, bare, and the essay's balance, whose holder sleeps. */
static bool is_quick(const struct contest *contest) {
  if (contest->lock == NULL)
    return contest->model->shares_memory && contest->contenders == 2;
  if (!contest->is_pshared && contest->contenders == 2)
    return false;
  if (contest->lock != &pvt_lock_mutex || contest->holder == &holders[SPIN])
    return false;
  return contest->holder == &holders[NONE] || (contest->contenders == 2 && contest->is_pshared);
}

static struct pvt_row *add(struct pvt_question *question, const struct pvt_host *host, const struct contest *contest) {
  struct pvt_row *row = pvt_question_row(question, "turns");

  pvt_row_axis(question, row, "model", "%s", contest->model->name);
  if (contest->lock == NULL)
    pvt_row_axis(question, row, "floor", "fetch_add");
  else {
    pvt_row_axis(question, row, "lock", "%s", contest->lock->name);
    pvt_row_axis(question, row, "sharing", "%s", contest->is_pshared ? "pshared" : "private");
  }
  pvt_row_axis(question, row, "contenders", "%u", contest->contenders);
  pvt_row_axis(question, row, "placement", "%s", pvt_place_name(placement(contest->contenders)));
  pvt_row_axis(question, row, "holder", "%s", contest->holder->name);
  row->measure = measure;
  row->subject = pvt_question_keep(question, contest, sizeof *contest);
  row->timing = PVT_WINDOWED;
  row->profiles = is_quick(contest) ? PVT_ALWAYS : PVT_NOT_QUICK;
  row->workers = contest->contenders;
  row->proofs = PVT_PROOF_WORK | PVT_PROOF_SHARED | PVT_PROOF_PRIVATE | PVT_PROOF_GATE;
  if (contest->lock != NULL)
    row->proofs |= PVT_PROOF_EXCLUSION;
  if (contest->contenders > 1)
    row->proofs |= PVT_PROOF_OVERLAP;
  pvt_row_needs_cpus(row, host, contest->contenders);
  if (contest->lock != NULL && contest->is_pshared && contest->lock->threads_only != NULL)
    pvt_row_skip(row, "%s", contest->lock->threads_only);
  pvt_row_needs_workers(row, host, 2 * contest->contenders);
  return row;
}

/* A spinning waiter pays for nothing but the line, however long the holder computes; a sleeping one has to be woken. */
static bool is_worth(const struct pvt_lock *lock, const struct holder *holder, unsigned contenders) {
  return lock->is_parking || holder == &holders[NONE] || (holder == &holders[SLEEP] && contenders > 1);
}

static void add_contest(struct pvt_question *question, const struct pvt_host *host, unsigned contenders,
                        const struct holder *holder) {
  const struct pvt_model *models[] = {&pvt_model_thread, &pvt_model_process};

  for (const struct pvt_lock *const *lock = pvt_locks; *lock != NULL; lock++) {
    if (!is_worth(*lock, holder, contenders))
      continue;
    if ((*lock)->has_private)
      add(question, host, &(struct contest){&pvt_model_thread, *lock, false, contenders, holder});
    for (unsigned i = 0; i < 2; i++)
      add(question, host, &(struct contest){models[i], *lock, true, contenders, holder});
  }
  if (holder == &holders[NONE])
    for (unsigned i = 0; i < 2; i++)
      add(question, host, &(struct contest){models[i], NULL, false, contenders, holder});
}

/* Each bare process-shared row against the floor of the same model, contenders and placement. */
static void compare_with_floor(struct pvt_question *question) {
  for (size_t arm = 0; arm < question->rows_count; arm++) {
    const struct contest *contest = question->rows[arm].subject;

    if (contest->lock == NULL || !contest->is_pshared || contest->holder != &holders[NONE])
      continue;
    for (size_t i = 0; i < question->rows_count; i++) {
      const struct contest *other = question->rows[i].subject;

      if (other->lock == NULL && other->model == contest->model && other->contenders == contest->contenders)
        pvt_question_contrast(question, PVT_FLOOR, question->rows[arm].name, question->rows[i].name);
    }
  }
}

/* The same lock, process-shared in both arms, by processes and by threads. Not the bare mutex that nobody else wants:
 * its 6 ns move by 10 % with where in memory its loop's stack, lock and libc come to lie, which a launch does not vary
 * alike for both (docs/lock.md), so a ratio of them would say nothing about processes. */
static void compare_models(struct pvt_question *question) {
  size_t rows = question->rows_count;

  for (size_t arm = 0; arm < rows; arm++)
    for (size_t against = 0; against < rows; against++) {
      const struct contest *a = question->rows[arm].subject, *b = question->rows[against].subject;

      if (!a->model->shares_memory && b->model->shares_memory && a->lock == b->lock && a->is_pshared == b->is_pshared &&
          a->contenders == b->contenders && a->holder == b->holder &&
          !(a->lock != NULL && a->lock->is_parking && a->holder == &holders[NONE] && a->contenders == 1))
        pvt_question_contrast(question, PVT_MODEL, question->rows[arm].name, question->rows[against].name);
    }
}

void pvt_question_declare(struct pvt_question *question, const struct pvt_host *host) {
  question->name = "lock";
  question->title = "What does it cost to take turns, within a process and between processes?";
  for (unsigned holder = NONE; holder < HOLDERS; holder++)
    for (unsigned contenders = 1; contenders <= CONTENDERS_MAX; contenders++)
      add_contest(question, host, contenders, &holders[holder]);
  compare_models(question);
  pvt_question_compare(question, PVT_SHARING, "sharing", "private");
  compare_with_floor(question);
}
