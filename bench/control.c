/* Can this machine be trusted to compare? */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "model.h"
#include "place.h"
#include "question.h"
#include "workload.h"

/*
 * What must come out alike for processes and threads, because nothing in it depends on which of them does it:
 * computing, a system call that asks nothing of memory, and a cache line handed to and fro. If it does not, something
 * on this machine favours one side and no ratio of the run can be believed. And what the model seam itself costs: a 20
 * us operation through it against a loop written by hand.
 */
enum { BATCH = 1000, MESSAGE_BYTES = 8 };
#define OPERATION_NS 20000u

/* In shared memory. */
struct board {
  _Alignas(PVT_APART_BYTES) _Atomic uint64_t ping; /* how many times the line has gone to the second worker */
  _Alignas(PVT_APART_BYTES) _Atomic uint64_t pong; /* and come back */
  uint64_t operations;                             /* asked of each worker */
  uint64_t spins;                                  /* of the 20 us operation */
  int pipe[2];
  uint64_t check; /* what the computing produced */
};

struct control {
  const struct pvt_model *model;
  pvt_step *step;
  unsigned workers;
  enum pvt_placement placement;
};

/* ---- Steps ---- */

/* How many of a batch are still asked for. */
static uint64_t next_batch(const struct pvt_worker *worker, const struct board *board) {
  uint64_t left = board->operations - worker->operations;

  return left < BATCH ? left : BATCH;
}

static int said(const struct pvt_worker *worker, const struct board *board) {
  return worker->operations == board->operations ? PVT_DONE : PVT_MORE;
}

/* One operation = 100 dependent multiplies. */
static int compute(struct pvt_worker *worker) {
  struct board *board = worker->shared;
  uint64_t batch = next_batch(worker, board);

  board->check = pvt_workload_spin(worker->operations, batch * 100);
  worker->operations += batch;
  return said(worker, board);
}

static int ask_kernel(struct pvt_worker *worker) {
  struct board *board = worker->shared;
  uint64_t batch = next_batch(worker, board);

  for (uint64_t i = 0; i < batch; i++)
    board->check += (uint64_t)getppid();
  worker->operations += batch;
  return said(worker, board);
}

/* Waits for the word to reach the value; false if the crew is being stopped. */
static bool poll_until(_Atomic uint64_t *word, uint64_t value, const struct pvt_worker *worker) {
  for (unsigned tries = 0; atomic_load_explicit(word, memory_order_acquire) < value; tries++) {
    if (tries % 1048576 == 1048575 && pvt_worker_must_end(worker))
      return false;
    pvt_clock_relax();
  }
  return true;
}

/* One operation = there and back. */
static int hand_to_and_fro(struct pvt_worker *worker) {
  struct board *board = worker->shared;
  uint64_t batch = next_batch(worker, board), turn = worker->operations;

  for (uint64_t last = turn + batch; turn < last;) {
    turn++;
    if (worker->index == 0) {
      atomic_store_explicit(&board->ping, turn, memory_order_release);
      if (!poll_until(&board->pong, turn, worker))
        return -EINTR;
    } else {
      if (!poll_until(&board->ping, turn, worker))
        return -EINTR;
      atomic_store_explicit(&board->pong, turn, memory_order_release);
    }
  }
  worker->operations = turn;
  return said(worker, board);
}

/* One 20 us operation to a step: the most that the seam can cost. */
static int spin_once(struct pvt_worker *worker) {
  struct board *board = worker->shared;

  board->check = pvt_workload_spin(board->check, board->spins);
  worker->operations++;
  return said(worker, board);
}

/* The same and a message through a pipe to itself, each half awaited. */
static int spin_and_await(struct pvt_worker *worker) {
  static _Thread_local uint64_t message;
  struct board *board = worker->shared;
  struct pvt_operation *await = &worker->await;
  uintptr_t stage = (uintptr_t)worker->own;

  if (stage > 0 && await->result != MESSAGE_BYTES)
    return await->result < 0 ? (int)await->result : -EIO;
  worker->own = (void *)((stage + 1) % 3);
  switch (stage) {
  case 0:
    board->check = pvt_workload_spin(board->check, board->spins);
    message = board->check;
    *await =
        (struct pvt_operation){.kind = PVT_WRITE, .fd = board->pipe[1], .buffer = &message, .bytes = sizeof message};
    return PVT_AWAIT;
  case 1:
    *await =
        (struct pvt_operation){.kind = PVT_READ, .fd = board->pipe[0], .buffer = &message, .bytes = sizeof message};
    return PVT_AWAIT;
  default:
    worker->operations++;
    return said(worker, board);
  }
}

/* ---- Loops written by hand, in the subject's own thread: what the seam is held against ---- */

static uint64_t spin_by_hand(struct board *board) {
  uint64_t done = 0;

  for (; done < board->operations; done++)
    board->check = pvt_workload_spin(board->check, board->spins);
  return done;
}

static uint64_t await_by_hand(struct board *board) {
  uint64_t done = 0, message;

  for (; done < board->operations; done++) {
    board->check = message = pvt_workload_spin(board->check, board->spins);
    if (write(board->pipe[1], &message, sizeof message) != sizeof message ||
        read(board->pipe[0], &message, sizeof message) != sizeof message)
      break;
  }
  return done;
}

/* ---- Measuring ---- */

/* Once per subject: every repetition uses the same pages. */
static int board_ready(struct board **ret_board) {
  static struct board *board;
  void *memory;
  int status = board != NULL ? 0 : pvt_shared_new(sizeof *board, &memory);

  if (status < 0)
    return status;
  if (board == NULL) {
    board = memory;
    if (pipe2(board->pipe, O_CLOEXEC) == -1)
      return -errno;
    board->spins = pvt_workload_spins(OPERATION_NS);
  }
  atomic_store(&board->ping, 0);
  atomic_store(&board->pong, 0);
  *ret_board = board;
  return 0;
}

static int measure_crew(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret) {
  const struct control *control = row->subject;
  int cpus[PVT_CPUS_MAX], count = pvt_place_cpus(control->placement, request, cpus), status;
  struct pvt_crew_spec spec = {
      .workers = control->workers, .threads = 1, .step = control->step, .cpus = cpus, .cpus_count = (unsigned)count};
  struct pvt_crew *crew;
  struct board *board;
  bool all_done = true;

  if (count < 0)
    return pvt_measure_fail(ret, count, "too few CPUs");
  status = board_ready(&board);
  if (status == 0) {
    board->operations = request->operations;
    spec.shared = board;
    status = pvt_crew_start(control->model, &spec, &crew);
  }
  if (status < 0)
    return pvt_measure_fail(ret, status, "cannot start %u workers: %s", control->workers, strerror(-status));
  pvt_crew_open(crew);
  status = pvt_crew_wait(crew);
  pvt_crew_report(crew, ret);
  for (unsigned i = 0; i < control->workers; i++)
    all_done = all_done && pvt_crew_worker(crew, i)->operations == request->operations;
  ret->operations = pvt_crew_worker(crew, 0)->operations;
  pvt_crew_stop(crew);
  if (status < 0)
    return pvt_measure_fail(ret, status, "a worker failed: %s", strerror(-status));
  if (all_done)
    ret->proofs |= PVT_PROOF_WORK;
  return 0;
}

static int measure_by_hand(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret) {
  uint64_t (*loop)(struct board *) = row->subject == NULL ? spin_by_hand : await_by_hand;
  struct pvt_usage before, after, used;
  struct board *board;
  uint64_t start_ns;
  int status = pvt_place_self(PVT_SAME_CPU, request, 0);

  if (status == 0)
    status = board_ready(&board);
  if (status != 0)
    return status;
  board->operations = request->operations;
  pvt_clock_usage(&before);
  start_ns = pvt_clock_ns();
  ret->operations = loop(board);
  ret->span_ns = pvt_clock_ns() - start_ns;
  pvt_clock_usage(&after);
  used = pvt_clock_usage_between(&before, &after);
  ret->cpu_ns = used.cpu_ns;
  ret->voluntary = used.voluntary;
  ret->involuntary = used.involuntary;
  ret->faults = used.faults;
  if (ret->operations == request->operations)
    ret->proofs |= PVT_PROOF_WORK;
  return 0;
}

/* ---- Rows ---- */

static void add(struct pvt_question *question, const struct pvt_host *host, const char *variant,
                const struct control *control, unsigned profiles, uint64_t operation_ns) {
  struct pvt_row *row = pvt_question_row(question, variant);

  pvt_row_axis(question, row, "model", "%s", control->model->name);
  pvt_row_axis(question, row, "placement", "%s", pvt_place_name(control->placement));
  row->measure = measure_crew;
  row->subject = pvt_question_keep(question, control, sizeof *control);
  row->proofs = PVT_PROOF_WORK | PVT_PROOF_SHARED | PVT_PROOF_PRIVATE | PVT_PROOF_GATE;
  row->profiles = profiles;
  row->workers = control->workers;
  row->operation_ns = operation_ns;
  pvt_row_needs_workers(row, host, control->workers + 1);
  if (control->model->cannot != NULL && control->model->cannot() != NULL)
    pvt_row_skip(row, "%s", control->model->cannot());
  if (control->placement == PVT_CROSS_CPU)
    pvt_row_needs_cpus(row, host, 2);
}

static void add_by_hand(struct pvt_question *question, const char *variant, const void *subject) {
  struct pvt_row *row = pvt_question_row(question, variant);

  pvt_row_axis(question, row, "model", "by_hand");
  pvt_row_axis(question, row, "placement", "%s", pvt_place_name(PVT_SAME_CPU));
  row->measure = measure_by_hand;
  row->subject = subject;
  row->proofs = PVT_PROOF_WORK;
  row->profiles = PVT_NOT_QUICK;
  row->operation_ns = OPERATION_NS;
}

void pvt_question_declare(struct pvt_question *question, const struct pvt_host *host) {
  static const struct pvt_model *const alike[] = {&pvt_model_process, &pvt_model_thread};
  static const int awaits;

  question->name = "control";
  question->title = "Can this machine be trusted to compare?";
  for (unsigned i = 0; i < 2; i++) {
    add(question, host, "arithmetic", &(struct control){alike[i], compute, 1, PVT_SAME_CPU}, PVT_ALWAYS, 80);
    add(question, host, "getppid", &(struct control){alike[i], ask_kernel, 1, PVT_SAME_CPU}, PVT_ALWAYS, 60);
    add(question, host, "polled", &(struct control){alike[i], hand_to_and_fro, 2, PVT_CROSS_CPU}, PVT_ALWAYS, 150);
  }
  pvt_question_compare(question, PVT_MODEL, "model", "thread");
  for (size_t i = 0; i < question->contrasts_count; i++)
    question->contrasts[i].is_null = true;

  for (const struct pvt_model *const *model = pvt_models; *model != NULL; model++) {
    add(question, host, "seam_spin", &(struct control){*model, spin_once, 1, PVT_SAME_CPU}, PVT_NOT_QUICK,
        OPERATION_NS);
    add(question, host, "seam_await", &(struct control){*model, spin_and_await, 1, PVT_SAME_CPU}, PVT_NOT_QUICK,
        OPERATION_NS);
  }
  add_by_hand(question, "seam_spin", NULL);
  add_by_hand(question, "seam_await", &awaits);
  pvt_question_compare(question, PVT_FLOOR, "model", "by_hand");
}
