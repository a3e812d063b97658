/* test_summary.c - from launches to an answer: what counts, what is paired, and what a reader is given. */
#include <math.h>

#include "history.h"
#include "run/summary.h"

static json_t *at(const json_t *object, const char *name) {
  json_t *value = json_object_get(object, name);

  cr_assert_not_null(value, "no %s", name);
  return value;
}

static double number_at(const json_t *object, const char *name) {
  cr_assert(json_is_number(at(object, name)), "%s is no number", name);
  return json_number_value(at(object, name));
}

static const char *string_at(const json_t *object, const char *name) {
  cr_assert(json_is_string(at(object, name)), "%s is no string", name);
  return json_string_value(at(object, name));
}

static json_t *nth(const json_t *object, const char *list, size_t index) {
  json_t *value = json_array_get(at(object, list), index);

  cr_assert_not_null(value, "no %s[%zu]", list, index);
  return value;
}

/* The summary of what the script says; both are released. */
static json_t *sum_up(struct script *script) {
  char *folder = folder_new();
  struct pvt_history history;
  json_t *summary;

  read_script(folder, script, &history);
  cr_assert_eq(pvt_summary_new(&history, "the/run", &summary), 0);
  pvt_history_done(&history);
  free(script->text);
  folder_free(folder);
  return summary;
}

/* Rows 0 and 1 are compared, 2 is alone. In every round the arm costs twice as much as the other, which itself costs
 * more with every round: whoever pairs what does not belong together sees another ratio. */
static void say_round(struct script *script, unsigned round) {
  double cost = 100 * (round + 1);

  say_launch(script, round, 0, 0, 0, 2 * cost);
  say_launch(script, round, 0, 0, 1, cost);
  say_end(script, round, 0, 0, "ok");
  say_launch(script, round, 1, 0, 2, round + 1);
  say_end(script, round, 1, 0, "ok");
}

Test(summary, values_are_medians_with_their_exact_interval, .timeout = SECONDS) {
  struct script script = {0};
  json_t *summary, *row;

  say_plan(&script, plan_json(3, pair, 1, 10, 5));
  for (unsigned round = 0; round < 10; round++)
    say_round(&script, round);
  summary = sum_up(&script);
  row = nth(summary, "rows", 2);
  cr_expect_str_eq(string_at(row, "name"), "create/row:2");
  cr_expect_str_eq(string_at(row, "unit"), "ns");
  cr_expect_float_eq(number_at(row, "value"), 5.5, 0);
  cr_expect_float_eq(number_at(row, "low"), 2, 0); /* the 2nd and the 9th of 10: 97.9 % */
  cr_expect_float_eq(number_at(row, "high"), 9, 0);
  cr_expect_float_eq(number_at(row, "level"), 1 - 2 * 11 / 1024.0, 1e-12);
  cr_expect_float_eq(number_at(row, "cpu_ns"), 2.75, 0);
  cr_expect_eq(number_at(row, "launches"), 10);
  cr_expect_eq(number_at(row, "disturbed"), 0);
  cr_expect_eq(number_at(summary, "rounds"), 10);
  cr_expect(json_is_true(at(summary, "is_complete")));
  cr_expect(json_is_null(at(summary, "invalid")));
  cr_expect_str_eq(string_at(summary, "run"), "the/run");
  json_decref(summary);
}

Test(summary, what_is_compared_was_launched_in_the_same_round, .timeout = SECONDS) {
  struct script script = {0};
  json_t *summary, *contrast;

  say_plan(&script, plan_json(3, pair, 1, 10, 5));
  say_error(&script, 0, 0, 0, 0, "once"); /* the arm's first value is of round 1, the other's of round 0 */
  say_launch(&script, 0, 0, 0, 1, 100);
  say_end(&script, 0, 0, 0, "ok");
  for (unsigned round = 1; round < 10; round++)
    say_round(&script, round);
  summary = sum_up(&script);
  contrast = nth(summary, "contrasts", 0);
  cr_expect_eq(number_at(contrast, "rounds"), 9);
  cr_expect_float_eq(number_at(contrast, "ratio"), 2, 1e-12);
  cr_expect_float_eq(number_at(contrast, "low"), 2, 1e-12);
  cr_expect_float_eq(number_at(contrast, "high"), 2, 1e-12);
  cr_expect_str_eq(string_at(contrast, "verdict"), "higher");
  cr_expect_str_eq(string_at(contrast, "arm"), "create/row:0");
  cr_expect_str_eq(string_at(contrast, "against"), "create/row:1");
  cr_expect_eq(number_at(nth(summary, "rows", 0), "launches"), 9);
  cr_expect_eq(number_at(nth(summary, "rows", 1), "launches"), 10);
  cr_expect_str_eq(string_at(nth(summary, "errors", 0), "why"), "once");
  json_decref(summary);
}

Test(summary, a_disturbed_launch_is_counted_but_does_not_count, .timeout = SECONDS) {
  struct script script = {0};
  json_t *summary, *contrast;

  say_plan(&script, plan_json(3, pair, 1, 11, 5));
  say_launch(&script, 0, 0, 0, 0, 1e6); /* launched again, in peace */
  say_launch(&script, 0, 0, 0, 1, 1);
  say_end(&script, 0, 0, 0, "disturbed");
  say_launch(&script, 10, 0, 0, 0, 1e6); /* never again: the round goes without it */
  say_launch(&script, 10, 0, 0, 1, 1);
  say_end(&script, 10, 0, 0, "disturbed");
  for (unsigned round = 0; round < 10; round++) {
    say_launch(&script, round, 0, 1, 0, 10);
    say_launch(&script, round, 0, 1, 1, 20);
    say_end(&script, round, 0, 1, "ok");
  }
  summary = sum_up(&script);
  contrast = nth(summary, "contrasts", 0);
  cr_expect_float_eq(number_at(contrast, "ratio"), 0.5, 1e-12);
  cr_expect_float_eq(number_at(contrast, "high"), 0.5, 1e-12);
  cr_expect_eq(number_at(contrast, "disturbed"), 2);
  cr_expect_eq(number_at(contrast, "rounds"), 10);
  cr_expect_str_eq(string_at(contrast, "verdict"), "lower");
  cr_expect_eq(number_at(nth(summary, "rows", 0), "disturbed"), 2);
  cr_expect_eq(number_at(nth(summary, "rows", 0), "launches"), 10);
  cr_expect_float_eq(number_at(nth(summary, "rows", 0), "value"), 10, 0);
  cr_expect_eq(number_at(nth(summary, "rows", 2), "disturbed"), 0);
  json_decref(summary);
}

Test(summary, too_many_disturbed_rounds_resolve_nothing, .timeout = SECONDS) {
  struct script script = {0};
  json_t *summary, *contrast;

  say_plan(&script, plan_json(2, pair, 1, 10, 5));
  for (unsigned round = 0; round < 10; round++) {
    for (unsigned attempt = 0; attempt < 2; attempt++) {
      say_launch(&script, round, 0, attempt, 0, 20);
      say_launch(&script, round, 0, attempt, 1, 10);
      say_end(&script, round, 0, attempt, attempt == 0 && round < 3 ? "disturbed" : "ok");
      if (round >= 3)
        break;
    }
  }
  summary = sum_up(&script);
  contrast = nth(summary, "contrasts", 0);
  cr_expect_eq(number_at(contrast, "disturbed"), 3);
  cr_expect_str_eq(string_at(contrast, "verdict"), "unresolved");
  cr_expect_not_null(strstr(string_at(contrast, "why"), "disturbed"));
  json_decref(summary);
}

Test(summary, failures_and_skips_are_sentences_and_no_values, .timeout = SECONDS) {
  struct script script = {0};
  json_t *plan = plan_json(4, pair, 1, 2, 5), *summary;

  json_object_set_new(json_array_get(json_object_get(plan, "rows"), 3), "error", json_string("would not calibrate"));
  json_array_append_new(json_object_get(plan, "skipped"),
                        json_pack("{s:s, s:s}", "row", "create/row:9", "why", "needs a \x1b[2Jmoon"));
  say_plan(&script, plan);
  for (unsigned round = 0; round < 2; round++) {
    say_error(&script, round, 0, 0, 0, round == 0 ? "first" : "second");
    say_launch(&script, round, 0, 0, 1, 5);
    say_end(&script, round, 0, 0, "ok");
  }
  summary = sum_up(&script);
  cr_expect_eq(json_array_size(at(summary, "errors")), 2);
  cr_expect_str_eq(string_at(nth(summary, "errors", 0), "row"), "create/row:0");
  cr_expect_str_eq(string_at(nth(summary, "errors", 0), "why"), "first");
  cr_expect_str_eq(string_at(nth(summary, "errors", 1), "why"), "would not calibrate");
  cr_expect_str_eq(string_at(nth(summary, "skipped", 0), "why"), "needs a ?[2Jmoon");
  cr_expect(json_is_null(at(nth(summary, "rows", 0), "value")));
  cr_expect_eq(number_at(nth(summary, "rows", 0), "launches"), 0);
  cr_expect(json_is_null(at(nth(summary, "rows", 3), "value")));
  cr_expect(json_is_null(at(nth(summary, "contrasts", 0), "ratio")));
  cr_expect_eq(number_at(nth(summary, "contrasts", 0), "rounds"), 0);
  cr_expect_str_eq(string_at(nth(summary, "contrasts", 0), "verdict"), "unresolved");
  cr_expect_str_eq(string_at(nth(summary, "contrasts", 0), "why"), "no pair of launches");
  json_decref(summary);
}

static json_t *sum_up_null_check(double ratio) {
  struct script script = {0};
  json_t *plan = plan_json(3, (const struct edge[]){{0, 1}, {0, 2}}, 2, 9, 5);

  json_object_set_new(json_array_get(json_object_get(plan, "contrasts"), 0), "null_check", json_true());
  say_plan(&script, plan);
  for (unsigned round = 0; round < 9; round++) {
    say_launch(&script, round, 0, 0, 0, 100 * ratio + round % 2);
    say_launch(&script, round, 0, 0, 1, 100);
    say_launch(&script, round, 0, 0, 2, 300);
    say_end(&script, round, 0, 0, "ok");
  }
  return sum_up(&script);
}

Test(summary, a_null_check_that_fails_makes_every_verdict_invalid, .timeout = SECONDS) {
  json_t *fine = sum_up_null_check(1.001), *failed = sum_up_null_check(1.2);

  cr_expect(json_is_null(at(fine, "invalid")));
  cr_expect_str_eq(string_at(nth(fine, "contrasts", 0), "verdict"), "equal");
  cr_expect_str_eq(string_at(nth(fine, "contrasts", 1), "verdict"), "lower");
  cr_expect_not_null(strstr(string_at(failed, "invalid"), "create/edge:0"));
  for (size_t i = 0; i < 2; i++)
    cr_expect_str_eq(string_at(nth(failed, "contrasts", i), "verdict"), "invalid");
  json_decref(fine);
  json_decref(failed);
}

/* Numbers that no machine measures and fields of any type: a summary all the same, without a number that is none. */
Test(summary, hostile_launches_are_survived, .timeout = SECONDS) {
  static const char *const extras[] = {
      "\"cpu_ns\":1e308,\"quantiles\":{\"p50\":1e308,\"max\":-1}",
      "\"cpu_ns\":\"x\",\"quantiles\":7,\"switches\":[],\"histogram\":{}",
      "\"cpu_ns\":null,\"faults\":{},\"overlap\":\"\",\"operations\":-5",
  };
  struct script script = {0};
  char *text, *folder = folder_new();
  struct pvt_history history;
  json_t *plan = plan_json(2, pair, 1, 9, 5), *summary, *results;

  json_object_set_new(plan, "machine", json_string("none"));
  json_object_set_new(plan, "questions", json_integer(3));
  json_object_set_new(plan, "started", json_array());
  say_plan(&script, plan);
  for (unsigned round = 0; round < 9; round++) {
    for (unsigned row = 0; row < 2; row++)
      say(&script,
          "{\"row\":\"create/row:%u\",\"status\":\"ok\",\"value_ns\":%s,\"round\":%u,\"group\":0,\"attempt\":0,%s}\n",
          row, row == 0 ? "1e308" : "1e-308", round, extras[round % 3]);
    say_end(&script, round, 0, 0, "ok");
  }
  read_script(folder, &script, &history);
  cr_assert_eq(pvt_summary_new(&history, "", &summary), 0);
  results = pvt_results_json(&history);
  cr_assert_not_null(results);
  cr_expect_eq(json_array_size(at(results, "benchmarks")), 18);
  cr_expect(json_is_null(at(nth(summary, "contrasts", 0), "ratio")));
  text = json_dumps(summary, 0);
  cr_assert_not_null(text);
  free(text);
  json_decref(summary);
  json_decref(results);
  pvt_history_done(&history);
  free(script.text);
  folder_free(folder);
}

/* ---- results.json, for readers of Google Benchmark's ---- */

Test(results, holds_one_iteration_for_each_launch_that_counts, .timeout = SECONDS) {
  char *folder = folder_new(), *text;
  struct script script = {0};
  struct pvt_history history;
  struct pvt_why why = {""};
  json_t *plan = plan_json(3, pair, 1, 3, 5), *results, *context, *entry;

  json_object_set_new(plan, "started", json_string("2026-02-03T04:05:06+00:00"));
  json_object_set_new(plan, "host", json_string("here"));
  json_object_set_new(plan, "machine",
                      json_pack("{s:{s:i}, s:{s:b}}", "cpu", "allowed_cpus", 3, "build", "optimised", 1));
  say_plan(&script, plan);
  for (unsigned round = 0; round < 3; round++)
    say_round(&script, round);
  say_launch(&script, 2, 0, 1, 0, 999); /* never closed */
  read_script(folder, &script, &history);
  cr_assert_eq(pvt_results_write(&history, folder, &why), 0, "%s", why.text);
  text = file_read(folder, "results.json");
  results = json_loads(text, 0, NULL);
  cr_assert_not_null(results);
  cr_expect_eq(json_array_size(at(results, "benchmarks")), 9);
  for (size_t i = 0; i < 9; i++) {
    char name[32];

    entry = nth(results, "benchmarks", i);
    snprintf(name, sizeof name, "create/row:%zu", i / 3);
    cr_expect_str_eq(string_at(entry, "name"), name);
    cr_expect_str_eq(string_at(entry, "run_name"), name);
    cr_expect_str_eq(string_at(entry, "run_type"), "iteration");
    cr_expect_str_eq(string_at(entry, "time_unit"), "ns");
    cr_expect_eq(number_at(entry, "repetition_index"), (double)(i % 3));
    cr_expect_eq(number_at(entry, "repetitions"), 3);
    cr_expect_eq(number_at(entry, "iterations"), 10);
    cr_expect_float_eq(number_at(entry, "cpu_time"), number_at(entry, "real_time") / 2, 0);
  }
  cr_expect_float_eq(number_at(nth(results, "benchmarks", 1), "real_time"), 400, 0);
  context = at(results, "context");
  cr_expect_str_eq(string_at(context, "date"), "2026-02-03T04:05:06+00:00");
  cr_expect_str_eq(string_at(context, "host_name"), "here");
  cr_expect_str_eq(string_at(context, "library_build_type"), "release");
  cr_expect_eq(number_at(context, "num_cpus"), 3);
  cr_expect(json_is_array(at(context, "caches")));
  cr_expect(json_is_array(at(context, "load_avg")));
  json_decref(results);
  free(text);
  pvt_history_done(&history);
  free(script.text);
  folder_free(folder);
}

Test(results, is_written_whole_or_not_at_all, .timeout = SECONDS) {
  char *folder = folder_new(), below[4200];
  struct script script = {0};
  struct pvt_history history;
  struct pvt_why why = {""};

  say_plan(&script, plan_json(3, pair, 1, 3, 5));
  read_script(folder, &script, &history);
  snprintf(below, sizeof below, "%s/nowhere", folder);
  cr_expect_eq(pvt_results_write(&history, below, &why), -ENOENT);
  cr_expect_not_null(strstr(why.text, "nowhere/results.json"), "%s", why.text);
  file_write(folder, "results.json", "old", 3);
  cr_expect_eq(pvt_results_write(&history, folder, &why), 0);
  pvt_history_done(&history);
  free(script.text);
  folder_free(folder);
}
