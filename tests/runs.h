/* runs.h - what tests of plans and journals share: a plan from a few words, a private folder, files in it. */
#ifndef PVT_TESTS_RUNS_H
#define PVT_TESTS_RUNS_H

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/plan.h"

enum { SECONDS = 60, TEXT_BYTES = 1 << 20 };

/* Positions of rows that are compared. */
struct edge {
  size_t arm, against;
};

/* Rows "create/row:0", "create/row:1" and so on, with these contrasts between them. */
static inline json_t *plan_json(size_t rows_count, const struct edge *edges, size_t edges_count, unsigned rounds,
                                json_int_t seed) {
  json_t *rows = json_array(), *contrasts = json_array(), *json;

  for (size_t i = 0; i < rows_count; i++)
    json_array_append_new(rows, json_pack("{s:o, s:s, s:{}, s:s, s:[s], s:i}", "name",
                                          json_sprintf("create/row:%zu", i), "question", "create", "axes", "timing",
                                          "counted", "profiles", "quick", "operations", 10));
  for (size_t i = 0; i < edges_count; i++)
    json_array_append_new(contrasts,
                          json_pack("{s:o, s:s, s:o, s:o, s:b}", "id", json_sprintf("create/edge:%zu", i), "kind",
                                    "model", "arm", json_sprintf("create/row:%zu", edges[i].arm), "against",
                                    json_sprintf("create/row:%zu", edges[i].against), "null_check", 0));
  json = json_pack("{s:i, s:s, s:s, s:i, s:I, s:o, s:o, s:[], s:{s:s}}", "plan", 1, "version", "0", "profile", "quick",
                   "rounds", (int)rounds, "seed", seed, "rows", rows, "contrasts", contrasts, "skipped", "questions",
                   "create", "What?");
  cr_assert_not_null(json);
  return json;
}

static inline void plan_new(struct pvt_plan *ret_plan, size_t rows_count, const struct edge *edges, size_t edges_count,
                            unsigned rounds, json_int_t seed) {
  json_t *json = plan_json(rows_count, edges, edges_count, rounds, seed);
  struct pvt_why why;

  cr_assert_eq(pvt_plan_parse(json, ret_plan, &why), 0, "%s", why.text);
  json_decref(json);
}

/* A folder of this test's own. Whoever makes it removes it with folder_free. */
static inline char *folder_new(void) {
  const char *parent = getenv("TMPDIR");
  char path[4096];

  snprintf(path, sizeof path, "%s/pvt-test-XXXXXX", parent == NULL ? "/tmp" : parent);
  cr_assert_not_null(mkdtemp(path));
  return strdup(path);
}

static inline void folder_free(char *folder) {
  char command[4200];

  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  cr_expect_eq(system(command), 0);
  free(folder);
}

static inline void file_write(const char *folder, const char *name, const void *bytes, size_t length) {
  char path[4200];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "we");
  cr_assert_not_null(file, "%s", path);
  cr_assert_eq(fwrite(bytes, 1, length, file), length);
  cr_assert_eq(fclose(file), 0);
}

/* NULL when it is not there; the caller's to free. */
static inline char *file_read(const char *folder, const char *name) {
  char path[4200], *text = calloc(TEXT_BYTES, 1);
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "re");
  cr_assert_not_null(text);
  if (file == NULL) {
    free(text);
    return NULL;
  }
  cr_assert_lt(fread(text, 1, TEXT_BYTES - 1, file), (size_t)TEXT_BYTES - 1);
  fclose(file);
  return text;
}

#endif
