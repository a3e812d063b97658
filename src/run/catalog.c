#include "catalog.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_TIMEOUT_S = 30, NAME_MAX_BYTES = 512 };

bool pvt_catalog_matches(const char *pattern, const char *name) {
  return fnmatch(pattern, name, 0) == 0;
}

bool pvt_catalog_in_profile(const struct pvt_catalog_row *row, const char *profile) {
  json_t *profiles = json_object_get(row->json, "profiles"), *each;
  size_t i;

  json_array_foreach (profiles, i, each) {
    if (json_is_string(each) && strcmp(json_string_value(each), profile) == 0)
      return true;
  }
  return false;
}

/* Names reach terminals, files and HTML: only the alphabet of the design, and '-vs-' ids, may. */
static bool is_clean(const char *name) {
  size_t length = name == NULL ? 0 : strlen(name);

  return length > 0 && length < NAME_MAX_BYTES && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.:/-") == length;
}

static int by_name(const void *a, const void *b) {
  return strcmp((*(struct pvt_catalog_row *const *)a)->name, (*(struct pvt_catalog_row *const *)b)->name);
}

const struct pvt_catalog_row *pvt_catalog_find(const struct pvt_catalog *catalog, const char *name) {
  const struct pvt_catalog_row key = {.name = name}, *key_at = &key;
  struct pvt_catalog_row **found;

  if (name == NULL)
    return NULL;
  found = bsearch(&key_at, catalog->by_name, catalog->rows_count, sizeof catalog->by_name[0], by_name);
  return found == NULL ? NULL : *found;
}

static int parse_rows(struct pvt_catalog *catalog, json_t *rows, struct pvt_why *why) {
  json_t *each;
  size_t i;

  catalog->rows = calloc(json_array_size(rows) + 1, sizeof catalog->rows[0]);
  if (catalog->rows == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for %zu rows", json_array_size(rows));
  json_array_foreach (rows, i, each) {
    struct pvt_catalog_row *row = &catalog->rows[catalog->rows_count++];
    const char *timing = json_string_value(json_object_get(each, "timing"));

    row->json = each;
    row->name = json_string_value(json_object_get(each, "name"));
    row->question = json_string_value(json_object_get(each, "question"));
    row->skip = json_string_value(json_object_get(each, "skip"));
    row->is_windowed = timing != NULL && strcmp(timing, "windowed") == 0;
    if (!is_clean(row->name) || !is_clean(row->question) || strchr(row->question, '/') != NULL)
      return pvt_why_set(why, -EINVAL, "row %zu has no proper name and question", i);
  }
  return 0;
}

static int sort_rows(struct pvt_catalog *catalog, struct pvt_why *why) {
  catalog->by_name = calloc(catalog->rows_count + 1, sizeof catalog->by_name[0]);
  if (catalog->by_name == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for %zu rows", catalog->rows_count);
  for (size_t i = 0; i < catalog->rows_count; i++)
    catalog->by_name[i] = &catalog->rows[i];
  qsort(catalog->by_name, catalog->rows_count, sizeof catalog->by_name[0], by_name);
  for (size_t i = 1; i < catalog->rows_count; i++)
    if (strcmp(catalog->by_name[i - 1]->name, catalog->by_name[i]->name) == 0)
      return pvt_why_set(why, -EEXIST, "the row %s is there twice", catalog->by_name[i]->name);
  return 0;
}

static int parse_contrast(struct pvt_catalog *catalog, json_t *json, struct pvt_catalog_contrast *ret_contrast) {
  const struct pvt_catalog_row *arm = pvt_catalog_find(catalog, json_string_value(json_object_get(json, "arm")));
  const struct pvt_catalog_row *against =
      pvt_catalog_find(catalog, json_string_value(json_object_get(json, "against")));
  const char *id = json_string_value(json_object_get(json, "id"));
  const char *kind = json_string_value(json_object_get(json, "kind"));

  if (!is_clean(id) || !is_clean(kind) || arm == NULL || against == NULL || arm == against)
    return -EINVAL;
  *ret_contrast =
      (struct pvt_catalog_contrast){id, kind, (size_t)(arm - catalog->rows), (size_t)(against - catalog->rows),
                                    json_is_true(json_object_get(json, "null_check"))};
  return 0;
}

static int by_id(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_ids(const struct pvt_catalog *catalog, struct pvt_why *why) {
  const char **ids = calloc(catalog->contrasts_count + 1, sizeof ids[0]);
  int status = ids == NULL ? pvt_why_set(why, -ENOMEM, "no memory for %zu contrasts", catalog->contrasts_count) : 0;

  for (size_t i = 0; i < catalog->contrasts_count && status == 0; i++)
    ids[i] = catalog->contrasts[i].id;
  if (status == 0)
    qsort(ids, catalog->contrasts_count, sizeof ids[0], by_id);
  for (size_t i = 1; i < catalog->contrasts_count && status == 0; i++)
    if (strcmp(ids[i - 1], ids[i]) == 0)
      status = pvt_why_set(why, -EEXIST, "the contrast %s is there twice", ids[i]);
  free(ids);
  return status;
}

static int parse_contrasts(struct pvt_catalog *catalog, json_t *contrasts, struct pvt_why *why) {
  json_t *each;
  size_t i;

  catalog->contrasts = calloc(json_array_size(contrasts) + 1, sizeof catalog->contrasts[0]);
  if (catalog->contrasts == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for %zu contrasts", json_array_size(contrasts));
  json_array_foreach (contrasts, i, each) {
    if (parse_contrast(catalog, each, &catalog->contrasts[i]) < 0)
      return pvt_why_set(why, -EINVAL, "contrast %zu has no proper id, kind, arm and against", i);
    catalog->contrasts_count++;
  }
  return check_ids(catalog, why);
}

int pvt_catalog_parse(json_t *json, struct pvt_catalog *ret_catalog, struct pvt_why *why) {
  json_t *rows = json_object_get(json, "rows"), *contrasts = json_object_get(json, "contrasts");
  struct pvt_catalog catalog = {0};
  int status;

  if (!json_is_array(rows) || !json_is_array(contrasts))
    return pvt_why_set(why, -EINVAL, "it has no list of rows and of contrasts");
  catalog.json = json_incref(json);
  status = parse_rows(&catalog, rows, why);
  if (status == 0)
    status = sort_rows(&catalog, why);
  if (status == 0)
    status = parse_contrasts(&catalog, contrasts, why);
  if (status < 0)
    pvt_catalog_done(&catalog);
  else
    *ret_catalog = catalog;
  return status;
}

/* Adds a harness's list to all lists. It may be anything: programs are as hostile as files. */
static int add_list(json_t *all, const char *question, json_t *list, struct pvt_why *why) {
  json_t *rows = json_object_get(list, "rows"), *contrasts = json_object_get(list, "contrasts");
  json_t *title = json_object_get(list, "title"), *each;
  size_t i;

  if (!json_is_array(rows) || !json_is_array(contrasts) || !json_is_string(title))
    return pvt_why_set(why, -EPROTO, "pvt-%s --list gave no title, rows and contrasts: build it anew", question);
  json_array_foreach (rows, i, each) {
    const char *name = json_string_value(json_object_get(each, "question"));

    if (name == NULL || strcmp(name, question) != 0)
      return pvt_why_set(why, -EPROTO, "pvt-%s --list gave a row of another question: build it anew", question);
  }
  if (json_array_extend(json_object_get(all, "rows"), rows) < 0 ||
      json_array_extend(json_object_get(all, "contrasts"), contrasts) < 0 ||
      json_object_set(json_object_get(all, "questions"), question, title) < 0)
    return pvt_why_set(why, -ENOMEM, "no memory for the rows of pvt-%s", question);
  return 0;
}

int pvt_catalog_read(const struct pvt_reaper *reaper, struct pvt_catalog *ret_catalog, struct pvt_why *why) {
  static const char *const arguments[] = {"--list", NULL};
  json_t *all = json_pack("{s:[], s:[], s:{}}", "rows", "contrasts", "questions");
  int status = all == NULL ? pvt_why_set(why, -ENOMEM, "no memory for the rows") : 0;

  for (unsigned i = 0; pvt_harness_questions[i] != NULL && status == 0; i++) {
    json_t *list = NULL;

    status = pvt_harness_run(reaper, pvt_harness_questions[i], arguments, true, LIST_TIMEOUT_S, &list, why);
    if (status == 0)
      status = add_list(all, pvt_harness_questions[i], list, why);
    json_decref(list);
  }
  if (status == 0 && pvt_catalog_parse(all, ret_catalog, why) < 0) {
    struct pvt_why inner = *why;

    status = pvt_why_set(why, -EPROTO, "the harnesses' lists: %.400s: build them anew", inner.text);
  }
  json_decref(all);
  return status;
}

void pvt_catalog_done(struct pvt_catalog *catalog) {
  free(catalog->by_name);
  free(catalog->rows);
  free(catalog->contrasts);
  json_decref(catalog->json);
  *catalog = (struct pvt_catalog){0};
}
