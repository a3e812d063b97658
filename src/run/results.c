#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "summary.h"

static void add_number(json_t *entry, const char *name, json_t *number) {
  if (json_is_number(number))
    json_object_set_new(entry, name, json_real(json_number_value(number)));
}

/* One launch as Google Benchmark would have written it: counters stand beside its own fields. */
static json_t *entry_json(const struct pvt_history *history, const struct pvt_launched *launched) {
  const struct pvt_catalog_row *row = &history->plan.catalog.rows[launched->row];
  json_t *line = launched->json, *quantile, *entry;
  json_int_t operations = json_integer_value(json_object_get(line, "operations"));
  const char *name;

  entry =
      json_pack("{s:s, s:I, s:i, s:s, s:s, s:i, s:i, s:i, s:I, s:f, s:f, s:s}", "name", row->name, "family_index",
                (json_int_t)launched->row, "per_family_instance_index", 0, "run_name", row->name, "run_type",
                "iteration", "repetitions", (int)history->plan.rounds, "repetition_index", (int)launched->round,
                "threads", 1, "iterations", operations > 0 ? operations : (json_int_t)1, "real_time",
                launched->value_ns, "cpu_time", json_number_value(json_object_get(line, "cpu_ns")), "time_unit", "ns");
  add_number(entry, "voluntary", json_object_get(json_object_get(line, "switches"), "voluntary"));
  add_number(entry, "involuntary", json_object_get(json_object_get(line, "switches"), "involuntary"));
  add_number(entry, "faults", json_object_get(line, "faults"));
  add_number(entry, "slot", json_object_get(line, "slot"));
  add_number(entry, "t_start_ns", json_object_get(line, "t_start_ns"));
  json_object_foreach (json_object_get(line, "quantiles"), name, quantile) {
    char counter[64];

    snprintf(counter, sizeof counter, "%.40s_ns", name);
    add_number(entry, counter, quantile);
  }
  return entry;
}

static json_t *string_or(json_t *string, const char *otherwise) {
  return json_is_string(string) ? json_incref(string) : json_string(otherwise);
}

/* "release" unless the harnesses were built without optimisation: what compare.py and people look at. */
static const char *build_type(json_t *machine) {
  return json_is_false(json_object_get(json_object_get(machine, "build"), "optimised")) ? "debug" : "release";
}

/* Google Benchmark's word for a level is a number, and it counts the CPUs that share one cache. */
static json_t *caches_json(json_t *machine) {
  json_t *caches = json_array(), *each;
  size_t i;

  json_array_foreach (json_object_get(machine, "caches"), i, each) {
    const char *type = json_string_value(json_object_get(each, "type"));
    char name[32];

    snprintf(name, sizeof name, "%.30s", type == NULL ? "unknown" : type);
    name[0] = (char)toupper((unsigned char)name[0]);
    json_array_append_new(caches, json_pack("{s:s, s:I, s:I, s:I}", "type", name, "level",
                                            json_integer_value(json_object_get(each, "level")), "size",
                                            json_integer_value(json_object_get(each, "size_bytes")), "num_sharing",
                                            json_integer_value(json_object_get(each, "shared_by_cpus"))));
  }
  return caches;
}

static json_t *load_json(json_t *machine) {
  static const char *const names[] = {"average_1min", "average_5min", "average_15min"};
  json_t *load = json_object_get(machine, "load"), *averages = json_array();

  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (json_is_number(json_object_get(load, names[i])))
      json_array_append(averages, json_object_get(load, names[i]));
  return averages;
}

static json_t *context_json(const struct pvt_history *history) {
  json_t *plan = history->plan.json, *machine = json_object_get(plan, "machine");
  json_t *cpu = json_object_get(machine, "cpu");
  const char *governor = json_string_value(json_object_get(cpu, "governor"));
  bool is_scaling = governor != NULL && strcmp(governor, "none") != 0 && strcmp(governor, "performance") != 0;

  return json_pack("{s:o, s:o, s:s, s:I, s:i, s:b, s:o, s:o, s:s, s:O?, s:O?, s:O?, s:O?}", "date",
                   string_or(json_object_get(plan, "started"), "1970-01-01T00:00:00+00:00"), "host_name",
                   string_or(json_object_get(plan, "host"), "unknown"), "executable", "pvt", "num_cpus",
                   json_integer_value(json_object_get(cpu, "allowed_cpus")), "mhz_per_cpu", 0, "cpu_scaling_enabled",
                   (int)is_scaling, "caches", caches_json(machine), "load_avg", load_json(machine),
                   "library_build_type", build_type(machine), "pvt_version", json_object_get(plan, "version"),
                   "pvt_profile", json_object_get(plan, "profile"), "pvt_seed", json_object_get(plan, "seed"),
                   "pvt_machine", machine);
}

json_t *pvt_results_json(const struct pvt_history *history) {
  json_t *entries = json_array(), *context = context_json(history);

  /* Row by row, as Google Benchmark does, so that a reader sees a benchmark's repetitions together. */
  for (size_t i = 0; i < history->launches_count; i++) {
    const struct pvt_launched *launched = &history->launches[history->by_row[i]];

    if (launched->status == PVT_LAUNCH_OK)
      json_array_append_new(entries, entry_json(history, launched));
  }
  return json_pack("{s:o, s:o}", "context", context, "benchmarks", entries);
}

int pvt_results_write(const struct pvt_history *history, const char *folder, struct pvt_why *why) {
  char path[4096], temporary[4200];
  json_t *json = pvt_results_json(history);
  int status = 0;

  snprintf(path, sizeof path, "%s/results.json", folder);
  snprintf(temporary, sizeof temporary, "%s.new", path);
  if (json == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for %s", path);
  errno = 0;
  if (json_dump_file(json, temporary, JSON_INDENT(1)) == -1 || rename(temporary, path) == -1) {
    status = pvt_why_set(why, errno == 0 ? -EIO : -errno, "cannot write %s: %s: make room, then --resume writes it",
                         path, strerror(errno));
    unlink(temporary);
  }
  json_decref(json);
  return status;
}
