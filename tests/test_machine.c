/* test_machine.c - the machine record, what differs between two, and disturbance, on trees made up. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU_SET */
#endif
#include "machine/machine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char root[64];

static void make_root(void) {
  strcpy(root, "/tmp/pvt-machine-XXXXXX");
  cr_assert_not_null(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *about, int flag, struct FTW *walk) {
  (void)about, (void)flag, (void)walk;
  return remove(path);
}

static void remove_root(void) {
  cr_assert_eq(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Writes root/path with every folder on the way. */
static void put_bytes(const char *path, const void *bytes, size_t count) {
  char full[PATH_MAX];
  snprintf(full, sizeof full, "%s%s", root, path);
  for (char *slash = strchr(full + strlen(root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    cr_assert(mkdir(full, 0700) == 0 || errno == EEXIST, "%s", full);
    *slash = '/';
  }
  FILE *file = fopen(full, "w");
  cr_assert_not_null(file, "%s", full);
  cr_assert_eq(fwrite(bytes, 1, count, file), count);
  cr_assert_eq(fclose(file), 0);
}

static void put(const char *path, const char *text) {
  put_bytes(path, text, strlen(text));
}

static json_t *record_of(const char *from) {
  json_t *record = NULL;
  cr_assert_eq(pvt_machine_record_from(from, &record), 0);
  cr_assert(json_is_object(record));
  return record;
}

static const char *text(const json_t *record, const char *path) {
  const char *value = json_string_value(pvt_machine_at(record, path));
  return value != NULL ? value : "(no string)";
}

#define assert_text(record, path, wanted)                                                                              \
  cr_assert_str_eq(text(record, path), wanted, "%s: %s, not %s", path, text(record, path), wanted)

TestSuite(cgroup, .timeout = 30, .init = make_root, .fini = remove_root);

static const char v2_mount[] = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

Test(cgroup, reads_version_2_at_every_level_up_to_the_mount) {
  put("/proc/self/cgroup", "0::/a.slice/b.scope\n");
  put("/proc/self/mountinfo", v2_mount);
  put("/sys/fs/cgroup/cpu.max", "max 100000\n");
  put("/sys/fs/cgroup/a.slice/cpu.max", "80000 100000\n");
  put("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "50000 100000\n");
  put("/sys/fs/cgroup/a.slice/memory.max", "max\n");
  put("/sys/fs/cgroup/a.slice/b.scope/memory.max", "268435456\n");
  put("/sys/fs/cgroup/a.slice/pids.max", "300\n");
  put("/sys/fs/cgroup/a.slice/b.scope/pids.max", "200\n");
  json_t *record = record_of(root);
  assert_text(record, "cgroup.version", "v2");
  assert_text(record, "cgroup.cpu_max", "50000 100000");
  cr_assert_float_eq(json_real_value(pvt_machine_at(record, "cgroup.cpu_quota_cores")), 0.5, 1e-12);
  cr_assert_eq(json_integer_value(pvt_machine_at(record, "cgroup.memory_limit_bytes")), 268435456);
  cr_assert_eq(json_integer_value(pvt_machine_at(record, "cgroup.pids_limit")), 200);
  json_decref(record);
}

Test(cgroup, reads_version_1_through_a_container_s_own_mount) {
  put("/proc/self/cgroup", "4:memory:/docker/ab\n3:pids:/\n2:cpu,cpuacct:/docker/ab/in\n1:name=systemd:/\n0::/\n");
  put("/proc/self/mountinfo",
      "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs rw\n"
      "32 31 0:29 /docker/ab /mnt/c\\040pu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
      "33 31 0:30 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
      "34 31 0:31 / /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n");
  put("/mnt/c pu,cpuacct/cpu.cfs_quota_us", "150000\n");
  put("/mnt/c pu,cpuacct/cpu.cfs_period_us", "50000\n");
  put("/mnt/c pu,cpuacct/in/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("/sys/fs/cgroup/pids/pids.max", "max\n");
  json_t *record = record_of(root);
  assert_text(record, "cgroup.version", "v1");
  assert_text(record, "cgroup.cpu_max", "150000 50000");
  assert_text(record, "cgroup.memory_limit_bytes", "none");
  assert_text(record, "cgroup.pids_limit", "none");
  json_decref(record);
}

Test(cgroup, limit_is_the_smaller_of_affinity_and_quota) {
  static const struct {
    const char *cpu_max;
    double quota_cpus;
  } cases[] = {{"25000 100000\n", 0.25}, {"max 100000\n", HUGE_VAL}, {"6400000 100000\n", 64}, {"x\n", HUGE_VAL}};
  put("/proc/self/cgroup", "0::/\n"); /* no mountinfo: the usual place */
  put("/sys/fs/cgroup/cgroup.controllers", "cpu\n");
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  cr_assert_eq(sched_setaffinity(0, sizeof one, &one), 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pvt_cpu_limit limit;
    put("/sys/fs/cgroup/cpu.max", cases[i].cpu_max);
    cr_assert_eq(pvt_machine_cpu_limit_from(root, &limit), 0);
    cr_assert_eq(limit.allowed_cpus, 1, "case %zu", i);
    cr_assert_eq(limit.quota_cpus, cases[i].quota_cpus, "case %zu: %g", i, limit.quota_cpus);
    cr_assert_eq(limit.effective_cpus, cases[i].quota_cpus < 1 ? cases[i].quota_cpus : 1, "case %zu", i);
  }
}

Test(cgroup, says_unknown_for_garbage_and_for_what_is_out_of_sight) {
  static const char *garbage[] = {"", "max", "0 100000", "5 0", "-5 100000", "1e5 100000", "99999999999999999999 1"};
  put("/proc/self/cgroup", "0::/x\n");
  put("/proc/self/mountinfo", v2_mount);
  json_t *record = record_of(root); /* mounted, says mountinfo, but not to be seen */
  assert_text(record, "cgroup.cpu_max", "unknown");
  json_decref(record);
  for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
    put("/sys/fs/cgroup/x/cpu.max", garbage[i]);
    record = record_of(root);
    cr_assert_str_eq(text(record, "cgroup.cpu_max"), "unknown", "case %zu: %s", i, text(record, "cgroup.cpu_max"));
    json_decref(record);
  }
}

Test(cgroup, does_not_leave_the_mount) {
  put("/proc/self/cgroup", "0::/../../out\n");
  put("/proc/self/mountinfo", v2_mount);
  put("/sys/out/cpu.max", "1000 100000\n");
  put("/sys/fs/cpu.max", "1000 100000\n");
  put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  json_t *record = record_of(root);
  assert_text(record, "cgroup.cpu_max", "200000 100000");
  json_decref(record);
}

TestSuite(record, .timeout = 30, .init = make_root, .fini = remove_root);

static const char *const keys[] = {
    "format",
    "arch",
    "boot_id",
    "cpu.name",
    "cpu.vendor",
    "cpu.family",
    "cpu.model",
    "cpu.stepping",
    "cpu.microcode",
    "cpu.online",
    "cpu.allowed",
    "cpu.allowed_cpus",
    "cpu.smt",
    "cpu.governor",
    "cpu.driver",
    "cpu.boost",
    "cpu.isolated",
    "caches",
    "numa_nodes",
    "memory.total_bytes",
    "memory.available_bytes",
    "memory.swap_total_bytes",
    "memory.swap_used_bytes",
    "memory.overcommit",
    "kernel.release",
    "kernel.version",
    "kernel.thp_enabled",
    "kernel.thp_defrag",
    "kernel.aslr",
    "kernel.base_slice_ns",
    "kernel.perf_event_paranoid",
    "kernel.io_uring",
    "kernel.io_uring_disabled",
    "kernel.pids_max",
    "kernel.threads_max",
    "mitigations",
    "cgroup.version",
    "cgroup.cpu_max",
    "cgroup.cpu_quota_cores",
    "cgroup.memory_limit_bytes",
    "cgroup.pids_limit",
    "virtualisation.guest",
    "virtualisation.hypervisor",
    "virtualisation.sys_vendor",
    "virtualisation.product_name",
    "virtualisation.container",
    "clock.source",
    "clock.available",
    "clock.resolution_ns",
    "limits.processes",
    "limits.processes_hard",
    "limits.open_files",
    "limits.open_files_hard",
    "limits.locked_memory_bytes",
    "limits.locked_memory_bytes_hard",
    "load.average_1min",
    "load.average_5min",
    "load.average_15min",
    "load.runnable_threads",
    "libc",
    "build.compiler",
    "build.flags",
    "build.type",
    "build.optimised",
    "build.sanitizer",
    "libraries.jansson",
    "libraries.hwloc",
};

static void assert_all_keys(const json_t *record) {
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    cr_assert_not_null(pvt_machine_at(record, keys[i]), "no %s", keys[i]);
}

Test(record, of_this_machine_has_every_key_and_survives_dump_and_load) {
  json_t *record = NULL;
  cr_assert_eq(pvt_machine_record(&record), 0);
  assert_all_keys(record);
  char *dumped = json_dumps(record, JSON_SORT_KEYS);
  cr_assert_not_null(dumped);
  json_t *loaded = json_loads(dumped, JSON_REJECT_DUPLICATES, NULL);
  cr_assert(json_equal(record, loaded));
  cr_assert_gt(json_integer_value(pvt_machine_at(record, "memory.total_bytes")), 1 << 20);
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) /* fails above 1024 CPUs */
    cr_assert_eq(json_integer_value(pvt_machine_at(record, "cpu.allowed_cpus")), CPU_COUNT(&allowed));
  free(dumped);
  json_decref(loaded);
  json_decref(record);
}

Test(record, of_an_empty_tree_is_complete_and_unknown) {
  static const char *unknown[] = {"cpu.name",           "cpu.governor",      "cpu.boost",
                                  "memory.total_bytes", "kernel.release",    "kernel.thp_enabled",
                                  "mitigations",        "cgroup.cpu_max",    "virtualisation.guest",
                                  "clock.source",       "load.average_1min", "boot_id"};
  json_t *record = record_of(root);
  assert_all_keys(record);
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
    assert_text(record, unknown[i], "unknown");
  json_decref(record);
}

Test(record, reads_an_x86_server) {
  put("/proc/cpuinfo",
      "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Xeon 8\n"
      "stepping\t: 7\nmicrocode\t: 0x5003\nflags\t\t: fpu tsc\n\nprocessor\t: 1\nmodel name\t: no\n");
  put("/sys/devices/system/cpu/online", "0-1\n");
  put("/sys/devices/system/cpu/isolated", "\n");
  put("/sys/devices/system/cpu/smt/control", "on\n");
  put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
  put("/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "schedutil\n");
  put("/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "intel_pstate\n");
  put("/sys/devices/system/cpu/cpu1/cpufreq/scaling_driver", "intel_pstate\n");
  put("/sys/devices/system/cpu/cpu2/cpufreq/scaling_driver", "intel_pstate\n");
  put("/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
  put("/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n");
  put("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  put("/proc/loadavg", "0.25 0.50 1.00 3/120 4711\n");
  put("/proc/meminfo", "MemTotal: 2048 kB\nMemFree: 1 kB\nMemAvailable: 1024 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n");
  json_t *record = record_of(root);
  assert_text(record, "cpu.name", "Xeon 8");
  assert_text(record, "cpu.model", "85");
  assert_text(record, "cpu.smt", "on");
  assert_text(record, "cpu.isolated", "none");
  assert_text(record, "cpu.governor", "mixed: performance powersave schedutil");
  assert_text(record, "cpu.driver", "intel_pstate");
  assert_text(record, "cpu.boost", "on");
  assert_text(record, "mitigations.meltdown", "Not affected");
  assert_text(record, "kernel.thp_enabled", "madvise");
  assert_text(record, "virtualisation.hypervisor", "none");
  cr_assert(json_is_false(pvt_machine_at(record, "virtualisation.guest")));
  cr_assert_eq(json_real_value(pvt_machine_at(record, "load.average_15min")), 1.0);
  cr_assert_eq(json_integer_value(pvt_machine_at(record, "memory.available_bytes")), 1 << 20);
  cr_assert_eq(json_integer_value(pvt_machine_at(record, "memory.swap_used_bytes")), 60 * 1024);
  json_decref(record);
}

Test(record, reads_an_arm64_guest) {
  put("/proc/cpuinfo",
      "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
      "CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n");
  put("/sys/class/dmi/id/sys_vendor", "QEMU\n");
  put("/sys/class/dmi/id/product_name", "KVM Virtual Machine\n");
  put("/sys/devices/system/cpu/online", "0\n");
  json_t *record = record_of(root);
  assert_text(record, "cpu.name", "implementer 0x41 part 0xd0c variant 0x3");
  assert_text(record, "cpu.microcode", "none");
  assert_text(record, "cpu.governor", "none");
  assert_text(record, "virtualisation.hypervisor", "KVM");
  cr_assert(json_is_true(pvt_machine_at(record, "virtualisation.guest")));
  json_decref(record);
}

Test(record, bounds_and_cleans_hostile_files) {
  static char huge[4 << 20];
  memset(huge, 'x', sizeof huge);
  put_bytes("/proc/cpuinfo", huge, sizeof huge);
  put_bytes("/proc/meminfo", huge, sizeof huge);
  put_bytes("/proc/self/cgroup", huge, sizeof huge);
  put_bytes("/proc/self/mountinfo", huge, sizeof huge);
  put_bytes("/proc/sys/kernel/osrelease", huge, sizeof huge);
  put_bytes("/sys/class/dmi/id/sys_vendor",
            "\xff\xfe\x01"
            "a\x1b[31m\0 gone\n",
            16);
  put("/sys/class/dmi/id/product_name",
      "  Gr\xc3\xb6\xc3\x9f"
      "e \x07\n");
  put("/proc/sys/kernel/version", "\xed\xa0\x80 \xc0\xaf"); /* a surrogate and an overlong slash */
  put("/proc/loadavg", "inf nan 1e999 1/1 1");
  put("/sys/devices/system/cpu/vulnerabilities/bad\xff", "x");
  put("/proc/sys/vm/overcommit_memory/is_a_folder", "0");
  put("/proc/sys/kernel/random/x", "");
  char fifo[PATH_MAX];
  snprintf(fifo, sizeof fifo, "%s/proc/sys/kernel/random/boot_id", root);
  cr_assert_eq(mkfifo(fifo, 0600), 0);
  json_t *record = record_of(root);
  assert_all_keys(record);
  assert_text(record, "virtualisation.sys_vendor", "?? a [31m");
  assert_text(record, "virtualisation.product_name",
              "Gr\xc3\xb6\xc3\x9f"
              "e");
  assert_text(record, "kernel.version", "??? ??");
  assert_text(record, "load.average_1min", "unknown");
  assert_text(record, "memory.overcommit", "unknown");
  assert_text(record, "boot_id", "unknown");
  assert_text(record, "memory.total_bytes", "unknown");
  cr_assert_eq(json_object_size(json_object_get(record, "mitigations")), 0);
  char *dumped = json_dumps(record, 0);
  cr_assert_not_null(dumped);
  cr_assert_lt(strlen(dumped), 32u << 10);
  free(dumped);
  json_decref(record);
}

TestSuite(compare, .timeout = 30);

/* This machine with every unknown made known, so that only what a test changes can differ. */
static json_t *known_record(void) {
  json_t *record = record_of(""), *key = NULL, *value;
  const char *name;
  cr_assert_eq(pvt_machine_hard_key(record, &key), 0);
  json_object_foreach (key, name, value) {
    if (!json_is_string(value) || strcmp(json_string_value(value), "unknown") != 0)
      continue;
    char parent[64] = "";
    const char *dot = strchr(name, '.');
    snprintf(parent, sizeof parent, "%.*s", dot != NULL ? (int)(dot - name) : 0, name);
    json_object_set_new(dot != NULL ? json_object_get(record, parent) : record, dot != NULL ? dot + 1 : name,
                        json_string("known"));
  }
  json_object_set_new(record, "boot_id", json_string("boot 1"));
  json_decref(key);
  return record;
}

static json_t *differences(const json_t *a, const json_t *b, bool may_be_same_boot) {
  json_t *array = NULL;
  cr_assert_eq(pvt_machine_differences(a, b, may_be_same_boot, &array), 0);
  return array;
}

Test(compare, finds_no_difference_between_a_record_and_its_copy) {
  json_t *a = known_record(), *b = json_deep_copy(a), *array = differences(a, b, false);
  cr_assert_eq(json_array_size(array), 0);
  json_decref(array);
  json_object_set_new(json_object_get(b, "load"), "average_1min", json_real(99)); /* soft */
  json_object_set_new(json_object_get(b, "kernel"), "base_slice_ns", json_integer(7));
  array = differences(a, b, false);
  cr_assert_eq(json_array_size(array), 0);
  json_decref(array);
  json_decref(a);
  json_decref(b);
}

Test(compare, names_what_differs_sorted_with_both_values) {
  json_t *a = known_record(), *b = json_deep_copy(a);
  json_object_set_new(json_object_get(b, "kernel"), "release", json_string("9.9"));
  json_object_set_new(json_object_get(b, "cpu"), "governor", json_string("other"));
  json_object_set_new(json_object_get(b, "libraries"), "benchmark", json_string("1.7.1"));
  json_object_set_new(b, "mitigations", json_pack("{s:s}", "meltdown", "PTI"));
  json_object_set_new(a, "mitigations", json_pack("{s:s}", "meltdown", "Not affected"));
  json_t *array = differences(a, b, false);
  static const char *wanted[] = {"cpu.governor", "kernel.release", "libraries.benchmark", "mitigations.meltdown"};
  cr_assert_eq(json_array_size(array), 4);
  for (size_t i = 0; i < 4; i++)
    assert_text(json_array_get(array, i), "key", wanted[i]);
  assert_text(json_array_get(array, 1), "b", "9.9");
  cr_assert(json_is_null(json_object_get(json_array_get(array, 2), "a")));
  assert_text(json_array_get(array, 3), "a", "Not affected");
  json_decref(array);
  json_decref(a);
  json_decref(b);
}

Test(compare, takes_equal_unknowns_as_equal_only_on_the_same_boot) {
  json_t *a = known_record(), *b = json_deep_copy(a);
  json_object_set_new(json_object_get(a, "cpu"), "microcode", json_string("unknown"));
  json_object_set_new(json_object_get(b, "cpu"), "microcode", json_string("unknown"));
  const struct {
    const char *boot;
    bool may_be_same_boot;
    size_t differences;
  } cases[] = {{"boot 1", false, 1}, {"boot 1", true, 0}, {"boot 2", true, 1}, {"unknown", true, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_object_set_new(b, "boot_id", json_string(cases[i].boot));
    if (i == 3)
      json_object_set_new(a, "boot_id", json_string(cases[i].boot));
    json_t *array = differences(a, b, cases[i].may_be_same_boot);
    cr_assert_eq(json_array_size(array), cases[i].differences, "case %zu", i);
    json_decref(array);
  }
  json_decref(a);
  json_decref(b);
}

Test(compare, never_takes_two_empty_records_as_equal) {
  json_t *empty = json_object(), *array = differences(empty, empty, false), *untouched = array;
  cr_assert_gt(json_array_size(array), 20);
  cr_assert_eq(pvt_machine_differences(empty, json_null(), false, &untouched), -EINVAL);
  cr_assert_eq(untouched, array);
  json_decref(array);
  json_decref(empty);
}

TestSuite(disturbance, .timeout = 30, .init = make_root, .fini = remove_root);

Test(disturbance, counts_busy_without_idle_and_guest_and_subtracts_our_own) {
  const uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
  struct pvt_cpu_times before, after;
  put("/proc/stat", "cpu  100 10 20 9000 8000 3 4 5 50 6\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
  cr_assert_eq(pvt_disturbance_read_from(root, &before), 0);
  cr_assert_eq(before.busy_ns, 137 * tick_ns);
  cr_assert_eq(before.steal_ns, 5 * tick_ns);
  put("/proc/stat", "cpu  150 10 20 9900 8000 3 4 7 50 6\n");
  cr_assert_eq(pvt_disturbance_read_from(root, &after), 0);
  struct pvt_disturbance seen = pvt_disturbance_between(&before, &after, 20 * tick_ns);
  cr_assert_eq(seen.foreign_ns, 30 * tick_ns);
  cr_assert_eq(seen.steal_ns, 2 * tick_ns);
  cr_assert_eq(pvt_disturbance_between(&before, &after, 51 * tick_ns).foreign_ns, 0);
  put("/proc/stat", "cpu  1 2 3\n");
  cr_assert_eq(pvt_disturbance_read_from(root, &after), -EBADMSG);
}

Test(disturbance, sees_this_machine_s_busy_time_grow_by_what_we_burn) {
  struct pvt_cpu_times before, after;
  struct timespec used;
  cr_assert_eq(pvt_disturbance_read(&before), 0);
  do {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  } while (used.tv_sec == 0 && used.tv_nsec < 300 * 1000 * 1000);
  cr_assert_eq(pvt_disturbance_read(&after), 0);
  cr_assert_geq(after.steal_ns, before.steal_ns);
  cr_assert_gt(after.at_ns, before.at_ns);
  cr_assert_geq(after.busy_ns, before.busy_ns + 100 * 1000 * 1000, "ticks lose some, never two thirds");
}

Test(disturbance, probe_finds_a_clock_of_this_century) {
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  double multiplies_per_ns = pvt_machine_frequency_probe();
  clock_gettime(CLOCK_MONOTONIC, &end);
  /* A chain that the compiler folded would be orders of magnitude too fast. */
  cr_assert(multiplies_per_ns > 0.005 && multiplies_per_ns < 7, "%g", multiplies_per_ns);
  cr_assert_lt((double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9, 5.0);
}
