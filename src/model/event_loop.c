/* event_loop: one thread carries all workers by turns and waits for their descriptors with epoll. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loop.h"

#define RETRY_NS 100000u        /* a full local backlog says nothing when it has room again */
#define LOOK_AGAIN_NS 20000000u /* see look_again */
#define UNTIL_CALLED UINT64_MAX

enum { EVENTS_AT_ONCE = 128, TO_READ = 0, TO_WRITE = 1 };

/* How a descriptor is tried without a change to what others share with it. Each failure leads to the next. */
enum way { AS_SOCKET, WITHOUT_WAIT, AFTER_POLL };

struct line {
  struct pvt_task *first, *last;
};

/* What the loop knows of a descriptor. Registrations are edge-triggered and stay: a worker tries first, and waits
 * only for what comes after that. */
struct watch {
  uint32_t events; /* registered */
  uint8_t way;
  bool is_made_nonblocking;
  struct line waiting[2]; /* TO_READ, TO_WRITE */
};

struct epoll {
  int fd;
  struct watch *watches; /* by descriptor */
  unsigned watches_count, in_line;
  struct pvt_task **sleepers; /* a heap, the earliest first */
  unsigned sleepers_count;
};

static int init(struct pvt_loop *loop) {
  struct epoll *own = calloc(1, sizeof *own);

  if (own == NULL)
    return -ENOMEM;
  loop->own = own;
  own->fd = epoll_create1(EPOLL_CLOEXEC);
  if (own->fd == -1)
    return -errno;
  own->sleepers = calloc(loop->count, sizeof(struct pvt_task *));
  return own->sleepers == NULL ? -ENOMEM : 0;
}

static void make_blocking(struct watch *watch, int fd) {
  if (watch->is_made_nonblocking)
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  watch->is_made_nonblocking = false;
}

static void done(struct pvt_loop *loop) {
  struct epoll *own = loop->own;

  if (own == NULL)
    return;
  for (unsigned fd = 0; fd < own->watches_count; fd++)
    make_blocking(&own->watches[fd], (int)fd);
  if (own->fd != -1)
    close(own->fd);
  free(own->watches);
  free(own->sleepers);
  free(own);
}

/* Nothing is in flight: what waits has only been tried. */
static void cancel(struct pvt_loop *loop) {
  (void)loop;
}

/* ---- Sleepers ---- */

static void sleeper_add(struct epoll *own, struct pvt_task *task, uint64_t wake_ns) {
  unsigned at = own->sleepers_count++;

  task->wake_ns = wake_ns;
  for (; at > 0 && own->sleepers[(at - 1) / 2]->wake_ns > wake_ns; at = (at - 1) / 2)
    own->sleepers[at] = own->sleepers[(at - 1) / 2];
  own->sleepers[at] = task;
}

static struct pvt_task *sleeper_take(struct epoll *own) {
  struct pvt_task *earliest = own->sleepers[0], *moved = own->sleepers[--own->sleepers_count];
  unsigned at = 0;

  for (;;) {
    unsigned child = 2 * at + 1;

    if (child + 1 < own->sleepers_count && own->sleepers[child + 1]->wake_ns < own->sleepers[child]->wake_ns)
      child++;
    if (child >= own->sleepers_count || own->sleepers[child]->wake_ns >= moved->wake_ns)
      break;
    own->sleepers[at] = own->sleepers[child];
    at = child;
  }
  own->sleepers[at] = moved;
  return earliest;
}

/* ---- Descriptors ---- */

/* Valid until the next call; NULL for a bad descriptor or when memory is out. */
static struct watch *watch_of(struct epoll *own, int fd) {
  if (fd < 0)
    return NULL;
  if ((unsigned)fd >= own->watches_count) {
    unsigned count = ((unsigned)fd + 64) / 64 * 64 * 2;
    struct watch *grown = reallocarray(own->watches, count, sizeof *grown);

    if (grown == NULL)
      return NULL;
    memset(&grown[own->watches_count], 0, (count - own->watches_count) * sizeof *grown);
    own->watches = grown;
    own->watches_count = count;
  }
  return &own->watches[fd];
}

/* A new descriptor under an old number: what was known of the number is void. */
static void forget(struct epoll *own, int fd) {
  struct watch *watch = watch_of(own, fd);

  if (watch != NULL && watch->waiting[TO_READ].first == NULL && watch->waiting[TO_WRITE].first == NULL)
    *watch = (struct watch){0};
}

static void make_nonblocking(struct watch *watch, int fd) {
  int flags;

  if (watch->is_made_nonblocking)
    return;
  flags = fcntl(fd, F_GETFL);
  if (flags != -1 && !(flags & O_NONBLOCK))
    watch->is_made_nonblocking = fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* For kernels that cannot read or write such a descriptor without waiting: one that is ready will not block, as long
 * as no other thread takes what is there. */
static ssize_t move_after_poll(int fd, bool to_write, char *bytes, size_t count) {
  struct pollfd ready = {.fd = fd, .events = to_write ? POLLOUT : POLLIN};

  if (poll(&ready, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  if (to_write)
    return write(fd, bytes, count < PIPE_BUF ? count : PIPE_BUF); /* more could block half-way */
  return read(fd, bytes, count);
}

static ssize_t move_bytes(struct watch *watch, int fd, bool to_write, char *bytes, size_t count) {
  struct iovec part = {bytes, count};
  ssize_t got = -1;

  if (watch->way == AS_SOCKET) {
    got = to_write ? send(fd, bytes, count, MSG_DONTWAIT) : recv(fd, bytes, count, MSG_DONTWAIT);
    if (got != -1 || errno != ENOTSOCK)
      return got;
    watch->way = WITHOUT_WAIT;
  }
  if (watch->way == WITHOUT_WAIT) {
    got = to_write ? pwritev2(fd, &part, 1, -1, RWF_NOWAIT) : preadv2(fd, &part, 1, -1, RWF_NOWAIT);
    if (got != -1 || (errno != EOPNOTSUPP && errno != ENOSYS))
      return got;
    watch->way = AFTER_POLL;
  }
  return move_after_poll(fd, to_write, bytes, count);
}

/* Returns what the operation's call returned; -EAGAIN: wait for the descriptor, -EBUSY: nothing will tell when. */
static ssize_t try(struct watch *watch, struct pvt_task *task) {
  struct pvt_operation *operation = &task->worker->await;
  char *bytes = operation->buffer;
  ssize_t got = -1;

  switch (operation->kind) {
  case PVT_READ:
    got = move_bytes(watch, operation->fd, false, bytes, operation->bytes);
    break;
  case PVT_WRITE:
    got = move_bytes(watch, operation->fd, true, bytes + task->moved_bytes, operation->bytes - task->moved_bytes);
    break;
  case PVT_ACCEPT:
    make_nonblocking(watch, operation->fd);
    got = accept4(operation->fd, NULL, NULL, SOCK_CLOEXEC);
    break;
  case PVT_CONNECT:
    make_nonblocking(watch, operation->fd);
    got = connect(operation->fd, operation->buffer, (socklen_t)operation->bytes);
    if (got == -1 && errno == EAGAIN)
      return -EBUSY;
    if (got == -1 && (errno == EINPROGRESS || errno == EALREADY))
      return -EAGAIN;
    break;
  default:
    errno = EINVAL;
    break;
  }
  return got == -1 ? -errno : got;
}

/* True: the operation has ended. False: it must wait, *ret_why is -EAGAIN or -EBUSY. */
static bool attempt(struct pvt_loop *loop, struct pvt_task *task, ssize_t *ret_why) {
  struct epoll *own = loop->own;
  struct pvt_operation *operation = &task->worker->await;
  struct watch *watch = watch_of(own, operation->fd);
  ssize_t got;

  do {
    got = try(watch, task);
    if (got == -EAGAIN || got == -EBUSY) {
      *ret_why = got;
      return false;
    }
  } while (!pvt_loop_took(loop, task, got));
  if (operation->kind == PVT_CONNECT)
    make_blocking(watch, operation->fd);
  if (operation->kind == PVT_ACCEPT && got >= 0)
    forget(own, (int)got);
  return true;
}

/* 0 or -errno; -EPERM: a regular file, always ready. */
static int register_watch(struct epoll *own, struct watch *watch, int fd, uint32_t events, bool is_sure) {
  struct epoll_event event = {.events = watch->events | events | EPOLLET, .data.fd = fd};
  int how = watch->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, got;

  if (is_sure && (watch->events & events) == events)
    return 0;
  got = epoll_ctl(own->fd, how, fd, &event);
  if (got == -1 && (errno == EEXIST || errno == ENOENT))
    got = epoll_ctl(own->fd, how == EPOLL_CTL_ADD ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (got == -1)
    return -errno;
  watch->events |= events;
  return 0;
}

static void stand_in_line(struct epoll *own, struct line *line, struct pvt_task *task) {
  task->next = NULL;
  if (line->first == NULL)
    line->first = task;
  else
    line->last->next = task;
  line->last = task;
  own->in_line++;
}

/* Those in line go on, one after the other, until one has to wait again. */
static void serve(struct pvt_loop *loop, int fd, unsigned direction) {
  struct epoll *own = loop->own;
  ssize_t why;

  for (;;) {
    struct pvt_task *task = own->watches[fd].waiting[direction].first;
    struct pvt_task *next = task == NULL ? NULL : task->next;

    if (task == NULL || !attempt(loop, task, &why))
      return;
    own->watches[fd].waiting[direction].first = next;
    own->in_line--;
  }
}

static void await_descriptor(struct pvt_loop *loop, struct pvt_task *task) {
  struct pvt_operation *operation = &task->worker->await;
  struct epoll *own = loop->own;
  unsigned direction = operation->kind == PVT_WRITE || operation->kind == PVT_CONNECT ? TO_WRITE : TO_READ;
  struct watch *watch = watch_of(own, operation->fd);
  struct line *line;
  ssize_t why = -EAGAIN;
  int status;

  if (watch == NULL) {
    pvt_operation_block(operation); /* says what is wrong with it */
    pvt_loop_took(loop, task, operation->result);
    return;
  }
  line = &watch->waiting[direction];
  if (line->first == NULL && attempt(loop, task, &why))
    return;
  if (why == -EBUSY) {
    sleeper_add(own, task, pvt_clock_ns() + RETRY_NS);
    return;
  }
  status = register_watch(own, watch, operation->fd, direction == TO_WRITE ? EPOLLOUT : EPOLLIN, true);
  if (status == 0) {
    stand_in_line(own, line, task);
    return;
  }
  if (status == -EPERM) {
    watch->way = AFTER_POLL; /* a file, which poll calls always ready: it blocks as pread does */
    if (attempt(loop, task, &why))
      return;
  }
  pvt_loop_took(loop, task, status);
}

static void begin(struct pvt_loop *loop, struct pvt_task *task) {
  struct pvt_operation *operation = &task->worker->await;

  switch (operation->kind) {
  case PVT_SLEEP:
    sleeper_add(loop->own, task, pvt_clock_ns() + operation->sleep_ns);
    return;
  case PVT_PREAD:
  case PVT_PWRITE:
  case PVT_FSYNC:
    /* epoll cannot wait for files: meanwhile the whole loop stands still, as it does in every loop made so. */
    pvt_operation_block(operation);
    pvt_loop_took(loop, task, operation->result);
    return;
  case PVT_CONNECT:
    forget(loop->own, operation->fd);
    break;
  default:
    break;
  }
  await_descriptor(loop, task);
}

/* ---- The wait ---- */

/* Long silence may mean that a step closed a descriptor and opened another under its number: the registration went
 * with the old one, and no call says so. */
static void look_again(struct pvt_loop *loop) {
  struct epoll *own = loop->own;

  for (unsigned fd = 0; fd < own->watches_count; fd++) {
    struct watch *watch = &own->watches[fd];

    if (watch->waiting[TO_READ].first == NULL && watch->waiting[TO_WRITE].first == NULL)
      continue;
    register_watch(own, watch, (int)fd, watch->events, false);
    serve(loop, (int)fd, TO_READ);
    serve(loop, (int)fd, TO_WRITE);
  }
}

static void wake_sleepers(struct pvt_loop *loop) {
  struct epoll *own = loop->own;
  uint64_t now_ns = own->sleepers_count > 0 ? pvt_clock_ns() : 0;

  while (own->sleepers_count > 0 && own->sleepers[0]->wake_ns <= now_ns) {
    struct pvt_task *task = sleeper_take(own);

    if (task->worker->await.kind == PVT_SLEEP)
      pvt_loop_took(loop, task, 0);
    else
      await_descriptor(loop, task);
  }
}

/* The moment at which a blocked loop must look up by itself. */
static uint64_t next_moment_ns(struct pvt_loop *loop, uint64_t now_ns) {
  const struct epoll *own = loop->own;
  uint64_t deadline_ns = atomic_load_explicit(&loop->crew->gate->deadline_ns, memory_order_relaxed);
  uint64_t moment_ns = deadline_ns == 0 ? UNTIL_CALLED : deadline_ns;

  if (own->sleepers_count > 0 && own->sleepers[0]->wake_ns < moment_ns)
    moment_ns = own->sleepers[0]->wake_ns;
  if (own->in_line > 0 && now_ns + LOOK_AGAIN_NS < moment_ns)
    moment_ns = now_ns + LOOK_AGAIN_NS;
  return moment_ns;
}

static int poll_events(struct pvt_loop *loop, bool may_block) {
  struct epoll_event events[EVENTS_AT_ONCE];
  struct epoll *own = loop->own;
  struct timespec timeout = {0, 0};
  uint64_t from_ns = may_block ? pvt_clock_ns() : 0;
  int got = 0;

  if (may_block) {
    uint64_t moment_ns = next_moment_ns(loop, from_ns), wait_ns = moment_ns > from_ns ? moment_ns - from_ns : 0;

    timeout = (struct timespec){(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
    got = epoll_pwait2(own->fd, events, EVENTS_AT_ONCE, moment_ns == UNTIL_CALLED ? NULL : &timeout, NULL);
  } else if (own->in_line > 0) {
    got = epoll_pwait2(own->fd, events, EVENTS_AT_ONCE, &timeout, NULL);
  }
  if (got == -1 && errno != EINTR)
    return -errno;
  for (int i = 0; i < got; i++) {
    if (events[i].events & ~(uint32_t)EPOLLOUT)
      serve(loop, events[i].data.fd, TO_READ);
    if (events[i].events & ~(uint32_t)EPOLLIN)
      serve(loop, events[i].data.fd, TO_WRITE);
  }
  if (got == 0 && own->in_line > 0 && may_block && pvt_clock_ns() - from_ns >= LOOK_AGAIN_NS)
    look_again(loop);
  wake_sleepers(loop);
  return 0;
}

static const struct pvt_loop_kind kind = {init, begin, poll_events, cancel, done};

static void live(struct pvt_crew *crew, unsigned carrier) {
  pvt_loop_live(crew, carrier, &kind);
}

static int make(struct pvt_crew *crew, unsigned carrier) {
  return pvt_spawn_thread(crew, carrier, live);
}

const struct pvt_model pvt_model_event_loop = {
    .name = "event_loop",
    .shares_memory = true,
    .shares_a_thread = true,
    .workers_per_carrier = pvt_loop_workers,
    .make = make,
    .is_gone = pvt_thread_is_gone,
};
