/* What does it cost to pass a message, within a process and between processes? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exchange.h"
#include "place.h"
#include "question.h"

enum { MESSAGE_BYTES = 64, DEPTH = 16, SPINS_PER_LOOK = 1024 };

/* ---- Floors: two workers hand something to and fro with as little code as there can be. ---- */

struct handover { /* in shared memory */
  const struct floor *floor;
  uint64_t rounds;
  struct pvt_sampler sampler; /* worker 0's */
  int forth[2], back[2];      /* pipes */
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t word;
  char apart[PVT_APART_BYTES - sizeof(uint32_t)];
};

struct floor {
  const char *name;
  bool spins, copies_in_kernel; /* a transport that does the same is compared with it */
  int (*ask)(struct handover *handover, struct pvt_worker *worker);
  int (*answer)(struct handover *handover, struct pvt_worker *worker);
};

/* One question, or one answer. Inlined into loops of their own: no call through a pointer per message. */
typedef int turn_fn(struct handover *handover, const struct pvt_worker *worker, uint64_t n);
#define INLINED static inline __attribute__((always_inline))

INLINED int take_turns(struct handover *handover, struct pvt_worker *worker, turn_fn *turn, bool is_sampled) {
  struct pvt_sampler sampler = handover->sampler;
  uint64_t n;
  int status = 0;

  pvt_sampler_begin(&sampler);
  for (n = 0; n < handover->rounds; n++) {
    status = turn(handover, worker, n);
    if (status < 0)
      break;
    if (is_sampled)
      pvt_sampler_note(&sampler);
  }
  if (is_sampled)
    handover->sampler = sampler;
  worker->operations += n;
  return status;
}

#define LOOPS(name)                                                                                                    \
  static int name##_asks(struct handover *handover, struct pvt_worker *worker) {                                       \
    return take_turns(handover, worker, name##_ask, true);                                                             \
  }                                                                                                                    \
  static int name##_answers(struct handover *handover, struct pvt_worker *worker) {                                    \
    return take_turns(handover, worker, name##_answer, false);                                                         \
  }

/* The number of the turn, first in 64 bytes. */
static int write_turn(int fd, uint64_t turn) {
  uint64_t message[MESSAGE_BYTES / sizeof(uint64_t)] = {turn};

  return syscall(SYS_write, fd, message, sizeof message) == sizeof message ? 0 : -errno;
}

static int read_turn(int fd, uint64_t turn) {
  uint64_t message[MESSAGE_BYTES / sizeof(uint64_t)];

  if (syscall(SYS_read, fd, message, sizeof message) != sizeof message)
    return -errno;
  return message[0] == turn ? 0 : -EBADMSG;
}

INLINED int pipe_syscalls_ask(struct handover *handover, const struct pvt_worker *worker, uint64_t n) {
  int status = write_turn(handover->forth[1], n);

  (void)worker;
  return status < 0 ? status : read_turn(handover->back[0], ~n);
}

INLINED int pipe_syscalls_answer(struct handover *handover, const struct pvt_worker *worker, uint64_t n) {
  int status = read_turn(handover->forth[0], n);

  (void)worker;
  return status < 0 ? status : write_turn(handover->back[1], ~n);
}

LOOPS(pipe_syscalls)

/* The word is 2n when question n is to be asked, 2n + 1 when it is to be answered; who sleeps on it says so in its top
 * bit, and is woken only then. */
#define SLEEPS (UINT32_C(1) << 31)

INLINED uint32_t turn_number(uint64_t number) {
  return (uint32_t)number & ~SLEEPS;
}

static int sleep_until(_Atomic uint32_t *word, uint32_t turn, const struct pvt_worker *worker) {
  const uint32_t before = turn_number(turn - 1);
  uint32_t seen;

  while (turn_number(seen = atomic_load(word)) != turn) {
    if (turn_number(seen) != before)
      return -EBADMSG;
    if (pvt_worker_must_end(worker))
      return -EINTR;
    if (seen == (before | SLEEPS) || atomic_compare_exchange_strong(word, &seen, before | SLEEPS))
      pvt_shared_wait(word, before | SLEEPS, PVT_FOREVER_NS);
  }
  return 0;
}

static void pass(_Atomic uint32_t *word, uint32_t turn) {
  if (atomic_exchange(word, turn) & SLEEPS)
    pvt_shared_wake(word, 1);
}

INLINED int futex_word_ask(struct handover *handover, const struct pvt_worker *worker, uint64_t n) {
  pass(&handover->word, turn_number(2 * n + 1));
  return sleep_until(&handover->word, turn_number(2 * n + 2), worker);
}

INLINED int futex_word_answer(struct handover *handover, const struct pvt_worker *worker, uint64_t n) {
  int status = sleep_until(&handover->word, turn_number(2 * n + 1), worker);

  if (status == 0)
    pass(&handover->word, turn_number(2 * n + 2));
  return status;
}

LOOPS(futex_word)

INLINED int spin_until(_Atomic uint32_t *word, uint32_t turn, const struct pvt_worker *worker) {
  uint32_t seen;

  for (unsigned spins = 1; (seen = atomic_load_explicit(word, memory_order_acquire)) != turn; spins++) {
    if (seen != turn - 1)
      return -EBADMSG;
    if (spins % SPINS_PER_LOOK == 0 && pvt_worker_must_end(worker))
      return -EINTR;
    pvt_clock_relax();
  }
  return 0;
}

INLINED int cache_line_ask(struct handover *handover, const struct pvt_worker *worker, uint64_t n) {
  atomic_store_explicit(&handover->word, (uint32_t)(2 * n + 1), memory_order_release);
  return spin_until(&handover->word, (uint32_t)(2 * n + 2), worker);
}

INLINED int cache_line_answer(struct handover *handover, const struct pvt_worker *worker, uint64_t n) {
  int status = spin_until(&handover->word, (uint32_t)(2 * n + 1), worker);

  if (status == 0)
    atomic_store_explicit(&handover->word, (uint32_t)(2 * n + 2), memory_order_release);
  return status;
}

LOOPS(cache_line)

static const struct floor floors[] = {
    {"pipe_syscalls", .copies_in_kernel = true, .ask = pipe_syscalls_asks, .answer = pipe_syscalls_answers},
    {"futex_word", .ask = futex_word_asks, .answer = futex_word_answers},
    {"cache_line", .spins = true, .ask = cache_line_asks, .answer = cache_line_answers},
};
enum { FLOORS = sizeof floors / sizeof floors[0] };

static void handover_free(struct handover *handover) {
  int ends[] = {handover->forth[0], handover->forth[1], handover->back[0], handover->back[1]};

  for (unsigned i = 0; i < 4; i++)
    if (ends[i] > 0)
      close(ends[i]);
  pvt_sampler_done(&handover->sampler);
  pvt_shared_free(handover, sizeof *handover);
}

static int handover_new(const struct floor *floor, uint64_t rounds, struct handover **ret_handover) {
  struct handover *handover;
  void *memory;
  int status = pvt_shared_new(sizeof *handover, &memory);

  if (status < 0)
    return status;
  handover = memory;
  handover->floor = floor;
  handover->rounds = rounds;
  if (floor->copies_in_kernel && (pipe(handover->forth) == -1 || pipe(handover->back) == -1))
    status = -errno;
  if (status == 0 && !floor->spins)
    status = pvt_sampler_init(&handover->sampler, rounds);
  if (status < 0) {
    handover_free(handover);
    return status;
  }
  *ret_handover = handover;
  return 0;
}

static int prepare_floor(struct pvt_worker *worker) {
  struct handover *handover = worker->shared;

  pvt_exchange_touch(handover, sizeof *handover);
  pvt_exchange_touch(handover->sampler.samples_ns, handover->sampler.samples_bytes);
  return 0;
}

static int step_floor(struct pvt_worker *worker) {
  struct handover *handover = worker->shared;

  return worker->index == 0 ? handover->floor->ask(handover, worker) : handover->floor->answer(handover, worker);
}

/* ---- Rows ---- */

struct pair {
  const struct pvt_model *model;
  enum pvt_placement placement;
  const struct pvt_transport *transport; /* or else the floor */
  const struct floor *floor;
};

/* Two workers of one crew, from start to stop. */
static int run(const struct pair *pair, const struct pvt_request *request, struct pvt_crew_spec spec,
               const struct pvt_sampler *sampler, struct pvt_measure *ret) {
  int cpus[PVT_CPUS_MAX], placed = pvt_place_cpus(pair->placement, request, cpus);
  struct pvt_crew *crew = NULL;
  int status = placed;

  spec.workers = 2;
  spec.cpus = cpus;
  spec.cpus_count = placed < 0 ? 0 : (unsigned)placed;
  if (status >= 0)
    status = pvt_crew_start(pair->model, &spec, &crew);
  if (status < 0)
    return pvt_measure_fail(ret, status, "cannot start two workers: %s", strerror(-status));
  pvt_crew_open(crew);
  status = pvt_exchange_wait(crew, PVT_FOREVER_NS);
  if (status == 0)
    pvt_exchange_report(crew, request->operations, sampler, ret);
  pvt_crew_stop(crew);
  if (status == -EBADMSG)
    return pvt_measure_fail(ret, status, "%s", pvt_proof_missing(PVT_PROOF_ORDER, 0));
  if (status < 0)
    return pvt_measure_fail(ret, status, "a worker failed: %s", strerror(-status));
  return 0;
}

static int measure_transport(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret) {
  const struct pvt_channel_spec channel = {.message_bytes = MESSAGE_BYTES, .depth = DEPTH};
  struct pvt_crew_spec spec = {.step = pvt_exchange_step, .prepare = pvt_exchange_prepare};
  const struct pair *pair = row->subject;
  struct pvt_exchange *exchange;
  int status = pvt_exchange_new(pair->transport, &channel, request->operations, !pair->transport->spins, &exchange);

  if (status < 0)
    return pvt_measure_fail(ret, status, "cannot open the channels: %s", strerror(-status));
  spec.shared = exchange;
  status = run(pair, request, spec, &exchange->sampler, ret);
  pvt_exchange_free(exchange);
  return status;
}

static int measure_floor(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret) {
  struct pvt_crew_spec spec = {.step = step_floor, .prepare = prepare_floor};
  const struct pair *pair = row->subject;
  struct handover *handover;
  int status = handover_new(pair->floor, request->operations, &handover);

  if (status < 0)
    return pvt_measure_fail(ret, status, "set-up: %s", strerror(-status));
  spec.shared = handover;
  status = run(pair, request, spec, &handover->sampler, ret);
  handover_free(handover);
  return status;
}

static void add(struct pvt_question *question, const struct pvt_host *host, struct pair pair, unsigned profiles) {
  struct pvt_row *row = pvt_question_row(question, "round_trip");
  bool spins = pair.floor != NULL ? pair.floor->spins : pair.transport->spins;

  pvt_row_axis(question, row, "model", "%s", pair.model->name);
  if (pair.floor != NULL)
    pvt_row_axis(question, row, "floor", "%s", pair.floor->name);
  else
    pvt_row_axis(question, row, "transport", "%s", pair.transport->name);
  pvt_row_axis(question, row, "placement", "%s", pvt_place_name(pair.placement));
  if (pair.floor == NULL || pair.floor->copies_in_kernel)
    pvt_row_axis(question, row, "message_bytes", "%d", MESSAGE_BYTES);
  row->measure = pair.floor != NULL ? measure_floor : measure_transport;
  row->subject = pvt_question_keep(question, &pair, sizeof pair);
  row->profiles = profiles;
  row->proofs = PVT_PROOF_WORK | PVT_PROOF_ORDER | PVT_PROOF_SHARED | PVT_PROOF_PRIVATE | PVT_PROOF_GATE;
  row->workers = 2;
  row->operation_ns = spins ? 200 : 5000;
  pvt_row_needs_workers(row, host, 2);
  if (pair.placement == PVT_CROSS_CPU)
    pvt_row_needs_cpus(row, host, 2);
}

/* What waits by spinning makes no sense on one CPU: each message would take a slice of the scheduler. */
static void add_placements(struct pvt_question *question, const struct pvt_host *host, struct pair pair, bool spins,
                           unsigned profiles) {
  for (pair.placement = spins ? PVT_CROSS_CPU : PVT_SAME_CPU; pair.placement <= PVT_CROSS_CPU; pair.placement++)
    add(question, host, pair, profiles);
}

/* Each transport against the thinnest code that waits as it does and moves bytes as it does. */
static void compare_floors(struct pvt_question *question) {
  size_t rows = question->rows_count;

  for (size_t arm = 0; arm < rows; arm++)
    for (size_t against = 0; against < rows; against++) {
      const struct pair *a = question->rows[arm].subject, *b = question->rows[against].subject;

      if (a->transport != NULL && b->floor != NULL && a->model == b->model && a->placement == b->placement &&
          a->transport->spins == b->floor->spins && a->transport->copies_in_kernel == b->floor->copies_in_kernel)
        pvt_question_contrast(question, PVT_FLOOR, question->rows[arm].name, question->rows[against].name);
    }
}

/* Processes and threads that poll the same memory do the same: if they differ, the measurement is at fault. */
static void mark_null_checks(struct pvt_question *question) {
  for (size_t i = 0; i < question->contrasts_count; i++) {
    const struct pair *arm = question->rows[question->contrasts[i].arm].subject;

    if (question->contrasts[i].kind == PVT_MODEL && arm->transport == &pvt_transport_polled)
      question->contrasts[i].is_null = true;
  }
}

void pvt_question_declare(struct pvt_question *question, const struct pvt_host *host) {
  const struct pvt_model *const models[] = {&pvt_model_process, &pvt_model_thread};

  question->name = "queue";
  question->title = "What does it cost to pass a message, within a process and between processes?";
  for (unsigned model = 0; model < 2; model++) {
    struct pair pair = {.model = models[model]};

    for (unsigned i = 0; (pair.transport = pvt_transports[i]) != NULL; i++)
      add_placements(question, host, pair, pair.transport->spins, PVT_ALWAYS);
    for (unsigned i = 0; i < FLOORS; i++) {
      pair.floor = &floors[i];
      add_placements(question, host, pair, pair.floor->spins, PVT_NOT_QUICK);
    }
  }
  pvt_question_compare(question, PVT_MODEL, "model", "thread");
  mark_null_checks(question);
  compare_floors(question);
}
