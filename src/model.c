#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "model/crew.h"
#include "proof.h"

#define ROW(row) &pvt_model_##row,
const struct pvt_model *const pvt_models[] = {
#include "model_rows.h"
    NULL};
#undef ROW

enum { IDLE_STACK_BYTES = 256 * 1024 };
#define CHECK_NS 100000000u /* how often the master looks for workers that died without a word */
#define PATIENCE_NS 2000000000u
#define KNOCK_NS 1000000u /* how often what may be blocked is interrupted */
#define EXIT_NS 50000u    /* what has said its last word needs about so long to be gone */
/* What is still blocked so long after the end of its window is interrupted: 1/64 of it, so overlap stays above 0.95. */
#define GRACE_OF_WINDOW 64

const struct pvt_model *pvt_model_find(const char *name) {
  for (const struct pvt_model *const *model = pvt_models; *model != NULL; model++)
    if (strcmp((*model)->name, name) == 0)
      return *model;
  return NULL;
}

static void ignore(int signal) {
  (void)signal;
}

static int check_spec(const struct pvt_model *model, const struct pvt_crew_spec *spec) {
  if (spec->workers == 0 || spec->workers > PVT_WORKERS_MAX || spec->step == NULL)
    return -EINVAL;
  if ((spec->threads != 0 && spec->workers % spec->threads != 0) ||
      spec->workers % model->workers_per_carrier(spec) != 0)
    return -EINVAL;
  if (model->cannot != NULL && model->cannot() != NULL)
    return -ENOTSUP;
  return 0;
}

static bool is_over(const struct pvt_worker *worker) {
  return atomic_load(&worker->phase) == PVT_ENDED;
}

/* Marks the workers of carriers that died: they cannot do it themselves. */
static void notice_deaths(struct pvt_crew *crew) {
  for (unsigned carrier = 0; carrier < crew->carriers; carrier++) {
    if (crew->carrier[carrier].is_made && !crew->model->is_gone(crew, carrier))
      continue;
    crew->carrier[carrier].is_made = false;
    for (unsigned i = 0; i < crew->per_carrier; i++) {
      struct pvt_worker *worker = &crew->workers[carrier * crew->per_carrier + i];

      if (is_over(worker))
        continue;
      worker->status = -ECHILD;
      atomic_store(&worker->phase, PVT_ENDED);
    }
  }
}

/* Sleeps until `arrivals` moves on from what it was, or it is time to look for the dead. */
static void await_news(struct pvt_crew *crew, uint32_t seen, uint64_t patience_ns) {
  if (pvt_shared_wait(&crew->gate->arrivals, seen, patience_ns) == -ETIMEDOUT)
    notice_deaths(crew);
}

static struct pvt_worker *first_of(const struct pvt_crew *crew, unsigned carrier) {
  return &crew->workers[(size_t)carrier * crew->per_carrier];
}

/* Knocks at each worker that has not ended. A signal can come just before the call that it is to interrupt, hence
 * again and again. */
static void interrupt(struct pvt_crew *crew, unsigned carrier) {
  if (!crew->carrier[carrier].is_made)
    return;
  for (unsigned i = 0; i < crew->per_carrier; i++) {
    struct pvt_worker *worker = &first_of(crew, carrier)[i];

    if (atomic_load(&worker->phase) < PVT_READY || is_over(worker))
      continue;
    syscall(SYS_tgkill, worker->pid, worker->tid, PVT_INTERRUPT);
    if (crew->model->shares_a_thread)
      return;
  }
}

static void interrupt_all(struct pvt_crew *crew) {
  for (unsigned carrier = 0; carrier < crew->carriers; carrier++)
    interrupt(crew, carrier);
}

static bool all_at_least(const struct pvt_crew *crew, uint32_t phase) {
  for (unsigned i = 0; i < crew->spec.workers; i++)
    if (atomic_load(&crew->workers[i].phase) < phase)
      return false;
  return true;
}

static int first_status(const struct pvt_crew *crew) {
  for (unsigned i = 0; i < crew->spec.workers; i++)
    if (is_over(&crew->workers[i]) && crew->workers[i].status < 0)
      return crew->workers[i].status;
  return 0;
}

static void await_ready(struct pvt_crew *crew) {
  for (;;) {
    uint32_t seen = atomic_load(&crew->gate->arrivals);

    if (all_at_least(crew, PVT_READY))
      return;
    await_news(crew, seen, CHECK_NS);
  }
}

static int make(struct pvt_crew *crew, unsigned carrier) {
  int made;

  for (unsigned i = 0; i < crew->per_carrier; i++) {
    struct pvt_worker *worker = &first_of(crew, carrier)[i];

    worker->status = 0;
    worker->stamps = (struct pvt_stamps){0};
    atomic_store(&worker->phase, PVT_STARTING);
    atomic_fetch_add(&worker->lives, 1);
  }
  atomic_store(&crew->carrier[carrier].has_left, false);
  made = crew->model->make(crew, carrier);
  crew->carrier[carrier].is_made = made == 0;
  for (unsigned i = 0; made < 0 && i < crew->per_carrier; i++) {
    struct pvt_worker *worker = &first_of(crew, carrier)[i];

    worker->status = made;
    atomic_fetch_sub(&worker->lives, 1);
    atomic_store(&worker->phase, PVT_ENDED);
  }
  return made;
}

static struct pvt_crew *crew_new(const struct pvt_model *model, const struct pvt_crew_spec *spec) {
  struct pvt_crew *crew = calloc(1, sizeof *crew);
  size_t gate_bytes = sizeof *crew->gate, bytes = gate_bytes + spec->workers * sizeof *crew->workers;
  void *memory;

  if (crew == NULL)
    return NULL;
  crew->model = model;
  crew->spec = *spec;
  crew->per_carrier = model->workers_per_carrier(&crew->spec);
  crew->carriers = spec->workers / crew->per_carrier;
  crew->carrier = calloc(crew->carriers, sizeof crew->carrier[0]);
  if (crew->carrier == NULL || pvt_shared_new(bytes, &memory) < 0) {
    free(crew->carrier);
    free(crew);
    return NULL;
  }
  crew->shared_bytes = bytes;
  crew->gate = memory;
  crew->workers = (struct pvt_worker *)((char *)memory + gate_bytes);
  for (unsigned i = 0; i < spec->workers; i++) {
    crew->workers[i].index = i;
    crew->workers[i].shared = spec->shared;
    crew->workers[i].gate = crew->gate;
    atomic_store(&crew->workers[i].phase, PVT_ENDED); /* until somebody is made to be it */
  }
  return crew;
}

int pvt_crew_start(const struct pvt_model *model, const struct pvt_crew_spec *spec, struct pvt_crew **ret_crew) {
  struct sigaction action = {.sa_handler = ignore};
  struct pvt_crew *crew;
  int status = check_spec(model, spec);

  if (status < 0)
    return status;
  crew = crew_new(model, spec);
  if (crew == NULL)
    return -ENOMEM;
  sigaction(PVT_INTERRUPT, &action, NULL);
  for (unsigned carrier = 0; carrier < crew->carriers && status == 0; carrier++)
    status = make(crew, carrier);
  if (status == 0) {
    await_ready(crew);
    status = first_status(crew);
  }
  if (status < 0) {
    pvt_crew_stop(crew);
    return status;
  }
  *ret_crew = crew;
  return 0;
}

void pvt_crew_open(struct pvt_crew *crew) {
  pvt_gate_open(crew->gate, crew->spec.window_ns);
}

int pvt_crew_wait(struct pvt_crew *crew) {
  for (;;) {
    uint64_t deadline_ns = atomic_load(&crew->gate->deadline_ns), patience_ns = CHECK_NS;
    uint32_t seen = atomic_load(&crew->gate->arrivals);

    if (all_at_least(crew, PVT_ENDED))
      return first_status(crew);
    if (deadline_ns != 0) {
      uint64_t late_ns = deadline_ns + crew->spec.window_ns / GRACE_OF_WINDOW, now_ns = pvt_clock_ns();

      if (now_ns >= late_ns)
        interrupt_all(crew);
      patience_ns = now_ns >= late_ns ? KNOCK_NS : late_ns - now_ns < CHECK_NS ? late_ns - now_ns : CHECK_NS;
    }
    await_news(crew, seen, patience_ns);
  }
}

bool pvt_crew_is_alive(struct pvt_crew *crew, unsigned worker) {
  notice_deaths(crew);
  return !is_over(&crew->workers[worker]);
}

static bool all_over(const struct pvt_crew *crew, unsigned carrier) {
  for (unsigned i = 0; i < crew->per_carrier; i++)
    if (!is_over(&first_of(crew, carrier)[i]))
      return false;
  return true;
}

static void end_carrier(struct pvt_crew *crew, unsigned carrier, uint64_t patience_ends_ns) {
  while (crew->carrier[carrier].is_made && !crew->model->is_gone(crew, carrier)) {
    uint32_t seen = atomic_load(&crew->gate->arrivals);

    if (crew->model->kill != NULL && pvt_clock_ns() > patience_ends_ns)
      crew->model->kill(crew, carrier);
    interrupt(crew, carrier);
    pvt_shared_wait(&crew->gate->arrivals, seen, all_over(crew, carrier) ? EXIT_NS : KNOCK_NS);
  }
  crew->carrier[carrier].is_made = false;
}

int pvt_crew_replace(struct pvt_crew *crew, unsigned worker) {
  unsigned carrier = worker / crew->per_carrier;
  int status;

  if (crew->model->kill != NULL && crew->carrier[carrier].is_made)
    crew->model->kill(crew, carrier);
  else if (crew->carrier[carrier].is_made && !all_over(crew, carrier))
    return -EBUSY;
  end_carrier(crew, carrier, pvt_clock_ns() + PATIENCE_NS);
  status = make(crew, carrier);
  for (unsigned i = 0; i < crew->per_carrier && status == 0;) {
    uint32_t seen = atomic_load(&crew->gate->arrivals);
    const struct pvt_worker *made = &first_of(crew, carrier)[i];

    if (atomic_load(&made->phase) == PVT_STARTING) {
      await_news(crew, seen, CHECK_NS);
      continue;
    }
    status = is_over(made) ? made->status : 0;
    i++;
  }
  return status;
}

void pvt_crew_stop(struct pvt_crew *crew) {
  uint64_t patience_ends_ns = pvt_clock_ns() + PATIENCE_NS;

  if (crew == NULL)
    return;
  pvt_gate_abandon(crew->gate);
  interrupt_all(crew);
  for (unsigned carrier = 0; carrier < crew->carriers; carrier++)
    end_carrier(crew, carrier, patience_ends_ns);
  pvt_shared_free(crew->gate, crew->shared_bytes);
  free(crew->carrier);
  free(crew);
}

int pvt_crew_helper(struct pvt_crew *crew, pvt_step *step, void *shared, int cpu, struct pvt_crew **ret_helper) {
  struct pvt_crew_spec spec = {.workers = 1,
                               .threads = 1,
                               .step = step,
                               .shared = shared,
                               .cpus = cpu < 0 ? NULL : &cpu,
                               .cpus_count = cpu < 0 ? 0 : 1};
  struct pvt_crew *helper;
  int status = pvt_crew_start(crew->model, &spec, &helper);

  if (status < 0)
    return status;
  helper->spec.cpus = NULL; /* it pointed to this frame; the worker is placed by now */
  pvt_crew_open(helper);
  *ret_helper = helper;
  return 0;
}

unsigned pvt_crew_workers(const struct pvt_crew *crew) {
  return crew->spec.workers;
}

const struct pvt_worker *pvt_crew_worker(const struct pvt_crew *crew, unsigned worker) {
  return &crew->workers[worker];
}

void pvt_crew_report(const struct pvt_crew *crew, struct pvt_measure *measure) {
  const struct pvt_stamps *stamps[PVT_WORKERS_MAX] = {NULL};
  bool after_gate = true;

  for (unsigned i = 0; i < crew->spec.workers; i++) {
    stamps[i] = &crew->workers[i].stamps;
    after_gate = after_gate && stamps[i]->first_ns >= atomic_load(&crew->gate->opened_ns);
    measure->cpu_ns += stamps[i]->usage.cpu_ns;
    measure->voluntary += stamps[i]->usage.voluntary;
    measure->involuntary += stamps[i]->usage.involuntary;
    measure->faults += stamps[i]->usage.faults;
  }
  measure->span_ns = pvt_gate_span_ns(stamps, crew->spec.workers);
  measure->overlap = pvt_gate_overlap(stamps, crew->spec.workers);
  if (after_gate)
    measure->proofs |= PVT_PROOF_GATE;
  if (measure->overlap >= 0.95)
    measure->proofs |= PVT_PROOF_OVERLAP;
  /* The stamps lie in shared memory: that they are here at all is the proof of sharing. */
  if (measure->span_ns > 0)
    measure->proofs |= PVT_PROOF_SHARED;
  if ((atomic_load_explicit(&crew->private_word, memory_order_relaxed) != 0) == crew->model->shares_memory)
    measure->proofs |= PVT_PROOF_PRIVATE;
}

static void *idle(void *context) {
  static _Atomic uint32_t never;

  (void)context;
  for (;;)
    pvt_shared_wait(&never, 0, PVT_FOREVER_NS);
  return NULL;
}

int pvt_model_neutral(void) {
  static pid_t neutral; /* a forked child has the word but not the thread */
  pthread_t thread;
  int status;

  if (neutral == getpid())
    return 0;
  status = pvt_spawn_plain_thread(&thread, IDLE_STACK_BYTES, idle, NULL);
  if (status == 0)
    neutral = getpid();
  return status;
}
