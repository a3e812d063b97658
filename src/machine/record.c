/* record.c - the record of a machine, put together from its sections. */
#include "machine.h"
#include "parts.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <hwloc.h>
#include <stdio.h>
#include <sys/utsname.h>

static json_t *limit(enum pvt_machine_state state, json_int_t value) {
  switch (state) {
  case PVT_MACHINE_SET:
    return json_integer(value);
  case PVT_MACHINE_NONE:
    return json_string("none");
  default:
    return json_string("unknown");
  }
}

static json_t *cgroup_section(const char *root) {
  struct pvt_machine_cgroup found;
  if (pvt_machine_cgroup_limits(root, &found) < 0)
    return NULL;
  json_t *section = json_object();
  pvt_machine_put(&section, "version", json_string(found.version));
  if (found.cpu == PVT_MACHINE_SET) {
    char pair[64];
    snprintf(pair, sizeof pair, "%ju %ju", (uintmax_t)found.quota_us, (uintmax_t)found.period_us);
    pvt_machine_put(&section, "cpu_max", json_string(pair));
    pvt_machine_put(&section, "cpu_quota_cores", json_real((double)found.quota_us / (double)found.period_us));
  } else {
    pvt_machine_put(&section, "cpu_max", limit(found.cpu, 0));
    pvt_machine_put(&section, "cpu_quota_cores", limit(found.cpu, 0));
  }
  pvt_machine_put(&section, "memory_limit_bytes", limit(found.memory, (json_int_t)found.memory_bytes));
  pvt_machine_put(&section, "pids_limit", limit(found.pids, (json_int_t)found.pids_limit));
  return section;
}

static json_t *libc(void) {
  char text[64];
  snprintf(text, sizeof text, "glibc %s", gnu_get_libc_version());
  return pvt_machine_text(text);
}

static json_t *libraries(void) {
  json_t *section = json_object();
  pvt_machine_put(&section, "jansson", json_string(jansson_version_str()));
  pvt_machine_put(&section, "hwloc", json_string(HWLOC_VERSION));
  return section;
}

int pvt_machine_record_from(const char *root, json_t **ret_record) {
  struct utsname host;
  json_t *record = json_object(), *numa_nodes = NULL;
  pvt_machine_put(&record, "format", json_integer(1));
  pvt_machine_put(&record, "arch", uname(&host) == 0 ? pvt_machine_text(host.machine) : json_string("unknown"));
  pvt_machine_put(&record, "boot_id", pvt_machine_file(root, "/proc/sys/kernel/random/boot_id", NULL));
  pvt_machine_put(&record, "cpu", pvt_machine_cpu_section(root));
  pvt_machine_put(&record, "caches", pvt_machine_caches_section(&numa_nodes));
  pvt_machine_put(&record, "numa_nodes", numa_nodes);
  pvt_machine_put(&record, "memory", pvt_machine_memory_section(root));
  pvt_machine_put(&record, "kernel", pvt_machine_kernel_section(root));
  pvt_machine_put(&record, "mitigations", pvt_machine_mitigations_section(root));
  pvt_machine_put(&record, "cgroup", cgroup_section(root));
  pvt_machine_put(&record, "virtualisation", pvt_machine_virtualisation_section(root));
  pvt_machine_put(&record, "clock", pvt_machine_clock_section(root));
  pvt_machine_put(&record, "limits", pvt_machine_limits_section());
  pvt_machine_put(&record, "load", pvt_machine_load_section(root));
  pvt_machine_put(&record, "libc", libc());
  pvt_machine_put(&record, "build", pvt_machine_build_section());
  pvt_machine_put(&record, "libraries", libraries());
  if (record == NULL)
    return -ENOMEM;
  *ret_record = record;
  return 0;
}

int pvt_machine_record(json_t **ret_record) {
  return pvt_machine_record_from("", ret_record);
}
