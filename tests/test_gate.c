/* test_gate.c - the gate's three states, and how much of the time workers were at it together. */
#include "gate.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <unistd.h>

enum { SECONDS = 20, STAMPS_MAX = 4 };

static const struct {
  const char *what;
  unsigned workers;
  struct {
    uint64_t first_ns, last_ns;
  } stamps[STAMPS_MAX];
  double overlap;
  uint64_t span_ns;
} cases[] = {
    {"nobody", 0, {{0, 0}}, 0, 0},
    {"one worker", 1, {{100, 200}}, 1, 100},
    {"both the same", 2, {{100, 200}, {100, 200}}, 1, 100},
    {"one began late", 2, {{100, 200}, {125, 200}}, 0.75, 100},
    {"one left early", 2, {{100, 150}, {100, 200}}, 0.5, 100},
    {"late and early", 3, {{100, 300}, {120, 280}, {110, 290}}, 0.8, 200},
    {"one after the other", 2, {{100, 200}, {200, 300}}, 0, 200},
    {"with a gap between", 2, {{100, 200}, {250, 300}}, 0, 200},
    {"the middle one does not count", 3, {{100, 200}, {100, 110}, {190, 200}}, 0, 100},
    {"one never started", 2, {{100, 200}, {0, 0}}, 0, 200},
    {"one never ended", 2, {{100, 200}, {100, 0}}, 0, 100},
    {"none ever started", 2, {{0, 0}, {0, 0}}, 0, 0},
};

Test(gate, measures_overlap_and_span, .timeout = SECONDS) {
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct pvt_stamps stamps[STAMPS_MAX] = {0};
    const struct pvt_stamps *pointers[STAMPS_MAX];

    for (unsigned j = 0; j < STAMPS_MAX; j++) {
      stamps[j].first_ns = cases[i].stamps[j].first_ns;
      stamps[j].last_ns = cases[i].stamps[j].last_ns;
      pointers[j] = &stamps[j];
    }
    cr_expect(fabs(pvt_gate_overlap(pointers, cases[i].workers) - cases[i].overlap) < 1e-12, "%s: overlap %f",
              cases[i].what, pvt_gate_overlap(pointers, cases[i].workers));
    cr_expect_eq(pvt_gate_span_ns(pointers, cases[i].workers), cases[i].span_ns, "%s: span %d", cases[i].what,
                 (int)pvt_gate_span_ns(pointers, cases[i].workers));
  }
}

static struct pvt_gate *gate_new(void) {
  void *memory = NULL;

  cr_assert_eq(pvt_shared_new(sizeof(struct pvt_gate), &memory), 0);
  return memory;
}

static _Atomic int passed; /* 1: passed, -1: turned away */
static _Atomic uint64_t passed_ns;

static void *pass(void *context) {
  bool is_open = pvt_gate_pass(context);

  atomic_store(&passed_ns, pvt_clock_ns());
  atomic_store(&passed, is_open ? 1 : -1);
  return NULL;
}

static pthread_t send_one_to(struct pvt_gate *gate) {
  pthread_t thread;

  cr_assert_eq(pthread_create(&thread, NULL, pass, gate), 0);
  usleep(20000);
  cr_expect_eq(atomic_load(&passed), 0, "passed a closed gate");
  return thread;
}

Test(gate, holds_workers_until_the_common_start, .timeout = SECONDS) {
  struct pvt_gate *gate = gate_new();
  pthread_t thread = send_one_to(gate);
  uint64_t before_ns = pvt_clock_ns(), start_ns = pvt_gate_open(gate, 0);

  cr_expect_geq(start_ns, before_ns);
  cr_expect_eq(atomic_load(&gate->opened_ns), start_ns);
  cr_expect_eq(atomic_load(&gate->deadline_ns), 0);
  pthread_join(thread, NULL);
  cr_expect_eq(atomic_load(&passed), 1);
  cr_expect_geq(atomic_load(&passed_ns), start_ns);
}

Test(gate, ends_a_window_so_long_after_the_common_start, .timeout = SECONDS) {
  struct pvt_gate *gate = gate_new();
  uint64_t start_ns = pvt_gate_open(gate, 20000000);

  cr_expect_eq(atomic_load(&gate->deadline_ns), start_ns + 20000000);
  cr_expect(pvt_gate_pass(gate));
}

Test(gate, turns_workers_away_when_abandoned, .timeout = SECONDS) {
  struct pvt_gate *gate = gate_new();
  pthread_t thread = send_one_to(gate);

  pvt_gate_abandon(gate);
  pthread_join(thread, NULL);
  cr_expect_eq(atomic_load(&passed), -1);
  cr_expect_eq(atomic_load(&gate->stopping), 1);
}

Test(gate, stays_open_when_abandoned_late, .timeout = SECONDS) {
  struct pvt_gate *gate = gate_new();

  pvt_gate_open(gate, 0);
  pvt_gate_abandon(gate);
  cr_expect(pvt_gate_pass(gate), "who came late is to see that it must end, not that it never began");
  cr_expect_eq(atomic_load(&gate->stopping), 1);
}

Test(gate, counts_announcements, .timeout = SECONDS) {
  struct pvt_gate *gate = gate_new();

  pvt_gate_announce(gate);
  pvt_gate_announce(gate);
  cr_expect_eq(atomic_load(&gate->arrivals), 2);
}
