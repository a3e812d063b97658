#include "work_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "model.h"
#include "shared.h"

/* What the server tells its master, in shared memory. */
struct board {
  pid_t master;
  _Atomic uint32_t port;
  _Atomic uint64_t served;
};

struct pvt_work_server {
  struct pvt_crew *crew;
  struct board *board;
  int cpu;
};

struct connection {
  int fd;
  struct pvt_work_request request;
  size_t got_bytes; /* of the request; all: the answer is due */
  uint64_t due_ns;
  struct connection *earlier, *later; /* among those that are due */
  struct connection *previous, *next; /* among all */
};

/* The server's own memory, in its process. */
struct loop {
  struct board *board;
  int epoll, timer, listener; /* -1: none */
  uint64_t armed_ns;          /* when the timer rings */
  uint64_t look_ns;           /* when to look for the master again */
  struct connection *all, *first, *last;
};

enum { EVENTS = 64, LOOK_MS = 1000 };

/* ---- The connections ---- */

/* From the back: with equal service times, requests come in the order in which their answers are due. */
static void enqueue(struct loop *loop, struct connection *connection) {
  struct connection *before = loop->last;

  while (before != NULL && before->due_ns > connection->due_ns)
    before = before->earlier;
  connection->earlier = before;
  connection->later = before == NULL ? loop->first : before->later;
  *(before == NULL ? &loop->first : &before->later) = connection;
  *(connection->later == NULL ? &loop->last : &connection->later->earlier) = connection;
}

static void dequeue(struct loop *loop, struct connection *connection) {
  *(connection->earlier == NULL ? &loop->first : &connection->earlier->later) = connection->later;
  *(connection->later == NULL ? &loop->last : &connection->later->earlier) = connection->earlier;
  connection->got_bytes = 0;
}

static bool is_due(const struct connection *connection) {
  return connection->got_bytes == sizeof connection->request;
}

static void drop(struct loop *loop, struct connection *connection) {
  if (is_due(connection))
    dequeue(loop, connection);
  *(connection->previous == NULL ? &loop->all : &connection->previous->next) = connection->next;
  if (connection->next != NULL)
    connection->next->previous = connection->previous;
  close(connection->fd);
  free(connection);
}

static int watch(const struct loop *loop, int fd, uint32_t events, void *subject) {
  struct epoll_event event = {.events = events, .data.ptr = subject};

  return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

static int welcome(struct loop *loop) {
  struct connection *connection;
  int one = 1, fd = accept4(loop->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd == -1)
    return errno == EAGAIN || errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
  connection = calloc(1, sizeof *connection);
  if (connection == NULL) {
    close(fd);
    return -ENOMEM;
  }
  connection->fd = fd;
  connection->next = loop->all;
  if (loop->all != NULL)
    loop->all->previous = connection;
  loop->all = connection;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return watch(loop, fd, EPOLLIN, connection); /* on failure, leave() frees it */
}

/* Anything but the next part of one request ends the connection. */
static void listen_to(struct loop *loop, struct connection *connection) {
  struct pvt_work_request *request = &connection->request;
  ssize_t got = 0;

  if (!is_due(connection))
    got = recv(connection->fd, (char *)request + connection->got_bytes, sizeof *request - connection->got_bytes, 0);
  if (got == -1 && (errno == EAGAIN || errno == EINTR))
    return;
  if (got <= 0) {
    drop(loop, connection);
    return;
  }
  if (connection->got_bytes + (size_t)got == sizeof *request && request->service_ns > PVT_WORK_SERVICE_MAX_NS) {
    drop(loop, connection);
    return;
  }
  connection->got_bytes += (size_t)got;
  if (is_due(connection)) {
    connection->due_ns = pvt_clock_ns() + request->service_ns;
    enqueue(loop, connection);
  }
}

static void answer(struct loop *loop, struct connection *connection) {
  dequeue(loop, connection);
  atomic_fetch_add(&loop->board->served, 1);
  if (send(connection->fd, &connection->request, sizeof connection->request, MSG_NOSIGNAL) !=
      sizeof connection->request)
    shutdown(connection->fd, SHUT_RDWR); /* its end is an event, and drops it */
}

static int answer_due(struct loop *loop) {
  struct itimerspec when = {0};

  while (loop->first != NULL && loop->first->due_ns <= pvt_clock_ns())
    answer(loop, loop->first);
  if (loop->first == NULL || loop->first->due_ns == loop->armed_ns)
    return 0;
  loop->armed_ns = loop->first->due_ns;
  when.it_value.tv_sec = (time_t)(loop->armed_ns / 1000000000u);
  when.it_value.tv_nsec = (long)(loop->armed_ns % 1000000000u);
  return timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL) == 0 ? 0 : -errno;
}

/* ---- The worker that carries it: its steps may block, since it is alone on its process ---- */

/* Whatever ends the master ends the server, soon; asked rarely, so that it costs those nothing who measure. */
static bool is_orphan(struct loop *loop) {
  uint64_t now_ns = pvt_clock_ns();

  if (now_ns < loop->look_ns)
    return false;
  loop->look_ns = now_ns + LOOK_MS * (uint64_t)1000000;
  return getppid() != loop->board->master;
}

static int serve(struct pvt_worker *worker) {
  struct loop *loop = worker->own;
  struct epoll_event events[EVENTS];
  int status = 0, count = epoll_wait(loop->epoll, events, EVENTS, LOOK_MS);

  if (count == -1)
    return errno == EINTR ? PVT_MORE : -errno; /* the model looks whether it is to end */
  if (is_orphan(loop))
    return PVT_DONE;
  for (int i = 0; i < count; i++) {
    if (events[i].data.ptr == &loop->listener)
      status = welcome(loop);
    else if (events[i].data.ptr != &loop->timer)
      listen_to(loop, events[i].data.ptr);
    if (status < 0)
      return status;
  }
  status = answer_due(loop);
  return status < 0 ? status : PVT_MORE;
}

static int open_listener(struct loop *loop) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof address;

  loop->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (loop->listener == -1 || bind(loop->listener, (struct sockaddr *)&address, bytes) == -1 ||
      listen(loop->listener, SOMAXCONN) == -1 || getsockname(loop->listener, (struct sockaddr *)&address, &bytes) == -1)
    return -errno;
  atomic_store(&loop->board->port, ntohs(address.sin_port));
  return 0;
}

static int open_loop(struct loop *loop) {
  int status;

  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  loop->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (loop->epoll == -1 || loop->timer == -1)
    return -errno;
  status = open_listener(loop);
  if (status == 0)
    status = watch(loop, loop->listener, EPOLLIN, &loop->listener);
  if (status == 0)
    status = watch(loop, loop->timer, EPOLLIN | EPOLLET, &loop->timer); /* the edge: nobody need read it */
  return status;
}

static void leave(struct pvt_worker *worker) {
  struct loop *loop = worker->own;
  const int own[] = {loop->listener, loop->timer, loop->epoll};

  while (loop->all != NULL)
    drop(loop, loop->all);
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
    if (own[i] >= 0)
      close(own[i]);
  free(loop);
}

static int enter(struct pvt_worker *worker) {
  struct loop *loop = calloc(1, sizeof *loop);
  struct rlimit files;
  int status;

  if (loop == NULL)
    return -ENOMEM;
  worker->own = loop;
  loop->board = worker->shared;
  loop->epoll = loop->timer = loop->listener = -1;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max; /* a descriptor per client; this process is the server's alone */
    setrlimit(RLIMIT_NOFILE, &files);
  }
  status = open_loop(loop);
  if (status < 0)
    leave(worker);
  return status;
}

/* ---- In the master ---- */

int pvt_work_server_start(int cpu, struct pvt_work_server **ret_server) {
  struct pvt_crew_spec spec = {.workers = 1, .step = serve, .prepare = enter, .finish = leave};
  struct pvt_work_server *server = calloc(1, sizeof *server);
  void *memory;
  int status;

  if (server == NULL)
    return -ENOMEM;
  status = pvt_shared_new(sizeof *server->board, &memory);
  if (status < 0) {
    free(server);
    return status;
  }
  server->board = memory;
  server->board->master = getpid();
  server->cpu = cpu;
  spec.shared = server->board;
  if (cpu >= 0) {
    spec.cpus = &server->cpu;
    spec.cpus_count = 1;
  }
  status = pvt_crew_start(&pvt_model_process, &spec, &server->crew);
  if (status < 0) {
    pvt_work_server_stop(server);
    return status;
  }
  pvt_crew_open(server->crew);
  *ret_server = server;
  return 0;
}

uint16_t pvt_work_server_port(const struct pvt_work_server *server) {
  return (uint16_t)atomic_load(&server->board->port);
}

uint64_t pvt_work_server_served(const struct pvt_work_server *server) {
  return atomic_load(&server->board->served);
}

void pvt_work_server_stop(struct pvt_work_server *server) {
  if (server == NULL)
    return;
  pvt_crew_stop(server->crew);
  pvt_shared_free(server->board, sizeof *server->board);
  free(server);
}
