#include "loop.h"

#include <errno.h>
#include <stdlib.h>

enum { MUST_END = 1 };

unsigned pvt_loop_workers(const struct pvt_crew_spec *spec) {
  return spec->workers;
}

static void make_ready(struct pvt_loop *loop, struct pvt_task *task) {
  unsigned last = loop->ready_first + loop->ready_count++;

  loop->ready[last >= loop->count ? last - loop->count : last] = task;
}

static struct pvt_task *next_ready(struct pvt_loop *loop) {
  struct pvt_task *task = loop->ready[loop->ready_first];

  loop->ready_first = loop->ready_first + 1 == loop->count ? 0 : loop->ready_first + 1;
  loop->ready_count--;
  return task;
}

bool pvt_loop_took(struct pvt_loop *loop, struct pvt_task *task, ssize_t got) {
  struct pvt_operation *operation = &task->worker->await;

  /* A blocking write returns when all is written, or says how much was when it could not go on. */
  if (operation->kind == PVT_WRITE && got > 0) {
    task->moved_bytes += (size_t)got;
    if (task->moved_bytes < operation->bytes && !loop->is_ending)
      return false;
  }
  operation->result = operation->kind == PVT_WRITE && task->moved_bytes > 0 ? (ssize_t)task->moved_bytes : got;
  task->is_waiting = false;
  loop->waiting--;
  make_ready(loop, task);
  return true;
}

/* One thread has one usage: it is the crew's, and stands with the worker that ends last. */
static void book_usage(struct pvt_loop *loop, struct pvt_worker *worker) {
  struct pvt_usage after;

  pvt_clock_usage(&after);
  worker->stamps.usage = pvt_clock_usage_between(&loop->before, &after);
}

static void end(struct pvt_loop *loop, struct pvt_task *task, int status) {
  task->is_live = false;
  loop->living--;
  pvt_worker_end(loop->crew, task->worker, status);
}

/* All stamps first: what comes after the end is not work. */
static void end_all(struct pvt_loop *loop, int status) {
  uint64_t now_ns = pvt_clock_ns();
  struct pvt_task *last = NULL;

  for (unsigned i = 0; i < loop->count; i++)
    if (loop->tasks[i].is_live) {
      last = &loop->tasks[i];
      last->worker->stamps.last_ns = now_ns;
    }
  if (last == NULL)
    return;
  book_usage(loop, last->worker);
  loop->is_ending = true;
  loop->kind->cancel(loop);
  for (unsigned i = 0; i < loop->count; i++)
    if (loop->tasks[i].is_waiting)
      pvt_loop_took(loop, &loop->tasks[i], -EINTR);
  for (unsigned i = 0; i < loop->count; i++)
    if (loop->tasks[i].is_live)
      end(loop, &loop->tasks[i], status);
}

/* One step of each worker that was ready when the turn began. Returns 0 or MUST_END. */
static int take_turns(struct pvt_loop *loop) {
  for (unsigned turns = loop->ready_count; turns > 0; turns--) {
    struct pvt_task *task = next_ready(loop);
    struct pvt_worker *worker = task->worker;
    int said;

    if (pvt_worker_must_end(worker))
      return MUST_END;
    said = loop->crew->spec.step(worker);
    if (said == PVT_MORE) {
      make_ready(loop, task);
    } else if (said == PVT_AWAIT) {
      task->is_waiting = true;
      task->moved_bytes = 0;
      loop->waiting++;
      loop->kind->begin(loop, task);
    } else {
      worker->stamps.last_ns = pvt_clock_ns();
      if (loop->living == 1)
        book_usage(loop, worker);
      end(loop, task, pvt_worker_verdict(worker, said));
    }
  }
  return 0;
}

static void run(struct pvt_loop *loop) {
  uint64_t now_ns;
  int status = 0;

  pvt_clock_usage(&loop->before);
  now_ns = pvt_clock_ns();
  for (unsigned i = 0; i < loop->count; i++) {
    struct pvt_task *task = &loop->tasks[i];

    if (!task->is_live)
      continue;
    atomic_store(&task->worker->phase, PVT_RUNNING);
    task->worker->stamps.first_ns = now_ns; /* from here on it has its turns */
    make_ready(loop, task);
  }
  while (loop->living > 0 && status == 0) {
    status = take_turns(loop);
    if (status == 0 && loop->waiting > 0)
      status = loop->kind->poll(loop, loop->ready_count == 0);
    if (status == 0 && loop->ready_count == 0 && pvt_worker_must_end(loop->tasks[0].worker))
      status = MUST_END;
  }
  end_all(loop, status == MUST_END ? 0 : status);
}

static void begin_workers(struct pvt_loop *loop, unsigned first) {
  for (unsigned i = 0; i < loop->count; i++) {
    struct pvt_task *task = &loop->tasks[i];

    task->worker = &loop->crew->workers[first + i];
    task->is_live = pvt_worker_begin(loop->crew, task->worker) == 0;
    loop->living += task->is_live;
  }
}

void pvt_loop_live(struct pvt_crew *crew, unsigned carrier, const struct pvt_loop_kind *kind) {
  struct pvt_loop loop = {.crew = crew, .kind = kind, .count = crew->per_carrier};
  unsigned first = carrier * crew->per_carrier;
  int status = -ENOMEM;

  loop.tasks = calloc(loop.count, sizeof *loop.tasks);
  loop.ready = calloc(loop.count, sizeof(struct pvt_task *));
  if (loop.tasks != NULL && loop.ready != NULL)
    status = kind->init(&loop);
  if (status < 0)
    for (unsigned i = 0; i < loop.count; i++)
      pvt_worker_end(crew, &crew->workers[first + i], status);
  else
    begin_workers(&loop, first);
  if (loop.living > 0 && pvt_gate_pass(crew->gate))
    run(&loop);
  for (unsigned i = 0; loop.living > 0; i++)
    if (loop.tasks[i].is_live)
      end(&loop, &loop.tasks[i], 0);
  kind->done(&loop);
  free(loop.ready);
  free(loop.tasks);
}
