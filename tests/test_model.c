/* test_model.c - the contract that every model keeps, each row each clause: the life of a crew. */
#include <sched.h>

#include "crew.h"
#include "proof.h"

static void steps_every_worker_until_done(const struct pvt_model *model) {
  struct board *board = board_new();
  struct pvt_crew *crew = start(
      model, (struct pvt_crew_spec){.workers = WORKERS, .step = count_steps, .shared = board, .finish = mark_finished});

  cr_expect_eq(pvt_crew_workers(crew), WORKERS);
  pvt_crew_open(crew);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  for (unsigned i = 0; i < WORKERS; i++) {
    cr_expect_eq(board->steps[i], STEPS, "worker %u made %d steps", i, (int)board->steps[i]);
    cr_expect_eq(pvt_crew_worker(crew, i)->operations, STEPS);
    cr_expect_eq(board->finished[i], 1);
  }
  pvt_crew_stop(crew);
}

static void starts_nobody_before_the_gate(const struct pvt_model *model) {
  struct board *board = board_new();
  struct pvt_measure measure = {0};
  struct pvt_crew *crew =
      start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = count_steps, .shared = board});
  uint64_t opened_ns;

  usleep(30000);
  for (unsigned i = 0; i < WORKERS; i++) {
    cr_expect_eq(atomic_load(&board->steps[i]), 0, "worker %u began early", i);
    cr_expect_eq(pvt_crew_worker(crew, i)->stamps.first_ns, 0, "worker %u began early", i);
    cr_expect_eq(atomic_load(&pvt_crew_worker(crew, i)->phase), PVT_READY);
  }
  pvt_crew_open(crew);
  opened_ns = atomic_load(&pvt_crew_worker(crew, 0)->gate->opened_ns);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  for (unsigned i = 0; i < WORKERS; i++) {
    cr_expect_geq(pvt_crew_worker(crew, i)->stamps.first_ns, opened_ns);
    cr_expect_geq(pvt_crew_worker(crew, i)->stamps.last_ns, pvt_crew_worker(crew, i)->stamps.first_ns);
  }
  pvt_crew_report(crew, &measure);
  cr_expect(measure.proofs & PVT_PROOF_GATE);
  pvt_crew_stop(crew);
}

static void ends_all_workers_with_the_window(const struct pvt_model *model) {
  struct pvt_measure measure = {0};
  struct pvt_crew *crew =
      start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = await_a_while, .window_ns = 400000000});
  uint64_t deadline_ns;

  pvt_crew_open(crew);
  deadline_ns = atomic_load(&pvt_crew_worker(crew, 0)->gate->deadline_ns);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  for (unsigned i = 0; i < WORKERS; i++) {
    cr_expect_geq(pvt_crew_worker(crew, i)->stamps.last_ns, deadline_ns, "worker %u left early", i);
    cr_expect_geq(pvt_crew_worker(crew, i)->operations, 1);
  }
  pvt_crew_report(crew, &measure);
  cr_expect_geq(measure.overlap, 0.95);
  cr_expect(measure.proofs & PVT_PROOF_OVERLAP);
  cr_expect_geq(measure.span_ns, 300000000);
  cr_expect_leq(measure.span_ns, 5000000000u);
  pvt_crew_stop(crew);
}

static void ends_workers_that_wait_beyond_the_window(const struct pvt_model *model) {
  struct board *board = board_new();
  int ends[2];

  cr_assert_eq(pipe(ends), 0);
  board->kind = PVT_READ;
  board->fd = ends[0];
  cr_expect_eq(run_to_the_end(model, (struct pvt_crew_spec){.workers = WORKERS,
                                                            .step = await_for_ever,
                                                            .shared = board,
                                                            .finish = mark_finished,
                                                            .window_ns = 50000000}),
               0);
  for (unsigned i = 0; i < WORKERS; i++) {
    cr_expect_eq(board->steps[i], 1);
    cr_expect_eq(board->finished[i], 1);
  }
}

/* One worker, so that a child that comes back has nobody else to make. */
static void never_returns_into_the_callers_code(const struct pvt_model *model) {
  struct board *board = board_new();

  cr_expect_eq(
      run_to_the_end(model, (struct pvt_crew_spec){.workers = 1, .threads = 1, .step = count_steps, .shared = board}),
      0);
  cr_expect_eq(atomic_load(returned), 0);
}

static _Atomic uint32_t ordinary_word;

static int write_to_ordinary_memory(struct pvt_worker *worker) {
  (void)worker;
  atomic_store(&ordinary_word, 1);
  return PVT_DONE;
}

static void shares_ordinary_memory_only_if_it_says_so(const struct pvt_model *model) {
  struct pvt_measure measure = {0};
  struct pvt_crew *crew = start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = write_to_ordinary_memory});

  pvt_crew_open(crew);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  pvt_crew_report(crew, &measure);
  cr_expect(measure.proofs & PVT_PROOF_PRIVATE);
  cr_expect(measure.proofs & PVT_PROOF_SHARED);
  cr_expect_eq(atomic_load(&ordinary_word) != 0, model->shares_memory);
  pvt_crew_stop(crew);
}

/* A model that says the contrary of what it does is found out. */
static void shows_no_private_memory_for_a_model_that_lies(const struct pvt_model *model) {
  struct pvt_model liar = *model;
  struct pvt_measure measure = {0};
  struct pvt_crew *crew;

  liar.shares_memory = !model->shares_memory;
  crew = start(&liar, (struct pvt_crew_spec){.workers = WORKERS, .step = write_to_ordinary_memory});
  pvt_crew_open(crew);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  pvt_crew_report(crew, &measure);
  cr_expect_not(measure.proofs & PVT_PROOF_PRIVATE);
  pvt_crew_stop(crew);
}

/* Worker 0 is done at once, the others much later. */
static int leave_early(struct pvt_worker *worker) {
  if (worker->index == 0 || worker->operations++ > 0)
    return PVT_DONE;
  worker->await = (struct pvt_operation){.kind = PVT_SLEEP, .sleep_ns = 100000000};
  return PVT_AWAIT;
}

static void shows_no_overlap_and_no_gate_where_there_was_none(const struct pvt_model *model) {
  struct pvt_measure measure = {0};
  struct pvt_crew *crew = start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = leave_early});

  pvt_crew_open(crew);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  atomic_store(&pvt_crew_worker(crew, 0)->gate->opened_ns, pvt_clock_ns()); /* as if it had been opened only now */
  pvt_crew_report(crew, &measure);
  cr_expect_lt(measure.overlap, 0.95);
  cr_expect_not(measure.proofs & PVT_PROOF_OVERLAP);
  cr_expect_not(measure.proofs & PVT_PROOF_GATE);
  pvt_crew_stop(crew);
}

static int fail_third(struct pvt_worker *worker) {
  return worker->index == 2 ? -ENOSPC : PVT_DONE;
}

static void hands_a_steps_error_to_wait(const struct pvt_model *model) {
  cr_expect_eq(run_to_the_end(model, (struct pvt_crew_spec){.workers = WORKERS, .step = fail_third}), -ENOSPC);
}

static void hands_a_preparations_error_to_start(const struct pvt_model *model) {
  struct board *board = board_new();
  struct pvt_crew *crew = NULL;
  int status = try_start(
      model, (struct pvt_crew_spec){.workers = WORKERS, .step = count_steps, .prepare = fail_third, .shared = board},
      &crew);

  cr_expect_eq(status, -ENOSPC);
  cr_expect_null(crew);
  cr_expect_eq(atomic_load(&board->steps[0]), 0);
}

static void refuses_a_senseless_crew(const struct pvt_model *model) {
  const struct pvt_crew_spec senseless[] = {
      {.workers = 0, .step = count_steps},
      {.workers = PVT_WORKERS_MAX + 1, .step = count_steps},
      {.workers = 2, .step = NULL},
      {.workers = 3, .threads = 2, .step = count_steps},
  };
  struct pvt_crew *crew = NULL;

  for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
    int status = try_start(model, senseless[i], &crew);

    cr_expect_eq(status, -EINVAL, "spec %zu", i);
  }
  cr_expect_null(crew);
}

/* Worker 0 goes on until the last worker has had its turn. */
static int wait_for_the_last(struct pvt_worker *worker) {
  struct board *board = worker->shared;

  if (worker->index == WORKERS - 1)
    atomic_store(&board->go, 1);
  return atomic_load(&board->go) ? PVT_DONE : PVT_MORE;
}

static void lets_others_have_a_turn(const struct pvt_model *model) {
  struct board *board = board_new();

  cr_expect_eq(
      run_to_the_end(model, (struct pvt_crew_spec){.workers = WORKERS, .step = wait_for_the_last, .shared = board}), 0);
}

static void runs_a_helper_beside_the_crew(const struct pvt_model *model) {
  struct board *board = board_new(), *helped = board_new();
  struct pvt_crew *crew =
      start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = live_until_go, .shared = board});
  struct pvt_measure measure = {0};
  struct pvt_crew *helper = NULL;
  int status = pvt_crew_helper(crew, step_for_ever, helped, -1, &helper);

  if (getpid() != tester)
    _exit(0);
  cr_assert_eq(status, 0);
  for (int i = 0; i < PATIENCE_MS && atomic_load(&helped->steps[0]) == 0; i++)
    usleep(1000);
  cr_expect_gt(atomic_load(&helped->steps[0]), 0);
  pvt_crew_open(crew);
  atomic_store(&board->go, 1);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  pvt_crew_report(crew, &measure);
  cr_expect(measure.proofs & PVT_PROOF_PRIVATE);
  pvt_crew_stop(helper);
  pvt_crew_stop(crew);
}

static int look_at_the_place(struct pvt_worker *worker) {
  struct board *board = worker->shared;
  cpu_set_t set;

  if (sched_getaffinity(0, sizeof set, &set) == -1)
    return -errno;
  board->cpus_allowed[worker->index] = CPU_COUNT(&set) == 1 ? 1u << sched_getcpu() : 0;
  return PVT_DONE;
}

static void puts_workers_on_their_cpus(const struct pvt_model *model) {
  struct board *board = board_new();
  int cpus[2] = {0, 0};
  cpu_set_t set;

  cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
  for (int cpu = 0, found = 0; cpu < 60 && found < 2; cpu++)
    if (CPU_ISSET(cpu, &set)) {
      cpus[1] = cpu;
      cpus[0] = found++ == 0 ? cpu : cpus[0];
    }
  cr_expect_eq(run_to_the_end(
                   model,
                   (struct pvt_crew_spec){
                       .workers = WORKERS, .step = look_at_the_place, .shared = board, .cpus = cpus, .cpus_count = 2}),
               0);
  for (unsigned i = 0; i < WORKERS; i++)
    cr_expect_eq(board->cpus_allowed[i], 1u << cpus[model->shares_a_thread ? 0 : i % 2], "worker %u", i);
}

static int spin(struct pvt_worker *worker) {
  pvt_clock_spin_until(pvt_clock_ns() + 2000000);
  return ++worker->operations < 5 ? PVT_MORE : PVT_DONE;
}

static void books_the_cpu_time_once(const struct pvt_model *model) {
  struct pvt_measure measure = {0};
  struct pvt_crew *crew = start(model, (struct pvt_crew_spec){.workers = WORKERS, .step = spin});
  uint64_t span_ns;

  pvt_crew_open(crew);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  pvt_crew_report(crew, &measure);
  span_ns = measure.span_ns + 1000000; /* the usage is a little more than the span */
  cr_expect_gt(measure.cpu_ns, 0);
  cr_expect_leq(measure.cpu_ns, model->shares_a_thread ? span_ns : WORKERS * span_ns);
  pvt_crew_stop(crew);
}

static void finds_itself_by_name(const struct pvt_model *model) {
  cr_expect_eq(pvt_model_find(model->name), model);
  cr_expect_null(pvt_model_find("no_such_model"));
}

#define ROW(model)                                                                                                     \
  CONTRACT(model, steps_every_worker_until_done)                                                                       \
  CONTRACT(model, starts_nobody_before_the_gate)                                                                       \
  CONTRACT(model, ends_all_workers_with_the_window)                                                                    \
  CONTRACT(model, ends_workers_that_wait_beyond_the_window)                                                            \
  CONTRACT(model, never_returns_into_the_callers_code)                                                                 \
  CONTRACT(model, shares_ordinary_memory_only_if_it_says_so)                                                           \
  CONTRACT(model, shows_no_private_memory_for_a_model_that_lies)                                                       \
  CONTRACT(model, shows_no_overlap_and_no_gate_where_there_was_none)                                                   \
  CONTRACT(model, hands_a_steps_error_to_wait)                                                                         \
  CONTRACT(model, hands_a_preparations_error_to_start)                                                                 \
  CONTRACT(model, refuses_a_senseless_crew)                                                                            \
  CONTRACT(model, lets_others_have_a_turn)                                                                             \
  CONTRACT(model, runs_a_helper_beside_the_crew)                                                                       \
  CONTRACT(model, puts_workers_on_their_cpus)                                                                          \
  CONTRACT(model, books_the_cpu_time_once)                                                                             \
  CONTRACT(model, finds_itself_by_name)
#include "model_rows.h"
#undef ROW

static unsigned count_distinct(const pid_t *ids, unsigned count) {
  unsigned distinct = 0;

  for (unsigned i = 0; i < count; i++) {
    unsigned j = 0;

    while (j < i && ids[j] != ids[i])
      j++;
    distinct += j == i;
  }
  return distinct;
}

static void makes_that_many_threads_in_each_process(unsigned threads, unsigned expected_processes) {
  struct board *board = board_new();
  struct pvt_crew *crew =
      start(&pvt_model_hybrid,
            (struct pvt_crew_spec){.workers = WORKERS, .threads = threads, .step = count_steps, .shared = board});
  pid_t pids[WORKERS], tids[WORKERS];

  for (unsigned i = 0; i < WORKERS; i++) {
    pids[i] = pvt_crew_worker(crew, i)->pid;
    tids[i] = pvt_crew_worker(crew, i)->tid;
    cr_expect_neq(pids[i], tester);
  }
  cr_expect_eq(count_distinct(pids, WORKERS), expected_processes);
  cr_expect_eq(count_distinct(tids, WORKERS), WORKERS);
  pvt_crew_open(crew);
  cr_expect_eq(pvt_crew_wait(crew), 0);
  pvt_crew_stop(crew);
}

Test(hybrid, makes_that_many_threads_in_each_process, .timeout = SECONDS) {
  skip_where_it_cannot(&pvt_model_hybrid);
  makes_that_many_threads_in_each_process(3, 2);
  makes_that_many_threads_in_each_process(0, 3);
  makes_that_many_threads_in_each_process(1, 6);
  makes_that_many_threads_in_each_process(6, 1);
  leaves_nothing();
}
