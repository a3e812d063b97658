/* limit.c - how much CPU this process may have. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU sets of any size */
#endif
#include "machine.h"
#include "parts.h"

#include <errno.h>
#include <math.h>
#include <sched.h>

/* The kernel refuses a mask shorter than its own; no architecture is built for more CPUs than this. */
enum { MASK_CPUS = 16384 };

int pvt_machine_allowed(int *ret_cpus, unsigned max, unsigned *ret_count) {
  cpu_set_t mask[CPU_ALLOC_SIZE(MASK_CPUS) / sizeof(cpu_set_t)];
  if (sched_getaffinity(0, sizeof mask, mask) < 0)
    return -errno;
  unsigned count = 0;
  for (int cpu = 0; cpu < MASK_CPUS && count < max; cpu++) {
    if (CPU_ISSET_S(cpu, sizeof mask, mask))
      ret_cpus[count++] = cpu;
  }
  *ret_count = count;
  return 0;
}

int pvt_machine_cpu_limit_from(const char *root, struct pvt_cpu_limit *ret_limit) {
  cpu_set_t mask[CPU_ALLOC_SIZE(MASK_CPUS) / sizeof(cpu_set_t)];
  if (sched_getaffinity(0, sizeof mask, mask) < 0)
    return -errno;
  struct pvt_machine_cgroup cgroup;
  int rc = pvt_machine_cgroup_limits(root, &cgroup);
  if (rc < 0)
    return rc;
  unsigned allowed = (unsigned)CPU_COUNT_S(sizeof mask, mask);
  double quota = cgroup.cpu == PVT_MACHINE_SET ? (double)cgroup.quota_us / (double)cgroup.period_us : HUGE_VAL;
  *ret_limit = (struct pvt_cpu_limit){
      .allowed_cpus = allowed, .quota_cpus = quota, .effective_cpus = quota < allowed ? quota : allowed};
  return 0;
}

int pvt_machine_cpu_limit(struct pvt_cpu_limit *ret_limit) {
  return pvt_machine_cpu_limit_from("", ret_limit);
}
