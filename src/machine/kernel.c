/* kernel.c - the kernel: its version, its mitigations, its clock, and the settings that change what pvt measures. */
#include "parts.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MITIGATIONS_MAX = 64 };

static const char sysctl[] = "/proc/sys/kernel";

/* "always [madvise] never": the word in brackets. */
static json_t *chosen(const char *root, const char *path) {
  char text[256];
  int length = pvt_machine_slurp(root, path, text, sizeof text);
  if (length < 0)
    return json_string(length == -ENOENT && pvt_machine_exists(root, "/sys/kernel/mm") ? "none" : "unknown");
  char *open = strchr(text, '['), *close = open != NULL ? strchr(open, ']') : NULL;
  if (close == NULL)
    return json_string("unknown");
  *close = '\0';
  return pvt_machine_text(open + 1);
}

/* Randomisation can be off for this process alone (setarch -R, a debugger). */
static json_t *aslr(const char *root) {
  if (*root == '\0') {
    int persona = personality(0xffffffff);
    if (persona >= 0 && (persona & ADDR_NO_RANDOMIZE) != 0)
      return json_string("0");
  }
  return pvt_machine_file(root, "/proc/sys/kernel/randomize_va_space", NULL);
}

/* The kernel looks at whether we may before it looks at what we pass: EFAULT or EINVAL means that we may. */
static json_t *io_uring(void) {
#ifdef SYS_io_uring_setup
  if (syscall(SYS_io_uring_setup, 0, NULL) >= 0)
    return json_string("unknown");
  switch (errno) {
  case EFAULT:
  case EINVAL:
    return json_string("available");
  case ENOSYS:
    return json_string("missing");
  case EPERM:
  case EACCES:
    return json_string("forbidden");
  default:
    return json_string("unknown");
  }
#else
  return json_string("missing");
#endif
}

json_t *pvt_machine_kernel_section(const char *root) {
  json_t *section = json_object();
  pvt_machine_put(&section, "release", pvt_machine_file(root, "/proc/sys/kernel/osrelease", NULL));
  pvt_machine_put(&section, "version", pvt_machine_file(root, "/proc/sys/kernel/version", NULL));
  pvt_machine_put(&section, "thp_enabled", chosen(root, "/sys/kernel/mm/transparent_hugepage/enabled"));
  pvt_machine_put(&section, "thp_defrag", chosen(root, "/sys/kernel/mm/transparent_hugepage/defrag"));
  pvt_machine_put(&section, "aslr", aslr(root));
  pvt_machine_put(&section, "base_slice_ns",
                  pvt_machine_file_number(root, "/sys/kernel/debug/sched/base_slice_ns", NULL));
  pvt_machine_put(&section, "perf_event_paranoid",
                  pvt_machine_file(root, "/proc/sys/kernel/perf_event_paranoid", sysctl));
  pvt_machine_put(&section, "io_uring", io_uring());
  pvt_machine_put(&section, "io_uring_disabled", pvt_machine_file(root, "/proc/sys/kernel/io_uring_disabled", sysctl));
  pvt_machine_put(&section, "pids_max", pvt_machine_file_number(root, "/proc/sys/kernel/pid_max", NULL));
  pvt_machine_put(&section, "threads_max", pvt_machine_file_number(root, "/proc/sys/kernel/threads-max", NULL));
  return section;
}

static bool is_plain_name(const char *name) {
  for (const char *at = name; *at != '\0'; at++) {
    if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '_')
      return false;
  }
  return strlen(name) < 64;
}

json_t *pvt_machine_mitigations_section(const char *root) {
  static const char folder_path[] = "/sys/devices/system/cpu/vulnerabilities";
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s%s", root, folder_path) >= (int)sizeof path)
    return json_string("unknown");
  DIR *folder = opendir(path);
  if (folder == NULL)
    return json_string(errno == ENOENT && pvt_machine_exists(root, "/sys/devices/system/cpu") ? "none" : "unknown");
  json_t *section = json_object();
  unsigned count = 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL && count < MITIGATIONS_MAX;) {
    if (!is_plain_name(entry->d_name)) /* "." and ".." too */
      continue;
    snprintf(path, sizeof path, "%s/%s", folder_path, entry->d_name);
    pvt_machine_put(&section, entry->d_name, pvt_machine_file(root, path, NULL));
    count++;
  }
  closedir(folder);
  return section;
}

json_t *pvt_machine_clock_section(const char *root) {
  json_t *section = json_object();
  struct timespec step;
  bool is_known = clock_getres(CLOCK_MONOTONIC, &step) == 0;
  pvt_machine_put(&section, "source",
                  pvt_machine_file(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL));
  pvt_machine_put(&section, "available",
                  pvt_machine_file(root, "/sys/devices/system/clocksource/clocksource0/available_clocksource", NULL));
  pvt_machine_put(&section, "resolution_ns",
                  is_known ? json_integer(step.tv_sec * 1000000000LL + step.tv_nsec) : json_string("unknown"));
  return section;
}
