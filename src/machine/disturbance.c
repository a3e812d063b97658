/* disturbance.c - what comes from outside: the CPU time of others, steal, and a clock that is not what it was. */
#include "machine.h"
#include "parts.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int pvt_disturbance_read_from(const char *root, struct pvt_cpu_times *ret_times) {
  char text[512]; /* the first line is the sum of all CPUs */
  int length = pvt_machine_slurp(root, "/proc/stat", text, sizeof text);
  if (length < 0)
    return length;
  /* user nice system idle iowait irq softirq steal guest guest_nice, in ticks. 15 digits keep hostile numbers in range.
   */
  unsigned long long user, nice, system, irq, softirq, steal;
  long ticks_per_s = sysconf(_SC_CLK_TCK);
  if (ticks_per_s <= 0 || sscanf(text, "cpu %15llu %15llu %15llu %*u %*u %15llu %15llu %15llu", &user, &nice, &system,
                                 &irq, &softirq, &steal) != 6)
    return -EBADMSG;
  uint64_t tick_ns = 1000000000u / (uint64_t)ticks_per_s;
  *ret_times = (struct pvt_cpu_times){
      .at_ns = now_ns(),
      .busy_ns = (user + nice + system + irq + softirq) * tick_ns,
      .steal_ns = steal * tick_ns,
  };
  return 0;
}

int pvt_disturbance_read(struct pvt_cpu_times *ret_times) {
  return pvt_disturbance_read_from("", ret_times);
}

/* The kernel's sums may step back a little when a CPU goes offline. */
static uint64_t less(uint64_t a, uint64_t b) {
  return a > b ? a - b : 0;
}

struct pvt_disturbance pvt_disturbance_between(const struct pvt_cpu_times *before, const struct pvt_cpu_times *after,
                                               uint64_t own_ns) {
  return (struct pvt_disturbance){
      .span_ns = less(after->at_ns, before->at_ns),
      .foreign_ns = less(less(after->busy_ns, before->busy_ns), own_ns),
      .steal_ns = less(after->steal_ns, before->steal_ns),
  };
}

/* The compiler must believe that x changes at every barrier, else it folds the chain into one multiply. */
#define MULTIPLY(x)                                                                                                    \
  do {                                                                                                                 \
    (x) *= UINT64_C(0x9e3779b97f4a7c15);                                                                               \
    __asm__ volatile("" : "+r"(x));                                                                                    \
  } while (0)

__attribute__((noinline)) static void multiply_chain(uint64_t rounds) {
  register uint64_t x = rounds | 1;
  for (uint64_t i = 0; i < rounds; i++) {
    MULTIPLY(x);
    MULTIPLY(x);
    MULTIPLY(x);
    MULTIPLY(x);
    MULTIPLY(x);
    MULTIPLY(x);
    MULTIPLY(x);
    MULTIPLY(x);
  }
}

double pvt_machine_frequency_probe(void) {
  enum { PIECES = 5, ROUNDS = 32000, PER_ROUND = 8 };
  uint64_t best_ns = UINT64_MAX;
  for (int nth = 0; nth < PIECES; nth++) {
    uint64_t start_ns = now_ns();
    multiply_chain(ROUNDS);
    uint64_t took_ns = now_ns() - start_ns;
    if (took_ns > 0 && took_ns < best_ns)
      best_ns = took_ns;
  }
  return (double)ROUNDS * PER_ROUND / (double)best_ns;
}
