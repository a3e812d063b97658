/* machine.h - what machine this is, whether two are comparable, and what on it will disturb a measurement. */
#ifndef PVT_MACHINE_H
#define PVT_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The record is one JSON object. Words with a fixed meaning: "unknown" = could not be read, "none" = the kernel says
 * that it has no such thing, "unlimited" = a limit that is not set. Sizes are bytes, times ns, as JSON integers.
 *
 *   format 1; arch; boot_id (soft)
 *   cpu            name vendor family model stepping microcode online allowed (lists, "0-3,8") allowed_cpus (a count)
 *                  smt governor driver boost isolated
 *   caches         [{level type size_bytes line_bytes shared_by_cpus count}]
 *   numa_nodes     a count
 *   memory         total_bytes available_bytes swap_total_bytes swap_used_bytes overcommit
 *   kernel         release version thp_enabled thp_defrag aslr base_slice_ns perf_event_paranoid io_uring
 *                  io_uring_disabled pids_max threads_max
 *   mitigations    {name: sentence}, a copy of sysfs cpu/vulnerabilities; the string "unknown" when that is unreadable
 *   cgroup         version cpu_max ("quota_us period_us") cpu_quota_cores memory_limit_bytes pids_limit
 *   virtualisation guest (true, false, "unknown") hypervisor sys_vendor product_name container
 *   clock          source available resolution_ns
 *   limits         processes open_files locked_memory_bytes, each also with _hard
 *   load           average_1min average_5min average_15min runnable_threads (soft)
 *   libc           name and version
 *   build          compiler flags type optimised sanitizer: of this library. Meson may give the macros PVT_COMPILER,
 *                  PVT_CFLAGS and PVT_BUILDTYPE, all strings
 *   libraries      jansson hwloc; the caller adds its own, among them "benchmark", which is then a hard key
 */

/* The record of this machine. Takes some 10 ms (hwloc). *ret_record: the caller's, freed by json_decref(). -ENOMEM. */
int pvt_machine_record(json_t **ret_record);

/* The same with every file taken from below `root` ("" = this machine). What is not a file (affinity, caches, NUMA,
 * limits, the io_uring probe, clock resolution) is this process's; CPUID and personality are asked only when root is
 * "". */
int pvt_machine_record_from(const char *root, json_t **ret_record);

/* The value at a path with dots, as in "cpu.governor"; NULL when there is none. Borrowed from the record. */
json_t *pvt_machine_at(const json_t *record, const char *path);

/* What must match for two runs to be comparable, flat: {"cpu.name": ..., "mitigations.meltdown": ...}. A value that the
 * record lacks is "unknown". *ret_key: the caller's. -EINVAL when `record` is no object, -ENOMEM. */
int pvt_machine_hard_key(const json_t *record, json_t **ret_key);

/* Hard keys that differ, as [{"key","a","b"}], sorted by key; null = only the other record has it. "unknown" differs
 * from everything, itself too; with `may_be_same_boot` (a resume) equal values match, "unknown" included, provided that
 * both records name one boot_id. *ret_array: the caller's; empty = comparable. -EINVAL, -ENOMEM. */
int pvt_machine_differences(const json_t *a, const json_t *b, bool may_be_same_boot, json_t **ret_array);

/* How much CPU this process may have. No JSON and no hwloc behind it, so that a small harness may ask. */
struct pvt_cpu_limit {
  unsigned allowed_cpus; /* affinity and cpuset, at least 1 */
  double quota_cpus;     /* the tightest cgroup quota on the way up, in CPUs; HUGE_VAL: none, or unreadable */
  double effective_cpus; /* the smaller of the two */
};

int pvt_machine_cpu_limit(struct pvt_cpu_limit *ret_limit);
int pvt_machine_cpu_limit_from(const char *root, struct pvt_cpu_limit *ret_limit);

/* CPUs that the calling thread may use, ascending, at most `max`. *ret_count: how many were stored. */
int pvt_machine_allowed(int *ret_cpus, unsigned max, unsigned *ret_count);

enum pvt_severity { PVT_NOTE, PVT_WARN };

/* One thing that will disturb a measurement. */
struct pvt_advice {
  enum pvt_severity severity;
  char what[200];             /* what was found, with its value */
  const char *why_it_matters; /* static */
  const char *mend;           /* static */
};

#define PVT_ADVICE_MAX 32 /* room for all that there can be */

/* Advice for the machine in `record`, warnings first, at most `max`. Sleeps 200 ms to see whether something else is
 * busy: call it before the crew exists. *ret_count: how many were stored. -EINVAL when `record` is no object. */
int pvt_machine_preflight(const json_t *record, struct pvt_advice *ret_advice, unsigned max, unsigned *ret_count);

/* The same without looking: `foreign_cpus` is how many CPUs something else kept busy; NAN = not known. */
int pvt_machine_advise(const json_t *record, double foreign_cpus, struct pvt_advice *ret_advice, unsigned max,
                       unsigned *ret_count);

/* CPU time of the whole machine since boot, all CPUs together. Steps of one clock tick (mostly 10 ms). */
struct pvt_cpu_times {
  uint64_t at_ns;    /* CLOCK_MONOTONIC */
  uint64_t busy_ns;  /* user + nice + system + irq + softirq: guest time is inside user, so it is not added again */
  uint64_t steal_ns; /* what the hypervisor gave to others while we were runnable */
};

/* What came from outside between two readings. */
struct pvt_disturbance {
  uint64_t span_ns;
  uint64_t foreign_ns; /* CPU time of others: all of it, less `own_ns`; 0 when a tick's rounding makes it negative */
  uint64_t steal_ns;
};

/* 0, or -errno; -EBADMSG when the "cpu" line of /proc/stat cannot be understood. */
int pvt_disturbance_read(struct pvt_cpu_times *ret_times);
int pvt_disturbance_read_from(const char *root, struct pvt_cpu_times *ret_times);

/* `own_ns`: what the pvt run itself, harnesses included, used in that time. */
struct pvt_disturbance pvt_disturbance_between(const struct pvt_cpu_times *before, const struct pvt_cpu_times *after,
                                               uint64_t own_ns);

/* Dependent integer multiplies per ns of the CPU that runs it, best of five pieces, about 1 ms in all. Times the
 * multiply latency of the core (3 cycles on most) it is the clock in GHz; use it as a ratio before/after only. */
double pvt_machine_frequency_probe(void);

#endif
