/*
 * workload.h - what one operation of a worker costs and waits for: from CPU-bound to IO-bound.
 *
 * An operation is a small step machine, so that every model can carry it: it computes, awaits, and says DONE when one
 * operation is complete. Where nothing else can run on the thread anyway (a lock's holder), pvt_work_once blocks.
 */
#ifndef PVT_WORKLOAD_H
#define PVT_WORKLOAD_H

#include "model.h"

/* What the caller asks for. */
struct pvt_work_spec {
  uint64_t service_ns; /* how long one operation takes when undisturbed; 0: the workload's own default */
  double io_share;     /* mixed: the part of service_ns that is waiting, 0 .. 1; others ignore it */
  const char *folder;  /* disk: where its private file lives; NULL: $TMPDIR or /tmp */
  uint16_t port;       /* network: where its server listens, from pvt_work_server_port */
};

struct pvt_workload;

/* One worker's own state; the caller's memory, used by one worker at a time. */
struct pvt_work {
  const struct pvt_workload *workload;
  struct pvt_work_spec spec;
  unsigned at;      /* where in the operation it is; 0: at its beginning */
  unsigned awaits;  /* how often one operation awaits; the row's init sets it */
  unsigned awaited; /* how often this one has, so far */
  bool is_awaiting;
  uint64_t spins; /* calibrated loop passes for the computing part */
  uint64_t done;  /* operations completed since init: the proof of work */
  uint64_t check; /* what the computing produced, so that no compiler can leave it out */
  int fd;         /* disk: its private file; network: its connection. -1: none */
  char *buffer;   /* what the rows read into and write from */
  size_t buffer_bytes;
};

struct pvt_workload {
  const char *name;
  uint64_t service_ns;                /* the default of spec.service_ns; 0: the machine decides how long it takes */
  bool awaits;                        /* it can say PVT_AWAIT */
  const char *(*cannot)(void);        /* why not here, or NULL; the function may be NULL */
  int (*init)(struct pvt_work *work); /* 0 or -errno; spec and workload are set. The caller runs done after an error */
  /* The next part of an operation: PVT_MORE (call again), PVT_AWAIT (with *await filled), PVT_DONE (one operation is
   * complete), or -errno. After PVT_AWAIT the same *await holds the result, never -EINTR. */
  int (*step)(struct pvt_work *work, struct pvt_operation *await);
  void (*done)(struct pvt_work *work); /* may be NULL */
  /* What a reader of its numbers must know, a sentence, or NULL; the function may be NULL. */
  const char *(*note)(const struct pvt_work_spec *spec);
};

/* row_: pvt_workload_spin is a function already. */
#define ROW(row) extern const struct pvt_workload pvt_workload_row_##row;
#include "workload_rows.h"
#undef ROW
extern const struct pvt_workload *const pvt_workloads[]; /* ends with NULL */
const struct pvt_workload *pvt_workload_find(const char *name);
/* The row's note for that spec ("the folder is in memory: fsync is free"), or NULL. */
const char *pvt_workload_note(const struct pvt_workload *workload, const struct pvt_work_spec *spec);

/* Errors: -EINVAL (spec), -ENOTSUP (the row cannot run here), the row's own. After an error there is nothing to undo,
 * and done is fine.
 */
int pvt_work_init(struct pvt_work *work, const struct pvt_workload *workload, const struct pvt_work_spec *spec);
/* One whole operation, with blocking system calls. Returns 0 or -errno; a signal does not end it. */
int pvt_work_once(struct pvt_work *work);
/* Part of an operation, for a pvt_step: PVT_AWAIT through worker->await, PVT_MORE, PVT_DONE (one operation is complete:
 * the step decides whether there is another), or -errno. -EPROTO: a row said DONE without having awaited. */
int pvt_work_step(struct pvt_work *work, struct pvt_worker *worker);
void pvt_work_done(struct pvt_work *work);

/* Loop passes that take about so many nanoseconds on this CPU, from a calibration made once per process (a few ms;
 * inherited by forked children). A property of the CPU, not of the moment: fixed for the life of the process. A master
 * calls it before it makes its crew: processes that calibrate each for itself, all at once, do different work. */
uint64_t pvt_workload_spins(uint64_t service_ns);
/* That many passes of a dependent multiply chain; returns its value. */
uint64_t pvt_workload_spin(uint64_t seed, uint64_t spins);

#endif
