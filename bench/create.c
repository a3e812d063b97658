/* What does a worker cost to start, to keep, to end? */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model.h"
#include "place.h"
#include "question.h"
#include "reaper.h"

enum { CLONE_STACK_BYTES = 64 * 1024, NOTHING_STATUS = 42 };

/* Children of the clone rungs and of vfork borrow their parent's memory: plain code only, no sanitizer's. */
#define BARE __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

/* What every rung of the ladder sees. */
struct ladder {
  _Atomic uint64_t *ran; /* in shared memory; every worker that ran added one */
  char *stack;           /* for clone with CLONE_VM */
  char nothing[4096];    /* path of the program to exec */
};

/* One way to make a worker, let it do nothing, and see it end. Returns 0 or -errno. */
struct creation {
  const char *name;
  const char *model; /* "process" or "thread" */
  int (*once)(struct ladder *ladder);
  const char *environment; /* of the subject, or NULL */
};

struct reaped {
  const struct creation *creation;
  enum pvt_placement placement;
  unsigned dirty_mib;
};

/* A waiting worker is handed a task: the word goes up, the worker answers by putting it down. */
struct handed {
  const struct pvt_model *model;
  enum pvt_placement placement;
  bool polls; /* both sides spin: the floor */
};

struct desk {
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t task; /* 0: none */
  _Alignas(PVT_APART_BYTES) _Atomic uint64_t ran;
  uint64_t operations;
  bool polls;
};

static int reap(pid_t pid, int expected) {
  int status;

  while (waitpid(pid, &status, 0) == -1)
    if (errno != EINTR)
      return -errno;
  return WIFEXITED(status) && WEXITSTATUS(status) == expected ? 0 : -ECHILD;
}

static int by_fork(struct ladder *ladder) {
  pid_t pid = fork();

  if (pid == 0) {
    atomic_fetch_add(ladder->ran, 1);
    _exit(0);
  }
  return pid == -1 ? -errno : reap(pid, 0);
}

BARE static int by_vfork(struct ladder *ladder) {
  pid_t pid = vfork();

  if (pid == 0) {
    atomic_fetch_add(ladder->ran, 1);
    _exit(0);
  }
  return pid == -1 ? -errno : reap(pid, 0);
}

static int by_posix_spawn(struct ladder *ladder) {
  char *arguments[] = {ladder->nothing, NULL};
  pid_t pid;
  int status = -posix_spawn(&pid, ladder->nothing, NULL, NULL, arguments, environ);

  if (status == 0)
    status = reap(pid, NOTHING_STATUS);
  if (status == 0)
    atomic_fetch_add(ladder->ran, 1); /* an exec'ed program has no other way to say so than its status */
  return status;
}

static void *run(void *context) {
  struct ladder *ladder = context;

  atomic_fetch_add(ladder->ran, 1);
  return NULL;
}

static int by_pthread(struct ladder *ladder) {
  pthread_t thread;
  int status = pthread_create(&thread, NULL, run, ladder);

  return status != 0 ? -status : -pthread_join(thread, NULL);
}

BARE static int clone_process(struct ladder *ladder) {
  long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

  if (pid == 0) {
    __atomic_fetch_add((uint64_t *)ladder->ran, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_exit, 0);
  }
  return pid == -1 ? -errno : reap((pid_t)pid, 0);
}

BARE static int run_bare(void *context) {
  struct ladder *ladder = context;

  __atomic_fetch_add((uint64_t *)ladder->ran, 1, __ATOMIC_SEQ_CST);
  return 0;
}

/* What pthread_create and pthread_join ask of the kernel, without the stack and the bookkeeping. */
BARE static int clone_thread(struct ladder *ladder) {
  static _Atomic uint32_t tid;
  int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
  uint32_t seen;

  atomic_store(&tid, 1);
  if (clone(run_bare, ladder->stack + CLONE_STACK_BYTES, flags, ladder, NULL, NULL, &tid) == -1)
    return -errno;
  while ((seen = atomic_load(&tid)) != 0)
    pvt_shared_wait(&tid, seen, PVT_FOREVER_NS);
  return 0;
}

enum { FORK, VFORK, POSIX_SPAWN, PTHREAD, PTHREAD_COLD, RAW_CLONE_PROCESS, RAW_CLONE_THREAD, CREATIONS };
static const struct creation creations[CREATIONS] = {
    [FORK] = {"fork", "process", by_fork, NULL},
    [VFORK] = {"vfork", "process", by_vfork, NULL},
    [POSIX_SPAWN] = {"posix_spawn", "process", by_posix_spawn, NULL},
    [PTHREAD] = {"pthread", "thread", by_pthread, NULL}, /* its stack comes from glibc's cache but for the first */
    [PTHREAD_COLD] = {"pthread_cold", "thread", by_pthread, "GLIBC_TUNABLES=glibc.pthread.stack_cache_size=0"},
    [RAW_CLONE_PROCESS] = {"raw_clone", "process", clone_process, NULL},
    [RAW_CLONE_THREAD] = {"raw_clone", "thread", clone_thread, NULL},
};

/* Pages that belong to the parent alone; kept for the whole launch. */
static int dirty(unsigned mib) {
  static char *memory;
  size_t bytes = (size_t)mib << 20;

  if (mib == 0 || memory != NULL)
    return 0;
  memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    memory = NULL;
    return -ENOMEM;
  }
  madvise(memory, bytes, MADV_NOHUGEPAGE); /* huge pages are a factor of their own */
  for (size_t i = 0; i < bytes; i += 4096)
    memory[i] = 1;
  return 0;
}

static int ladder_init(struct ladder *ladder) {
  void *memory;
  int status = pvt_shared_new(4096, &memory);

  if (status < 0)
    return status;
  ladder->ran = memory;
  ladder->stack = mmap(NULL, CLONE_STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_POPULATE, -1, 0);
  if (ladder->stack == MAP_FAILED)
    return -ENOMEM;
  return pvt_reaper_program_path("pvt-nothing", ladder->nothing, sizeof ladder->nothing);
}

static int measure_reaped(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret) {
  static struct ladder ladder;
  const struct reaped *reaped = row->subject;
  struct pvt_usage before, after, used;
  uint64_t start_ns;
  int status = pvt_place_self(reaped->placement, request, 0);

  if (status == 0)
    status = dirty(reaped->dirty_mib);
  if (status == 0 && ladder.ran == NULL)
    status = ladder_init(&ladder);
  if (status < 0)
    return pvt_measure_fail(ret, status, "set-up: %s", strerror(-status));
  atomic_store(ladder.ran, 0);
  pvt_clock_usage_family(&before);
  start_ns = pvt_clock_ns();
  for (uint64_t i = 0; i < request->operations && status == 0; i++)
    status = reaped->creation->once(&ladder);
  ret->span_ns = pvt_clock_ns() - start_ns;
  pvt_clock_usage_family(&after);
  if (status < 0)
    return pvt_measure_fail(ret, status, "%s: %s", reaped->creation->name, strerror(-status));
  used = pvt_clock_usage_between(&before, &after);
  ret->cpu_ns = used.cpu_ns;
  ret->voluntary = used.voluntary;
  ret->involuntary = used.involuntary;
  ret->faults = used.faults;
  ret->operations = atomic_load(ladder.ran);
  if (ret->operations == request->operations)
    ret->proofs |= PVT_PROOF_WORK;
  return 0;
}

/* ---- Handing a task to a worker that waits ---- */

/* Until the task is there (or gone, for the master); false if there is no hope of it. */
static bool await_task(struct desk *desk, bool is_there, const struct pvt_worker *worker) {
  uint32_t seen;

  for (unsigned tries = 1; ((seen = atomic_load(&desk->task)) != 0) != is_there; tries++) {
    if (desk->polls)
      pvt_clock_relax();
    else
      pvt_shared_wait(&desk->task, seen, PVT_FOREVER_NS);
    if (worker != NULL && (!desk->polls || tries % 1048576 == 0) && pvt_worker_must_end(worker))
      return false;
  }
  return true;
}

static void set_task(struct desk *desk, uint32_t task) {
  atomic_store(&desk->task, task);
  if (!desk->polls)
    pvt_shared_wake(&desk->task, 1);
}

static int serve(struct pvt_worker *worker) {
  struct desk *desk = worker->shared;

  for (uint64_t i = 0; i < desk->operations; i++) {
    if (!await_task(desk, true, worker))
      return -EINTR;
    atomic_fetch_add(&desk->ran, 1);
    worker->operations++;
    set_task(desk, 0);
  }
  return PVT_DONE;
}

static void hand_out(struct desk *desk, struct pvt_measure *ret) {
  struct pvt_usage before, after, used;
  uint64_t start_ns;

  pvt_clock_usage(&before);
  start_ns = pvt_clock_ns();
  for (uint64_t i = 0; i < desk->operations; i++) {
    set_task(desk, 1);
    await_task(desk, false, NULL);
  }
  ret->span_ns = pvt_clock_ns() - start_ns;
  pvt_clock_usage(&after);
  used = pvt_clock_usage_between(&before, &after);
  ret->cpu_ns += used.cpu_ns;
  ret->voluntary += used.voluntary;
  ret->involuntary += used.involuntary;
  ret->faults += used.faults;
}

static int measure_handed(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret) {
  const struct handed *handed = row->subject;
  int cpus[PVT_CPUS_MAX], count = pvt_place_cpus(handed->placement, request, cpus), status;
  struct pvt_crew_spec spec = {.workers = 1, .threads = 1, .step = serve, .cpus_count = 1};
  struct pvt_measure crews = {0};
  struct pvt_crew *crew;
  struct desk *desk;
  void *memory;

  if (count < 1 || pvt_place_self(handed->placement, request, 0) < 0)
    return pvt_measure_fail(ret, -ENODEV, "too few CPUs");
  spec.cpus = &cpus[count - 1];
  status = pvt_shared_new(sizeof *desk, &memory);
  if (status < 0)
    return status;
  desk = spec.shared = memory;
  desk->operations = request->operations;
  desk->polls = handed->polls;
  status = pvt_crew_start(handed->model, &spec, &crew);
  if (status == 0) {
    pvt_crew_open(crew);
    hand_out(desk, ret);
    status = pvt_crew_wait(crew);
    pvt_crew_report(crew, &crews);
    pvt_crew_stop(crew);
  }
  ret->cpu_ns += crews.cpu_ns;
  ret->voluntary += crews.voluntary;
  ret->involuntary += crews.involuntary;
  ret->faults += crews.faults;
  ret->proofs = crews.proofs;
  ret->operations = atomic_load(&desk->ran);
  if (ret->operations == request->operations)
    ret->proofs |= PVT_PROOF_WORK;
  pvt_shared_free(memory, sizeof *desk);
  return status < 0 ? pvt_measure_fail(ret, status, "the worker failed: %s", strerror(-status)) : 0;
}

/* ---- Rows ---- */

static void add_handed(struct pvt_question *question, const struct pvt_host *host, const struct handed *handed) {
  struct pvt_row *row = pvt_question_row(question, "handed");

  pvt_row_axis(question, row, "model", "%s", handed->model->name);
  pvt_row_axis(question, row, "wait", handed->polls ? "polled" : "futex");
  pvt_row_axis(question, row, "placement", "%s", pvt_place_name(handed->placement));
  row->measure = measure_handed;
  row->subject = pvt_question_keep(question, handed, sizeof *handed);
  row->proofs = PVT_PROOF_WORK | PVT_PROOF_SHARED | PVT_PROOF_PRIVATE | PVT_PROOF_GATE;
  row->operation_ns = 5000;
  row->profiles = handed->polls ? PVT_NOT_QUICK : PVT_ALWAYS;
  pvt_row_needs_workers(row, host, 2);
  if (handed->placement == PVT_CROSS_CPU)
    pvt_row_needs_cpus(row, host, 2);
}

static void describe_reaped(struct pvt_question *question, const struct pvt_host *host, struct pvt_row *row,
                            const struct reaped *reaped) {
  row->measure = measure_reaped;
  row->subject = pvt_question_keep(question, reaped, sizeof *reaped);
  row->proofs = PVT_PROOF_WORK;
  row->operation_ns = 50000;
  row->environment = reaped->creation->environment;
  pvt_row_needs_workers(row, host, 2);
  pvt_row_needs_bytes(row, host, (uint64_t)reaped->dirty_mib << 20);
}

static struct pvt_row *add_reaped(struct pvt_question *question, const struct pvt_host *host,
                                  const struct creation *creation, enum pvt_placement placement, unsigned dirty_mib) {
  struct reaped reaped = {creation, placement, dirty_mib};
  struct pvt_row *row = pvt_question_row(question, "reaped");

  pvt_row_axis(question, row, "model", "%s", creation->model);
  pvt_row_axis(question, row, "call", "%s", creation->name);
  pvt_row_axis(question, row, "placement", "%s", pvt_place_name(placement));
  pvt_row_axis(question, row, "dirty_mib", "%u", dirty_mib);
  describe_reaped(question, host, row, &reaped);
  return row;
}

#define REAPED "create/reaped/model:"
#define SMALL "/placement:same_cpu/dirty_mib:0"
#define LARGE "/placement:same_cpu/dirty_mib:64"
#define FREE "/placement:free/dirty_mib:0"

static void declare_reaped(struct pvt_question *question, const struct pvt_host *host) {
  for (unsigned i = 0; i < CREATIONS; i++)
    add_reaped(question, host, &creations[i], PVT_SAME_CPU, 0);
  for (unsigned i = 0; i < RAW_CLONE_PROCESS; i++)
    add_reaped(question, host, &creations[i], PVT_SAME_CPU, 64);
  add_reaped(question, host, &creations[FORK], PVT_FREE, 0)->profiles = PVT_NOT_QUICK;
  add_reaped(question, host, &creations[PTHREAD], PVT_FREE, 0)->profiles = PVT_NOT_QUICK;

  pvt_question_contrast(question, PVT_MODEL, REAPED "process/call:fork" SMALL, REAPED "thread/call:pthread" SMALL);
  pvt_question_contrast(question, PVT_MODEL, REAPED "process/call:fork" LARGE, REAPED "thread/call:pthread" LARGE);
  pvt_question_contrast(question, PVT_MODEL, REAPED "process/call:fork" FREE, REAPED "thread/call:pthread" FREE);
  pvt_question_contrast(question, PVT_MODEL, REAPED "process/call:posix_spawn" SMALL,
                        REAPED "thread/call:pthread" SMALL);
  pvt_question_contrast(question, PVT_LADDER, REAPED "process/call:vfork" SMALL, REAPED "process/call:fork" SMALL);
  pvt_question_contrast(question, PVT_LADDER, REAPED "thread/call:pthread_cold" SMALL,
                        REAPED "thread/call:pthread" SMALL);
  pvt_question_compare(question, PVT_LADDER, "dirty_mib", "0"); /* what 64 MiB more cost each call */
  pvt_question_contrast(question, PVT_FLOOR, REAPED "process/call:fork" SMALL, REAPED "process/call:raw_clone" SMALL);
  pvt_question_contrast(question, PVT_FLOOR, REAPED "thread/call:pthread" SMALL, REAPED "thread/call:raw_clone" SMALL);
}

/* The same row twice: how well this machine repeats itself, and whether pvt's intervals are honest. */
static void declare_twice(struct pvt_question *question, const struct pvt_host *host) {
  static const unsigned twice[] = {FORK, PTHREAD};

  for (unsigned i = 0; i < 4; i++) {
    struct reaped reaped = {&creations[twice[i / 2]], PVT_SAME_CPU, 0};
    struct pvt_row *row = pvt_question_row(question, "twice");

    pvt_row_axis(question, row, "model", "%s", reaped.creation->model);
    pvt_row_axis(question, row, "copy", "%c", "ab"[i % 2]);
    describe_reaped(question, host, row, &reaped);
    row->profiles = PVT_NOT_QUICK;
  }
  pvt_question_compare(question, PVT_SAME, "copy", "a");
}

static void declare_handed(struct pvt_question *question, const struct pvt_host *host) {
  static const struct pvt_model *const models[] = {&pvt_model_process, &pvt_model_thread};

  for (unsigned i = 0; i < 2; i++) {
    add_handed(question, host, &(struct handed){models[i], PVT_SAME_CPU, false});
    add_handed(question, host, &(struct handed){models[i], PVT_CROSS_CPU, false});
    add_handed(question, host, &(struct handed){models[i], PVT_CROSS_CPU, true});
  }
}

void pvt_question_declare(struct pvt_question *question, const struct pvt_host *host) {
  question->name = "create";
  question->title = "What does a worker cost to start, to keep, to end?";
  declare_handed(question, host);
  pvt_question_compare(question, PVT_MODEL, "model", "thread");
  pvt_question_compare(question, PVT_FLOOR, "wait", "polled");
  declare_reaped(question, host);
  declare_twice(question, host);
}
