/* preflight.c - what will disturb a measurement on this machine, why, and how to mend it. */
#include "machine.h"
#include "parts.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const uint64_t sample_ns = UINT64_C(200) * 1000 * 1000;
static const double quiet_cpus = 0.10; /* more than this share of one CPU, and somebody else is at work */
static const double quiet_average_1min = 0.5;
static const json_int_t low_memory_bytes = INT64_C(1024) * 1024 * 1024;
static const json_int_t low_count = 1024; /* processes, threads, descriptors: the largest rows want hundreds of each */

struct list {
  struct pvt_advice advice[PVT_ADVICE_MAX];
  unsigned count;
};

__attribute__((format(printf, 5, 6))) static void add(struct list *list, enum pvt_severity severity, const char *why,
                                                      const char *mend, const char *format, ...) {
  if (list->count == PVT_ADVICE_MAX)
    return;
  struct pvt_advice *advice = &list->advice[list->count++];
  *advice = (struct pvt_advice){.severity = severity, .why_it_matters = why, .mend = mend};
  va_list values;
  va_start(values, format);
  vsnprintf(advice->what, sizeof advice->what, format, values);
  va_end(values);
  /* A record may come from a file: nothing but plain text goes to a terminal. */
  for (char *at = advice->what; *at != '\0'; at++) {
    if (*at < 0x20 || *at > 0x7e)
      *at = '?';
  }
}

/* "" when the record does not say. */
static const char *text(const json_t *record, const char *path) {
  const char *value = json_string_value(pvt_machine_at(record, path));
  return value != NULL ? value : "";
}

static bool is(const json_t *record, const char *path, const char *wanted) {
  return strcmp(text(record, path), wanted) == 0;
}

static bool is_said(const json_t *record, const char *path) {
  return *text(record, path) != '\0' && !is(record, path, "unknown") && !is(record, path, "none");
}

static bool is_below(const json_t *record, const char *path, json_int_t limit) {
  const json_t *value = pvt_machine_at(record, path);
  return json_is_integer(value) && json_integer_value(value) < limit;
}

static json_int_t integer(const json_t *record, const char *path) {
  return json_integer_value(pvt_machine_at(record, path));
}

static double mib(json_int_t bytes) {
  return (double)bytes / (1024.0 * 1024.0);
}

static void look_at_cpu(const json_t *record, struct list *list) {
  if (is_said(record, "cpu.governor") && !is(record, "cpu.governor", "performance"))
    add(list, PVT_WARN, "the clock rises and falls with the load, so the same work takes different times",
        "cpupower frequency-set -g performance", "CPU frequency governor is \"%.60s\"", text(record, "cpu.governor"));
  if (is(record, "cpu.boost", "on"))
    add(list, PVT_NOTE, "how far the clock rises depends on heat and on how many CPUs are busy",
        "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > /sys/devices/system/cpu/cpufreq/boost",
        "turbo (boost) is on");
  if (is(record, "cpu.smt", "on"))
    add(list, PVT_NOTE, "two CPUs of one core slow each other; pvt takes one CPU of each core first",
        "echo off > /sys/devices/system/cpu/smt/control", "SMT (hyper-threading) is on");
  if (is_below(record, "cpu.allowed_cpus", 2))
    add(list, PVT_WARN, "nothing runs at the same time: rows that need two CPUs (cross_cpu) are skipped",
        "give the machine or container a second CPU, or widen the affinity with taskset",
        "this process may use only 1 CPU");
}

static void look_at_limits(const json_t *record, struct list *list) {
  const json_t *quota = pvt_machine_at(record, "cgroup.cpu_quota_cores");
  if (json_is_number(quota))
    add(list, PVT_WARN,
        "when the quota of a period is used up, every worker stops until the next: pauses of tens of ms",
        "run without a CPU quota (cpu.max = max; docker without --cpus), and limit by cpuset instead",
        "a control group limits this process to %.2f CPUs", json_number_value(quota));
  static const struct {
    const char *path, *name;
  } counts[] = {
      {"limits.processes", "processes (ulimit -u)"},
      {"limits.open_files", "open files (ulimit -n)"},
      {"cgroup.pids_limit", "processes and threads of the control group (pids.max)"},
      {"kernel.threads_max", "threads of the system (kernel.threads-max)"},
  };
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    if (is_below(record, counts[i].path, low_count))
      add(list, PVT_WARN, "rows with many workers or connections are skipped or fail",
          "raise it: ulimit -u / -n, TasksMax= in systemd, --pids-limit in docker", "only %lld %s",
          (long long)integer(record, counts[i].path), counts[i].name);
  }
}

static void look_at_memory(const json_t *record, struct list *list) {
  static const char why[] =
      "rows that would take more than half of what is free are skipped, and reclaim disturbs others";
  if (is_below(record, "memory.available_bytes", low_memory_bytes))
    add(list, PVT_WARN, why, "stop what uses the memory, or take a larger machine",
        "only %.0f MiB of memory are available", mib(integer(record, "memory.available_bytes")));
  if (is_below(record, "cgroup.memory_limit_bytes", low_memory_bytes))
    add(list, PVT_WARN, why, "raise memory.max (docker --memory)", "a control group limits memory to %.0f MiB",
        mib(integer(record, "cgroup.memory_limit_bytes")));
  if (integer(record, "memory.swap_used_bytes") > 0)
    add(list, PVT_NOTE, "a page that comes back from disk costs a thousand times what pvt measures",
        "swapoff -a, when what is swapped out fits into memory", "%.0f MiB of swap are in use",
        mib(integer(record, "memory.swap_used_bytes")));
  if (is(record, "kernel.thp_enabled", "always"))
    add(list, PVT_NOTE,
        "fork and first touch cost differently with huge pages, and whether one is found depends on luck",
        "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled", "transparent huge pages are \"always\"");
}

static void look_at_kernel(const json_t *record, struct list *list) {
  /* Other architectures have one counter, always right. */
  bool is_x86 = is(record, "arch", "x86_64") || strncmp(text(record, "arch"), "i", 1) == 0;
  const char *wanted = is_x86 ? "tsc" : is(record, "arch", "aarch64") ? "arch_sys_counter" : NULL;
  if (wanted != NULL && is_said(record, "clock.source") && !is(record, "clock.source", wanted))
    add(list, PVT_WARN, "reading the clock becomes a system call or a device access: up to microseconds a reading",
        "see dmesg for why the better one was refused; boot with clocksource=tsc tsc=reliable where it is safe",
        "clock source is \"%.60s\", not \"%s\"", text(record, "clock.source"), wanted);
  if (is(record, "kernel.aslr", "0"))
    add(list, PVT_NOTE, "every launch has the same layout of memory, so its luck or bad luck is in every number",
        "sysctl kernel.randomize_va_space=2, and do not run under setarch -R", "address randomisation is off");
  if (is(record, "kernel.io_uring", "forbidden") || is(record, "kernel.io_uring", "missing"))
    add(list, PVT_NOTE, "rows on io_uring are skipped",
        "sysctl kernel.io_uring_disabled=0; containers: a seccomp profile that allows it", "io_uring is %.20s",
        text(record, "kernel.io_uring"));
  if (json_is_true(pvt_machine_at(record, "virtualisation.guest")))
    add(list, PVT_NOTE,
        "the hypervisor may run others on our CPUs (steal); exits make wake-ups and page faults dearer than on metal",
        "none needed: pvt reads steal every round and replaces disturbed contrasts; prefer dedicated CPUs",
        "this is a virtual machine (%.40s)", text(record, "virtualisation.hypervisor"));
}

static void look_at_build(const json_t *record, struct list *list) {
  static const char mend[] = "meson setup build --buildtype=debugoptimized (or release), with b_sanitize=none";
  /* gcc tells its code nothing of UBSan; the build's own words ("sanitize=undefined", "-fsanitize=") do. */
  const char *option = strstr(text(record, "build.flags"), "sanitize=");
  bool is_asked_for = option != NULL && strncmp(option, "sanitize=none", 13) != 0;
  if (is_said(record, "build.sanitizer") || is_asked_for)
    add(list, PVT_WARN, "sanitizers slow some operations tenfold and others not at all: no ratio holds", mend,
        "this build has a sanitizer (%.40s)", text(record, "build.sanitizer"));
  if (is(record, "build.type", "debug") || json_is_false(pvt_machine_at(record, "build.optimised")))
    add(list, PVT_WARN, "user-space work is several times slower, so the kernel's share looks smaller than it is", mend,
        "this is a build without optimisation (type \"%.40s\")", text(record, "build.type"));
}

static void look_at_load(const json_t *record, double foreign_cpus, struct list *list) {
  static const char mend[] = "stop it, or wait until it is done: top shows it";
  double average = json_number_value(pvt_machine_at(record, "load.average_1min"));
  if (foreign_cpus > quiet_cpus)
    add(list, PVT_WARN, "others take CPU time and caches from one arm and not from the other", mend,
        "something else uses %.0f %% of a CPU right now", foreign_cpus * 100);
  else if (average > quiet_average_1min)
    add(list, PVT_NOTE, "what was busy a moment ago may come back", mend,
        "quiet now, but the load average of the last minute is %.2f", average);
}

int pvt_machine_advise(const json_t *record, double foreign_cpus, struct pvt_advice *ret_advice, unsigned max,
                       unsigned *ret_count) {
  if (!json_is_object(record))
    return -EINVAL;
  struct list list = {.count = 0};
  look_at_build(record, &list);
  look_at_load(record, foreign_cpus, &list);
  look_at_cpu(record, &list);
  look_at_limits(record, &list);
  look_at_memory(record, &list);
  look_at_kernel(record, &list);
  unsigned count = 0;
  for (int severity = PVT_WARN; severity >= PVT_NOTE; severity--) {
    for (unsigned i = 0; i < list.count && count < max; i++) {
      if ((int)list.advice[i].severity == severity)
        ret_advice[count++] = list.advice[i];
    }
  }
  *ret_count = count;
  return 0;
}

static uint64_t own_cpu_ns(void) {
  struct timespec used;
  return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0
             ? 0
             : (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

int pvt_machine_preflight(const json_t *record, struct pvt_advice *ret_advice, unsigned max, unsigned *ret_count) {
  struct pvt_cpu_times before, after;
  struct timespec left = {.tv_nsec = (long)sample_ns};
  double foreign_cpus = NAN;
  uint64_t own_ns = own_cpu_ns();
  if (pvt_disturbance_read(&before) == 0) {
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
      ;
    if (pvt_disturbance_read(&after) == 0) {
      struct pvt_disturbance seen = pvt_disturbance_between(&before, &after, own_cpu_ns() - own_ns);
      foreign_cpus = seen.span_ns > 0 ? (double)seen.foreign_ns / (double)seen.span_ns : NAN;
    }
  }
  return pvt_machine_advise(record, foreign_cpus, ret_advice, max, ret_count);
}
