/* pvt list: every row and contrast, and why a row cannot run here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../run/catalog.h"
#include "command.h"

enum { JSON_KEY = 1, PATTERNS_MAX = 256 };

struct options {
  const char *patterns[PATTERNS_MAX + 1];
  unsigned patterns_count;
  bool is_json;
};

static const struct argp_option argp_options[] = {
    {"json", JSON_KEY, NULL, 0, "for programs: {\"rows\": [...], \"contrasts\": [...]}", 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
  struct options *options = state->input;

  switch (key) {
  case JSON_KEY:
    options->is_json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (options->patterns_count == PATTERNS_MAX)
      argp_error(state, "more than %d patterns", PATTERNS_MAX);
    options->patterns[options->patterns_count++] = argument;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    argp_options,
    parse,
    "[PATTERN...]",
    "Lists every row and contrast whose name matches a PATTERN (a glob in which * crosses /), and why a row cannot run "
    "on this machine, if so.",
    NULL,
    NULL,
    NULL};

static bool matches(const struct options *options, const char *name) {
  if (options->patterns_count == 0)
    return true;
  for (unsigned i = 0; i < options->patterns_count; i++)
    if (pvt_catalog_matches(options->patterns[i], name))
      return true;
  return false;
}

/* A contrast is listed when its id or either of its rows matches. */
static bool contrast_matches(const struct options *options, const struct pvt_catalog *catalog,
                             const struct pvt_catalog_contrast *contrast) {
  return matches(options, contrast->id) || matches(options, catalog->rows[contrast->arm].name) ||
         matches(options, catalog->rows[contrast->against].name);
}

static int print_json(const struct options *options, const struct pvt_catalog *catalog) {
  json_t *rows = json_array(), *contrasts = json_array(), *each;
  size_t i;

  for (i = 0; i < catalog->rows_count; i++)
    if (matches(options, catalog->rows[i].name))
      json_array_append(rows, catalog->rows[i].json);
  json_array_foreach (json_object_get(catalog->json, "contrasts"), i, each) {
    if (contrast_matches(options, catalog, &catalog->contrasts[i]))
      json_array_append(contrasts, each);
  }
  return pvt_command_print_json("list", json_pack("{s:o, s:o}", "rows", rows, "contrasts", contrasts));
}

static unsigned print_text(const struct options *options, const struct pvt_catalog *catalog) {
  const char *question = "";
  unsigned printed = 0;

  for (size_t i = 0; i < catalog->rows_count; i++) {
    const struct pvt_catalog_row *row = &catalog->rows[i];
    const char *title = json_string_value(json_object_get(json_object_get(catalog->json, "questions"), row->question));

    if (!matches(options, row->name))
      continue;
    if (strcmp(question, row->question) != 0)
      printf("%s%s\n", printed > 0 ? "\n" : "", title == NULL ? row->question : title);
    question = row->question;
    printed++;
    printf("  %s%s%s%s%s\n", row->name, pvt_catalog_in_profile(row, "quick") ? "" : "  (not in quick)",
           row->skip == NULL ? "" : "  [skipped: ", row->skip == NULL ? "" : row->skip, row->skip == NULL ? "" : "]");
  }
  printf("\nContrasts (cost of the first / cost of the second)\n");
  for (size_t i = 0; i < catalog->contrasts_count; i++)
    if (contrast_matches(options, catalog, &catalog->contrasts[i]))
      printf("  %-8s %s\n", catalog->contrasts[i].kind, catalog->contrasts[i].id);
  return printed;
}

static int run(int argc, char **argv) {
  const struct pvt_reaper *reaper;
  struct pvt_catalog catalog;
  struct options options = {0};
  struct pvt_why why;
  int status = pvt_command_parse(&argp, "list", argc, argv, &options), matched = 0;

  if (status != PVT_EXIT_FINE)
    return status;
  status = pvt_command_reaper(&reaper, &why);
  if (status == 0)
    status = pvt_catalog_read(reaper, &catalog, &why);
  if (status != 0)
    return pvt_command_fail("list", status, &why);
  for (size_t i = 0; i < catalog.rows_count; i++)
    matched += matches(&options, catalog.rows[i].name);
  if (matched == 0) {
    pvt_why_set(&why, -ENOENT, "no row matches: see pvt list without a pattern");
    status = pvt_command_fail("list", -ENOENT, &why);
  } else if (options.is_json)
    status = print_json(&options, &catalog);
  else
    print_text(&options, &catalog);
  pvt_catalog_done(&catalog);
  return status;
}

const struct pvt_command pvt_command_list = {"list", "every row and contrast, and why it cannot run here", run};
