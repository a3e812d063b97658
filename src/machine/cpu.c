/* cpu.c - which processor this is and how its clock is governed. */
#include "machine.h"
#include "parts.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CPUINFO_BYTES = 16 * 1024, /* the first processors of it: the flags alone are 1 to 2 KiB */
  SEEN_MAX = 4,              /* different governors or drivers at once */
  MAX_ALLOWED = 16384,
};

static const char cpus[] = "/sys/devices/system/cpu";

/* x86 names it one way, arm64 another; a kernel that shows neither has "none". */
static json_t *info(const char *cpuinfo, const char *x86, const char *arm) {
  char value[256];
  if (*cpuinfo == '\0')
    return json_string("unknown");
  if (pvt_machine_field(cpuinfo, x86, value, sizeof value) < 0 &&
      pvt_machine_field(cpuinfo, arm, value, sizeof value) < 0)
    return json_string("none");
  return pvt_machine_text(value);
}

/* arm64 has no model name, only the numbers of implementer and part. */
static json_t *name(const char *cpuinfo) {
  char implementer[64], part[64], variant[64] = "none", both[256];
  if (pvt_machine_field(cpuinfo, "model name", both, sizeof both) == 0 ||
      pvt_machine_field(cpuinfo, "CPU implementer", implementer, sizeof implementer) < 0 ||
      pvt_machine_field(cpuinfo, "CPU part", part, sizeof part) < 0)
    return info(cpuinfo, "model name", "cpu");
  (void)pvt_machine_field(cpuinfo, "CPU variant", variant, sizeof variant);
  snprintf(both, sizeof both, "implementer %s part %s variant %s", implementer, part, variant);
  return pvt_machine_text(both);
}

static int compare(const void *a, const void *b) {
  return strcmp(a, b);
}

/* One file of every CPU's cpufreq folder: the common value, or "mixed: a b". */
static json_t *of_every_cpu(const char *root, const char *file) {
  char path[PATH_MAX], values[SEEN_MAX][64], text[64];
  unsigned seen = 0;
  snprintf(path, sizeof path, "%s%s", root, cpus);
  DIR *folder = opendir(path);
  if (folder == NULL)
    return json_string("unknown");
  bool is_unreadable = false;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    if (strncmp(entry->d_name, "cpu", 3) != 0 || !isdigit((unsigned char)entry->d_name[3]))
      continue;
    snprintf(path, sizeof path, "%s/%s/cpufreq", cpus, entry->d_name);
    if (!pvt_machine_exists(root, path))
      continue;
    snprintf(path, sizeof path, "%s/%s/cpufreq/%s", cpus, entry->d_name, file);
    if (pvt_machine_slurp(root, path, text, sizeof text) <= 0) {
      is_unreadable = true;
      continue;
    }
    text[strcspn(text, "\n")] = '\0';
    unsigned nth = 0;
    while (nth < seen && strcmp(values[nth], text) != 0)
      nth++;
    if (nth == seen && seen < SEEN_MAX)
      memcpy(values[seen++], text, sizeof text);
  }
  closedir(folder);
  if (is_unreadable)
    return json_string("unknown");
  if (seen == 0)
    return json_string("none");
  if (seen == 1)
    return pvt_machine_text(values[0]);
  char mixed[SEEN_MAX * 64 + 16] = "mixed:";
  /* readdir() knows no order; the record must. */
  qsort(values, seen, sizeof *values, compare);
  for (unsigned nth = 0; nth < seen; nth++) {
    strcat(mixed, " ");
    strcat(mixed, values[nth]);
  }
  return pvt_machine_text(mixed);
}

/* Two drivers, two files, opposite senses. */
static json_t *boost(const char *root) {
  char text[16];
  if (pvt_machine_slurp(root, "/sys/devices/system/cpu/intel_pstate/no_turbo", text, sizeof text) > 0)
    return json_string(text[0] == '0' ? "on" : text[0] == '1' ? "off" : "unknown");
  if (pvt_machine_slurp(root, "/sys/devices/system/cpu/cpufreq/boost", text, sizeof text) > 0)
    return json_string(text[0] == '1' ? "on" : text[0] == '0' ? "off" : "unknown");
  bool is_there = pvt_machine_exists(root, "/sys/devices/system/cpu/intel_pstate/no_turbo") ||
                  pvt_machine_exists(root, "/sys/devices/system/cpu/cpufreq/boost");
  return json_string(!is_there && pvt_machine_exists(root, cpus) ? "none" : "unknown");
}

/* As the kernel writes lists: "0-3,8". */
static json_t *list_of(const int *cpu, unsigned count) {
  char text[1024] = "";
  size_t used = 0;
  for (unsigned i = 0; i < count;) {
    unsigned last = i;
    while (last + 1 < count && cpu[last + 1] == cpu[last] + 1)
      last++;
    int got = last > i ? snprintf(text + used, sizeof text - used, "%s%d-%d", used > 0 ? "," : "", cpu[i], cpu[last])
                       : snprintf(text + used, sizeof text - used, "%s%d", used > 0 ? "," : "", cpu[i]);
    if (got < 0 || used + (size_t)got >= sizeof text)
      break;
    used += (size_t)got;
    i = last + 1;
  }
  return pvt_machine_text(text);
}

json_t *pvt_machine_cpu_section(const char *root) {
  char *cpuinfo = malloc(CPUINFO_BYTES);
  int *allowed = malloc(MAX_ALLOWED * sizeof *allowed);
  json_t *section = NULL;
  if (cpuinfo == NULL || allowed == NULL)
    goto out;
  section = json_object();
  if (pvt_machine_slurp(root, "/proc/cpuinfo", cpuinfo, CPUINFO_BYTES) < 0)
    cpuinfo[0] = '\0';
  pvt_machine_put(&section, "name", name(cpuinfo));
  pvt_machine_put(&section, "vendor", info(cpuinfo, "vendor_id", "CPU implementer"));
  pvt_machine_put(&section, "family", info(cpuinfo, "cpu family", "CPU architecture"));
  pvt_machine_put(&section, "model", info(cpuinfo, "model", "CPU part"));
  pvt_machine_put(&section, "stepping", info(cpuinfo, "stepping", "CPU revision"));
  pvt_machine_put(&section, "microcode", info(cpuinfo, "microcode", "microcode"));
  pvt_machine_put(&section, "online", pvt_machine_file(root, "/sys/devices/system/cpu/online", NULL));
  unsigned count = 0;
  bool is_known = pvt_machine_allowed(allowed, MAX_ALLOWED, &count) == 0;
  pvt_machine_put(&section, "allowed", is_known ? list_of(allowed, count) : json_string("unknown"));
  pvt_machine_put(&section, "allowed_cpus", is_known ? json_integer(count) : json_string("unknown"));
  pvt_machine_put(&section, "smt", pvt_machine_file(root, "/sys/devices/system/cpu/smt/control", cpus));
  pvt_machine_put(&section, "governor", of_every_cpu(root, "scaling_governor"));
  pvt_machine_put(&section, "driver", of_every_cpu(root, "scaling_driver"));
  pvt_machine_put(&section, "boost", boost(root));
  pvt_machine_put(&section, "isolated", pvt_machine_file(root, "/sys/devices/system/cpu/isolated", cpus));
out:
  free(cpuinfo);
  free(allowed);
  return section;
}
