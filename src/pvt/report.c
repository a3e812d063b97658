/* pvt report: charts and one page that explains a run, or several beside each other. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../run/folder.h"
#include "command.h"
#include "report_html.h"

enum { OUT_KEY = 1, RUNS_MAX = 16 };

struct options {
  const char *runs[RUNS_MAX];
  unsigned runs_count;
  const char *out;
};

static const struct argp_option argp_options[] = {
    {"out", OUT_KEY, "DIR", 0, "where charts and report.html go; default the run's folder; needed for several runs", 0},
    {0}};

// NOLINTNEXTLINE(readability-non-const-parameter): the signature is argp's
static error_t parse(int key, char *argument, struct argp_state *state) {
  struct options *options = state->input;

  switch (key) {
  case OUT_KEY:
    options->out = argument;
    return 0;
  case ARGP_KEY_ARG:
    if (options->runs_count == RUNS_MAX)
      argp_error(state, "more than %d runs", RUNS_MAX);
    options->runs[options->runs_count++] = argument;
    return 0;
  case ARGP_KEY_END:
    if (options->runs_count > 1 && options->out == NULL)
      argp_error(state, "a report on several runs belongs to none of them: say where it goes with --out DIR");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[RUN...]",
    "Draws the charts of a run (DIR/charts, SVG, PNG and their data as TSV) and writes DIR/report.html, one page that "
    "needs nothing beside it. Several runs are put beside each other. RUN: a run folder, by default the newest below "
    "./results."
    "\vExit status: 0 fine, 2 usage or unusable files, 99 gnuplot is missing or failed (report.html is written without "
    "charts).",
    NULL,
    NULL,
    NULL};

static int write_report(const json_t *const *summaries, size_t count, const char *folder, struct pvt_why *why) {
  struct pvt_report_run *runs = calloc(count, sizeof runs[0]);
  struct pvt_why trouble = {""};
  int status;

  if (runs == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for the report");
  status = pvt_folder_make(folder, why);
  for (size_t i = 0; i < count && status == 0; i++) {
    char prefix[32] = "";

    if (count > 1)
      snprintf(prefix, sizeof prefix, "run%zu_", i + 1);
    runs[i].summary = summaries[i];
    runs[i].index = pvt_words_index(summaries[i]);
    status = pvt_charts_write(summaries[i], folder, prefix, &runs[i].charts, why);
    if (status == 0 && runs[i].charts.trouble.text[0] != '\0')
      trouble = runs[i].charts.trouble;
  }
  if (status == 0)
    status = pvt_report_write_html(runs, count, folder, why);
  for (size_t i = 0; i < count; i++) {
    json_decref(runs[i].index);
    pvt_charts_done(&runs[i].charts);
  }
  free(runs);
  if (status == 0 && trouble.text[0] != '\0')
    status = pvt_why_set(why, -ECHILD, "%s: charts are missing from %.150s/report.html", trouble.text, folder);
  return status;
}

int pvt_command_write_report(const json_t *summary, const char *folder, struct pvt_why *why) {
  return write_report(&summary, 1, folder, why);
}

static int run(int argc, char **argv) {
  static char folders[RUNS_MAX][PVT_FOLDER_BYTES];
  json_t *summaries[RUNS_MAX] = {NULL};
  struct options options = {0};
  struct pvt_why why;
  unsigned count;
  int status = pvt_command_parse(&argp, "report", argc, argv, &options);

  if (status != PVT_EXIT_FINE)
    return status;
  count = options.runs_count == 0 ? 1 : options.runs_count;
  for (unsigned i = 0; i < count && status == 0; i++)
    status = pvt_command_summary(options.runs[i], folders[i], &summaries[i], &why);
  if (status == 0) {
    const char *folder = options.out != NULL ? options.out : folders[0];

    status = write_report((const json_t *const *)summaries, count, folder, &why);
    if (status == 0)
      printf("%s/report.html\n", folder);
  }
  for (unsigned i = 0; i < count; i++)
    json_decref(summaries[i]);
  return status < 0 ? pvt_command_fail("report", status, &why) : PVT_EXIT_FINE;
}

const struct pvt_command pvt_command_report = {"report", "charts, and one page that explains a run", run};
