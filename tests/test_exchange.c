/* test_exchange.c - the exchange believes no lie, and its sampler takes what it says. */
#include "transport/loops.h"

#include <criterion/criterion.h>

#define SECONDS 30

/* ---- A transport that lies once ---- */

enum lie { HONEST, LOST, REPEATED, ECHOED, FIRST_BYTE, LAST_BYTE };
enum { LIES_AT = 7, LIE_ROUNDS = 20 };
static struct {
  enum lie lie;
  bool gives_answers;
  uint64_t taken;
} liar;

static int swallow(const struct pvt_channel *channel, const struct pvt_worker *worker, const void *message) {
  (void)channel, (void)worker, (void)message;
  return 0;
}

static int tell(const struct pvt_channel *channel, const struct pvt_worker *worker, void *ret_message) {
  size_t bytes = channel->spec.message_bytes;
  bool lies = liar.taken == LIES_AT;
  uint64_t n = liar.taken++ + (lies && liar.lie == LOST) - (lies && liar.lie == REPEATED);

  (void)worker;
  pvt_message_fill(ret_message, bytes, liar.gives_answers != (lies && liar.lie == ECHOED) ? ~n : n);
  if (lies && liar.lie >= FIRST_BYTE)
    ((unsigned char *)ret_message)[liar.lie == FIRST_BYTE ? 0 : bytes - 1] ^= 0x80;
  return 0;
}

PVT_TRANSPORT_LOOPS(liar_loops, swallow, tell);

static const struct {
  const char *what;
  enum lie lie;
  int status;
} lies[] = {
    {"nothing wrong", HONEST, 0},
    {"a message is lost", LOST, -EBADMSG},
    {"a message comes twice", REPEATED, -EBADMSG},
    {"a message of the other direction", ECHOED, -EBADMSG},
    {"the first byte is changed", FIRST_BYTE, -EBADMSG},
    {"the last byte is changed", LAST_BYTE, -EBADMSG},
};

static void believe(int (*loop)(struct pvt_exchange *, struct pvt_worker *), bool gives_answers, unsigned nth) {
  static struct pvt_gate gate;
  struct pvt_exchange shared = {.rounds = LIE_ROUNDS};
  struct pvt_worker worker = {.gate = &gate};
  uint64_t expected = lies[nth].status == 0 ? LIE_ROUNDS : LIES_AT;

  shared.forth.spec.message_bytes = shared.back.spec.message_bytes = 24;
  liar.lie = lies[nth].lie;
  liar.gives_answers = gives_answers;
  liar.taken = 0;
  cr_expect_eq(loop(&shared, &worker), lies[nth].status, "%s", lies[nth].what);
  cr_expect_eq(worker.operations, expected, "%s: %lu verified", lies[nth].what, (unsigned long)worker.operations);
}

Test(exchange, who_asks_believes_no_wrong_answer, .timeout = SECONDS) {
  for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++)
    believe(liar_loops.ask, true, i);
}

Test(exchange, who_answers_believes_no_wrong_question, .timeout = SECONDS) {
  for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++)
    believe(liar_loops.answer, false, i);
}

Test(sampler, takes_every_operation_or_every_nth_but_never_too_many, .timeout = SECONDS) {
  static const struct {
    uint64_t operations, taken;
  } cases[] = {{1, 1}, {10, 10}, {65536, 65536}, {65537, 32769}, {131072, 65536}, {200000, 50000}};

  for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    static struct pvt_measure measure;
    struct pvt_sampler sampler;

    cr_assert_eq(pvt_sampler_init(&sampler, cases[i].operations), 0);
    pvt_sampler_begin(&sampler);
    for (uint64_t n = 0; n < cases[i].operations; n++)
      pvt_sampler_note(&sampler);
    cr_expect_eq(sampler.taken, cases[i].taken, "%lu operations: %lu samples", (unsigned long)cases[i].operations,
                 (unsigned long)sampler.taken);
    cr_expect_leq(sampler.taken * sizeof(uint64_t), sampler.samples_bytes);
    pvt_sampler_report(&sampler, &measure);
    cr_expect_eq(measure.quantiles.count, cases[i].taken);
    cr_expect_lt(measure.quantiles.p50, 100000, "an empty operation of %lu ns", (unsigned long)measure.quantiles.p50);
    pvt_sampler_done(&sampler);
  }
}
