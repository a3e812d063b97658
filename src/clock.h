/* clock.h - what time it is and what a thread has cost, in nanoseconds. */
#ifndef PVT_CLOCK_H
#define PVT_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t pvt_clock_read_ns(clockid_t clock) {
  struct timespec now;

  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* CLOCK_MONOTONIC through the vDSO: about 25 ns a reading, so spans of 2 us and more are within 1-2 %. */
static inline uint64_t pvt_clock_ns(void) {
  return pvt_clock_read_ns(CLOCK_MONOTONIC);
}

/* A hint that this CPU is spinning. */
static inline void pvt_clock_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield" ::: "memory");
#endif
}

/* What the calling thread has used so far; the difference of two readings is what lay between them. */
struct pvt_usage {
  uint64_t cpu_ns;
  uint64_t voluntary;   /* context switches: it waited */
  uint64_t involuntary; /* context switches: it was preempted */
  uint64_t faults;      /* minor page faults */
};

/* RUSAGE_THREAD and the thread's CPU clock. A system call each: only outside a worker's first and last stamp. */
void pvt_clock_usage(struct pvt_usage *ret_usage);
/* RUSAGE_SELF and RUSAGE_CHILDREN together: this process, all its threads, and the children it has reaped. */
void pvt_clock_usage_family(struct pvt_usage *ret_usage);
struct pvt_usage pvt_clock_usage_between(const struct pvt_usage *before, const struct pvt_usage *after);
void pvt_clock_usage_add(struct pvt_usage *total, const struct pvt_usage *more);

/* Waits until the moment, spinning: for the last microseconds before a common start. */
void pvt_clock_spin_until(uint64_t moment_ns);
/* Sleeps until the moment, whatever signals come. */
void pvt_clock_sleep_until(uint64_t moment_ns);

#endif
