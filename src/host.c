#include "host.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINE_BYTES = 512 };

/* The first line of a small file, without its newline; empty if it cannot be read. */
static void read_line(const char *path, char line[LINE_BYTES]) {
  FILE *file = fopen(path, "re");

  line[0] = '\0';
  if (file == NULL)
    return;
  if (fgets(line, LINE_BYTES, file) == NULL)
    line[0] = '\0';
  line[strcspn(line, "\n")] = '\0';
  fclose(file);
}

/* A number in a file, or `otherwise` (for "max", nothing, or no file). */
static uint64_t read_number(const char *path, uint64_t otherwise) {
  char line[LINE_BYTES], *end;
  unsigned long long number;

  read_line(path, line);
  if (line[0] < '0' || line[0] > '9')
    return otherwise;
  number = strtoull(line, &end, 10);
  return end == line ? otherwise : number;
}

static uint64_t available_bytes(void) {
  char line[LINE_BYTES];
  unsigned long long kib = 0;
  FILE *file = fopen("/proc/meminfo", "re");

  if (file == NULL)
    return 0;
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
      break;
  fclose(file);
  return kib * 1024;
}

static unsigned allowed_cpus(void) {
  cpu_set_t set;
  long online = sysconf(_SC_NPROCESSORS_ONLN);

  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return (unsigned)CPU_COUNT(&set);
  return online > 0 ? (unsigned)online : 1;
}

/* The path of this process in a hierarchy of /proc/self/cgroup: "" names the v2 one. */
static void cgroup_path(const char *controller, char path[LINE_BYTES]) {
  char line[LINE_BYTES];
  FILE *file = fopen("/proc/self/cgroup", "re");

  path[0] = '\0';
  if (file == NULL)
    return;
  while (fgets(line, sizeof line, file) != NULL) {
    char *names = strchr(line, ':'), *where;
    size_t length = strlen(controller);

    line[strcspn(line, "\n")] = '\0';
    if (names == NULL || (where = strchr(++names, ':')) == NULL)
      continue;
    *where++ = '\0';
    for (char *name = names; name != NULL; name = strchr(name, ',') ? strchr(name, ',') + 1 : NULL)
      if (strncmp(name, controller, length) == 0 && (name[length] == ',' || name[length] == '\0'))
        snprintf(path, LINE_BYTES, "%s", strcmp(where, "/") == 0 ? "" : where);
  }
  fclose(file);
}

/* The limit of this group and of each group above it. */
static uint64_t least_in_cgroup(const char *mount, const char *controller, const char *file) {
  char path[LINE_BYTES], name[3 * LINE_BYTES], *slash;
  uint64_t least = UINT64_MAX, here;

  cgroup_path(controller, path);
  for (;;) {
    snprintf(name, sizeof name, "%s%s/%s", mount, path, file);
    here = read_number(name, UINT64_MAX);
    least = here < least ? here : least;
    slash = strrchr(path, '/');
    if (slash == NULL)
      return least;
    *slash = '\0';
  }
}

static double least_quota(void) {
  char path[LINE_BYTES], name[3 * LINE_BYTES], line[LINE_BYTES], *slash;
  double least = 0, quota, period;
  uint64_t v1_quota = least_in_cgroup("/sys/fs/cgroup/cpu", "cpu", "cpu.cfs_quota_us");

  if (v1_quota != UINT64_MAX)
    least = (double)v1_quota / (double)read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us", 100000);
  cgroup_path("", path);
  for (;;) {
    snprintf(name, sizeof name, "/sys/fs/cgroup%s/cpu.max", path);
    read_line(name, line);
    if (sscanf(line, "%lf %lf", &quota, &period) == 2 && period > 0 && (least == 0 || quota / period < least))
      least = quota / period;
    slash = strrchr(path, '/');
    if (slash == NULL)
      return least;
    *slash = '\0';
  }
}

static uint64_t soft_limit(int resource) {
  struct rlimit limit;

  if (getrlimit((__rlimit_resource_t)resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return UINT64_MAX;
  return limit.rlim_cur;
}

static uint64_t less(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* kernel/sched/fair.c scales a base slice (0.70 ms since 6.12, 0.75 before) by 1 + log2(CPUs, at most 8). */
static uint64_t default_slice_ns(void) {
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  unsigned factor = 1;

  for (long cpus = online > 8 ? 8 : online; cpus > 1; cpus /= 2)
    factor++;
  return 750000u * factor;
}

void pvt_host_read(struct pvt_host *ret_host) {
  ret_host->cpus = allowed_cpus();
  ret_host->cpu_quota = least_quota();
  ret_host->available_bytes =
      less(available_bytes(), less(least_in_cgroup("/sys/fs/cgroup", "", "memory.max"),
                                   least_in_cgroup("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes")));
  ret_host->processes = less(geteuid() == 0 ? UINT64_MAX : soft_limit(RLIMIT_NPROC),
                             less(least_in_cgroup("/sys/fs/cgroup", "", "pids.max"),
                                  least_in_cgroup("/sys/fs/cgroup/pids", "pids", "pids.max")));
  ret_host->files = soft_limit(RLIMIT_NOFILE);
  ret_host->slice_ns = read_number("/sys/kernel/debug/sched/base_slice_ns", default_slice_ns());
}
