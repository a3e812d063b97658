#include <errno.h>
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

static json_t *context_json(const struct pvt_history *history) {
  json_t *plan = history->plan.json, *cpu = json_object_get(json_object_get(plan, "machine"), "cpu");
  json_int_t cpus = json_integer_value(json_object_get(cpu, "allowed_cpus"));

  return json_pack("{s:s, s:s, s:s, s:I, s:i, s:b, s:[], s:[], s:s, s:O?, s:O?, s:O?}", "date", "", "host_name", "",
                   "executable", "pvt", "num_cpus", cpus, "mhz_per_cpu", 0, "cpu_scaling_enabled", 0, "caches",
                   "load_avg", "library_build_type", "release", "pvt_version", json_object_get(plan, "version"),
                   "pvt_seed", json_object_get(plan, "seed"), "pvt_machine", json_object_get(plan, "machine"));
}

json_t *pvt_results_json(const struct pvt_history *history) {
  json_t *entries = json_array(), *context = context_json(history);

  /* Row by row, as Google Benchmark does, so that a reader sees a benchmark's repetitions together. */
  for (size_t row = 0; row < history->plan.catalog.rows_count; row++)
    for (size_t i = 0; i < history->launches_count; i++)
      if (history->launches[i].row == row && history->launches[i].status == PVT_LAUNCH_OK)
        json_array_append_new(entries, entry_json(history, &history->launches[i]));
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
    status = pvt_why_set(why, errno == 0 ? -EIO : -errno, "cannot write %s: %s", path, strerror(errno));
    unlink(temporary);
  }
  json_decref(json);
  return status;
}
