/* test_command.c - what people type, and files that are not what they should be: one line, and the documented status.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "history.h"

enum { ARGUMENTS_MAX = 8 };

/* What a command said and how it ended. */
struct outcome {
  int status; /* the exit status; -1: a signal ended it */
  char *out, *err;
};

static int captured(const char *folder, const char *name) {
  char path[4200];
  int fd;

  snprintf(path, sizeof path, "%s/%s", folder, name);
  fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  cr_assert_neq(fd, -1);
  return fd;
}

/* Runs the pvt beside this program in that folder. */
static struct outcome run_pvt(const char *folder, const char *const *arguments) {
  char program[4096], *argv[ARGUMENTS_MAX + 2] = {program};
  int out = captured(folder, ".out"), err = captured(folder, ".err"), how = 0;
  posix_spawn_file_actions_t actions;
  struct outcome outcome;
  pid_t pid;

  cr_assert_eq(pvt_reaper_program_path("pvt", program, sizeof program), 0);
  for (size_t i = 0; arguments[i] != NULL; i++)
    argv[i + 1] = (char *)arguments[i];
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  cr_assert_eq(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0, "%s", program);
  posix_spawn_file_actions_destroy(&actions);
  close(out);
  close(err);
  cr_assert_eq(waitpid(pid, &how, 0), pid);
  outcome.status = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
  outcome.out = file_read(folder, ".out");
  outcome.err = file_read(folder, ".err");
  return outcome;
}

static void outcome_free(struct outcome *outcome) {
  free(outcome->out);
  free(outcome->err);
}

static size_t lines_of(const char *text) {
  size_t lines = 0;

  for (; *text != '\0'; text++)
    lines += *text == '\n';
  return lines;
}

/* "run --rounds 0", for messages. */
static const char *words_of(const char *const *arguments) {
  static char words[512];

  words[0] = '\0';
  for (; *arguments != NULL; arguments++)
    snprintf(words + strlen(words), sizeof words - strlen(words), " %.100s", *arguments);
  return words;
}

/* ---- What people type ---- */

static const struct typed {
  const char *arguments[ARGUMENTS_MAX];
  int status;
  const char *err; /* part of it; NULL: it must be empty */
  const char *out; /* the same */
} typed[] = {
    {{NULL}, 2, "Usage: pvt COMMAND", NULL},
    {{"frobnicate", NULL}, 2, "pvt: no command 'frobnicate': see pvt --help\n", NULL},
    {{"--frobnicate", NULL}, 2, "see pvt --help", NULL},
    {{"--help", NULL}, 0, NULL, "Usage: pvt COMMAND"},
    {{"help", NULL}, 0, NULL, "Usage: pvt COMMAND"},
    {{"--version", NULL}, 0, NULL, "pvt " PVT_VERSION "\n"},
    {{"run", "--help", NULL}, 0, NULL, "Usage: pvt run [OPTION...] [PATTERN...]"},
    {{"list", "--help", NULL}, 0, NULL, "Usage: pvt list"},
    {{"show", "--help", NULL}, 0, NULL, "Usage: pvt show"},
    {{"machine", "--help", NULL}, 0, NULL, "Usage: pvt machine"},
    {{"run", "--help", NULL}, 0, NULL, "--timeout=SECONDS"},
    {{"run", "--frobnicate", NULL}, 2, "pvt run --help", NULL},
    {{"list", "--frobnicate", NULL}, 2, "pvt list --help", NULL},
    {{"show", "--frobnicate", NULL}, 2, "pvt show --help", NULL},
    {{"machine", "--frobnicate", NULL}, 2, "pvt machine --help", NULL},
    {{"machine", "something", NULL}, 2, "pvt machine", NULL},
    {{"show", "one", "two", NULL}, 2, "one run at a time: 'two' is too much", NULL},
    {{"list", "no/such/row", NULL}, 2, "pvt list: no row matches: see pvt list without a pattern\n", NULL},
    {{"run", "no/such/row", NULL}, 2, "pvt run: no row matches 'no/such/row': see pvt list\n", NULL},
    {{"run", "--profile", "slow", NULL}, 2, "no profile 'slow': give quick, standard or full", NULL},
    {{"run", "--rounds", "0", NULL}, 2, "--rounds=0: give a number from 1 to 1000", NULL},
    {{"run", "--rounds", "-1", NULL}, 2, "--rounds=-1: give a number from 1 to 1000", NULL},
    {{"run", "--rounds", "1001", NULL}, 2, "give a number from 1 to 1000", NULL},
    {{"run", "--rounds", "abc", NULL}, 2, "--rounds=abc: give a number", NULL},
    {{"run", "--rounds", "9x", NULL}, 2, "--rounds=9x: give a number", NULL},
    {{"run", "--rounds", "", NULL}, 2, "--rounds=: give a number", NULL},
    {{"run", "--rounds", "99999999999999999999", NULL}, 2, "give a number from 1 to 1000", NULL},
    {{"run", "--rounds", NULL}, 2, "requires an argument", NULL},
    {{"run", "--seed", "-5", NULL}, 2, "--seed=-5: give a number", NULL},
    {{"run", "--timeout", "0", NULL}, 2, "--timeout=0: give a number from 1 to 86400", NULL},
    {{"run", "--resume", "x", "--rounds", "3", NULL}, 2, "--resume goes on with the plan of its run", NULL},
    {{"run", "--resume", "x", "--out", "y", NULL}, 2, "--resume goes on with the plan of its run", NULL},
    {{"run", "--resume", "x", "create*", NULL}, 2, "--resume goes on with the plan of its run", NULL},
    {{"run", "--resume", "x", "--timeout", "3", NULL}, 2, "--resume goes on with the plan of its run", NULL},
    {{"run", "--resume", "nowhere", NULL},
     2,
     "pvt run: nowhere/rounds.jsonl: No such file or directory: name the",
     NULL},
    {{"show", NULL}, 2, "pvt show: no run below ./results: begin with pvt run, or name a run's folder\n", NULL},
    {{"show", "nowhere", NULL},
     2,
     "pvt show: nowhere/rounds.jsonl: No such file or directory: name the folder of a",
     NULL},
    {{"run", "--out", "", NULL}, 2, "is no folder's name: give another --out", NULL},
};

static void check_text(const char *what, const char *text, const char *part, const char *words) {
  if (part == NULL)
    cr_expect_str_empty(text, "pvt%s: %s: %s", words, what, text);
  else
    cr_expect_not_null(strstr(text, part), "pvt%s: %s: %s", words, what, text);
}

Test(command, what_people_type, .timeout = SECONDS) {
  char *folder = folder_new();

  for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
    struct outcome outcome = run_pvt(folder, typed[i].arguments);
    const char *words = words_of(typed[i].arguments);

    cr_expect_eq(outcome.status, typed[i].status, "pvt%s: status %d: %s", words, outcome.status, outcome.err);
    check_text("error", outcome.err, typed[i].err, words);
    check_text("output", outcome.out, typed[i].out, words);
    outcome_free(&outcome);
  }
  cr_expect_eq(rmdir(folder), -1); /* what was captured, and nothing else */
  folder_free(folder);
}

Test(command, every_command_has_a_help, .timeout = SECONDS) {
  static const char *const help[] = {"--help", NULL};
  char *folder = folder_new(), *line;
  struct outcome all = run_pvt(folder, help);
  unsigned commands = 0;

  for (line = strtok(all.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    char name[32], usage[64];
    const char *arguments[] = {name, "--help", NULL};
    struct outcome outcome;

    if (sscanf(line, "  %31[a-z] ", name) != 1 || strcmp(name, "pvt") == 0)
      continue;
    commands++;
    snprintf(usage, sizeof usage, "Usage: pvt %s", name);
    outcome = run_pvt(folder, arguments);
    cr_expect_eq(outcome.status, 0, "pvt %s --help", name);
    cr_expect_eq(strncmp(outcome.out, usage, strlen(usage)), 0, "pvt %s --help: %s", name, outcome.out);
    cr_expect_str_empty(outcome.err);
    outcome_free(&outcome);
  }
  cr_expect_geq(commands, 4);
  outcome_free(&all);
  folder_free(folder);
}

Test(command, lists_are_for_programs_too, .timeout = SECONDS) {
  static const char *const arguments[] = {"list", "--json", "create/*", NULL};
  char *folder = folder_new();
  struct outcome outcome = run_pvt(folder, arguments);
  json_t *json = json_loads(outcome.out, 0, NULL), *row;
  size_t i;

  cr_expect_eq(outcome.status, 0);
  cr_assert_not_null(json);
  cr_expect_gt(json_array_size(json_object_get(json, "contrasts")), 0);
  json_array_foreach (json_object_get(json, "rows"), i, row) {
    cr_expect_eq(strncmp(json_string_value(json_object_get(row, "name")), "create/", 7), 0);
    cr_expect(json_is_object(json_object_get(row, "axes")));
    cr_expect(json_is_array(json_object_get(row, "profiles")));
    cr_expect(json_is_string(json_object_get(row, "unit")));
    cr_expect(json_is_null(json_object_get(row, "skip")) || json_is_string(json_object_get(row, "skip")));
  }
  cr_expect_gt(i, 0);
  json_decref(json);
  outcome_free(&outcome);
  folder_free(folder);
}

/* ---- Runs that are none ---- */

static const struct file {
  const char *text;
  int status;
  const char *why;
} files[] = {
    {"", 2, "it has no plan"},
    {"garbage\n", 2, "line 1: it is not a JSON object: the file is damaged"},
    {"\x7f"
     "ELF\x02\x01\n",
     2, "line 1: it is not a JSON object"},
    {"{\"context\":{},\"benchmarks\":[]}\n", 2, "line 1: it is not a plan of this version of pvt"},
    {"{\"plan\":2,\"rounds\":1,\"rows\":[],\"contrasts\":[]}\n", 2, "line 1: it is not a plan of this version"},
    {"{\"plan\":1,\"rounds\":1,\"rows\":[],\"contrasts\":[]", 2, "it has no plan"},
    {"{\"plan\":1,\"rounds\":1,\"rows\":[],\"contrasts\":[]}\nx\n", 2, "line 2: it is not a JSON object"},
    {"{\"plan\":1,\"rounds\":1,\"rows\":[],\"contrasts\":[]}\nx", 0, NULL}, /* the last line was cut */
};

Test(command, runs_that_are_none_are_refused_in_one_line, .timeout = SECONDS) {
  static const char *const commands[][4] = {{"show", "run", NULL}, {"show", "run", "--json", NULL}};
  char *folder = folder_new(), run[4200];

  snprintf(run, sizeof run, "%s/run", folder);
  cr_assert_eq(mkdir(run, 0700), 0);
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
    for (size_t command = 0; command < 2; command++) {
      struct outcome outcome;

      file_write(run, "rounds.jsonl", files[i].text, strlen(files[i].text));
      outcome = run_pvt(folder, commands[command]);
      cr_expect_eq(outcome.status, files[i].status, "file %zu: %d: %s", i, outcome.status, outcome.err);
      if (files[i].status != 0) {
        cr_expect_eq(strncmp(outcome.err, "pvt show: run/rounds.jsonl: ", 28), 0, "%s", outcome.err);
        cr_expect_not_null(strstr(outcome.err, files[i].why), "%s", outcome.err);
        cr_expect_eq(lines_of(outcome.err), 1);
        cr_expect_str_empty(outcome.out);
      }
      outcome_free(&outcome);
    }
  folder_free(folder);
}

Test(command, nothing_of_a_file_moves_the_terminal, .timeout = SECONDS) {
  static const char *const show[] = {"show", "run", NULL};
  char *folder = folder_new(), run[4200];
  struct script script = {0};
  struct outcome outcome;
  json_t *plan = plan_json(3, pair, 1, 2, 5);

  json_array_append_new(json_object_get(plan, "skipped"), json_pack("{s:s, s:s}", "row", "\x1b[2J", "why",
                                                                    "\xc2\x9b"
                                                                    "31m\x07"));
  json_object_set_new(plan, "profile", json_string("\x1b]0;x\x07"));
  say_plan(&script, plan);
  say_error(&script, 0, 1, 0, 2, "\\u001b[31mred");
  say_end(&script, 0, 1, 0, "ok");
  snprintf(run, sizeof run, "%s/run", folder);
  cr_assert_eq(mkdir(run, 0700), 0);
  file_write(run, "rounds.jsonl", script.text, script.length);
  outcome = run_pvt(folder, show);
  cr_expect_eq(outcome.status, 0, "%s", outcome.err);
  cr_expect_not_null(strstr(outcome.out, "?[31mred"), "%s", outcome.out);
  for (const char *at = outcome.out; *at != '\0'; at++)
    cr_expect((unsigned char)*at >= ' ' || *at == '\n', "byte %d", *at);
  cr_expect_null(strstr(outcome.out, "\xc2\x9b"));
  outcome_free(&outcome);
  free(script.text);
  folder_free(folder);
}

Test(command, the_newest_run_is_shown_and_it_is_for_programs_too, .timeout = SECONDS) {
  static const char *const show[] = {"show", "--json", NULL};
  static const char *const fields[] = {"run", "machine", "rounds", "rows", "contrasts", "errors", "skipped", "invalid"};
  char *folder = folder_new(), old[4200], new[4200];
  struct outcome outcome;
  json_t *json;

  snprintf(old, sizeof old, "%s/results", folder);
  cr_assert_eq(mkdir(old, 0700), 0);
  snprintf(old, sizeof old, "%s/results/a-new", folder);
  snprintf(new, sizeof new, "%s/results/an-old", folder);
  cr_assert_eq(mkdir(old, 0700), 0);
  cr_assert_eq(mkdir(new, 0700), 0);
  file_write(new, "rounds.jsonl", "garbage\n", 8);
  usleep(20000); /* the times of files are coarse */
  {
    struct script script = {0};

    say_two_rounds(&script);
    file_write(old, "rounds.jsonl", script.text, script.length);
    free(script.text);
  }
  outcome = run_pvt(folder, show);
  cr_assert_eq(outcome.status, 0, "%s", outcome.err);
  json = json_loads(outcome.out, 0, NULL);
  cr_assert_not_null(json);
  cr_expect_str_eq(json_string_value(json_object_get(json, "run")), "results/a-new");
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
    cr_expect_not_null(json_object_get(json, fields[i]), "%s", fields[i]);
  json_decref(json);
  outcome_free(&outcome);
  folder_free(folder);
}
