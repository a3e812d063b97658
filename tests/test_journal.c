/* test_journal.c - the memory of a run: what was closed is kept, whatever ended the command. */
#include <sys/resource.h>
#include <sys/wait.h>

#include "history.h"

static json_t *line_of(const char *text) {
  json_t *json = json_loads(text, 0, NULL);

  cr_assert_not_null(json, "%s", text);
  return json;
}

Test(journal, what_is_written_is_read, .timeout = SECONDS) {
  char *folder = folder_new();
  struct pvt_plan plan;
  struct pvt_journal journal;
  struct pvt_history history;
  struct pvt_why why = {""};
  static const char *const lines[] = {
      "{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":1.5,\"round\":0,\"group\":0,\"attempt\":0}",
      "{\"row\":\"create/row:1\",\"status\":\"error\",\"why\":\"no\",\"round\":0,\"group\":0,\"attempt\":0}",
      "{\"end\":true,\"round\":0,\"group\":0,\"attempt\":0,\"status\":\"disturbed\",\"why\":\"noise\"}",
      "{\"row\":\"create/row:0\",\"status\":\"ok\",\"value_ns\":2.5,\"round\":0,\"group\":0,\"attempt\":1}",
      "{\"end\":true,\"round\":0,\"group\":0,\"attempt\":1,\"status\":\"ok\"}",
  };

  plan_new(&plan, 2, pair, 1, 3, 11);
  cr_assert_eq(pvt_journal_check_new(folder, &why), 0);
  cr_assert_eq(pvt_journal_new(folder, &plan, &journal, &why), 0, "%s", why.text);
  for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
    cr_assert_eq(pvt_journal_append(&journal, line_of(lines[i]), &why), 0, "%s", why.text);
  pvt_journal_close(&journal);
  cr_assert_eq(pvt_history_read(folder, &history, &why), 0, "%s", why.text);
  cr_expect_eq(history.plan.rounds, 3);
  cr_expect_eq(history.plan.seed, 11);
  cr_expect(json_equal(history.plan.json, plan.json));
  cr_assert_eq(history.launches_count, 3);
  cr_expect_eq(history.launches[0].status, PVT_LAUNCH_DISTURBED);
  cr_expect_eq(history.launches[1].status, PVT_LAUNCH_DISTURBED);
  cr_expect(pvt_launch_failed(&history.launches[1]));
  cr_expect_eq(history.launches[2].status, PVT_LAUNCH_OK);
  cr_expect_float_eq(history.launches[2].value_ns, 2.5, 0);
  cr_expect_eq(history.disturbed[0], 1);
  cr_expect_eq(history.closed[0], 1);
  cr_expect_eq(history.closed[1], 0);
  cr_expect_eq(pvt_history_errors(&history, 1), 1);
  cr_expect_eq(pvt_history_errors(&history, 0), 0);
  cr_expect_eq(pvt_history_rounds(&history), 1);
  cr_expect_not(history.is_cut);
  pvt_history_done(&history);
  cr_expect_eq(pvt_journal_check_new(folder, &why), -EEXIST);
  cr_expect_eq(pvt_journal_new(folder, &plan, &journal, &why), -EEXIST);
  cr_expect_not_null(strstr(why.text, "--resume"), "%s", why.text);
  pvt_plan_done(&plan);
  folder_free(folder);
}

/* The unclosed group is launched again; nothing of before is changed by a byte. */
Test(journal, a_run_goes_on_from_any_byte, .timeout = SECONDS) {
  struct script script = {0};

  say_two_rounds(&script);
  for (size_t bytes = (size_t)(strchr(script.text, '\n') + 1 - script.text); bytes <= script.length; bytes++) {
    char *folder = folder_new(), *now;
    struct pvt_history history;
    struct pvt_journal journal;
    struct pvt_why why = {""};
    size_t ends, launches = closed_launches(&script, bytes, &ends), whole = bytes;

    while (script.text[whole - 1] != '\n')
      whole--;
    file_write(folder, "rounds.jsonl", script.text, bytes);
    cr_assert_eq(pvt_journal_resume(folder, &journal, &why), 0, "%s", why.text);
    for (size_t nth = ends; nth < 4; nth++) {
      struct script more = {0};
      char *line = NULL;

      for (unsigned row = nth % 2 == 0 ? 0 : 2; row < (nth % 2 == 0 ? 2u : 3u); row++)
        say_launch(&more, (unsigned)nth / 2, nth % 2, 0, row, 3);
      say_end(&more, (unsigned)nth / 2, nth % 2, 0, "ok");
      for (line = strtok(more.text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        cr_assert_eq(pvt_journal_append(&journal, line_of(line), &why), 0);
      free(more.text);
    }
    pvt_journal_close(&journal);
    now = file_read(folder, "rounds.jsonl");
    cr_expect_arr_eq(now, script.text, whole, "cut at %zu: what was there has changed", bytes);
    cr_assert_eq(pvt_history_read(folder, &history, &why), 0, "cut at %zu: %s", bytes, why.text);
    cr_expect_eq(history.launches_count, 6, "cut at %zu: %zu launches", bytes, history.launches_count);
    cr_expect_eq(pvt_history_rounds(&history), 2);
    for (size_t i = 0; i < history.launches_count; i++)
      cr_expect_eq(history.launches[i].value_ns == 3, i >= launches, "cut at %zu: launch %zu", bytes, i);
    pvt_history_done(&history);
    free(now);
    folder_free(folder);
  }
  free(script.text);
}

Test(journal, two_commands_cannot_write_one_run, .timeout = SECONDS) {
  char *folder = folder_new();
  struct pvt_journal first, second;
  struct pvt_plan plan;
  struct pvt_why why = {""};

  plan_new(&plan, 2, pair, 1, 2, 1);
  cr_assert_eq(pvt_journal_new(folder, &plan, &first, &why), 0);
  cr_expect_eq(pvt_journal_resume(folder, &second, &why), -EBUSY);
  cr_expect_eq(pvt_journal_new(folder, &plan, &second, &why), -EBUSY);
  cr_expect_not_null(strstr(why.text, "another pvt run"), "%s", why.text);
  pvt_journal_close(&first);
  cr_assert_eq(pvt_journal_resume(folder, &second, &why), 0, "%s", why.text);
  pvt_journal_close(&second);
  pvt_plan_done(&plan);
  folder_free(folder);
}

/* A command that was killed while it wrote the plan has begun nothing: the folder can be used. Another's file not. */
Test(journal, a_plan_cut_off_is_begun_anew_and_a_strangers_file_is_not, .timeout = SECONDS) {
  static const struct {
    const char *text;
    int status;
  } files[] = {{"", 0},
               {"{", 0},
               {"{\"plan\":1,\"version", 0},
               {"{\"plan\":1}\n", -EEXIST},
               {"{\"planet\":1", -EEXIST},
               {"my notes", -EEXIST},
               {"\n", -EEXIST}};
  struct pvt_plan plan;

  plan_new(&plan, 2, pair, 1, 2, 1);
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    char *folder = folder_new(), *text;
    struct pvt_journal journal;
    struct pvt_history history;
    struct pvt_why why = {""};
    int status;

    file_write(folder, "rounds.jsonl", files[i].text, strlen(files[i].text));
    cr_expect_eq(pvt_journal_check_new(folder, &why), files[i].status, "%s", files[i].text);
    status = pvt_journal_new(folder, &plan, &journal, &why);
    cr_expect_eq(status, files[i].status, "%s: %d", files[i].text, status);
    if (status == 0) {
      pvt_journal_close(&journal);
      cr_expect_eq(pvt_history_read(folder, &history, &why), 0, "%s", why.text);
      pvt_history_done(&history);
    } else {
      text = file_read(folder, "rounds.jsonl");
      cr_expect_str_eq(text, files[i].text);
      free(text);
    }
    folder_free(folder);
  }
  pvt_plan_done(&plan);
}

/* A child, because the limit cannot be raised again. Exit status: 0 all as promised, else the step that was not. */
static int fill_a_disk(const char *folder, const struct pvt_plan *plan) {
  struct rlimit limit = {8192, 8192};
  struct pvt_journal journal;
  struct pvt_why why;
  int status, appended = 0;

  signal(SIGXFSZ, SIG_IGN);
  if (setrlimit(RLIMIT_FSIZE, &limit) == -1 || pvt_journal_new(folder, plan, &journal, &why) < 0)
    return 1;
  do {
    struct script lines = {0};
    char *end;

    lines.text = calloc(4096, 1);
    lines.length = (size_t)sprintf(lines.text,
                                   "{\"row\":\"create/row:%d\",\"status\":\"ok\",\"value_ns\":1,\"round\":%d,"
                                   "\"group\":%d,\"attempt\":0}",
                                   appended % 3, appended / 3, appended % 3);
    status = pvt_journal_append(&journal, json_loads(lines.text, 0, NULL), &why);
    end = lines.text;
    if (status == 0) {
      sprintf(end, "{\"end\":true,\"round\":%d,\"group\":%d,\"attempt\":0,\"status\":\"ok\"}", appended / 3,
              appended % 3);
      status = pvt_journal_append(&journal, json_loads(lines.text, 0, NULL), &why);
    }
    free(lines.text);
    appended += status == 0;
  } while (status == 0 && appended < 1000);
  pvt_journal_close(&journal);
  if (status != -EFBIG || strstr(why.text, "cannot write rounds.jsonl: ") == NULL)
    return 2;
  return appended < 3 ? 3 : 0;
}

Test(journal, a_full_disk_is_an_error_and_what_was_closed_is_kept, .timeout = SECONDS) {
  char *folder = folder_new();
  struct pvt_history history;
  struct pvt_why why = {""};
  struct pvt_plan plan;
  int how = 0;
  pid_t pid;

  plan_new(&plan, 3, NULL, 0, 400, 1);
  pid = fork();
  if (pid == 0)
    _exit(fill_a_disk(folder, &plan));
  cr_assert_eq(waitpid(pid, &how, 0), pid);
  cr_expect(WIFEXITED(how) && WEXITSTATUS(how) == 0, "step %d", WEXITSTATUS(how));
  cr_assert_eq(pvt_history_read(folder, &history, &why), 0, "%s", why.text);
  cr_expect_geq(history.launches_count, 3);
  pvt_history_done(&history);
  pvt_plan_done(&plan);
  folder_free(folder);
}

Test(journal, no_line_makes_the_file_unreadable, .timeout = SECONDS) {
  char *folder = folder_new(), path[4200], *long_text = malloc(PVT_LINE_BYTES_MAX + 2);
  struct pvt_journal journal;
  struct pvt_history history;
  struct pvt_plan plan;
  struct pvt_why why = {""};

  plan_new(&plan, 2, pair, 1, 2, 1);
  cr_assert_eq(pvt_journal_new(folder, &plan, &journal, &why), 0);
  memset(long_text, 'x', PVT_LINE_BYTES_MAX + 1);
  long_text[PVT_LINE_BYTES_MAX + 1] = '\0';
  cr_expect_eq(pvt_journal_append(&journal, json_pack("{s:s}", "why", long_text), &why), -EFBIG);
  cr_expect_eq(pvt_journal_append(&journal, NULL, &why), -ENOMEM);
  cr_assert_eq(pvt_history_read(folder, &history, &why), 0, "%s", why.text);
  pvt_history_done(&history);
  snprintf(path, sizeof path, "%s/rounds.jsonl", folder);
  cr_assert_eq(truncate(path, (off_t)PVT_JOURNAL_BYTES_MAX), 0);
  cr_expect_eq(pvt_journal_append(&journal, json_pack("{s:b}", "end", 1), &why), -EFBIG);
  pvt_journal_close(&journal);
  free(long_text);
  pvt_plan_done(&plan);
  folder_free(folder);
}
