/* pvt run: measures, and keeps every finished launch whatever happens. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../run/execute.h"
#include "../run/folder.h"
#include "../run/summary.h"
#include "command.h"
#include "progress.h"

enum { PROFILE_KEY = 1, ROUNDS_KEY, SEED_KEY, OUT_KEY, RESUME_KEY, TIMEOUT_KEY, PATTERNS_MAX = 256 };

struct options {
  const char *patterns[PATTERNS_MAX + 1];
  unsigned patterns_count, rounds, timeout_s;
  const char *profile, *out, *resume;
  uint64_t seed;
  bool has_seed;
};

static const struct argp_option argp_options[] = {
    {"profile", PROFILE_KEY, "NAME", 0, "quick (9 rounds), standard (20, the default) or full (40)", 0},
    {"rounds", ROUNDS_KEY, "N", 0, "1 to 1000, instead of the profile's", 0},
    {"seed", SEED_KEY, "N", 0, "of the order of launches; kept in the run, random by default", 0},
    {"out", OUT_KEY, "DIR", 0, "the run's folder; default results/<time>-<host>", 0},
    {"timeout", TIMEOUT_KEY, "SECONDS", 0, "a launch without an answer for so long is an error; default 240", 0},
    {"resume", RESUME_KEY, "DIR", 0, "goes on with an interrupted run; takes no other option", 0},
    {0}};

static uint64_t number(struct argp_state *state, const char *name, const char *text, uint64_t least, uint64_t most) {
  unsigned long long value;
  char *end;

  errno = 0;
  value = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < least || value > most)
    argp_error(state, "--%s=%s: give a number from %llu to %llu", name, text, (unsigned long long)least,
               (unsigned long long)most);
  return value;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct options *options = state->input;

  switch (key) {
  case PROFILE_KEY:
    if (pvt_plan_profile_rounds(argument) == 0)
      argp_error(state, "no profile '%s': give quick, standard or full", argument);
    options->profile = argument;
    return 0;
  case ROUNDS_KEY:
    options->rounds = (unsigned)number(state, "rounds", argument, 1, PVT_ROUNDS_MAX);
    return 0;
  case SEED_KEY:
    options->seed = number(state, "seed", argument, 0, INT64_MAX);
    options->has_seed = true;
    return 0;
  case TIMEOUT_KEY:
    options->timeout_s = (unsigned)number(state, "timeout", argument, 1, PVT_TIMEOUT_MAX_S);
    return 0;
  case OUT_KEY:
    options->out = argument;
    return 0;
  case RESUME_KEY:
    options->resume = argument;
    return 0;
  case ARGP_KEY_ARG:
    if (options->patterns_count == PATTERNS_MAX)
      argp_error(state, "more than %d patterns", PATTERNS_MAX);
    options->patterns[options->patterns_count++] = argument;
    return 0;
  case ARGP_KEY_END:
    if (options->resume != NULL && (options->profile != NULL || options->rounds != 0 || options->has_seed ||
                                    options->timeout_s != 0 || options->out != NULL || options->patterns_count > 0))
      argp_error(state, "--resume goes on with the plan of its run: give no pattern and no other option");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[PATTERN...]",
    "Measures the rows whose names match a PATTERN (a glob in which * crosses /), all of the profile by default, and "
    "the controls. Prints the table. Interrupted by Ctrl-C, it keeps what is finished; --resume goes on."
    "\vExit status: 0 fine (skips included), 2 usage or unusable output, 77 a null check failed, 99 a row failed, 130 "
    "interrupted.",
    NULL,
    NULL,
    NULL};

static void interrupted(int signal) {
  (void)signal;
  pvt_harness_interrupted = 1;
}

static void watch_signals(void) {
  struct sigaction action = {.sa_handler = interrupted, .sa_flags = SA_RESTART}, before;

  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup pvt run */
    sigaction(SIGHUP, &action, NULL);
}

static void show(void *context, const char *doing, size_t done, size_t all) {
  pvt_progress_show(context, doing, done, all);
}

/* Plans and calibrates; the journal begins when every N is known. */
static int begin(const struct options *options, const char *folder, const struct pvt_reaper *reaper,
                 struct pvt_journal *ret_journal, struct pvt_why *why) {
  struct pvt_plan_request request = {.patterns = options->patterns,
                                     .profile = options->profile == NULL ? "standard" : options->profile,
                                     .rounds = options->rounds,
                                     .seed = options->seed,
                                     .timeout_s = options->timeout_s};
  struct pvt_progress progress;
  struct pvt_watcher watcher = {show, &progress};
  struct pvt_catalog catalog;
  struct pvt_plan plan;
  int status = pvt_catalog_read(reaper, &catalog, why);

  if (status < 0)
    return status;
  status = pvt_plan_new(&catalog, &request, &plan, why);
  pvt_catalog_done(&catalog);
  if (status < 0)
    return status;
  status = pvt_folder_make(folder, why);
  if (status == 0)
    status = pvt_journal_check_new(folder, why);
  if (status == 0)
    status = pvt_execute_identify(&plan, why);
  if (status == 0) {
    pvt_progress_begin(&progress, "calibrating");
    status = pvt_execute_calibrate(&plan, reaper, &watcher, why);
    pvt_progress_end(&progress);
  }
  if (status == 0)
    status = pvt_journal_new(folder, &plan, ret_journal, why);
  pvt_plan_done(&plan);
  return status;
}

static int resume(const char *folder, struct pvt_journal *ret_journal, struct pvt_why *why) {
  struct pvt_history history;
  int status = pvt_history_read(folder, &history, why);

  if (status < 0)
    return status;
  status = pvt_execute_verify(&history.plan, why);
  pvt_history_done(&history);
  return status < 0 ? status : pvt_journal_resume(folder, ret_journal, why);
}

static int measure(const char *folder, struct pvt_journal *journal, const struct pvt_reaper *reaper,
                   struct pvt_why *why) {
  struct pvt_progress progress;
  struct pvt_watcher watcher = {show, &progress};
  struct pvt_history history;
  int status = pvt_history_read(folder, &history, why);

  if (status < 0)
    return status;
  pvt_progress_begin(&progress, "measuring");
  status = pvt_execute_rounds(&history, journal, reaper, &watcher, why);
  pvt_progress_end(&progress);
  pvt_history_done(&history);
  return status;
}

/* The end of every run, also of one that was cut short: results.json and the table of what there is. */
static int finish(const char *folder, json_t **ret_summary, struct pvt_why *why) {
  struct pvt_history history;
  int status = pvt_history_read(folder, &history, why);

  if (status < 0)
    return status;
  status = pvt_results_write(&history, folder, why);
  if (status == 0) {
    status = pvt_summary_new(&history, folder, ret_summary);
    if (status < 0)
      pvt_why_set(why, status, "cannot sum up %s: %s: see pvt show", folder, strerror(-status));
  }
  pvt_history_done(&history);
  if (status == 0)
    pvt_command_print_table(*ret_summary);
  return status;
}

static int exit_status(const json_t *summary) {
  if (json_array_size(json_object_get(summary, "errors")) > 0)
    return PVT_EXIT_FAILED;
  return json_is_string(json_object_get(summary, "invalid")) ? PVT_EXIT_INCONCLUSIVE : PVT_EXIT_FINE;
}

/* What stopped the run, and that it can go on. */
static int stopped(const char *folder, int status, struct pvt_why *why) {
  struct pvt_why reason = *why, ignored;
  json_t *summary = NULL;

  finish(folder, &summary, &ignored);
  json_decref(summary);
  pvt_why_set(why, status, "%.250s: finished launches are kept: pvt run --resume %.200s", reason.text, folder);
  return pvt_command_fail("run", status, why);
}

static int run(int argc, char **argv) {
  char folder[PVT_FOLDER_BYTES];
  struct options options = {0};
  struct pvt_journal journal = {-1};
  const struct pvt_reaper *reaper;
  json_t *summary = NULL;
  bool is_new_folder;
  struct pvt_why why;
  int status = pvt_command_parse(&argp, "run", argc, argv, &options);

  if (status != PVT_EXIT_FINE)
    return status;
  if (!options.has_seed && getrandom(&options.seed, sizeof options.seed, 0) == sizeof options.seed)
    options.seed &= INT64_MAX >> 16; /* short enough to type */
  if (options.resume != NULL || options.out != NULL)
    snprintf(folder, sizeof folder, "%s", options.resume != NULL ? options.resume : options.out);
  else
    pvt_folder_default(folder);
  is_new_folder = access(folder, F_OK) == -1;
  watch_signals();
  status = pvt_command_reaper(&reaper, &why);
  if (status == 0)
    status = options.resume != NULL ? resume(folder, &journal, &why) : begin(&options, folder, reaper, &journal, &why);
  if (status == -EINTR)
    pvt_why_set(&why, status, "interrupted before the first launch: nothing was kept");
  if (status < 0) {
    if (is_new_folder)
      rmdir(folder); /* only if it is empty: then nobody wants it */
    return pvt_command_fail("run", status, &why);
  }
  fprintf(stderr, "run folder: %s\n", folder);
  status = measure(folder, &journal, reaper, &why);
  pvt_journal_close(&journal);
  if (status < 0)
    return stopped(folder, status, &why);
  status = finish(folder, &summary, &why);
  if (status < 0)
    return pvt_command_fail("run", status, &why);
  status = exit_status(summary);
  json_decref(summary);
  return status;
}

const struct pvt_command pvt_command_run = {"run", "measures, and keeps a run folder", run};
