/* test_preflight.c - each fault of a machine is named once, and a sound machine has none. */
#include "machine/machine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(preflight, .timeout = 30);

/* Sound in everything that the preflight looks at. */
static const char sound[] =
    "{'arch':'x86_64','cpu':{'governor':'performance','boost':'off','smt':'off','allowed_cpus':8},"
    "'cgroup':{'cpu_quota_cores':'none','memory_limit_bytes':'none','pids_limit':'none'},"
    "'memory':{'available_bytes':8589934592,'swap_used_bytes':0},"
    "'kernel':{'thp_enabled':'madvise','aslr':'2','io_uring':'available','threads_max':100000},"
    "'virtualisation':{'guest':false,'hypervisor':'none'},'clock':{'source':'tsc'},"
    "'limits':{'processes':'unlimited','open_files':65536},'load':{'average_1min':0.1},"
    "'build':{'flags':'-O2 sanitize=none','type':'release','optimised':true,'sanitizer':'none'}}";

static json_t *from_text(const char *single_quoted) {
  char *copy = strdup(single_quoted);
  for (char *at = copy; (at = strchr(at, '\'')) != NULL;)
    *at = '"';
  json_t *value = json_loads(copy, JSON_DECODE_ANY, NULL);
  cr_assert_not_null(value, "%s", single_quoted);
  free(copy);
  return value;
}

Test(preflight, says_nothing_of_a_sound_machine) {
  struct pvt_advice advice[PVT_ADVICE_MAX];
  unsigned count = 99;
  json_t *record = from_text(sound);
  cr_assert_eq(pvt_machine_advise(record, 0.0, advice, PVT_ADVICE_MAX, &count), 0);
  cr_assert_eq(count, 0, "%s", advice[0].what);
  json_decref(record);
}

Test(preflight, says_one_thing_of_each_fault) {
  static const struct {
    const char *section, *key, *value;
    enum pvt_severity severity;
    const char *what; /* a part of it */
  } cases[] = {
      {"cpu", "governor", "'powersave'", PVT_WARN, "governor is \"powersave\""},
      {"cpu", "boost", "'on'", PVT_NOTE, "turbo"},
      {"cpu", "smt", "'on'", PVT_NOTE, "SMT"},
      {"cpu", "allowed_cpus", "1", PVT_WARN, "only 1 CPU"},
      {"cgroup", "cpu_quota_cores", "0.5", PVT_WARN, "0.50 CPUs"},
      {"cgroup", "memory_limit_bytes", "268435456", PVT_WARN, "256 MiB"},
      {"cgroup", "pids_limit", "100", PVT_WARN, "pids.max"},
      {"limits", "open_files", "256", PVT_WARN, "ulimit -n"},
      {"limits", "processes", "256", PVT_WARN, "ulimit -u"},
      {"memory", "available_bytes", "1048576", PVT_WARN, "only 1 MiB"},
      {"memory", "swap_used_bytes", "2097152", PVT_NOTE, "2 MiB of swap"},
      {"kernel", "thp_enabled", "'always'", PVT_NOTE, "huge pages"},
      {"kernel", "aslr", "'0'", PVT_NOTE, "randomisation"},
      {"kernel", "io_uring", "'forbidden'", PVT_NOTE, "io_uring is forbidden"},
      {"virtualisation", "guest", "true", PVT_NOTE, "virtual machine"},
      {"clock", "source", "'hpet'", PVT_WARN, "hpet"},
      {"load", "average_1min", "3.5", PVT_NOTE, "3.50"},
      {"build", "type", "'debug'", PVT_WARN, "without optimisation"},
      {"build", "optimised", "false", PVT_WARN, "without optimisation"},
      {"build", "flags", "'-fsanitize=undefined'", PVT_WARN, "sanitizer"},
      {"build", "flags", "'-O2 sanitize=undefined'", PVT_WARN, "sanitizer"},
      {"build", "sanitizer", "'address'", PVT_WARN, "sanitizer (address)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pvt_advice advice[PVT_ADVICE_MAX];
    unsigned count = 99;
    json_t *record = from_text(sound);
    json_object_set_new(json_object_get(record, cases[i].section), cases[i].key, from_text(cases[i].value));
    cr_assert_eq(pvt_machine_advise(record, NAN, advice, PVT_ADVICE_MAX, &count), 0);
    cr_assert_eq(count, 1, "%s: %u", cases[i].what, count);
    cr_assert_not_null(strstr(advice[0].what, cases[i].what), "%s, not %s", advice[0].what, cases[i].what);
    cr_assert_eq(advice[0].severity, cases[i].severity, "%s", cases[i].what);
    cr_assert(*advice[0].why_it_matters != '\0' && *advice[0].mend != '\0', "%s", cases[i].what);
    json_decref(record);
  }
}

Test(preflight, puts_warnings_first_and_keeps_to_the_room_it_has) {
  struct pvt_advice advice[3] = {{.what = "x"}, {.what = "x"}, {.what = "untouched"}};
  unsigned count = 0;
  json_t *record = from_text(sound);
  json_object_set_new(json_object_get(record, "cpu"), "smt", json_string("on"));
  json_object_set_new(json_object_get(record, "cpu"), "governor", json_string("\xc3\xb6\x1b[31m"));
  json_object_set_new(json_object_get(record, "clock"), "source", json_string("hpet"));
  cr_assert_eq(pvt_machine_advise(record, 0.0, advice, 2, &count), 0);
  cr_assert_eq(count, 2);
  cr_assert(advice[0].severity == PVT_WARN && advice[1].severity == PVT_WARN);
  cr_assert_not_null(strstr(advice[0].what, "\"???[31m\""), "%s", advice[0].what);
  cr_assert_str_eq(advice[2].what, "untouched");
  cr_assert_eq(pvt_machine_advise(record, 0.11, advice, 2, &count), 0);
  cr_assert_not_null(strstr(advice[0].what, "11 % of a CPU"), "%s", advice[0].what);
  json_decref(record);
}

Test(preflight, takes_a_record_of_wrong_types_and_looks_at_this_machine) {
  struct pvt_advice advice[PVT_ADVICE_MAX];
  unsigned count = 99;
  json_t *record = from_text("{'cpu':[1],'cgroup':'x','memory':{'available_bytes':'low'},'kernel':{'aslr':0}}");
  cr_assert_eq(pvt_machine_preflight(record, advice, PVT_ADVICE_MAX, &count), 0);
  cr_assert_leq(count, 1, "only a foreign load may show"); /* of the real machine: whatever it is */
  cr_assert_eq(pvt_machine_preflight(json_null(), advice, PVT_ADVICE_MAX, &count), -EINVAL);
  json_decref(record);
}
