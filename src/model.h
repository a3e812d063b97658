/*
 * model.h - what carries a crew of workers: processes, threads, a mix, or one event loop.
 *
 * A harness says what one worker does (a step). A model decides what a worker is. Nothing else in the tree makes a
 * process or a thread, but for the creation ladder of bench/create.c.
 *
 *   start -> every worker is made, placed, prepared, and waits at the gate
 *   open  -> all start at one moment          wait -> all have said DONE, or the window is over
 *   is_alive, replace, stop                   for crews that live: pools, servers, crashes
 */
#ifndef PVT_MODEL_H
#define PVT_MODEL_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gate.h"
#include "wire.h"

struct pvt_crew;

/* What a step says. A negative value is -errno and ends the worker. */
enum pvt_step_said { PVT_DONE = 0, PVT_MORE = 1, PVT_AWAIT = 2 };

/* What a worker awaits after PVT_AWAIT. The model carries it out in its own way; the next step finds the result, which
 * is that of the blocking call (a write is a whole one). Descriptors are given in blocking mode. The epoll loop makes
 * those it accepts on and connects non-blocking and gives them back as they were: sockets after they are connected,
 * listeners when it ends. A worker that is ended in the midst of it leaves -EINTR, or what it got, for finish to see.
 */
struct pvt_operation {
  enum pvt_operation_kind {
    PVT_READ,
    PVT_WRITE,
    PVT_ACCEPT,
    PVT_CONNECT,
    PVT_SLEEP,
    PVT_PREAD,
    PVT_PWRITE,
    PVT_FSYNC,
  } kind;
  int fd;
  void *buffer;      /* read, write, pread, pwrite; connect: the address */
  size_t bytes;      /* of the buffer, or of the address */
  uint64_t offset;   /* pread, pwrite: bytes */
  uint64_t sleep_ns; /* sleep: how long */
  ssize_t result;    /* bytes, the accepted descriptor, 0, or -errno */
};

/* One worker, in shared memory, on cache lines of its own. The step may use what is above the stamps. */
struct pvt_worker {
  _Alignas(PVT_APART_BYTES) unsigned index; /* 0 .. workers - 1 */
  void *shared;                             /* the crew's */
  void *own;                                /* what prepare made for this worker alone; a model never touches it */
  struct pvt_gate *gate;
  uint64_t operations; /* the step adds what it has done */
  struct pvt_operation await;
  struct pvt_stamps stamps;
  _Atomic uint32_t phase; /* enum pvt_worker_phase */
  _Atomic uint32_t lives; /* how often this place has been filled */
  int status;             /* 0, or the -errno that ended it; -ECHILD: its process died */
  pid_t pid, tid;
};
enum pvt_worker_phase { PVT_STARTING, PVT_READY, PVT_RUNNING, PVT_ENDED };

typedef int pvt_step(struct pvt_worker *worker);

/* What the caller asks for; copied by start, so it may live on the stack. Pointers must outlive the crew. */
struct pvt_crew_spec {
  unsigned workers; /* 1 .. PVT_WORKERS_MAX */
  unsigned threads; /* hybrid: threads in each process, must divide workers, 0: 2; others ignore it */
  pvt_step *step;
  int (*prepare)(struct pvt_worker *worker); /* in the worker, before the gate: 0 or -errno; NULL: nothing */
  void (*finish)(struct pvt_worker *worker); /* in the worker, after its last stamp; NULL: nothing */
  void *shared;                              /* memory from pvt_shared_new, or what is never written */
  const int *cpus;                           /* worker i runs on cpus[i % cpus_count]; NULL: anywhere */
  unsigned cpus_count;
  uint64_t window_ns; /* 0: until every worker says DONE */
};
enum { PVT_WORKERS_MAX = 4096 };
/* Handled without SA_RESTART and without effect while crews are in use, so that blocking calls return with EINTR. */
#define PVT_INTERRUPT SIGUSR2

/* One row of the seam. A carrier is what the kernel schedules and ends as one: a process, a thread, a loop. */
struct pvt_model {
  const char *name;
  bool shares_memory;          /* a worker sees, and changes, the master's ordinary memory */
  bool shares_a_thread;        /* one thread carries all workers: a step must await, never block */
  const char *(*cannot)(void); /* why it cannot run on this machine, a sentence, or NULL; the function may be NULL */
  unsigned (*workers_per_carrier)(const struct pvt_crew_spec *spec);
  int (*make)(struct pvt_crew *crew, unsigned carrier);     /* 0 or -errno */
  bool (*is_gone)(struct pvt_crew *crew, unsigned carrier); /* true once it has ended and is reaped; never blocks */
  void (*kill)(struct pvt_crew *crew, unsigned carrier);    /* ends it by force, or NULL where the kernel has no way */
};

#define ROW(row) extern const struct pvt_model pvt_model_##row;
#include "model_rows.h"
#undef ROW
extern const struct pvt_model *const pvt_models[]; /* ends with NULL */
const struct pvt_model *pvt_model_find(const char *name);

/* Makes the crew; all its workers wait at the gate. Errors: -EINVAL (spec), -EAGAIN and -ENOMEM (limits), a worker's
 * own. */
int pvt_crew_start(const struct pvt_model *model, const struct pvt_crew_spec *spec, struct pvt_crew **ret_crew);
void pvt_crew_open(struct pvt_crew *crew);
/* Until every worker has ended. Returns 0 or the first worker's -errno; -ECHILD if one died. Workers that are blocked
 * when their window is over are interrupted by PVT_INTERRUPT. */
int pvt_crew_wait(struct pvt_crew *crew);
bool pvt_crew_is_alive(struct pvt_crew *crew, unsigned worker);
/* Ends the worker's carrier if it lives (by force where the model can) and makes a new one, whose workers start at
 * once. Returns 0, -EBUSY (the carrier lives and the model cannot kill it), or what start returns. */
int pvt_crew_replace(struct pvt_crew *crew, unsigned worker);
/* Ends every worker after its current step; blocked ones are interrupted by PVT_INTERRUPT, processes that are stubborn
 * for 2 s are killed; a thread that never ends its step is waited for, for ever. Frees the crew; NULL is fine. */
void pvt_crew_stop(struct pvt_crew *crew);
/* One more worker of the same model beside the crew (a feeder, a ticker, a server), started at once on that CPU
 * (-1: anywhere). It has no place in the crew's stamps. Stop it with pvt_crew_stop. */
int pvt_crew_helper(struct pvt_crew *crew, pvt_step *step, void *shared, int cpu, struct pvt_crew **ret_helper);

unsigned pvt_crew_workers(const struct pvt_crew *crew);
const struct pvt_worker *pvt_crew_worker(const struct pvt_crew *crew, unsigned worker);
/* After wait: adds span, CPU, switches, faults, overlap and the proofs that a crew can show. Leaves operations alone.
 */
void pvt_crew_report(const struct pvt_crew *crew, struct pvt_measure *measure);
/* True from the moment the crew is being stopped or the window is over: for steps that wait by themselves. */
bool pvt_worker_must_end(const struct pvt_worker *worker);

/* An idle second thread, so that glibc's and the kernel's short cuts for single-threaded processes are off. Once per
 * process; more calls do nothing. The process and hybrid models do it in each of their children. */
int pvt_model_neutral(void);

#endif
