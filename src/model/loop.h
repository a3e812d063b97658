/* loop.h - one thread that carries many workers by turns. What differs between loops is how they wait. */
#ifndef PVT_MODEL_LOOP_H
#define PVT_MODEL_LOOP_H

#include "crew.h"

struct pvt_task {
  struct pvt_worker *worker;
  size_t moved_bytes; /* of a write so far */
  bool is_live;
  bool is_waiting;       /* for its operation */
  struct pvt_task *next; /* epoll: waiting for the same descriptor */
  uint64_t wake_ns;      /* epoll: when its sleep is over */
};

struct pvt_loop {
  struct pvt_crew *crew;
  const struct pvt_loop_kind *kind;
  struct pvt_task *tasks;
  struct pvt_task **ready; /* a ring of those whose turn comes */
  unsigned count, ready_first, ready_count;
  unsigned living, waiting;
  bool is_ending; /* nothing goes on, a half-done write neither */
  struct pvt_usage before;
  void *own; /* the kind's */
};

struct pvt_loop_kind {
  int (*init)(struct pvt_loop *loop); /* 0 or -errno */
  /* Begins, or after a part of a write goes on with, the worker's operation; pvt_loop_took ends it, at once or later.
   */
  void (*begin)(struct pvt_loop *loop, struct pvt_task *task);
  /* Looks at what has come; sleeps until something comes, a signal or the crew's deadline included, if it may block.
   * 0 or -errno. */
  int (*poll)(struct pvt_loop *loop, bool may_block);
  /* Afterwards the kernel has nothing in flight that touches a worker's memory; what waits need not be taken. */
  void (*cancel)(struct pvt_loop *loop);
  void (*done)(struct pvt_loop *loop); /* also after a failed init */
};

/* The whole life of the carrier. */
void pvt_loop_live(struct pvt_crew *crew, unsigned carrier, const struct pvt_loop_kind *kind);
/* What a call of the operation returned: bytes, a descriptor, 0 or -errno. False: a write that goes on. */
bool pvt_loop_took(struct pvt_loop *loop, struct pvt_task *task, ssize_t got);
/* Workers of a loop: all. */
unsigned pvt_loop_workers(const struct pvt_crew_spec *spec);

#endif
