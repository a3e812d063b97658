#include "summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../stats/stats.h"

#define LEVEL 0.95

/* Values of the undisturbed launches: [row * rounds + round], 0 where there is none. */
struct table {
  const struct pvt_history *history;
  double *values_ns;
  unsigned rounds;
};

static json_t *null_unless_finite(double number) {
  return isfinite(number) ? json_real(number) : json_null();
}

static double value_at(const struct table *table, size_t row, unsigned round) {
  return table->values_ns[row * table->rounds + round];
}

static int fill(struct table *table, const struct pvt_history *history) {
  table->history = history;
  table->rounds = history->plan.rounds;
  table->values_ns = calloc(history->plan.catalog.rows_count * table->rounds + 1, sizeof(double));
  if (table->values_ns == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < history->launches_count; i++) {
    const struct pvt_launched *launched = &history->launches[i];

    if (launched->status == PVT_LAUNCH_OK)
      table->values_ns[launched->row * table->rounds + launched->round] = launched->value_ns;
  }
  return 0;
}

/* ---- Rows ---- */

/* The median over launches of a number in their lines: "cpu_ns", or "quantiles" and "p50". NAN: none has it. */
static double median_of(const struct pvt_history *history, size_t row, const char *object, const char *name) {
  size_t first = history->row_first[row], end = history->row_first[row + 1], count = 0;
  double *numbers = calloc(end - first + 1, sizeof numbers[0]), median = NAN;

  for (size_t i = first; numbers != NULL && i < end; i++) {
    const struct pvt_launched *launched = &history->launches[history->by_row[i]];
    json_t *from = launched->json, *number;

    number = json_object_get(object == NULL ? from : json_object_get(from, object), name);
    if (launched->status == PVT_LAUNCH_OK && json_is_number(number))
      numbers[count++] = json_number_value(number);
  }
  if (numbers == NULL || pvt_stats_median(numbers, count, &median) < 0)
    median = NAN;
  free(numbers);
  return median;
}

static void add_medians(json_t *json, const struct pvt_history *history, size_t row, const char *object,
                        const char *const *names) {
  json_t *all = json_object();

  for (; *names != NULL; names++) {
    double median = median_of(history, row, object, *names);

    if (isfinite(median))
      json_object_set_new(all, *names, json_real(median));
  }
  json_object_set_new(json, object, all);
}

/* The row's histogram is that of its last launch that counts: a picture of a shape, not a statistic. */
static void add_histogram(json_t *json, const struct pvt_history *history, size_t row) {
  for (size_t i = history->row_first[row + 1]; i-- > history->row_first[row];) {
    const struct pvt_launched *launched = &history->launches[history->by_row[i]];
    json_t *histogram = json_object_get(launched->json, "histogram");

    if (launched->status != PVT_LAUNCH_OK || !json_is_string(histogram))
      continue;
    json_object_set(json, "histogram", histogram);
    return;
  }
}

static unsigned count_launches(const struct pvt_history *history, size_t row, enum pvt_launch_status status) {
  unsigned count = 0;

  for (size_t i = history->row_first[row]; i < history->row_first[row + 1]; i++)
    count += history->launches[history->by_row[i]].status == status;
  return count;
}

static json_t *row_json(const struct table *table, size_t nth) {
  static const char *const quantiles[] = {"p50", "p90", "p99", "p99.9", "max", NULL};
  static const char *const switches[] = {"voluntary", "involuntary", NULL};
  const struct pvt_history *history = table->history;
  const struct pvt_catalog_row *row = &history->plan.catalog.rows[nth];
  json_t *json = json_pack("{s:s, s:s, s:O*, s:s, s:s}", "name", row->name, "question", row->question, "axes",
                           json_object_get(row->json, "axes"), "unit", "ns", "better", "lower");
  double *values = calloc(table->rounds + 1, sizeof values[0]);
  struct pvt_interval interval = {.value = NAN, .low = NAN, .high = NAN};
  unsigned count = 0;

  if (json == NULL || values == NULL) {
    json_decref(json);
    free(values);
    return NULL;
  }
  for (unsigned round = 0; round < table->rounds; round++)
    if (value_at(table, nth, round) > 0)
      values[count++] = value_at(table, nth, round);
  if (pvt_stats_interval(values, count, LEVEL, &interval) == -ERANGE)
    pvt_stats_median(values, count, &interval.value);
  free(values);
  json_object_set_new(json, "value", null_unless_finite(interval.value));
  json_object_set_new(json, "low", null_unless_finite(interval.low));
  json_object_set_new(json, "high", null_unless_finite(interval.high));
  json_object_set_new(json, "level", json_real(isfinite(interval.low) ? interval.level : 0));
  add_medians(json, history, nth, "quantiles", quantiles);
  add_medians(json, history, nth, "switches", switches);
  json_object_set_new(json, "cpu_ns", null_unless_finite(median_of(history, nth, NULL, "cpu_ns")));
  json_object_set_new(json, "faults", null_unless_finite(median_of(history, nth, NULL, "faults")));
  json_object_set_new(json, "overlap", null_unless_finite(median_of(history, nth, NULL, "overlap")));
  add_histogram(json, history, nth);
  json_object_set_new(json, "launches", json_integer(count));
  json_object_set_new(json, "disturbed", json_integer(count_launches(history, nth, PVT_LAUNCH_DISTURBED)));
  return json;
}

/* ---- Contrasts ---- */

static unsigned pair_up(const struct table *table, const struct pvt_catalog_contrast *contrast, double *arm,
                        double *against) {
  unsigned pairs = 0;

  for (unsigned round = 0; round < table->rounds; round++) {
    double a = value_at(table, contrast->arm, round), b = value_at(table, contrast->against, round);

    if (a > 0 && b > 0) {
      arm[pairs] = a;
      against[pairs++] = b;
    }
  }
  return pairs;
}

static int compute_ratio(const struct table *table, const struct pvt_catalog_contrast *contrast,
                         struct pvt_ratio *ret_ratio) {
  double *arm = calloc(table->rounds + 1, sizeof arm[0]), *against = calloc(table->rounds + 1, sizeof against[0]);
  int status = -ENOMEM;

  if (arm != NULL && against != NULL) {
    unsigned pairs = pair_up(table, contrast, arm, against);

    *ret_ratio = (struct pvt_ratio){.ratio = NAN, .low = 0, .high = INFINITY, .could_see = INFINITY};
    status = pairs == 0 ? 0 : pvt_stats_ratio(arm, against, pairs, LEVEL, ret_ratio);
    if (status == -EOVERFLOW || status == -EDOM) {
      *ret_ratio = (struct pvt_ratio){.ratio = NAN, .low = 0, .high = INFINITY, .could_see = INFINITY};
      status = 0; /* numbers that no machine measures: no ratio */
    }
  }
  free(arm);
  free(against);
  return status;
}

/* Why an unresolved contrast is so, in words. */
static const char *reason(const struct pvt_ratio *ratio, unsigned disturbed) {
  if (ratio->pairs == 0)
    return "no pair of launches";
  if (!(ratio->level > 0))
    return "too few rounds for an interval";
  if (disturbed * 100.0 > PVT_STATS_DISTURBED_MAX_PERCENT * (ratio->pairs + disturbed))
    return "too many rounds were disturbed from outside";
  return "the interval holds 1 and more than 3 % beside it";
}

static json_t *contrast_json(const struct table *table, const struct pvt_catalog_contrast *contrast,
                             const struct pvt_ratio *ratio, bool is_invalid) {
  const struct pvt_catalog *catalog = &table->history->plan.catalog;
  unsigned disturbed = table->history->disturbed[table->history->plan.rows[contrast->arm].group];
  enum pvt_verdict verdict = ratio->pairs == 0 ? PVT_UNRESOLVED : pvt_stats_verdict(ratio, disturbed, is_invalid);
  bool has_interval = ratio->level > 0;

  return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:f, s:i, s:i, s:s, s:o, s:b, s:s?}", "id", contrast->id,
                   "kind", contrast->kind, "arm", catalog->rows[contrast->arm].name, "against",
                   catalog->rows[contrast->against].name, "ratio", null_unless_finite(ratio->ratio), "low",
                   has_interval ? null_unless_finite(ratio->low) : json_null(), "high",
                   has_interval ? null_unless_finite(ratio->high) : json_null(), "level", ratio->level, "rounds",
                   (int)ratio->pairs, "disturbed", (int)disturbed, "verdict", pvt_verdict_name(verdict), "could_see",
                   has_interval ? null_unless_finite(ratio->could_see) : json_null(), "null_check",
                   (int)contrast->is_null, "why", verdict == PVT_UNRESOLVED ? reason(ratio, disturbed) : NULL);
}

/* Ratios of all contrasts, and whether a null check among them failed. */
static int compute_ratios(const struct table *table, struct pvt_ratio *ratios, json_t **ret_invalid) {
  const struct pvt_catalog *catalog = &table->history->plan.catalog;

  *ret_invalid = NULL;
  for (size_t i = 0; i < catalog->contrasts_count; i++) {
    int status = compute_ratio(table, &catalog->contrasts[i], &ratios[i]);

    if (status < 0)
      return status;
    if (*ret_invalid == NULL && catalog->contrasts[i].is_null && ratios[i].level > 0 &&
        pvt_stats_null_failed(ratios[i].low, ratios[i].high))
      *ret_invalid = json_sprintf(
          "the null check %s is %.3f [%.3f, %.3f], outside 0.95 to 1.05: this machine does not "
          "treat both sides alike",
          catalog->contrasts[i].id, ratios[i].ratio, ratios[i].low, ratios[i].high);
  }
  return 0;
}

/* ---- The whole ---- */

/* One reason for each row that failed: that of its calibration, or of its first launch that did. */
static json_t *errors_json(const struct pvt_history *history) {
  const struct pvt_plan *plan = &history->plan;
  json_t *errors = json_array();

  for (size_t row = 0; row < plan->catalog.rows_count; row++) {
    const char *why = plan->rows[row].error;
    bool has_failed = pvt_history_errors(history, row) > 0;

    for (size_t i = history->row_first[row]; i < history->row_first[row + 1] && has_failed && why == NULL; i++) {
      const struct pvt_launched *launched = &history->launches[history->by_row[i]];

      if (pvt_launch_failed(launched)) {
        why = json_string_value(json_object_get(launched->json, "why"));
        why = why == NULL ? "no reason" : why;
      }
    }
    if (why != NULL)
      json_array_append_new(errors, json_pack("{s:s, s:s}", "row", plan->catalog.rows[row].name, "why", why));
  }
  return errors;
}

static json_t *or_empty(json_t *json, json_t *empty) {
  if (json == NULL)
    return empty;
  json_decref(empty);
  return json_incref(json);
}

int pvt_summary_new(const struct pvt_history *history, const char *run, json_t **ret_summary) {
  const struct pvt_plan *plan = &history->plan;
  struct pvt_ratio *ratios = calloc(plan->catalog.contrasts_count + 1, sizeof ratios[0]);
  json_t *rows = json_array(), *contrasts = json_array(), *invalid = NULL, *summary;
  struct table table = {0};
  unsigned rounds = pvt_history_rounds(history);
  int status = ratios == NULL ? -ENOMEM : fill(&table, history);

  if (status == 0)
    status = compute_ratios(&table, ratios, &invalid);
  for (size_t i = 0; i < plan->catalog.rows_count && status == 0; i++)
    status = json_array_append_new(rows, row_json(&table, i)) == 0 ? 0 : -ENOMEM;
  for (size_t i = 0; i < plan->catalog.contrasts_count && status == 0; i++)
    status = json_array_append_new(contrasts,
                                   contrast_json(&table, &plan->catalog.contrasts[i], &ratios[i], invalid != NULL)) == 0
                 ? 0
                 : -ENOMEM;
  free(ratios);
  free(table.values_ns);
  if (status < 0) {
    json_decref(rows);
    json_decref(contrasts);
    json_decref(invalid);
    return status;
  }
  summary = json_pack("{s:s, s:O?, s:O?, s:O?, s:o, s:i, s:i, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "run", run,
                      "version", json_object_get(plan->json, "version"), "profile",
                      json_object_get(plan->json, "profile"), "seed", json_object_get(plan->json, "seed"), "machine",
                      or_empty(json_object_get(plan->json, "machine"), json_object()), "rounds", (int)rounds,
                      "rounds_planned", (int)plan->rounds, "is_complete", (int)(rounds == plan->rounds), "questions",
                      or_empty(json_object_get(plan->json, "questions"), json_object()), "rows", rows, "contrasts",
                      contrasts, "errors", errors_json(history), "skipped",
                      or_empty(json_object_get(plan->json, "skipped"), json_array()), "invalid",
                      invalid == NULL ? json_null() : invalid);
  if (summary == NULL)
    return -ENOMEM;
  *ret_summary = summary;
  return 0;
}
