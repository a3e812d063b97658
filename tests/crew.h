/* crew.h - what tests of crews share: asserts only in the tester, and a look at what a crew left behind. */
#ifndef PVT_TESTS_CREW_H
#define PVT_TESTS_CREW_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"
#include "shared.h"

enum { SECONDS = 30, WORKERS = 6, STEPS = 50, PATIENCE_MS = 10000 };

static pid_t tester;
static int threads_before;
static _Atomic uint32_t *returned; /* children that came back into the caller's code */

static inline int count_threads(void) {
  DIR *folder = opendir("/proc/self/task");
  int count = 0;

  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count - 2;
}

static inline void *shared_new(size_t bytes) {
  void *memory = NULL;

  cr_assert_eq(pvt_shared_new(bytes, &memory), 0);
  return memory;
}

static inline void skip_where_it_cannot(const struct pvt_model *model) {
  const char *why = model->cannot == NULL ? NULL : model->cannot();

  if (why != NULL)
    cr_skip_test("%s", why);
  tester = getpid();
  signal(SIGPIPE, SIG_IGN);
  returned = shared_new(4096);
  threads_before = count_threads();
}

/* A test that is killed must not leave its crew behind. */
static inline int die_with_the_tester(struct pvt_worker *worker) {
  (void)worker;
  if (getpid() != tester)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  return 0;
}

/* Start, in which a child that returns is counted and goes no further. */
static inline int try_start(const struct pvt_model *model, struct pvt_crew_spec spec, struct pvt_crew **ret_crew) {
  int status;

  if (spec.prepare == NULL)
    spec.prepare = die_with_the_tester;
  status = pvt_crew_start(model, &spec, ret_crew);
  if (getpid() != tester) {
    atomic_fetch_add(returned, 1);
    _exit(0);
  }
  return status;
}

static inline struct pvt_crew *start(const struct pvt_model *model, struct pvt_crew_spec spec) {
  struct pvt_crew *crew = NULL;
  int status = try_start(model, spec, &crew);

  cr_assert_eq(status, 0, "start: %s", strerror(-status));
  return crew;
}

static inline int replace(struct pvt_crew *crew, unsigned worker) {
  int status = pvt_crew_replace(crew, worker);

  if (getpid() != tester) {
    atomic_fetch_add(returned, 1);
    _exit(0);
  }
  return status;
}

/* Starts, opens, waits, stops. Returns what wait returned. */
static inline int run_to_the_end(const struct pvt_model *model, struct pvt_crew_spec spec) {
  struct pvt_crew *crew = start(model, spec);
  int status;

  pvt_crew_open(crew);
  status = pvt_crew_wait(crew);
  pvt_crew_stop(crew);
  return status;
}

/* Threads of the kernel's own (io_uring's) may need a moment to go. */
static inline void leaves_nothing(void) {
  int threads = 0;

  cr_expect(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child was left");
  for (int i = 0; i < PATIENCE_MS && (threads = count_threads()) > threads_before; i++)
    usleep(1000);
  cr_expect_leq(threads, threads_before, "%d threads were left", threads - threads_before);
  cr_expect_eq(atomic_load(returned), 0, "a child came back into the caller's code");
}

/* What the workers of a test share. */
struct board {
  _Atomic uint64_t steps[WORKERS];
  _Atomic uint32_t finished[WORKERS];
  _Atomic uint32_t go;
  uint64_t cpus_allowed[WORKERS];
  int fd;
  enum pvt_operation_kind kind;
};

static inline struct board *board_new(void) {
  return shared_new(sizeof(struct board));
}

static inline void mark_finished(struct pvt_worker *worker) {
  struct board *board = worker->shared;

  atomic_fetch_add(&board->finished[worker->index], 1);
}

static inline int count_steps(struct pvt_worker *worker) {
  struct board *board = worker->shared;

  worker->operations++;
  return atomic_fetch_add(&board->steps[worker->index], 1) + 1 < STEPS ? PVT_MORE : PVT_DONE;
}

static inline int await_a_while(struct pvt_worker *worker) {
  worker->await = (struct pvt_operation){.kind = PVT_SLEEP, .sleep_ns = 1000000};
  worker->operations++;
  return PVT_AWAIT;
}

static inline int await_for_ever(struct pvt_worker *worker) {
  static char buffer[WORKERS];
  struct board *board = worker->shared;

  atomic_fetch_add(&board->steps[worker->index], 1);
  worker->await = (struct pvt_operation){
      .kind = board->kind, .fd = board->fd, .buffer = &buffer[worker->index], .bytes = 1, .sleep_ns = 3600000000000u};
  return PVT_AWAIT;
}

/* Sleeps in small parts until told to go. */
static inline int live_until_go(struct pvt_worker *worker) {
  struct board *board = worker->shared;

  if (atomic_load(&board->go))
    return PVT_DONE;
  return await_a_while(worker);
}

static inline int step_for_ever(struct pvt_worker *worker) {
  struct board *board = worker->shared;

  atomic_fetch_add(&board->steps[worker->index], 1);
  return PVT_MORE;
}

#define CONTRACT(model, clause)                                                                                        \
  Test(model, clause, .timeout = SECONDS) {                                                                            \
    skip_where_it_cannot(&pvt_model_##model);                                                                          \
    clause(&pvt_model_##model);                                                                                        \
    leaves_nothing();                                                                                                  \
  }

#endif
