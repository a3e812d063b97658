/* memory.c - how much memory there is, what this process may use of everything, and how busy the machine is. */
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* A line of /proc/meminfo, "Name:  123 kB", in bytes. */
static bool bytes_of(const char *meminfo, const char *name, uint64_t *ret_bytes) {
  char value[64];
  unsigned long long kib;
  if (pvt_machine_field(meminfo, name, value, sizeof value) < 0 || sscanf(value, "%15llu kB", &kib) != 1)
    return false;
  *ret_bytes = kib * 1024;
  return true;
}

static json_t *bytes_or_unknown(bool is_known, uint64_t bytes) {
  return is_known ? json_integer((json_int_t)bytes) : json_string("unknown");
}

json_t *pvt_machine_memory_section(const char *root) {
  char meminfo[PVT_MACHINE_FILE_BYTES];
  if (pvt_machine_slurp(root, "/proc/meminfo", meminfo, sizeof meminfo) < 0)
    meminfo[0] = '\0';
  json_t *section = json_object();
  uint64_t total = 0, available = 0, swap_total = 0, swap_free = 0;
  bool has_total = bytes_of(meminfo, "MemTotal", &total), has_available = bytes_of(meminfo, "MemAvailable", &available);
  bool has_swap = bytes_of(meminfo, "SwapTotal", &swap_total);
  bool has_used = bytes_of(meminfo, "SwapFree", &swap_free) && has_swap && swap_free <= swap_total;
  pvt_machine_put(&section, "total_bytes", bytes_or_unknown(has_total, total));
  pvt_machine_put(&section, "available_bytes", bytes_or_unknown(has_available, available));
  pvt_machine_put(&section, "swap_total_bytes", bytes_or_unknown(has_swap, swap_total));
  pvt_machine_put(&section, "swap_used_bytes", bytes_or_unknown(has_used, swap_total - swap_free));
  pvt_machine_put(&section, "overcommit", pvt_machine_file(root, "/proc/sys/vm/overcommit_memory", "/proc/sys/vm"));
  return section;
}

static json_t *limit(rlim_t value) {
  return value == RLIM_INFINITY || value > INT64_MAX ? json_string("unlimited") : json_integer((json_int_t)value);
}

json_t *pvt_machine_limits_section(void) {
  static const struct {
    const char *name, *hard_name;
    int resource;
  } limits[] = {
      {"processes", "processes_hard", RLIMIT_NPROC},
      {"open_files", "open_files_hard", RLIMIT_NOFILE},
      {"locked_memory_bytes", "locked_memory_bytes_hard", RLIMIT_MEMLOCK},
  };
  json_t *section = json_object();
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    struct rlimit both;
    bool is_known = getrlimit(limits[i].resource, &both) == 0;
    pvt_machine_put(&section, limits[i].name, is_known ? limit(both.rlim_cur) : json_string("unknown"));
    pvt_machine_put(&section, limits[i].hard_name, is_known ? limit(both.rlim_max) : json_string("unknown"));
  }
  return section;
}

json_t *pvt_machine_load_section(const char *root) {
  char text[128];
  double average[3];
  unsigned runnable;
  bool is_known = pvt_machine_slurp(root, "/proc/loadavg", text, sizeof text) > 0 &&
                  sscanf(text, "%15lf %15lf %15lf %9u/", &average[0], &average[1], &average[2], &runnable) == 4 &&
                  average[0] >= 0 && average[1] >= 0 && average[2] >= 0;
  static const char *names[] = {"average_1min", "average_5min", "average_15min"};
  json_t *section = json_object();
  /* json_real() refuses what is not finite, which a file may well say: "inf" ends as NULL, so ask first. */
  for (size_t i = 0; i < 3; i++)
    pvt_machine_put(&section, names[i], is_known && average[i] < 1e9 ? json_real(average[i]) : json_string("unknown"));
  pvt_machine_put(&section, "runnable_threads", is_known ? json_integer(runnable) : json_string("unknown"));
  return section;
}
