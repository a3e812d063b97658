/* test_transport.c - what every transport promises, in processes and in threads. */
#include "exchange.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proof.h"

#define SECONDS 30
#define PATIENCE_NS 8000000000u
#define NEEDS_2_CPUS "fewer than 2 CPUs: an end that spins needs one of its own"

enum { SENDER, RECEIVER, NOBODY };

/* ---- One sender, one receiver ---- */

struct stage { /* in shared memory */
  struct pvt_channel channel;
  uint64_t messages;
  unsigned leaver; /* who leaves, by death if it is a process, and after how many messages */
  uint64_t leaves_after;
  _Atomic uint32_t may_receive;
  _Atomic uint64_t sent, received;
  _Atomic int said[2]; /* what send and receive returned last */
};

static int leave(struct pvt_worker *worker) {
  if (worker->tid == worker->pid)
    kill(worker->pid, SIGKILL);
  return -ECANCELED;
}

static int send_all(struct stage *stage, struct pvt_worker *worker) {
  const struct pvt_channel *channel = &stage->channel;
  unsigned char message[PVT_MESSAGE_BYTES_MAX];
  int status = 0;

  for (uint64_t n = 0; n < stage->messages && status == 0; n++) {
    if (stage->leaver == SENDER && n == stage->leaves_after)
      return leave(worker);
    pvt_message_fill(message, channel->spec.message_bytes, n);
    status = channel->transport->send(channel, worker, message);
    atomic_store(&stage->said[SENDER], status);
    if (status == 0)
      atomic_fetch_add(&stage->sent, 1);
  }
  return status;
}

static int receive_all(struct stage *stage, struct pvt_worker *worker) {
  const struct pvt_channel *channel = &stage->channel;
  unsigned char message[PVT_MESSAGE_BYTES_MAX];
  int status = 0;

  while (!atomic_load(&stage->may_receive))
    pvt_shared_wait(&stage->may_receive, 0, PVT_FOREVER_NS);
  for (uint64_t n = 0; n < stage->messages && status == 0; n++) {
    if (stage->leaver == RECEIVER && n == stage->leaves_after)
      return leave(worker);
    status = channel->transport->receive(channel, worker, message);
    atomic_store(&stage->said[RECEIVER], status);
    if (status == 0 && !pvt_message_is(message, channel->spec.message_bytes, n))
      return -EBADMSG;
    if (status == 0)
      atomic_fetch_add(&stage->received, 1);
  }
  return status;
}

static int play(struct pvt_worker *worker) {
  return worker->index == SENDER ? send_all(worker->shared, worker) : receive_all(worker->shared, worker);
}

/* A test that is killed must not leave its workers behind. */
static int die_with_the_tester(struct pvt_worker *worker) {
  if (worker->tid == worker->pid)
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  return 0;
}

static int prepare_exchange(struct pvt_worker *worker) {
  die_with_the_tester(worker);
  return pvt_exchange_prepare(worker);
}

static struct stage *stage_new(const struct pvt_transport *transport, struct pvt_channel_spec spec, uint64_t messages) {
  struct stage *stage;
  void *memory;

  cr_assert_eq(pvt_shared_new(sizeof *stage, &memory), 0);
  stage = memory;
  cr_assert_eq(pvt_channel_open(transport, &spec, &stage->channel), 0);
  stage->messages = messages;
  stage->leaver = NOBODY;
  return stage;
}

static void stage_free(struct stage *stage) {
  pvt_channel_close(&stage->channel);
  pvt_shared_free(stage, sizeof *stage);
}

/* Two workers, apart: on two CPUs, if there are two. Those that spin always are. */
static struct pvt_crew *start(const struct pvt_model *model, const struct pvt_transport *transport, bool apart,
                              struct pvt_crew_spec spec) {
  struct pvt_crew *crew;
  int cpus[2], count = 0;
  cpu_set_t set;

  cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE && count < 2; cpu++)
    if (CPU_ISSET((unsigned)cpu, &set))
      cpus[count++] = cpu;
  spec.workers = 2;
  spec.cpus = cpus;
  spec.cpus_count = apart || transport->spins ? (unsigned)count : 0;
  cr_assert_eq(pvt_crew_start(model, &spec, &crew), 0);
  pvt_crew_open(crew);
  return crew;
}

static void let_receive(struct stage *stage) {
  atomic_store(&stage->may_receive, 1);
  pvt_shared_wake(&stage->may_receive, 1);
}

static bool has_cpus_for(const struct pvt_transport *transport) {
  cpu_set_t set;

  return !transport->spins || (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) >= 2);
}

static void arrive(const struct pvt_transport *transport, const struct pvt_model *model, uint32_t message_bytes,
                   uint32_t depth, uint64_t messages) {
  struct stage *stage = stage_new(transport, (struct pvt_channel_spec){message_bytes, depth}, messages);
  struct pvt_crew *crew;
  int status;

  let_receive(stage);
  crew = start(model, transport, depth == 1,
               (struct pvt_crew_spec){.step = play, .prepare = die_with_the_tester, .shared = stage});
  status = pvt_exchange_wait(crew, PATIENCE_NS);
  pvt_crew_stop(crew);
  cr_assert_eq(status, 0, "%u bytes: %s, %lu sent, %lu received", message_bytes, strerror(-status),
               (unsigned long)stage->sent, (unsigned long)stage->received);
  cr_expect_eq(stage->received, messages);
  stage_free(stage);
}

static void arrive_in_all_sizes(const struct pvt_transport *transport, const struct pvt_model *model) {
  static const uint32_t sizes_bytes[] = {1, 8, 15, 24, 63};

  for (unsigned i = 0; i < sizeof sizes_bytes / sizeof sizes_bytes[0]; i++)
    arrive(transport, model, sizes_bytes[i], 3, 1000);
  /* Two CPUs and room for one: each message may meet the other end just as it falls asleep. */
  arrive(transport, model, PVT_MESSAGE_BYTES_MAX, 1, 20000);
  arrive(transport, model, PVT_MESSAGE_BYTES_MAX, 8, 100000);
}

/* More than any of these channels holds. */
static void fill_up(const struct pvt_transport *transport, const struct pvt_model *model) {
  enum { MESSAGES = 20000 };
  struct stage *stage = stage_new(transport, (struct pvt_channel_spec){PVT_MESSAGE_BYTES_MAX, 8}, MESSAGES);
  struct pvt_crew *crew = start(model, transport, false,
                                (struct pvt_crew_spec){.step = play, .prepare = die_with_the_tester, .shared = stage});
  uint64_t before, sent = 0;
  int status;

  do {
    before = sent;
    pvt_clock_sleep_until(pvt_clock_ns() + 30000000u);
    sent = stage->sent;
  } while (sent == 0 || sent != before);
  let_receive(stage);
  status = pvt_exchange_wait(crew, PATIENCE_NS);
  pvt_crew_stop(crew);
  cr_expect_lt(sent, MESSAGES, "the sender did not wait");
  cr_expect_eq(status, 0, "%s", strerror(-status));
  cr_expect_eq(stage->received, MESSAGES);
  stage_free(stage);
}

static void lose_one(const struct pvt_transport *transport, const struct pvt_model *model, unsigned leaver) {
  struct stage *stage = stage_new(transport, (struct pvt_channel_spec){PVT_MESSAGE_BYTES_MAX, 8}, UINT64_MAX);
  unsigned survivor = leaver == SENDER ? RECEIVER : SENDER;
  struct pvt_crew *crew;
  int status;

  stage->leaver = leaver;
  stage->leaves_after = 100;
  let_receive(stage);
  crew = start(model, transport, false,
               (struct pvt_crew_spec){.step = play, .prepare = die_with_the_tester, .shared = stage});
  status = pvt_exchange_wait(crew, PATIENCE_NS);
  pvt_crew_stop(crew);
  cr_expect_eq(status, model->shares_memory ? -ECANCELED : -ECHILD, "%s", strerror(-status));
  cr_expect_eq(stage->said[survivor], -EINTR, "the survivor was not released but killed");
  stage_free(stage);
}

/* ---- The exchange ---- */

static void exchange(const struct pvt_transport *transport, const struct pvt_model *model) {
  enum {
    ROUNDS = 5000,
    ALL = PVT_PROOF_WORK | PVT_PROOF_ORDER | PVT_PROOF_SHARED | PVT_PROOF_PRIVATE | PVT_PROOF_GATE
  };
  const struct pvt_channel_spec spec = {.message_bytes = 64, .depth = 8};
  struct pvt_crew_spec crew_spec = {.step = pvt_exchange_step, .prepare = prepare_exchange};
  static struct pvt_measure measure, wrong;
  struct pvt_exchange *shared;
  struct pvt_crew *crew;
  int status;

  cr_assert_eq(pvt_exchange_new(transport, &spec, ROUNDS, true, &shared), 0);
  crew_spec.shared = shared;
  crew = start(model, transport, false, crew_spec);
  status = pvt_exchange_wait(crew, PATIENCE_NS);
  if (status == 0) {
    pvt_exchange_report(crew, ROUNDS, &shared->sampler, &measure);
    pvt_exchange_report(crew, ROUNDS + 1, &shared->sampler, &wrong);
  }
  pvt_crew_stop(crew);
  pvt_exchange_free(shared);
  cr_assert_eq(status, 0, "%s", strerror(-status));
  cr_expect_null(pvt_proof_missing(ALL, measure.proofs), "%s", pvt_proof_missing(ALL, measure.proofs));
  cr_expect_eq(measure.operations, ROUNDS);
  cr_expect_eq(measure.quantiles.count, ROUNDS);
  cr_expect_gt(measure.quantiles.p50, 0);
  cr_expect_geq(measure.span_ns, measure.quantiles.p50 * (ROUNDS / 2), "half the round trips took at least the median");
  cr_expect_eq(wrong.proofs & (PVT_PROOF_WORK | PVT_PROOF_ORDER), 0, "a proof without the work");
}

#define PROMISES(row, model)                                                                                           \
  Test(row, between_##model##_workers_messages_arrive_once_in_order_and_unchanged, .timeout = SECONDS) {               \
    if (!has_cpus_for(&pvt_transport_##row))                                                                           \
      cr_skip_test(NEEDS_2_CPUS);                                                                                      \
    arrive_in_all_sizes(&pvt_transport_##row, &pvt_model_##model);                                                     \
  }                                                                                                                    \
  Test(row, when_full_makes_a_##model##_wait_and_loses_nothing, .timeout = SECONDS) {                                  \
    if (!has_cpus_for(&pvt_transport_##row))                                                                           \
      cr_skip_test(NEEDS_2_CPUS);                                                                                      \
    fill_up(&pvt_transport_##row, &pvt_model_##model);                                                                 \
  }                                                                                                                    \
  Test(row, releases_the_##model##_whose_receiver_has_gone, .timeout = SECONDS) {                                      \
    lose_one(&pvt_transport_##row, &pvt_model_##model, RECEIVER);                                                      \
  }                                                                                                                    \
  Test(row, releases_the_##model##_whose_sender_has_gone, .timeout = SECONDS) {                                        \
    lose_one(&pvt_transport_##row, &pvt_model_##model, SENDER);                                                        \
  }                                                                                                                    \
  Test(row, exchange_between_##model##_workers_shows_all_proofs, .timeout = SECONDS) {                                 \
    if (!has_cpus_for(&pvt_transport_##row))                                                                           \
      cr_skip_test(NEEDS_2_CPUS);                                                                                      \
    exchange(&pvt_transport_##row, &pvt_model_##model);                                                                \
  }
#define ROW(row) PROMISES(row, process) PROMISES(row, thread)
#include "transport_rows.h"
#undef ROW

Test(exchange, is_waited_for_as_long_as_patience_lasts, .timeout = SECONDS) {
  struct stage *stage =
      stage_new(&pvt_transport_pipe, (struct pvt_channel_spec){8, 1}, 1); /* whose receiver may never receive */
  struct pvt_crew *crew = start(&pvt_model_thread, &pvt_transport_pipe, false,
                                (struct pvt_crew_spec){.step = play, .prepare = die_with_the_tester, .shared = stage});

  cr_expect_eq(pvt_exchange_wait(crew, 50000000u), -ETIMEDOUT);
  let_receive(stage);
  cr_expect_eq(pvt_exchange_wait(crew, PATIENCE_NS), 0);
  pvt_crew_stop(crew);
  stage_free(stage);
}

/* ---- Messages and resources ---- */

Test(message, is_known_from_every_other_one, .timeout = SECONDS) {
  for (size_t bytes = 1; bytes <= PVT_MESSAGE_BYTES_MAX; bytes++) {
    unsigned char message[PVT_MESSAGE_BYTES_MAX + 1];

    message[bytes] = 0xa5;
    pvt_message_fill(message, bytes, 1000);
    cr_expect_eq(message[bytes], 0xa5, "%zu bytes: wrote beyond the message", bytes);
    cr_expect(pvt_message_is(message, bytes, 1000), "%zu bytes", bytes);
    cr_expect_not(pvt_message_is(message, bytes, 1001), "%zu bytes: the next one", bytes);
    cr_expect_not(pvt_message_is(message, bytes, 999), "%zu bytes: the one before", bytes);
    for (size_t at = 0; at < bytes; at++) {
      message[at] ^= 1;
      cr_expect_not(pvt_message_is(message, bytes, 1000), "%zu bytes: byte %zu changed", bytes, at);
      message[at] ^= 1;
    }
  }
}

Test(message, torn_from_two_is_neither, .timeout = SECONDS) {
  unsigned char message[PVT_MESSAGE_BYTES_MAX], other[PVT_MESSAGE_BYTES_MAX];

  for (size_t at = 8; at < sizeof message; at += 8) {
    pvt_message_fill(message, sizeof message, 5);
    pvt_message_fill(other, sizeof other, 6);
    memcpy(message + at, other + at, sizeof message - at);
    cr_expect_not(pvt_message_is(message, sizeof message, 5), "from byte %zu", at);
    cr_expect_not(pvt_message_is(message, sizeof message, 6), "from byte %zu", at);
  }
}

static unsigned descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  unsigned count = 0;

  while (readdir(folder) != NULL)
    count++;
  closedir(folder);
  return count;
}

static unsigned mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "re");
  unsigned count = 0;
  int c;

  while ((c = fgetc(maps)) != EOF)
    count += c == '\n';
  fclose(maps);
  return count;
}

Test(channel, leaves_nothing_behind, .timeout = SECONDS) {
  const struct pvt_channel_spec spec = {.message_bytes = 64, .depth = 64};
  unsigned open_before = descriptors(), mapped_before = mappings();

  for (const struct pvt_transport *const *transport = pvt_transports; *transport != NULL; transport++)
    for (unsigned i = 0; i < 50; i++) {
      struct pvt_exchange *shared;

      cr_assert_eq(pvt_exchange_new(*transport, &spec, 10, true, &shared), 0, "%s", (*transport)->name);
      pvt_exchange_free(shared);
    }
  cr_expect_eq(descriptors(), open_before);
  cr_expect_leq(mappings(), mapped_before + 4, "more than the heap's own");
}

Test(channel, refuses_what_it_cannot_carry, .timeout = SECONDS) {
  static const struct pvt_channel_spec specs[] = {{0, 1}, {PVT_MESSAGE_BYTES_MAX + 1, 1}, {8, 0}};
  struct pvt_channel channel = {0};

  for (unsigned i = 0; i < 3; i++)
    cr_expect_eq(pvt_channel_open(&pvt_transport_pipe, &specs[i], &channel), -EINVAL, "spec %u", i);
  pvt_channel_close(&channel);
}
