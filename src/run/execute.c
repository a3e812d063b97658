#include "execute.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../clock.h"
#include "../machine/machine.h"

enum {
  ATTEMPTS_MAX = 3, /* a disturbed group is launched again so often; then the round goes without it */
  TARGET_NS = 10000000,
};

/* A launch starts a subject, warms it up and measures five times: the subject that hangs is named by the harness, the
 * harness that hangs by the command. */
static unsigned repetition_timeout_s(const struct pvt_plan *plan) {
  return plan->timeout_s < 8 ? 1 : plan->timeout_s / 8;
}

/* ---- Calibration ---- */

static bool has_status(json_t *line, const char *status) {
  const char *said = json_string_value(json_object_get(line, "status"));

  return said != NULL && strcmp(said, status) == 0;
}

static int calibrate(struct pvt_plan *plan, size_t nth, const struct pvt_reaper *reaper, struct pvt_why *why) {
  const struct pvt_catalog_row *row = &plan->catalog.rows[nth];
  char calibrate[600], timeout[64], target[64];
  const char *arguments[] = {calibrate, timeout, target, "--pvt_record=3", NULL};
  json_int_t operations = 0, window_ns = 0;
  json_t *json = NULL;
  int status;

  snprintf(calibrate, sizeof calibrate, "--pvt_calibrate=%s", row->name);
  snprintf(timeout, sizeof timeout, "--pvt_timeout_s=%u", repetition_timeout_s(plan));
  snprintf(target, sizeof target, "--pvt_target_ns=%d", TARGET_NS);
  status = pvt_harness_run(reaper, row->question, arguments, false, plan->timeout_s, &json, why);
  if (status == -EINTR || status == -EPIPE)
    return status;
  if (status == 0 && !has_status(json, "ok")) {
    const char *error = json_string_value(json_object_get(json, "why"));

    status = pvt_why_set(why, -EPROTO, "%s", error == NULL ? "its calibration failed without a reason" : error);
  } else if (status == 0) {
    operations = json_integer_value(json_object_get(json, "operations"));
    window_ns = json_integer_value(json_object_get(json, "window_ns"));
    if (operations < 1 || window_ns < 0 || (row->is_windowed && window_ns == 0))
      status = pvt_why_set(why, -EPROTO, "its calibration found no number of operations, or no window");
  }
  if (status < 0)
    pvt_plan_calibrated(plan, nth, 0, 0, why->text);
  else
    pvt_plan_calibrated(plan, nth, (uint64_t)operations, (uint64_t)window_ns, NULL);
  json_decref(json);
  return 0;
}

int pvt_execute_calibrate(struct pvt_plan *plan, const struct pvt_reaper *reaper, const struct pvt_watcher *watcher,
                          struct pvt_why *why) {
  int status = 0;

  for (size_t i = 0; i < plan->catalog.rows_count && status == 0; i++) {
    watcher->progress(watcher->context, plan->catalog.rows[i].name, i, plan->catalog.rows_count);
    status = calibrate(plan, i, reaper, why);
  }
  return status;
}

/* ---- Rounds ---- */

/* What has become of a row's launches: see pvt_history_errors. */
struct tally {
  unsigned errors;    /* failures in groups that were not disturbed */
  unsigned disturbed; /* failures in those that were */
  bool has_value;
  bool has_failed; /* in the group that is being launched */
};

struct execution {
  const struct pvt_plan *plan;
  struct pvt_journal *journal;
  const struct pvt_reaper *reaper;
  const struct pvt_watcher *watcher;
  struct pvt_why *why;
  struct tally *tallies; /* of each row */
  size_t slot, done, all;
};

/* Can the journal keep what the harness said? It may have said anything. */
static bool is_answer(json_t *line) {
  double value_ns = json_number_value(json_object_get(line, "value_ns"));

  if (has_status(line, "error"))
    return json_is_string(json_object_get(line, "why"));
  return has_status(line, "ok") && isfinite(value_ns) && value_ns > 0;
}

static int launch(struct execution *execution, size_t nth, unsigned round, unsigned attempt) {
  const struct pvt_catalog_row *row = &execution->plan->catalog.rows[nth];
  const struct pvt_plan_row *planned = &execution->plan->rows[nth];
  char name[600], operations[64], window[64], timeout[64];
  const char *arguments[] = {name, operations, window, timeout, "--pvt_record=3", NULL};
  struct pvt_why *why = execution->why;
  json_t *line = NULL;
  int status;

  snprintf(name, sizeof name, "--pvt_launch=%s", row->name);
  snprintf(operations, sizeof operations, "--pvt_operations=%llu", (unsigned long long)planned->operations);
  snprintf(window, sizeof window, "--pvt_window_ns=%llu", (unsigned long long)planned->window_ns);
  snprintf(timeout, sizeof timeout, "--pvt_timeout_s=%u", repetition_timeout_s(execution->plan));
  status = pvt_harness_run(execution->reaper, row->question, arguments, false, execution->plan->timeout_s, &line, why);
  if (status == -EINTR || status == -EPIPE)
    return status;
  if (status == 0 && !is_answer(line)) {
    json_decref(line);
    status = pvt_why_set(why, -EPROTO, "pvt-%s gave a record without status, value_ns or why", row->question);
  }
  if (status < 0)
    line = json_pack("{s:s, s:s}", "status", "error", "why", why->text);
  json_object_del(line, "end"); /* these two are the journal's own */
  json_object_del(line, "resumed");
  json_object_set_new(line, "row", json_string(row->name));
  json_object_set_new(line, "round", json_integer(round));
  json_object_set_new(line, "slot", json_integer((json_int_t)execution->slot++));
  json_object_set_new(line, "group", json_integer((json_int_t)planned->group));
  json_object_set_new(line, "attempt", json_integer(attempt));
  execution->tallies[nth].has_failed = !has_status(line, "ok");
  execution->tallies[nth].has_value |= has_status(line, "ok");
  return pvt_journal_append(execution->journal, line, why);
}

/* What the run itself has used: this command and all that it has started and reaped. */
static uint64_t own_cpu_ns(void) {
  struct pvt_usage usage;

  pvt_clock_usage_family(&usage);
  return usage.cpu_ns;
}

struct watch {
  struct pvt_cpu_times times;
  uint64_t own_ns;
  double frequency;
};

static void look(struct watch *watch) {
  watch->frequency = pvt_machine_frequency_probe();
  watch->own_ns = own_cpu_ns();
  if (pvt_disturbance_read(&watch->times) < 0)
    watch->times = (struct pvt_cpu_times){.at_ns = pvt_clock_ns()};
}

/* What came from outside, or NULL. Never what the rows cause themselves: run delay, pressure, preemption. /proc/stat
 * counts in ticks of 10 ms, hence the constants beside the shares. */
static const char *disturbance(const struct pvt_disturbance *seen, const struct watch *before,
                               const struct watch *after) {
  double span_ns = (double)seen->span_ns, change = after->frequency / before->frequency;

  if ((double)seen->foreign_ns > 30e6 + 0.05 * span_ns)
    return "other programs used the CPUs";
  if ((double)seen->steal_ns > 30e6 + 0.02 * span_ns)
    return "the hypervisor took CPU time away";
  if (change > 1.10 || change < 1 / 1.10)
    return "the CPU's frequency changed by more than 10 %";
  return NULL;
}

static double or_zero(double number) {
  return isfinite(number) ? number : 0;
}

static json_t *end_line(unsigned round, size_t group, unsigned attempt, const char *why,
                        const struct pvt_disturbance *seen, const struct watch *before, const struct watch *after) {
  return json_pack("{s:b, s:i, s:I, s:i, s:s, s:s*, s:{s:I, s:I, s:I, s:f, s:f}}", "end", 1, "round", (int)round,
                   "group", (json_int_t)group, "attempt", (int)attempt, "status", why == NULL ? "ok" : "disturbed",
                   "why", why, "telemetry", "span_ns", (json_int_t)seen->span_ns, "foreign_ns",
                   (json_int_t)seen->foreign_ns, "steal_ns", (json_int_t)seen->steal_ns, "frequency_before",
                   or_zero(before->frequency), "frequency_after", or_zero(after->frequency));
}

static bool can_launch(const struct execution *execution, size_t row) {
  const struct tally *tally = &execution->tallies[row];
  unsigned errors = tally->errors + (tally->has_value ? 0 : tally->disturbed);

  return execution->plan->rows[row].error == NULL && errors < PVT_ERRORS_MAX;
}

static bool any_can_launch(const struct execution *execution, const size_t *rows, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (can_launch(execution, rows[i]))
      return true;
  return false;
}

/* The group's rows stand next to each other in the order. */
static int launch_group(struct execution *execution, const size_t *rows, size_t count, unsigned round) {
  size_t group = execution->plan->rows[rows[0]].group;

  execution->done += count;
  for (unsigned attempt = 0; attempt < ATTEMPTS_MAX && any_can_launch(execution, rows, count); attempt++) {
    struct watch before, after;
    struct pvt_disturbance seen;
    const char *why;
    int status = 0;

    look(&before);
    for (size_t i = 0; i < count && status == 0; i++) {
      if (!can_launch(execution, rows[i]))
        continue;
      execution->watcher->progress(execution->watcher->context, execution->plan->catalog.rows[rows[i]].name,
                                   execution->done - count + i, execution->all);
      status = launch(execution, rows[i], round, attempt);
    }
    if (status < 0)
      return status;
    look(&after);
    seen = pvt_disturbance_between(&before.times, &after.times, after.own_ns - before.own_ns);
    why = disturbance(&seen, &before, &after);
    status = pvt_journal_append(execution->journal, end_line(round, group, attempt, why, &seen, &before, &after),
                                execution->why);
    for (size_t i = 0; i < count; i++) {
      struct tally *tally = &execution->tallies[rows[i]];

      /* What others did to the machine can make a row fail, too: only a failure in peace is the row's own. */
      tally->errors += why == NULL && tally->has_failed;
      tally->disturbed += why != NULL && tally->has_failed;
      tally->has_failed = false;
    }
    if (status < 0 || why == NULL)
      return status;
  }
  return 0;
}

static int launch_round(struct execution *execution, const struct pvt_history *history, unsigned round, size_t *order) {
  const struct pvt_plan *plan = execution->plan;
  int status = pvt_plan_order(plan, round, order);

  if (status < 0)
    return pvt_why_set(execution->why, status, "no memory for the order of a round");
  for (size_t start = 0, end; start < plan->catalog.rows_count && status == 0; start = end) {
    size_t group = plan->rows[order[start]].group;

    for (end = start; end < plan->catalog.rows_count && plan->rows[order[end]].group == group;)
      end++;
    if (history->closed[(size_t)round * plan->groups_count + group])
      execution->done += end - start;
    else
      status = launch_group(execution, order + start, end - start, round);
  }
  return status;
}

/* What the journal says of the row so far. */
static struct tally recall(const struct pvt_history *history, size_t row) {
  struct tally tally = {0};

  for (size_t i = history->row_first[row]; i < history->row_first[row + 1]; i++) {
    const struct pvt_launched *launched = &history->launches[history->by_row[i]];

    tally.errors += launched->status == PVT_LAUNCH_ERROR;
    tally.disturbed += launched->status == PVT_LAUNCH_DISTURBED && pvt_launch_failed(launched);
    tally.has_value |= !pvt_launch_failed(launched);
  }
  return tally;
}

int pvt_execute_rounds(const struct pvt_history *history, struct pvt_journal *journal, const struct pvt_reaper *reaper,
                       const struct pvt_watcher *watcher, struct pvt_why *why) {
  size_t rows = history->plan.catalog.rows_count, *order = calloc(rows + 1, sizeof order[0]);
  struct execution execution = {.plan = &history->plan,
                                .journal = journal,
                                .reaper = reaper,
                                .watcher = watcher,
                                .why = why,
                                .tallies = calloc(rows + 1, sizeof execution.tallies[0]),
                                .slot = history->launches_count,
                                .all = rows * history->plan.rounds};
  int status = 0;

  if (order == NULL || execution.tallies == NULL)
    status = pvt_why_set(why, -ENOMEM, "no memory for %zu rows", rows);
  for (size_t row = 0; row < rows && status == 0; row++)
    execution.tallies[row] = recall(history, row);
  for (unsigned round = 0; round < history->plan.rounds && status == 0; round++)
    status = launch_round(&execution, history, round, order);
  free(execution.tallies);
  free(order);
  return status;
}
