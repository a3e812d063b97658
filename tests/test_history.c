/* test_history.c - a journal is read as what it may be: cut, damaged, begun again, or none at all. */
#include <sys/stat.h>

#include "history.h"

Test(history, a_file_cut_at_any_byte_keeps_what_was_closed, .timeout = SECONDS) {
  char *folder = folder_new();
  struct script script = {0};
  size_t plan_bytes;

  say_two_rounds(&script);
  plan_bytes = (size_t)(strchr(script.text, '\n') + 1 - script.text);
  for (size_t bytes = 0; bytes <= script.length; bytes++) {
    struct pvt_history history;
    struct pvt_why why = {""};
    size_t ends, launches = closed_launches(&script, bytes, &ends), closed = 0;
    int status = read_bytes(folder, &script, bytes, &history, &why);

    if (bytes < plan_bytes) {
      cr_expect_eq(status, -EINVAL, "cut at %zu: %d", bytes, status);
      cr_expect_not_null(strstr(why.text, "rounds.jsonl: it has no plan"), "%s", why.text);
      continue;
    }
    cr_assert_eq(status, 0, "cut at %zu: %s", bytes, why.text);
    cr_expect_eq(history.launches_count, launches, "cut at %zu: %zu launches", bytes, history.launches_count);
    for (size_t i = 0; i < 4; i++)
      closed += history.closed[i];
    cr_expect_eq(closed, ends, "cut at %zu: %zu groups closed", bytes, closed);
    cr_expect_eq(history.is_cut, script.text[bytes - 1] != '\n', "cut at %zu", bytes);
    pvt_history_done(&history);
  }
  free(script.text);
  folder_free(folder);
}

static const struct damage {
  const char *line, *why;
} damages[] = {
    {"garbage", "it is not a JSON object"},
    {"", "it is not a JSON object"},
    {"[]", "it is not a JSON object"},
    {"{\"row\":", "it is not a JSON object"},
    {"{\"end\":true,\"end\":false}", "it is not a JSON object"},
    {"{}", "no round, group and attempt"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":1,\"round\":2,\"group\":0,\"attempt\":0}",
     "no round, group and attempt"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":1,\"round\":-1,\"group\":0,\"attempt\":0}",
     "no round, group and attempt"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":1,\"round\":0,\"group\":2,\"attempt\":0}",
     "no round, group and attempt"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":1,\"round\":0.0,\"group\":0,\"attempt\":0}",
     "no round, group and attempt"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":1,\"round\":0,\"group\":1,\"attempt\":0}",
     "its row is not in the plan"},
    {"{\"row\":\"create/row:9\",\"status\":\"ok\",\"value_ns\":1,\"round\":0,\"group\":0,\"attempt\":0}",
     "its row is not in the plan"},
    {"{\"row\":7,\"status\":\"ok\",\"value_ns\":1,\"round\":0,\"group\":0,\"attempt\":0}",
     "its row is not in the plan"},
    {"{\"row\":\"create/row:0\",\"status\":\"fine\",\"value_ns\":1,\"round\":0,\"group\":0,\"attempt\":0}",
     "its status is neither"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"round\":0,\"group\":0,\"attempt\":0}", "its value_ns is not"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":0,\"round\":0,\"group\":0,\"attempt\":0}",
     "its value_ns is not"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":-3,\"round\":0,\"group\":0,\"attempt\":0}",
     "its value_ns is not"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":\"1\",\"round\":0,\"group\":0,\"attempt\":0}",
     "its value_ns is not"},
    {"{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":1e999,\"round\":0,\"group\":0,\"attempt\":0}",
     "it is not a JSON object"},
    {"{\"end\":true,\"round\":0,\"group\":0,\"attempt\":0,\"status\":\"fine\"}", "its status is neither"},
    {"{\"end\":true,\"round\":0,\"group\":1,\"attempt\":0,\"status\":\"ok\"}", "it closes a group that was not"},
    {"{\"end\":true,\"round\":0,\"group\":0,\"attempt\":1,\"status\":\"ok\"}", "it closes a group that was not"},
    {"{\"plan\":1}", "no round, group and attempt"},
};

Test(history, a_damaged_line_is_named_by_file_and_number, .timeout = SECONDS) {
  char *folder = folder_new(), at[4200];

  snprintf(at, sizeof at, "%s/rounds.jsonl: line 3: ", folder);
  for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
    struct script script = {0};
    struct pvt_history history;
    struct pvt_why why = {""};
    int status;

    say_plan(&script, plan_json(3, pair, 1, 2, 5));
    say_launch(&script, 0, 0, 0, 1, 4);
    say(&script, "%s\n", damages[i].line);
    say_end(&script, 0, 0, 0, "ok");
    status = read_bytes(folder, &script, script.length, &history, &why);
    cr_expect_eq(status, -EINVAL, "%s: %d", damages[i].line, status);
    cr_expect_eq(strncmp(why.text, at, strlen(at)), 0, "%s: %s", damages[i].line, why.text);
    cr_expect_not_null(strstr(why.text, damages[i].why), "%s: %s", damages[i].line, why.text);
    free(script.text);
  }
  folder_free(folder);
}

Test(history, a_launch_or_a_group_that_is_there_twice_is_refused, .timeout = SECONDS) {
  char *folder = folder_new();
  struct script script = {0}, again = {0};
  struct pvt_history history;
  struct pvt_why why;

  say_plan(&script, plan_json(3, pair, 1, 2, 5));
  say_launch(&script, 0, 0, 0, 0, 1);
  say_launch(&script, 0, 0, 0, 0, 2);
  cr_expect_eq(read_bytes(folder, &script, script.length, &history, &why), -EINVAL);
  cr_expect_not_null(strstr(why.text, "line 3: its row was launched before"), "%s", why.text);

  say_two_rounds(&again);
  say_launch(&again, 0, 1, 1, 2, 7);
  say_end(&again, 0, 1, 1, "ok");
  cr_expect_eq(read_bytes(folder, &again, again.length, &history, &why), -EINVAL);
  cr_expect_not_null(strstr(why.text, "it closes a group that was closed before"), "%s", why.text);
  free(script.text);
  free(again.text);
  folder_free(folder);
}

Test(history, a_group_of_which_half_was_launched_does_not_count, .timeout = SECONDS) {
  char *folder = folder_new();
  struct script script = {0};
  struct pvt_history history;

  say_plan(&script, plan_json(3, pair, 1, 2, 5));
  say_launch(&script, 0, 0, 0, 0, 1); /* cut off here, and begun again without a word */
  say_launch(&script, 0, 0, 1, 1, 2);
  say_launch(&script, 0, 0, 1, 0, 3);
  say_end(&script, 0, 0, 1, "ok");
  say_launch(&script, 1, 0, 0, 0, 9); /* and here, with the resume's word */
  say(&script, "{\"resumed\":true}\n");
  say_launch(&script, 1, 0, 0, 1, 4);
  say_launch(&script, 1, 0, 0, 0, 5);
  say_end(&script, 1, 0, 0, "ok");
  say_launch(&script, 1, 1, 0, 2, 6); /* never closed */
  read_script(folder, &script, &history);
  cr_assert_eq(history.launches_count, 4);
  for (unsigned i = 0; i < 4; i++)
    cr_expect_float_eq(history.launches[i].value_ns, i + 2, 0);
  cr_expect_eq(history.closed[3], 0);
  cr_expect_eq(pvt_history_rounds(&history), 0);
  pvt_history_done(&history);
  free(script.text);
  folder_free(folder);
}

Test(history, a_failure_is_the_rows_own_unless_it_was_disturbed_and_did_better_before, .timeout = SECONDS) {
  char *folder = folder_new();
  struct script script = {0};
  struct pvt_history history;

  say_plan(&script, plan_json(4, pair, 1, 3, 5));
  for (unsigned attempt = 0; attempt < 2; attempt++) {
    say_error(&script, 0, 0, attempt, 0, "came to nothing, ever");
    say_launch(&script, 0, 0, attempt, 1, 4);
    say_end(&script, 0, 0, attempt, "disturbed");
  }
  say_error(&script, 0, 1, 0, 2, "shaken");
  say_end(&script, 0, 1, 0, "disturbed");
  say_launch(&script, 0, 1, 1, 2, 5);
  say_end(&script, 0, 1, 1, "ok");
  say_error(&script, 1, 2, 0, 3, "by itself");
  say_end(&script, 1, 2, 0, "ok");
  say_launch(&script, 2, 2, 0, 3, 5);
  say_end(&script, 2, 2, 0, "ok");
  read_script(folder, &script, &history);
  cr_expect_eq(pvt_history_errors(&history, 0), 2);
  cr_expect_eq(pvt_history_errors(&history, 1), 0);
  cr_expect_eq(pvt_history_errors(&history, 2), 0);
  cr_expect_eq(pvt_history_errors(&history, 3), 1);
  pvt_history_done(&history);
  free(script.text);
  folder_free(folder);
}

/* A group whose every row failed for good is not waited for. */
Test(history, a_round_is_whole_without_the_groups_that_failed_for_good, .timeout = SECONDS) {
  char *folder = folder_new();
  struct script script = {0};
  struct pvt_history history;
  json_t *plan = plan_json(4, pair, 1, 4, 5), *rows = json_object_get(plan, "rows");

  json_object_set_new(json_array_get(rows, 3), "error", json_string("never"));
  say_plan(&script, plan);
  for (unsigned round = 0; round < 4; round++) {
    say_launch(&script, round, 0, 0, 0, 1);
    say_launch(&script, round, 0, 0, 1, 1);
    say_end(&script, round, 0, 0, "ok");
    if (round > 1)
      continue;
    say_error(&script, round, 1, 0, 2, "twice");
    say_end(&script, round, 1, 0, "ok");
  }
  read_script(folder, &script, &history);
  cr_expect_eq(pvt_history_rounds(&history), 4);
  pvt_history_done(&history);
  free(script.text);
  folder_free(folder);
}

Test(history, what_is_no_journal_is_refused_unread, .timeout = SECONDS) {
  char *folder = folder_new(), path[4200];
  struct pvt_history history;
  struct pvt_why why = {""};

  snprintf(path, sizeof path, "%s/rounds.jsonl", folder);
  cr_expect_eq(pvt_history_read(folder, &history, &why), -ENOENT);
  cr_expect_not_null(strstr(why.text, path), "%s", why.text);
  file_write(folder, "rounds.jsonl", "", 0);
  cr_expect_eq(pvt_history_read(folder, &history, &why), -EINVAL);
  cr_assert_eq(truncate(path, (off_t)1 << 30), 0); /* sparse */
  cr_expect_eq(pvt_history_read(folder, &history, &why), -EFBIG);
  cr_expect_not_null(strstr(why.text, "larger than 512 MiB"), "%s", why.text);
  cr_assert_eq(truncate(path, (off_t)400 << 20), 0); /* one line of 400 MiB of nothing */
  cr_expect_eq(pvt_history_read(folder, &history, &why), -EINVAL);
  cr_expect_not_null(strstr(why.text, "line 1: it is longer than 16 MiB"), "%s", why.text);
  cr_assert_eq(unlink(path), 0);
  cr_assert_eq(mkdir(path, 0700), 0);
  cr_expect_eq(pvt_history_read(folder, &history, &why), -EINVAL);
  cr_assert_eq(rmdir(path), 0);
  cr_assert_eq(mkfifo(path, 0600), 0);
  cr_expect_eq(pvt_history_read(folder, &history, &why), -EINVAL);
  folder_free(folder);
}

/* Any single byte of a sound journal changed to any of a few: read, or refused with the line; never worse. */
Test(history, a_changed_byte_is_survived, .timeout = SECONDS) {
  static const char changes[] = {'\0', '\n', '"', '{', '}', '[', '9', '-', '\x80', '\\'};
  char *folder = folder_new();
  struct script script = {0};

  say_two_rounds(&script);
  for (size_t at = 0; at < script.length; at++) {
    char kept = script.text[at];
    struct pvt_history history;
    struct pvt_why why = {""};

    script.text[at] = changes[at % sizeof changes];
    if (read_bytes(folder, &script, script.length, &history, &why) == 0)
      pvt_history_done(&history);
    else
      cr_expect_not_null(strstr(why.text, "rounds.jsonl: "), "byte %zu: %s", at, why.text);
    script.text[at] = kept;
  }
  free(script.text);
  folder_free(folder);
}
