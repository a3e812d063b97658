/* test_harness.c - whatever a harness does, the command gets an answer or a reason, in time, and nothing is left. */
#include <sys/wait.h>

#include "fake.h"
#include "run/catalog.h"

/* Runs pvt-create, which is this script. */
static int run_script(const char *script, bool from_stdout, unsigned timeout_s, json_t **ret_json,
                      struct pvt_why *why) {
  static const char *const arguments[] = {"--one", "two words", NULL};
  char *folder = folder_new();
  struct pvt_reaper reaper;
  int status;

  *ret_json = NULL;
  fake_begin(folder, &reaper);
  fake_write(folder, "pvt-create", script);
  status = pvt_harness_run(&reaper, "create", arguments, from_stdout, timeout_s, ret_json, why);
  pvt_reaper_end(&reaper);
  folder_free(folder);
  return status;
}

static const struct answer {
  const char *script;
  int status;
  const char *why; /* part of it; of an answer: the value of "a" */
} answers[] = {
    {"echo '{\"a\":\"fine\"}' >&3", 0, "fine"},
    {"echo '{\"a\":\"'\"$1 $2\"'\"}' >&3", 0, "--one two words"},
    {"echo nonsense; echo '{\"a\":\"fine\"}' >&3; echo grumble >&2; exit 99", 0, "fine"},
    {"cat; echo '{\"a\":\"no input\"}' >&3", 0, "no input"},
    {"echo '{\"a\":\"and dead\"}' >&3; kill -SEGV $$", 0, "and dead"},
    {"echo '{\"a\":\"\\u001b[2J\"}' >&3", 0, "?[2J"},
    {"yes grumble | head -c 20000000 >&2; echo '{\"a\":\"fine\"}' >&3", 0, "fine"},
    {"for fd in 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && exit; done; echo '{\"a\":\"fine\"}' >&3", 0, "fine"},
    {"exit 0", -EPROTO, "pvt-create ended with status 0 and gave no result: run it by hand"},
    {"echo first >&2; printf 'the reason\\n\\n' >&2; exit 7", -EPROTO, "status 7 and gave no result: the reason"},
    {"printf '\\033[2J\\377' >&2; exit 1", -EPROTO, "gave no result: ?[2J?"},
    {"echo garbage >&3", -EPROTO, "pvt-create ended with status 0 and gave no JSON"},
    {"echo '[1]' >&3", -EPROTO, "gave no JSON"},
    {"echo '{\"a\":1}{\"a\":2}' >&3", -EPROTO, "gave no JSON"},
    {"echo '{\"a\":1,\"a\":2}' >&3", -EPROTO, "gave no JSON"},
    {"printf '{\"a\":' >&3; kill -SEGV $$", -ECHILD, "ended by signal 11"},
    {"kill -KILL $$", -ECHILD, "pvt-create was ended by signal 9 (Killed) and gave no result"},
    {"kill -PIPE $$; echo '{\"a\":\"ignored\"}' >&3", -ECHILD, "ended by signal 13"},
    {"kill -TERM $$; echo '{\"a\":\"blocked\"}' >&3", -ECHILD, "ended by signal 15"},
    {"yes | head -c 20000000 >&3", -EPROTO, "pvt-create wrote more than 8 MiB and was killed"},
};

Test(harness, an_answer_or_a_reason, .timeout = SECONDS) {
  sigset_t term;

  sigemptyset(&term);
  sigaddset(&term, SIGTERM); /* what is blocked or ignored here is not so there */
  sigprocmask(SIG_BLOCK, &term, NULL);
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
    struct pvt_why why = {""};
    json_t *json;
    int status = run_script(answers[i].script, false, 30, &json, &why);

    cr_expect_eq(status, answers[i].status, "%s: %d: %s", answers[i].script, status, why.text);
    if (status == 0)
      cr_expect_str_eq(json_string_value(json_object_get(json, "a")), answers[i].why);
    else
      cr_expect_not_null(strstr(why.text, answers[i].why), "%s: %s", answers[i].script, why.text);
    json_decref(json);
  }
}

Test(harness, a_list_is_read_from_standard_output, .timeout = SECONDS) {
  struct pvt_why why = {""};
  json_t *json;

  cr_expect_eq(run_script("echo '{\"a\":\"list\"}'", true, 30, &json, &why), 0, "%s", why.text);
  cr_expect_str_eq(json_string_value(json_object_get(json, "a")), "list");
  json_decref(json);
}

/* ---- Time ---- */

#define REMEMBER "echo $$ > $FAKE/pid; "

static const struct hang {
  const char *script;
} hangs[] = {
    {REMEMBER "sleep 100"},
    {REMEMBER "trap '' TERM INT HUP; while :; do sleep 1; done"},
    {REMEMBER "exec 2>&- 3>&- >&-; sleep 100"}, /* closes its ends, and stays */
    {REMEMBER "echo '{\"a\":\"fine\"}' >&3; exec sleep 100"},
    {REMEMBER "while :; do echo again >&2; done"},
};

Test(harness, one_that_hangs_is_killed_when_its_time_is_over, .timeout = SECONDS) {
  for (size_t i = 0; i < sizeof hangs / sizeof hangs[0]; i++) {
    static const char *const arguments[] = {NULL};
    char *folder = folder_new();
    struct pvt_why why = {""};
    struct pvt_reaper reaper;
    json_t *json = NULL;
    int status;

    fake_begin(folder, &reaper);
    fake_write(folder, "pvt-create", hangs[i].script);
    status = pvt_harness_run(&reaper, "create", arguments, false, 1, &json, &why);
    cr_expect_eq(status, -ETIMEDOUT, "%s: %d: %s", hangs[i].script, status, why.text);
    cr_expect_str_eq(why.text, "pvt-create gave no result within 1 s and was killed: run it by hand");
    cr_expect(fake_is_gone(folder, "pid"), "%s: it lives on", hangs[i].script);
    pvt_reaper_end(&reaper);
    folder_free(folder);
  }
}

static const struct rest {
  const char *script;
  bool is_ours; /* in the harness's group */
} rests[] = {
    {"sleep 100 & echo $! > $FAKE/pid; echo '{\"a\":\"fine\"}' >&3", true},
    {"sleep 100 >/dev/null 2>&1 3>&- & echo $! > $FAKE/pid; echo '{\"a\":\"fine\"}' >&3", true},
    {"setsid sleep 8 & echo $! > $FAKE/pid; echo '{\"a\":\"fine\"}' >&3", false},
};

Test(harness, what_it_leaves_behind_is_not_waited_for, .timeout = SECONDS) {
  for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
    static const char *const arguments[] = {NULL};
    char *folder = folder_new();
    struct pvt_why why = {""};
    struct pvt_reaper reaper;
    json_t *json = NULL;
    int status;

    fake_begin(folder, &reaper);
    fake_write(folder, "pvt-create", rests[i].script);
    status = pvt_harness_run(&reaper, "create", arguments, false, 3600, &json, &why);
    cr_expect_eq(status, 0, "%s: %d: %s", rests[i].script, status, why.text);
    json_decref(json);
    if (rests[i].is_ours)
      cr_expect(fake_goes(folder, "pid"), "%s: it lives on", rests[i].script);
    pvt_reaper_end(&reaper);
    folder_free(folder);
  }
}

static void interrupt(int signal) {
  (void)signal;
  pvt_harness_interrupted = 1;
}

Test(harness, an_interruption_ends_it, .timeout = SECONDS) {
  static const char *const arguments[] = {NULL};
  char *folder = folder_new();
  struct pvt_why why = {""};
  struct pvt_reaper reaper;
  json_t *json = NULL;

  fake_begin(folder, &reaper);
  fake_write(folder, "pvt-create", REMEMBER "kill -ALRM $PPID; sleep 100");
  signal(SIGALRM, interrupt);
  cr_expect_eq(pvt_harness_run(&reaper, "create", arguments, false, 3600, &json, &why), -EINTR, "%s", why.text);
  cr_expect(fake_is_gone(folder, "pid"));
  pvt_reaper_end(&reaper);
  folder_free(folder);
}

/* ---- Starting ---- */

Test(harness, what_cannot_be_started_is_named, .timeout = SECONDS) {
  static const char *const arguments[] = {NULL};
  char *folder = folder_new();
  struct pvt_why why = {""};
  struct pvt_reaper reaper;
  json_t *json = NULL;

  fake_begin(folder, &reaper);
  cr_expect_eq(pvt_harness_run(&reaper, "create", arguments, false, 9, &json, &why), -ECHILD);
  cr_expect_not_null(strstr(why.text, "No such file or directory: build it, or set PVT_LIBEXECDIR"), "%s", why.text);
  file_write(folder, "pvt-create", "x", 1);
  cr_expect_eq(pvt_harness_run(&reaper, "create", arguments, false, 9, &json, &why), -ECHILD);
  cr_expect_not_null(strstr(why.text, "Permission denied"), "%s", why.text);
  pvt_reaper_end(&reaper);
  folder_free(folder);
}

Test(harness, nothing_runs_without_a_reaper, .timeout = SECONDS) {
  static const char *const arguments[] = {NULL};
  char *folder = folder_new();
  struct pvt_why why = {""};
  struct pvt_reaper reaper;
  json_t *json = NULL;

  fake_begin(folder, &reaper);
  fake_write(folder, "pvt-create", "sleep 100");
  kill(reaper.pid, SIGKILL);
  while (pvt_reaper_watch(&reaper, 1 << 24) == 0)
    usleep(1000);
  cr_expect_eq(pvt_harness_run(&reaper, "create", arguments, false, 3600, &json, &why), -EPIPE);
  cr_expect_not_null(strstr(why.text, "pvt-reaper was ended"), "%s", why.text);
  pvt_reaper_end(&reaper);
  folder_free(folder);
}

/* ---- Lists ---- */

#define QUESTION "q=${0##*/pvt-}; "
#define LIST(rows, contrasts)                                                                                          \
  QUESTION "cat <<END\n{\"title\":\"What?\",\"rows\":[" rows "],\"contrasts\":[" contrasts "]}\nEND"

static const struct list {
  const char *script;
  int status;
  const char *why;
} lists[] = {
    {LIST("{\"name\":\"$q/a\",\"question\":\"$q\"}", ""), 0, NULL},
    {LIST("", ""), 0, NULL},
    {QUESTION "echo '{\"title\":\"What?\",\"rows\":[]}'", -EPROTO, "gave no title, rows and contrasts: build it anew"},
    {QUESTION "echo '{\"rows\":[],\"contrasts\":[]}'", -EPROTO, "gave no title, rows and contrasts"},
    {QUESTION "echo '{\"title\":\"x\",\"rows\":{},\"contrasts\":[]}'", -EPROTO, "gave no title, rows and contrasts"},
    {LIST("{\"name\":\"a\",\"question\":\"reaper\"}", ""), -EPROTO, "gave a row of another question"},
    {LIST("7", ""), -EPROTO, "gave a row of another question"},
    {LIST("{\"name\":\"a\",\"question\":\"$q\"}", ""), -EPROTO, "the row a is there twice: build them anew"},
    {LIST("{\"name\":\"$q/a b\",\"question\":\"$q\"}", ""), -EPROTO, "has no proper name and question"},
    {LIST("{\"name\":\"$q/a\",\"question\":\"$q\"}", "{}"), -EPROTO, "has no proper id, kind, arm and against"},
    {"exit 1", -EPROTO, "ended with status 1 and gave no result"},
};

Test(harness, lists_are_checked, .timeout = SECONDS) {
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    char *folder = folder_new();
    struct pvt_catalog catalog;
    struct pvt_why why = {""};
    struct pvt_reaper reaper;
    int status;

    fake_begin(folder, &reaper);
    fake_write_all(folder, lists[i].script);
    status = pvt_catalog_read(&reaper, &catalog, &why);
    cr_expect_eq(status, lists[i].status, "%s: %d: %s", lists[i].script, status, why.text);
    if (status == 0)
      pvt_catalog_done(&catalog);
    else
      cr_expect_not_null(strstr(why.text, lists[i].why), "%s: %s", lists[i].script, why.text);
    pvt_reaper_end(&reaper);
    folder_free(folder);
  }
}
