/* test_operations.c - the contract that every model keeps, each row each clause: what a worker awaits is done. */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "crew.h"

enum { ROUNDS = 200, MANY_BYTES = 1 << 20 };

/* A worker's own memory: where it is, and its buffer. */
struct desk {
  unsigned at, rounds;
  int fd;
  uint64_t moved_bytes, from_ns, took_ns;
  ssize_t result;
  union {
    uint64_t word;
    char bytes[64];
  };
};

/* What the workers of a test share. */
struct table {
  struct desk desks[WORKERS];
  _Atomic unsigned woken;
  int fds[4];
  struct sockaddr_storage address;
  socklen_t address_bytes;
  char many[2][MANY_BYTES];
};

static struct table *table_new(void) {
  return shared_new(sizeof(struct table));
}

static struct desk *desk_of(struct pvt_worker *worker) {
  return &((struct table *)worker->shared)->desks[worker->index];
}

static int await(struct pvt_worker *worker, struct pvt_operation operation) {
  worker->await = operation;
  return PVT_AWAIT;
}

static int run(const struct pvt_model *model, unsigned workers, pvt_step *step, struct table *table) {
  return run_to_the_end(
      model, (struct pvt_crew_spec){.workers = workers, .threads = workers % 2, .step = step, .shared = table});
}

/* ---- Reading and writing ---- */

/* Worker 0 sends a number and gets it back; worker 1 adds one in between. */
static int play(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  struct desk *desk = desk_of(worker);
  bool is_mine_to_read = (desk->at % 2 == 0) == (worker->index == 1);

  if (desk->at > 0 && worker->await.result != (ssize_t)sizeof desk->word)
    return worker->await.result < 0 ? (int)worker->await.result : -EBADMSG;
  if (desk->at++ == 2 * ROUNDS)
    return PVT_DONE;
  if (worker->index == 1 && !is_mine_to_read)
    desk->word++;
  return await(worker, (struct pvt_operation){.kind = is_mine_to_read ? PVT_READ : PVT_WRITE,
                                              .fd = table->fds[worker->index * 2 + (is_mine_to_read ? 0 : 1)],
                                              .buffer = &desk->word,
                                              .bytes = sizeof desk->word});
}

static void plays_over_a_socketpair(const struct pvt_model *model) {
  struct table *table = table_new();
  int ends[2];

  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  table->fds[0] = table->fds[1] = ends[0];
  table->fds[2] = table->fds[3] = ends[1];
  cr_expect_eq(run(model, 2, play, table), 0);
  cr_expect_eq(table->desks[0].word, ROUNDS);
}

static void plays_over_pipes(const struct pvt_model *model) {
  struct table *table = table_new();
  int there[2], back[2];

  cr_assert_eq(pipe(there), 0);
  cr_assert_eq(pipe(back), 0);
  table->fds[0] = back[0];
  table->fds[1] = there[1];
  table->fds[2] = there[0];
  table->fds[3] = back[1];
  cr_expect_eq(run(model, 2, play, table), 0);
  cr_expect_eq(table->desks[0].word, ROUNDS);
}

/* Worker 0 writes a lot at once, worker 1 reads what comes. */
static int pour(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  struct desk *desk = desk_of(worker);

  if (desk->at++ > 0) {
    if (worker->await.result <= 0)
      return worker->await.result < 0 ? (int)worker->await.result : -EPIPE;
    desk->moved_bytes += (uint64_t)worker->await.result;
  }
  if (desk->moved_bytes == MANY_BYTES || (worker->index == 0 && desk->at > 1))
    return PVT_DONE;
  return await(worker, (struct pvt_operation){.kind = worker->index == 0 ? PVT_WRITE : PVT_READ,
                                              .fd = table->fds[worker->index],
                                              .buffer = table->many[worker->index] + desk->moved_bytes,
                                              .bytes = MANY_BYTES - desk->moved_bytes});
}

static void writes_all_in_one_operation(const struct pvt_model *model, int from, int into) {
  struct table *table = table_new();

  table->fds[0] = into;
  table->fds[1] = from;
  for (size_t i = 0; i < MANY_BYTES; i++)
    table->many[0][i] = (char)(i * 7 + (i >> 12));
  cr_expect_eq(run(model, 2, pour, table), 0);
  cr_expect_eq(table->desks[0].moved_bytes, MANY_BYTES);
  cr_expect_eq(memcmp(table->many[0], table->many[1], MANY_BYTES), 0);
}

static void writes_all_through_a_pipe(const struct pvt_model *model) {
  int ends[2];

  cr_assert_eq(pipe(ends), 0);
  writes_all_in_one_operation(model, ends[0], ends[1]);
}

static void writes_all_through_a_socketpair(const struct pvt_model *model) {
  int ends[2];

  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  writes_all_in_one_operation(model, ends[0], ends[1]);
}

/* The last worker writes a byte for each of the others, which all read from one pipe. */
static int read_in_a_crowd(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  struct desk *desk = desk_of(worker);
  bool is_writer = worker->index == WORKERS - 1;

  if (desk->at++ == 0)
    return await(worker, (struct pvt_operation){.kind = is_writer ? PVT_WRITE : PVT_READ,
                                                .fd = table->fds[is_writer],
                                                .buffer = desk->bytes,
                                                .bytes = is_writer ? WORKERS - 1 : 1});
  return worker->await.result == (is_writer ? WORKERS - 1 : 1) ? PVT_DONE : -EBADMSG;
}

static void serves_all_who_wait_for_one_descriptor(const struct pvt_model *model) {
  struct table *table = table_new();

  cr_assert_eq(pipe(table->fds), 0);
  cr_expect_eq(run(model, WORKERS, read_in_a_crowd, table), 0);
}

/* Whatever the operation of desks[0] is, its result comes back. */
static struct pvt_operation wanted;

static int do_wanted(struct pvt_worker *worker) {
  struct desk *desk = desk_of(worker);

  if (desk->at++ == 0)
    return await(worker, wanted);
  desk->result = worker->await.result;
  return PVT_DONE;
}

static ssize_t result_of(const struct pvt_model *model, struct pvt_operation operation) {
  struct table *table = table_new();
  ssize_t result;

  wanted = operation;
  cr_expect_eq(run(model, 1, do_wanted, table), 0);
  result = table->desks[0].result;
  pvt_shared_free(table, sizeof *table);
  return result;
}

static void hands_back_errors_and_ends(const struct pvt_model *model) {
  static char bytes[8];
  int ends[2], listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t address_bytes = sizeof address;

  /* A port that was free a moment ago, and on which nobody listens. */
  cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
  cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &address_bytes), 0);
  cr_assert_eq(pipe(ends), 0);
  cr_expect_eq(result_of(model, (struct pvt_operation){.kind = PVT_READ, .fd = -1, .buffer = bytes, .bytes = 1}),
               -EBADF);
  cr_expect_eq(result_of(model, (struct pvt_operation){.kind = PVT_READ, .fd = 1000, .buffer = bytes, .bytes = 1}),
               -EBADF);
  cr_expect_eq(result_of(model, (struct pvt_operation){.kind = PVT_ACCEPT, .fd = ends[0]}), -ENOTSOCK);
  cr_expect_eq(result_of(model, (struct pvt_operation){.kind = PVT_FSYNC, .fd = ends[0]}), -EINVAL);
  cr_expect_eq(
      result_of(model,
                (struct pvt_operation){.kind = PVT_CONNECT, .fd = client, .buffer = &address, .bytes = address_bytes}),
      -ECONNREFUSED);
  close(ends[1]);
  cr_expect_eq(result_of(model, (struct pvt_operation){.kind = PVT_READ, .fd = ends[0], .buffer = bytes, .bytes = 1}),
               0);
  cr_assert_eq(pipe(ends), 0);
  close(ends[0]);
  cr_expect_eq(result_of(model, (struct pvt_operation){.kind = PVT_WRITE, .fd = ends[1], .buffer = bytes, .bytes = 1}),
               -EPIPE);
}

/* ---- Sleeping ---- */

static int sleep_once(struct pvt_worker *worker) {
  struct desk *desk = desk_of(worker);

  if (desk->at++ == 0) {
    desk->from_ns = pvt_clock_ns();
    return await(worker, (struct pvt_operation){.kind = PVT_SLEEP, .sleep_ns = (WORKERS - worker->index) * 7000100ull});
  }
  desk->took_ns = pvt_clock_ns() - desk->from_ns;
  desk->rounds = atomic_fetch_add(&((struct table *)worker->shared)->woken, 1);
  return worker->await.result == 0 ? PVT_DONE : -EBADMSG;
}

static void sleeps_as_long_as_asked(const struct pvt_model *model) {
  struct table *table = table_new();

  cr_expect_eq(run(model, WORKERS, sleep_once, table), 0);
  for (unsigned i = 0; i < WORKERS; i++)
    cr_expect_geq(table->desks[i].took_ns, (WORKERS - i) * 7000100ull, "worker %u", i);
  for (unsigned i = 0; i < WORKERS && model->shares_a_thread; i++)
    cr_expect_eq(table->desks[i].rounds, WORKERS - 1 - i, "worker %u was woken as number %u", i,
                 table->desks[i].rounds);
}

/* ---- Files ---- */

static int use_file(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  struct desk *desk = desk_of(worker);
  uint64_t offset = 100 + worker->index * sizeof desk->word;

  switch (desk->at++) {
  case 0:
    desk->word = 0x1234567890abcdefu + worker->index;
    return await(worker, (struct pvt_operation){.kind = PVT_PWRITE,
                                                .fd = table->fds[0],
                                                .buffer = &desk->word,
                                                .bytes = sizeof desk->word,
                                                .offset = offset});
  case 1:
    if (worker->await.result != (ssize_t)sizeof desk->word)
      return -EBADMSG;
    return await(worker, (struct pvt_operation){.kind = PVT_FSYNC, .fd = table->fds[0]});
  case 2:
    if (worker->await.result != 0)
      return -EBADMSG;
    desk->word = 0;
    return await(worker, (struct pvt_operation){.kind = PVT_PREAD,
                                                .fd = table->fds[0],
                                                .buffer = &desk->word,
                                                .bytes = sizeof desk->word,
                                                .offset = offset});
  default:
    return worker->await.result == (ssize_t)sizeof desk->word ? PVT_DONE : -EBADMSG;
  }
}

static void writes_syncs_and_reads_a_file(const struct pvt_model *model) {
  struct table *table = table_new();
  FILE *file = tmpfile();

  cr_assert_not_null(file);
  table->fds[0] = fileno(file);
  cr_expect_eq(run(model, WORKERS, use_file, table), 0);
  for (unsigned i = 0; i < WORKERS; i++)
    cr_expect_eq(table->desks[i].word, 0x1234567890abcdefu + i, "worker %u", i);
}

static void reads_and_writes_a_file_at_its_position(const struct pvt_model *model) {
  static char bytes[20000];
  FILE *file = tmpfile();
  int fd = fileno(file);

  cr_expect_eq(
      result_of(model, (struct pvt_operation){.kind = PVT_WRITE, .fd = fd, .buffer = bytes, .bytes = sizeof bytes}),
      sizeof bytes);
  cr_expect_eq(lseek(fd, 0, SEEK_CUR), sizeof bytes);
  lseek(fd, 5000, SEEK_SET);
  cr_expect_eq(result_of(model, (struct pvt_operation){.kind = PVT_READ, .fd = fd, .buffer = bytes, .bytes = 300}),
               300);
  cr_expect_eq(lseek(fd, 0, SEEK_CUR), 5300);
}

/* ---- Connecting ---- */

/* Even workers accept and send a byte, odd ones connect and read it. */
static int meet(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  struct desk *desk = desk_of(worker);
  bool accepts = worker->index % 2 == 0;

  if (desk->at > 0 && worker->await.result < 0)
    return (int)worker->await.result;
  switch (desk->at++) {
  case 0:
    /* Late, so that those who connect find the backlog full. */
    return await(worker, (struct pvt_operation){.kind = PVT_SLEEP, .sleep_ns = accepts ? 20000000 : 0});
  case 1:
    if (accepts)
      return await(worker, (struct pvt_operation){.kind = PVT_ACCEPT, .fd = table->fds[0]});
    desk->fd = socket(table->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return await(worker,
                 (struct pvt_operation){
                     .kind = PVT_CONNECT, .fd = desk->fd, .buffer = &table->address, .bytes = table->address_bytes});
  case 2:
    if (accepts)
      desk->fd = (int)worker->await.result;
    else if (worker->await.result != 0)
      return -EBADMSG;
    if (fcntl(desk->fd, F_GETFL) & O_NONBLOCK)
      return -EDOM;
    desk->bytes[0] = accepts ? 'x' : '-';
    return await(worker,
                 (struct pvt_operation){
                     .kind = accepts ? PVT_WRITE : PVT_READ, .fd = desk->fd, .buffer = desk->bytes, .bytes = 1});
  default:
    close(desk->fd);
    return worker->await.result == 1 && desk->bytes[0] == 'x' ? PVT_DONE : -EBADMSG;
  }
}

static void connects_and_accepts(const struct pvt_model *model, int backlog, struct table *table) {
  socklen_t bytes = sizeof table->address;
  int listener = socket(table->address.ss_family, SOCK_STREAM, 0);

  cr_assert_eq(bind(listener, (struct sockaddr *)&table->address, table->address_bytes), 0, "%s", strerror(errno));
  cr_assert_eq(listen(listener, backlog), 0);
  cr_assert_eq(getsockname(listener, (struct sockaddr *)&table->address, &bytes), 0);
  table->address_bytes = bytes;
  table->fds[0] = listener;
  cr_expect_eq(run(model, WORKERS, meet, table), 0);
  cr_expect_eq(fcntl(listener, F_GETFL) & O_NONBLOCK, 0);
}

static void connects_and_accepts_on_loopback(const struct pvt_model *model) {
  struct table *table = table_new();
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

  memcpy(&table->address, &address, sizeof address);
  table->address_bytes = sizeof address;
  connects_and_accepts(model, 16, table);
}

static void connects_when_the_backlog_has_room_again(const struct pvt_model *model) {
  struct table *table = table_new();
  struct sockaddr_un address = {.sun_family = AF_UNIX}; /* an abstract name, given by the kernel */

  memcpy(&table->address, &address, sizeof address);
  table->address_bytes = sizeof address.sun_family;
  connects_and_accepts(model, 0, table);
}

/* ---- Descriptors that come again under an old number ---- */

/* Worker 0 makes a socketpair, tells its number to worker 1, reads a byte that comes late, and closes it; twice. */
static int meet_again(struct pvt_worker *worker) {
  struct table *table = worker->shared;
  struct desk *desk = desk_of(worker);

  if (desk->at > 0 && worker->await.result < 0)
    return (int)worker->await.result;
  if (desk->rounds == 2)
    return PVT_DONE;
  desk->at++;
  if (worker->index == 0) {
    if (desk->at % 2 == 1) {
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, table->fds) == -1)
        return -errno;
      return await(worker,
                   (struct pvt_operation){.kind = PVT_READ, .fd = table->fds[0], .buffer = desk->bytes, .bytes = 1});
    }
    close(table->fds[0]);
    close(table->fds[1]);
    desk->rounds++;
    return PVT_MORE;
  }
  if (desk->at % 2 == 1)
    return await(worker, (struct pvt_operation){.kind = PVT_SLEEP, .sleep_ns = 10000000});
  desk->rounds++;
  return await(worker,
               (struct pvt_operation){.kind = PVT_WRITE, .fd = table->fds[1], .buffer = desk->bytes, .bytes = 1});
}

static void waits_for_a_new_descriptor_under_an_old_number(const struct pvt_model *model) {
  struct table *table = table_new();

  if (!model->shares_a_thread)
    cr_skip_test("only a loop keeps what it knows of a descriptor");
  cr_expect_eq(run(model, 2, meet_again, table), 0);
  cr_expect_eq(table->desks[0].rounds, 2);
}

#define ROW(model)                                                                                                     \
  CONTRACT(model, plays_over_a_socketpair)                                                                             \
  CONTRACT(model, plays_over_pipes)                                                                                    \
  CONTRACT(model, writes_all_through_a_pipe)                                                                           \
  CONTRACT(model, writes_all_through_a_socketpair)                                                                     \
  CONTRACT(model, serves_all_who_wait_for_one_descriptor)                                                              \
  CONTRACT(model, hands_back_errors_and_ends)                                                                          \
  CONTRACT(model, sleeps_as_long_as_asked)                                                                             \
  CONTRACT(model, writes_syncs_and_reads_a_file)                                                                       \
  CONTRACT(model, reads_and_writes_a_file_at_its_position)                                                             \
  CONTRACT(model, connects_and_accepts_on_loopback)                                                                    \
  CONTRACT(model, connects_when_the_backlog_has_room_again)                                                            \
  CONTRACT(model, waits_for_a_new_descriptor_under_an_old_number)
#include "model_rows.h"
