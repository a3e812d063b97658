/* test_workload.c - the contract that every workload keeps, and what each promises beside it. */
#include "workload.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "model.h"
#include "shared.h"
#include "work_server.h"

enum { WORKERS = 4, OPERATIONS = 8 };
#define SERVICE_NS 200000u

/* What the workers of a crew share: what to do, and each one's own work where the master can read it. */
struct trial {
  const struct pvt_workload *workload;
  struct pvt_work_spec spec;
  struct pvt_work work[WORKERS];
  uint64_t awaited[WORKERS];
};

static int prepare(struct pvt_worker *worker) {
  struct trial *trial = worker->shared;

  return pvt_work_init(&trial->work[worker->index], trial->workload, &trial->spec);
}

static void finish(struct pvt_worker *worker) {
  struct trial *trial = worker->shared;

  pvt_work_done(&trial->work[worker->index]);
}

static int step(struct pvt_worker *worker) {
  struct trial *trial = worker->shared;
  struct pvt_work *work = &trial->work[worker->index];
  uint64_t before = work->done;
  int said = pvt_work_step(work, worker);

  if (work->done != before + (said == PVT_DONE))
    return -EBADMSG; /* DONE and done go together, always */
  if (said == PVT_AWAIT)
    trial->awaited[worker->index]++;
  if (said != PVT_DONE)
    return said;
  return ++worker->operations < OPERATIONS ? PVT_MORE : PVT_DONE;
}

static struct pvt_work_server *start_server(void) {
  struct pvt_work_server *server = NULL;

  cr_assert_eq(pvt_work_server_start(-1, &server), 0);
  return server;
}

static struct pvt_work_spec spec_for(const struct pvt_work_server *server) {
  return (struct pvt_work_spec){.service_ns = SERVICE_NS, .io_share = 0.5, .port = pvt_work_server_port(server)};
}

static bool is_network(const struct pvt_workload *workload) {
  return strcmp(workload->name, "network") == 0;
}

static void is_carried_by(const struct pvt_workload *workload, const struct pvt_model *model) {
  struct pvt_work_server *server = start_server();
  struct pvt_crew_spec spec = {.workers = WORKERS, .step = step, .prepare = prepare, .finish = finish};
  struct pvt_crew *crew = NULL;
  struct trial *trial;
  void *memory;

  cr_assert_eq(pvt_shared_new(sizeof *trial, &memory), 0);
  spec.shared = trial = memory;
  *trial = (struct trial){.workload = workload, .spec = spec_for(server)};
  cr_assert_eq(pvt_crew_start(model, &spec, &crew), 0, "%s", model->name);
  pvt_crew_open(crew);
  cr_expect_eq(pvt_crew_wait(crew), 0, "%s", model->name);
  for (unsigned i = 0; i < WORKERS; i++) {
    const struct pvt_work *work = &trial->work[i];

    cr_expect_eq(pvt_crew_worker(crew, i)->operations, OPERATIONS, "%s, worker %u", model->name, i);
    cr_expect_eq(work->done, OPERATIONS, "%s, worker %u", model->name, i);
    cr_expect_eq(work->awaits > 0, workload->awaits, "%s, worker %u", model->name, i);
    cr_expect_eq(trial->awaited[i], (uint64_t)work->awaits * OPERATIONS, "%s, worker %u", model->name, i);
  }
  if (is_network(workload))
    cr_expect_eq(pvt_work_server_served(server), WORKERS * OPERATIONS, "%s: as seen by the server", model->name);
  pvt_crew_stop(crew);
  pvt_work_server_stop(server);
  pvt_shared_free(memory, sizeof *trial);
}

static void is_carried_by_every_model(const struct pvt_workload *workload) {
  if (workload->cannot != NULL && workload->cannot() != NULL)
    cr_skip_test("%s: %s", workload->name, workload->cannot());
  pvt_workload_spins(1);
  for (const struct pvt_model *const *model = pvt_models; *model != NULL; model++)
    if ((*model)->cannot == NULL || (*model)->cannot() == NULL)
      is_carried_by(workload, *model);
}

static void ignore(int number) {
  (void)number;
}

/* Both by blocking and under a storm of signals, which is how a crew is stopped. */
static void is_whole_under_signals(const struct pvt_workload *workload) {
  struct sigaction action = {.sa_handler = ignore};
  struct itimerval storm = {{0, 1000}, {0, 1000}}, calm = {{0, 0}, {0, 0}};
  struct pvt_work_server *server = start_server();
  struct pvt_work_spec spec = spec_for(server);
  struct pvt_work work;

  spec.service_ns = 10000000;
  cr_assert_eq(pvt_work_init(&work, workload, &spec), 0);
  cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
  cr_assert_eq(setitimer(ITIMER_REAL, &storm, NULL), 0);
  for (uint64_t i = 0; i < 3; i++) {
    uint64_t start_ns = pvt_clock_ns(), took_ns;

    cr_expect_eq(pvt_work_once(&work), 0, "operation %zu", (size_t)i);
    took_ns = pvt_clock_ns() - start_ns;
    cr_expect_eq(work.done, i + 1);
    if (workload->service_ns != 0)
      cr_expect_geq(took_ns, spec.service_ns / 4, "operation %zu took %zu ns", (size_t)i, (size_t)took_ns);
  }
  setitimer(ITIMER_REAL, &calm, NULL);
  pvt_work_done(&work);
  pvt_work_server_stop(server);
}

static void can_be_begun_and_ended_often(const struct pvt_workload *workload) {
  struct pvt_work_server *server = start_server();
  struct pvt_work_spec spec = spec_for(server);
  struct pvt_work work;

  for (int i = 0; i < 20; i++) {
    cr_assert_eq(pvt_work_init(&work, workload, &spec), 0, "time %d", i);
    cr_expect_eq(pvt_work_once(&work), 0, "time %d", i);
    pvt_work_done(&work);
    cr_expect_eq(work.fd, -1, "time %d", i);
    cr_expect_null(work.buffer, "time %d", i);
  }
  pvt_work_server_stop(server);
}

static void refuses_a_share_outside_0_to_1(const struct pvt_workload *workload) {
  static const double shares[] = {-0.1, 1.1, (double)INFINITY, (double)NAN};
  struct pvt_work work;

  for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
    cr_expect_eq(pvt_work_init(&work, workload, &(struct pvt_work_spec){.io_share = shares[i]}), -EINVAL, "%zu", i);
}

static void is_found_by_its_name(const struct pvt_workload *workload) {
  cr_expect_eq(pvt_workload_find(workload->name), workload);
}

#define PROMISE(row, promise)                                                                                          \
  Test(row, promise, .timeout = 30) {                                                                                  \
    promise(&pvt_workload_row_##row);                                                                                  \
  }
#define ROW(row)                                                                                                       \
  PROMISE(row, is_carried_by_every_model)                                                                              \
  PROMISE(row, is_whole_under_signals)                                                                                 \
  PROMISE(row, can_be_begun_and_ended_often)                                                                           \
  PROMISE(row, refuses_a_share_outside_0_to_1)                                                                         \
  PROMISE(row, is_found_by_its_name)
#include "workload_rows.h"
#undef ROW

/* ---- The seam ---- */

static int await_once(struct pvt_work *work) {
  work->awaits = 1;
  return 0;
}

static int lie(struct pvt_work *work, struct pvt_operation *await) {
  (void)work, (void)await;
  return PVT_DONE;
}

Test(seam, believes_no_row_that_has_not_awaited, .timeout = 30) {
  const struct pvt_workload liar = {.name = "liar", .awaits = true, .init = await_once, .step = lie};
  struct pvt_work work;

  cr_assert_eq(pvt_work_init(&work, &liar, &(struct pvt_work_spec){0}), 0);
  cr_expect_eq(pvt_work_once(&work), -EPROTO);
  cr_expect_eq(work.done, 0);
  pvt_work_done(&work);
}

static const char *never(void) {
  return "needs what nobody has";
}

Test(seam, refuses_a_row_that_cannot_run, .timeout = 30) {
  const struct pvt_workload barred = {.name = "barred", .cannot = never, .init = await_once, .step = lie};
  struct pvt_work work;

  cr_expect_eq(pvt_work_init(&work, &barred, &(struct pvt_work_spec){0}), -ENOTSUP);
  cr_expect_null(pvt_workload_find("barred"));
}

/* ---- Computing ---- */

Test(computing, makes_every_pass, .timeout = 30) {
  uint64_t expected = 7, start_ns, took_ns;

  for (int i = 0; i < 1000; i++)
    expected = expected * 6364136223846793005u + 1442695040888963407u;
  cr_expect_eq(pvt_workload_spin(7, 0), 7);
  cr_expect_eq(pvt_workload_spin(7, 1000), expected);
  /* A multiplication takes three cycles or more: no CPU makes ten million dependent ones in 2 ms. */
  start_ns = pvt_clock_ns();
  pvt_workload_spin(7, 10000000);
  took_ns = pvt_clock_ns() - start_ns;
  cr_expect_geq(took_ns, 2000000, "took %zu ns", (size_t)took_ns);
}

Test(computing, takes_about_as_long_as_asked, .timeout = 30) {
  struct pvt_work work;
  uint64_t best_ns = UINT64_MAX;

  cr_assert_eq(pvt_work_init(&work, pvt_workload_find("spin"), &(struct pvt_work_spec){.service_ns = 1000000}), 0);
  for (int i = 0; i < 50; i++) {
    uint64_t start_ns = pvt_clock_ns(), took_ns, before = work.check;

    cr_assert_eq(pvt_work_once(&work), 0);
    took_ns = pvt_clock_ns() - start_ns;
    best_ns = took_ns < best_ns ? took_ns : best_ns;
    cr_expect_neq(work.check, before);
  }
  cr_expect(best_ns >= 250000 && best_ns <= 4000000, "the best of 50 took %zu ns", (size_t)best_ns);
  pvt_work_done(&work);
}

Test(computing, is_calibrated_once_and_inherited, .timeout = 30) {
  uint64_t spins = pvt_workload_spins(1000000000);
  int status;
  pid_t pid;

  cr_expect_eq(pvt_workload_spins(0), 0);
  cr_expect_geq(pvt_workload_spins(1), 1);
  cr_expect_eq(pvt_workload_spins(1000000000), spins);
  pid = fork();
  if (pid == 0)
    _exit(pvt_workload_spins(1000000000) == spins ? 0 : 1);
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- Each row's own ---- */

Test(sleeping, lasts_at_least_service_ns, .timeout = 30) {
  struct pvt_work work;
  uint64_t start_ns = pvt_clock_ns();

  cr_assert_eq(pvt_work_init(&work, pvt_workload_find("sleep"), &(struct pvt_work_spec){.service_ns = 5000000}), 0);
  for (int i = 0; i < 4; i++)
    cr_expect_eq(pvt_work_once(&work), 0);
  cr_expect_geq(pvt_clock_ns() - start_ns, 4 * 5000000u);
  pvt_work_done(&work);
}

Test(mixing, splits_the_time_by_its_share, .timeout = 30) {
  static const struct {
    double share;
    unsigned awaits;
    bool computes;
  } cases[] = {{0, 0, true}, {0.25, 1, true}, {1, 1, false}};
  uint64_t all = pvt_workload_spins(1000000);

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pvt_work_spec spec = {.service_ns = 1000000, .io_share = cases[i].share};
    struct pvt_work work;
    double expected = (double)all * (1 - spec.io_share);

    cr_assert_eq(pvt_work_init(&work, pvt_workload_find("mixed"), &spec), 0, "case %zu", i);
    cr_expect_eq(work.awaits, cases[i].awaits, "case %zu", i);
    cr_expect((double)work.spins >= expected - 2 && (double)work.spins <= expected + 2, "case %zu", i);
    cr_expect_eq(pvt_work_once(&work), 0, "case %zu", i);
    cr_expect_eq(work.check != 1, cases[i].computes, "case %zu", i);
    pvt_work_done(&work);
  }
}

Test(disk, writes_what_it_read_to_changing_pages, .timeout = 30) {
  struct pvt_work work;
  struct stat about;
  unsigned written = 0;
  uint64_t words[2], newest = 0;

  cr_assert_eq(pvt_work_init(&work, pvt_workload_find("disk"), &(struct pvt_work_spec){0}), 0);
  for (int i = 0; i < OPERATIONS; i++)
    cr_assert_eq(pvt_work_once(&work), 0);
  cr_assert_eq(fstat(work.fd, &about), 0);
  cr_expect_eq(about.st_nlink, 0, "the file has no name");
  for (off_t offset = 0; offset < about.st_size; offset += 4096) {
    cr_assert_eq(pread(work.fd, words, sizeof words, offset), (ssize_t)sizeof words);
    written += words[1] != 0;
    newest = words[1] > newest ? words[1] : newest;
  }
  cr_expect_gt(written, OPERATIONS / 2, "%u pages written by %d operations", written, OPERATIONS);
  cr_expect_eq(newest, OPERATIONS);
  pvt_work_done(&work);
}

Test(disk, says_why_a_folder_will_not_do, .timeout = 30) {
  static const struct {
    const char *folder;
    int status; /* 0: any error */
  } cases[] = {{"/nonexistent/folder", -ENOENT}, {"/dev/null", -ENOTDIR}, {"/proc", 0}};

  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pvt_work work;
    int status = pvt_work_init(&work, pvt_workload_find("disk"), &(struct pvt_work_spec){.folder = cases[i].folder});

    cr_expect(status < 0 && (cases[i].status == 0 || status == cases[i].status), "%s: %d", cases[i].folder, status);
    cr_expect_null(work.buffer, "%s", cases[i].folder);
  }
}

Test(disk, notes_that_a_folder_is_in_memory, .timeout = 30) {
  const struct pvt_workload *disk = pvt_workload_find("disk");

  if (access("/dev/shm", W_OK) == 0)
    cr_expect_not_null(pvt_workload_note(disk, &(struct pvt_work_spec){.folder = "/dev/shm"}));
  cr_expect_null(pvt_workload_note(disk, &(struct pvt_work_spec){.folder = "/proc"}));
  cr_expect_null(pvt_workload_note(pvt_workload_find("spin"), &(struct pvt_work_spec){0}));
}
