#include "record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void pvt_record_add(struct pvt_record *record, const struct pvt_measure *measure) {
  unsigned nth = record->repetitions;

  if (measure->status < 0) {
    if (record->status == 0)
      memcpy(record->why, measure->why, sizeof record->why);
    record->status = record->status == 0 ? measure->status : record->status;
    return;
  }
  if (nth == PVT_REPETITIONS)
    return;
  record->values_ns[nth] = (double)measure->span_ns / (double)measure->operations;
  record->measures[nth] = *measure;
  record->repetitions++;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;

  return (left > right) - (left < right);
}

double pvt_record_median(const double *values, unsigned count) {
  double sorted[PVT_REPETITIONS];

  if (count == 0 || count > PVT_REPETITIONS)
    return 0;
  memcpy(sorted, values, count * sizeof sorted[0]);
  qsort(sorted, count, sizeof sorted[0], ascending);
  return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
}

/* The median over the repetitions of one uint64_t of the measure, as it is or per operation. */
static double median_at(const struct pvt_record *record, size_t offset, bool per_operation) {
  double values[PVT_REPETITIONS] = {0};

  for (unsigned i = 0; i < record->repetitions; i++) {
    uint64_t number;

    memcpy(&number, (const char *)&record->measures[i] + offset, sizeof number);
    values[i] = (double)number / (per_operation ? (double)record->measures[i].operations : 1);
  }
  return pvt_record_median(values, record->repetitions);
}
#define PER_OPERATION(field) median_at(record, offsetof(struct pvt_measure, field), true)
#define AS_IT_IS(field) median_at(record, offsetof(struct pvt_measure, field), false)

static double least_overlap(const struct pvt_record *record) {
  double least = 1;

  for (unsigned i = 0; i < record->repetitions; i++)
    least = record->measures[i].overlap < least ? record->measures[i].overlap : least;
  return least;
}

static json_t *quantiles(const struct pvt_record *record) {
  return json_pack("{s:f, s:f, s:f, s:f, s:f}", "p50", AS_IT_IS(quantiles.p50), "p90", AS_IT_IS(quantiles.p90), "p99",
                   AS_IT_IS(quantiles.p99), "p99.9", AS_IT_IS(quantiles.p999), "max", AS_IT_IS(quantiles.max));
}

static json_t *histogram(const struct pvt_record *record) {
  enum { TEXT_BYTES = PVT_HISTOGRAM_BUCKETS * 32 };
  struct pvt_histogram *sum = calloc(1, sizeof *sum);
  char *text = malloc(TEXT_BYTES);
  json_t *json = NULL;

  if (sum != NULL && text != NULL) {
    for (unsigned i = 0; i < record->repetitions; i++)
      for (unsigned bucket = 0; bucket < PVT_HISTOGRAM_BUCKETS; bucket++)
        sum->counts[bucket] += record->measures[i].histogram.counts[bucket];
    pvt_histogram_print(sum, text, TEXT_BYTES);
    json = json_string(text);
  }
  free(text);
  free(sum);
  return json;
}

json_t *pvt_record_json(const struct pvt_record *record) {
  json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:I}", "row", record->row->name, "status",
                           record->status == 0 && record->repetitions > 0 ? "ok" : "error", "operations",
                           (json_int_t)record->operations, "window_ns", (json_int_t)record->window_ns, "t_start_ns",
                           (json_int_t)record->start_ns);
  json_t *values;

  if (json == NULL)
    return NULL;
  if (record->status < 0 || record->repetitions == 0) {
    json_object_set_new(json, "why", json_string(record->why[0] != '\0' ? record->why : "nothing was measured"));
    return json;
  }
  values = json_array();
  for (unsigned i = 0; i < record->repetitions; i++)
    json_array_append_new(values, json_real(record->values_ns[i]));
  json_object_set_new(json, "values_ns", values);
  json_object_set_new(json, "value_ns", json_real(pvt_record_median(record->values_ns, record->repetitions)));
  json_object_set_new(json, "cpu_ns", json_real(PER_OPERATION(cpu_ns)));
  json_object_set_new(
      json, "switches",
      json_pack("{s:f, s:f}", "voluntary", PER_OPERATION(voluntary), "involuntary", PER_OPERATION(involuntary)));
  json_object_set_new(json, "faults", json_real(PER_OPERATION(faults)));
  json_object_set_new(json, "overlap", json_real(least_overlap(record)));
  if (record->measures[0].quantiles.count > 0) {
    json_object_set_new(json, "quantiles", quantiles(record));
    json_object_set_new(json, "histogram", histogram(record));
  }
  return json;
}

static json_t *profiles(unsigned profiles) {
  json_t *names = json_array();

  if (profiles & PVT_QUICK)
    json_array_append_new(names, json_string("quick"));
  if (profiles & PVT_STANDARD)
    json_array_append_new(names, json_string("standard"));
  if (profiles & PVT_FULL)
    json_array_append_new(names, json_string("full"));
  return names;
}

static json_t *row_json(const struct pvt_question *question, const struct pvt_row *row) {
  json_t *axes = json_object();

  for (unsigned i = 0; i < row->axes_count; i++)
    json_object_set_new(axes, row->axes[i].name, json_string(row->axes[i].value));
  return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:s?}", "name", row->name, "question", question->name,
                   "axes", axes, "metric", "time", "unit", "ns", "better", "lower", "timing",
                   row->timing == PVT_COUNTED ? "counted" : "windowed", "profiles", profiles(row->profiles), "skip",
                   row->skip[0] != '\0' ? row->skip : NULL);
}

json_t *pvt_record_list(const struct pvt_question *question) {
  json_t *rows = json_array(), *contrasts = json_array();

  for (size_t i = 0; i < question->rows_count; i++)
    json_array_append_new(rows, row_json(question, &question->rows[i]));
  for (size_t i = 0; i < question->contrasts_count; i++) {
    const struct pvt_contrast *contrast = &question->contrasts[i];

    json_array_append_new(
        contrasts, json_pack("{s:s, s:s, s:s, s:s, s:b}", "id", contrast->id, "kind",
                             pvt_contrast_kind_name(contrast->kind), "arm", question->rows[contrast->arm].name,
                             "against", question->rows[contrast->against].name, "null_check", (int)contrast->is_null));
  }
  return json_pack("{s:s, s:s, s:o, s:o}", "question", question->name, "title", question->title, "rows", rows,
                   "contrasts", contrasts);
}
