/* pvt show: the table of a run. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../run/folder.h"
#include "command.h"

enum { JSON_KEY = 1, TEXT_BYTES = 64 };

struct options {
  const char *run;
  bool is_json;
};

static const struct argp_option argp_options[] = {{"json", JSON_KEY, NULL, 0, "for programs", 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct options *options = state->input;

  switch (key) {
  case JSON_KEY:
    options->is_json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (options->run != NULL)
      argp_error(state, "one run at a time: '%s' is too much", argument);
    options->run = argument;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    argp_options, parse, "[RUN]", "Shows the table of a run: a run folder, by default the newest below ./results.",
    NULL,         NULL,  NULL};

static double number(const json_t *object, const char *name) {
  json_t *value = json_object_get(object, name);

  return json_is_number(value) ? json_number_value(value) : NAN;
}

static const char *string(const json_t *object, const char *name) {
  const char *value = json_string_value(json_object_get(object, name));

  return value == NULL ? "" : value;
}

static void print_row(const json_t *row) {
  char value[TEXT_BYTES], low[TEXT_BYTES], high[TEXT_BYTES], cpu[TEXT_BYTES];
  double disturbed = number(row, "disturbed");

  pvt_command_print_ns(number(row, "value"), value, sizeof value);
  pvt_command_print_ns(number(row, "low"), low, sizeof low);
  pvt_command_print_ns(number(row, "high"), high, sizeof high);
  pvt_command_print_ns(number(row, "cpu_ns"), cpu, sizeof cpu);
  printf("  %10s  %10s .. %-10s %10s  %3.0f%s  %s\n", value, low, high, cpu, number(row, "launches"),
         disturbed > 0 ? "*" : " ", string(row, "name"));
}

static void print_contrast(const json_t *contrast) {
  double ratio = number(contrast, "ratio"), low = number(contrast, "low"), high = number(contrast, "high");
  char interval[TEXT_BYTES] = "-";

  if (isfinite(low) && isfinite(high))
    snprintf(interval, sizeof interval, "[%.3f, %.3f]", low, high);
  if (isfinite(ratio))
    printf("  %8.3f  %-20s", ratio, interval);
  else
    printf("  %8s  %-20s", "-", interval);
  printf(" %-10s  %s\n", string(contrast, "verdict"), string(contrast, "id"));
}

/* Null checks are told apart by their flag: whatever their kind, they say whether the others can be believed. */
static void print_kind(const json_t *summary, const char *kind, bool is_null, const char *title) {
  json_t *each;
  bool is_first = true;
  size_t i;

  json_array_foreach (json_object_get(summary, "contrasts"), i, each) {
    if (json_is_true(json_object_get(each, "null_check")) != is_null ||
        (kind != NULL && strcmp(string(each, "kind"), kind) != 0))
      continue;
    if (is_first)
      printf("\n%s\n  %8s  %-20s %-10s  %s\n", title, "ratio", "interval", "verdict", "contrast");
    is_first = false;
    print_contrast(each);
  }
}

static void print_reasons(const json_t *summary, const char *name, const char *title) {
  json_t *list = json_object_get(summary, name), *each;
  size_t i;

  if (json_array_size(list) > 0)
    printf("\n%s\n", title);
  json_array_foreach (list, i, each)
    printf("  %s: %s\n", string(each, "row"), string(each, "why"));
}

void pvt_command_print_table(const json_t *summary) {
  static const char *const kinds[][2] = {
      {"model", "Process against thread: cost of the first / cost of the second, above 1 the first costs more"},
      {"sharing", "What sharing costs"},
      {"ladder", "One step more"},
      {"peer", "Against other libraries"},
      {"floor", "Above the floor: the thinnest code that does the same thing"},
      {"same", "The same thing twice: how well this machine repeats itself"},
  };
  const char *invalid = json_string_value(json_object_get(summary, "invalid"));
  json_t *each;
  size_t i;

  printf("%s  %.0f of %.0f rounds, profile %s, seed %lld\n", string(summary, "run"), number(summary, "rounds"),
         number(summary, "rounds_planned"), string(summary, "profile"),
         (long long)json_integer_value(json_object_get(summary, "seed")));
  printf("\n  %10s  %-24s %10s  %4s  %s\n", "time", "95 % interval", "CPU time", "runs", "row (per operation)");
  json_array_foreach (json_object_get(summary, "rows"), i, each)
    print_row(each);
  for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    print_kind(summary, kinds[i][0], false, kinds[i][1]);
  print_kind(summary, NULL, true, "Null checks: must not lie outside 0.95 to 1.05, or the run is invalid");
  print_reasons(summary, "errors", "Failed");
  print_reasons(summary, "skipped", "Skipped");
  if (invalid != NULL)
    printf("\nInvalid: %s\n", invalid);
}

static int run(int argc, char **argv) {
  char folder[PVT_FOLDER_BYTES];
  struct options options = {0};
  struct pvt_why why;
  json_t *summary;
  int status = pvt_command_parse(&argp, "show", argc, argv, &options);

  if (status != PVT_EXIT_FINE)
    return status;
  status = pvt_command_summary(options.run, folder, &summary, &why);
  if (status < 0)
    return pvt_command_fail("show", status, &why);
  if (options.is_json)
    return pvt_command_print_json("show", summary);
  pvt_command_print_table(summary);
  json_decref(summary);
  return PVT_EXIT_FINE;
}

const struct pvt_command pvt_command_show = {"show", "the table of a run", run};
