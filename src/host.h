/* host.h - what this process may use, as far as a row must know it to run or to say why it cannot. libc only. */
#ifndef PVT_HOST_H
#define PVT_HOST_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pvt_host {
  unsigned cpus;            /* CPUs this process may run on */
  double cpu_quota;         /* CPUs that a cgroup lets it use at once; 0: no limit seen */
  uint64_t available_bytes; /* MemAvailable, or less if a cgroup says so */
  uint64_t processes;       /* more processes or threads it may make: RLIMIT_NPROC and pids.max; UINT64_MAX: no limit */
  uint64_t files;           /* descriptors it may open: soft RLIMIT_NOFILE */
  uint64_t slice_ns;        /* the scheduler's base slice, or the kernel's default for this number of CPUs */
};

/* Never fails: what cannot be read is taken as unlimited, but for the memory, which is then 0. */
void pvt_host_read(struct pvt_host *ret_host);

#ifdef __cplusplus
}
#endif

#endif
