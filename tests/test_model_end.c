/* test_model_end.c - the contract that every model keeps, each row each clause: deaths, replacements, stops, limits. */
#include <sys/resource.h>
#include <sys/socket.h>

#include "crew.h"

enum { STOP_S = 10 };

static bool dies(struct pvt_crew *crew, unsigned worker) {
  for (int i = 0; i < PATIENCE_MS && pvt_crew_is_alive(crew, worker); i++)
    usleep(1000);
  return !pvt_crew_is_alive(crew, worker);
}

static void notices_a_death_and_fills_the_place_again(const struct pvt_model *model) {
  struct board *board = board_new();
  struct pvt_crew *crew;

  if (model->kill == NULL)
    cr_skip_test("a worker cannot be killed alone");
  crew = start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = live_until_go, .shared = board});
  pvt_crew_open(crew);
  for (unsigned i = 0; i < WORKERS; i++)
    cr_expect(pvt_crew_is_alive(crew, i));
  cr_assert_eq(kill(pvt_crew_worker(crew, 0)->pid, SIGKILL), 0);
  cr_expect(dies(crew, 0));
  cr_expect(pvt_crew_is_alive(crew, WORKERS - 1));
  cr_expect_eq(pvt_crew_worker(crew, 0)->status, -ECHILD);
  cr_expect_eq(replace(crew, 0), 0);
  cr_expect(pvt_crew_is_alive(crew, 0));
  cr_expect_eq(atomic_load(&pvt_crew_worker(crew, 0)->lives), 2);
  cr_expect_eq(atomic_load(&pvt_crew_worker(crew, WORKERS - 1)->lives), 1);
  /* And a second one, which nobody looks at before the wait. */
  cr_assert_eq(kill(pvt_crew_worker(crew, WORKERS - 1)->pid, SIGKILL), 0);
  atomic_store(&board->go, 1);
  cr_expect_eq(pvt_crew_wait(crew), -ECHILD);
  pvt_crew_stop(crew);
}

static void replaces_what_has_ended_and_what_it_can_kill(const struct pvt_model *model) {
  struct board *board = board_new();
  struct pvt_crew *crew =
      start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = live_until_go, .shared = board});
  pid_t first;

  pvt_crew_open(crew);
  first = pvt_crew_worker(crew, 1)->tid;
  cr_expect_eq(replace(crew, 1), model->kill == NULL ? -EBUSY : 0);
  if (model->kill == NULL)
    cr_expect_eq(pvt_crew_worker(crew, 1)->tid, first);
  atomic_store(&board->go, 1);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  cr_expect_not(pvt_crew_is_alive(crew, 1));
  atomic_store(&board->go, 0);
  cr_expect_eq(replace(crew, 1), 0);
  cr_expect(pvt_crew_is_alive(crew, 1));
  cr_expect_eq(atomic_load(&pvt_crew_worker(crew, 1)->lives), model->kill == NULL ? 2 : 3);
  atomic_store(&board->go, 1);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  pvt_crew_stop(crew);
}

/* Stops a crew in the midst of it, and sees that each ended by itself: one that was killed would not have finished. */
static void stop_ends(const struct pvt_model *model, pvt_step *step, enum pvt_operation_kind kind, int fd) {
  struct board *board = board_new();
  struct pvt_crew *crew;

  board->kind = kind;
  board->fd = fd;
  crew =
      start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = step, .shared = board, .finish = mark_finished});
  pvt_crew_open(crew);
  for (int i = 0; i < PATIENCE_MS && atomic_load(&board->steps[WORKERS - 1]) == 0; i++)
    usleep(1000);
  usleep(5000);
  alarm(STOP_S); /* one that cannot be stopped is waited for, for ever */
  pvt_crew_stop(crew);
  alarm(0);
  for (unsigned i = 0; i < WORKERS; i++)
    cr_expect_eq(board->finished[i], 1, "worker %u did not end by itself", i);
}

static void stop_ends_those_who_read(const struct pvt_model *model) {
  int ends[2];

  cr_assert_eq(pipe(ends), 0);
  stop_ends(model, await_for_ever, PVT_READ, ends[0]);
}

static void stop_ends_those_who_sleep(const struct pvt_model *model) {
  stop_ends(model, await_for_ever, PVT_SLEEP, -1);
}

static void stop_ends_those_who_accept(const struct pvt_model *model) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert_eq(listen(listener, 8), 0);
  stop_ends(model, await_for_ever, PVT_ACCEPT, listener);
}

static void stop_ends_those_who_never_wait(const struct pvt_model *model) {
  stop_ends(model, step_for_ever, PVT_READ, -1);
}

static int wait_in_the_step(struct pvt_worker *worker) {
  struct board *board = worker->shared;
  char byte;

  atomic_fetch_add(&board->steps[worker->index], 1);
  return read(board->fd, &byte, 1) == -1 ? -errno : PVT_MORE;
}

static void stop_ends_those_who_block_in_a_step(const struct pvt_model *model) {
  int ends[2];

  if (model->shares_a_thread)
    cr_skip_test("a step must not block");
  cr_assert_eq(pipe(ends), 0);
  stop_ends(model, wait_in_the_step, PVT_READ, ends[0]);
}

static void stop_ends_those_at_the_gate(const struct pvt_model *model) {
  struct board *board = board_new();

  pvt_crew_stop(start(model, (struct pvt_crew_spec){
                                 .workers = WORKERS, .step = count_steps, .shared = board, .finish = mark_finished}));
  for (unsigned i = 0; i < WORKERS; i++) {
    cr_expect_eq(board->steps[i], 0);
    cr_expect_eq(board->finished[i], 1);
  }
  pvt_crew_stop(NULL);
}

/* A user of whom this process is all there is: the limit counts processes and threads of a user, and root has none. */
static bool become_somebody_alone(void) {
  uid_t uid = (uid_t)(100000 + getpid());

  if (setgid(65534) == -1 || (setuid(uid) == -1 && setuid(65534) == -1))
    return false;
  prctl(PR_SET_DUMPABLE, 1); /* setuid took it away, and the leak sanitizer wants it */
  return true;
}

static void leaves_nothing_when_a_limit_is_hit(const struct pvt_model *model) {
  struct board *board = board_new();
  struct pvt_crew *crew = NULL;
  struct rlimit before;
  int status;

  if (!become_somebody_alone())
    cr_skip_test("needs root, to become a user with a limit");
  cr_assert_eq(getrlimit(RLIMIT_NPROC, &before), 0);
  /* Room for the first of several, but not for the one thread of a loop. */
  cr_assert_eq(setrlimit(RLIMIT_NPROC, &(struct rlimit){model->shares_a_thread ? 1 : 3, before.rlim_max}), 0);
  status = try_start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = count_steps, .shared = board}, &crew);
  setrlimit(RLIMIT_NPROC, &before);
  cr_expect_eq(status, -EAGAIN, "%s", strerror(-status));
  cr_expect_null(crew);
}

#define ROW(model)                                                                                                     \
  CONTRACT(model, notices_a_death_and_fills_the_place_again)                                                           \
  CONTRACT(model, replaces_what_has_ended_and_what_it_can_kill)                                                        \
  CONTRACT(model, stop_ends_those_who_read)                                                                            \
  CONTRACT(model, stop_ends_those_who_sleep)                                                                           \
  CONTRACT(model, stop_ends_those_who_accept)                                                                          \
  CONTRACT(model, stop_ends_those_who_never_wait)                                                                      \
  CONTRACT(model, stop_ends_those_who_block_in_a_step)                                                                 \
  CONTRACT(model, stop_ends_those_at_the_gate)                                                                         \
  CONTRACT(model, leaves_nothing_when_a_limit_is_hit)
#include "model_rows.h"
#undef ROW
