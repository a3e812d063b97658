#include "clock.h"

#include <errno.h>
#include <sys/resource.h>

static uint64_t timeval_ns(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_usec * 1000u;
}

static void from_rusage(const struct rusage *rusage, struct pvt_usage *ret_usage) {
  ret_usage->voluntary = (uint64_t)rusage->ru_nvcsw;
  ret_usage->involuntary = (uint64_t)rusage->ru_nivcsw;
  ret_usage->faults = (uint64_t)rusage->ru_minflt;
  ret_usage->cpu_ns = timeval_ns(rusage->ru_utime) + timeval_ns(rusage->ru_stime);
}

void pvt_clock_usage(struct pvt_usage *ret_usage) {
  struct rusage rusage;

  getrusage(RUSAGE_THREAD, &rusage);
  from_rusage(&rusage, ret_usage);
  /* rusage scales ticks to a runtime kept in us; the thread clock has it in ns. */
  ret_usage->cpu_ns = pvt_clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

void pvt_clock_usage_family(struct pvt_usage *ret_usage) {
  struct rusage rusage;
  struct pvt_usage children;

  getrusage(RUSAGE_SELF, &rusage);
  from_rusage(&rusage, ret_usage);
  ret_usage->cpu_ns = pvt_clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
  getrusage(RUSAGE_CHILDREN, &rusage);
  from_rusage(&rusage, &children);
  pvt_clock_usage_add(ret_usage, &children);
}

struct pvt_usage pvt_clock_usage_between(const struct pvt_usage *before, const struct pvt_usage *after) {
  return (struct pvt_usage){
      .cpu_ns = after->cpu_ns - before->cpu_ns,
      .voluntary = after->voluntary - before->voluntary,
      .involuntary = after->involuntary - before->involuntary,
      .faults = after->faults - before->faults,
  };
}

void pvt_clock_usage_add(struct pvt_usage *total, const struct pvt_usage *more) {
  total->cpu_ns += more->cpu_ns;
  total->voluntary += more->voluntary;
  total->involuntary += more->involuntary;
  total->faults += more->faults;
}

void pvt_clock_spin_until(uint64_t moment_ns) {
  while (pvt_clock_ns() < moment_ns)
    pvt_clock_relax();
}

void pvt_clock_sleep_until(uint64_t moment_ns) {
  struct timespec moment = {.tv_sec = (time_t)(moment_ns / 1000000000u), .tv_nsec = (long)(moment_ns % 1000000000u)};

  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) == EINTR)
    continue;
}
