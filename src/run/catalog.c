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

/* Rows sorted by name, for look-up; NULL when memory is out. */
static struct pvt_catalog_row **sorted_rows(const struct pvt_catalog *catalog) {
  struct pvt_catalog_row **sorted = calloc(catalog->rows_count + 1, sizeof sorted[0]);

  for (size_t i = 0; sorted != NULL && i < catalog->rows_count; i++)
    sorted[i] = &catalog->rows[i];
  if (sorted != NULL)
    qsort(sorted, catalog->rows_count, sizeof sorted[0], by_name);
  return sorted;
}

static struct pvt_catalog_row *look_up(const struct pvt_catalog *catalog, struct pvt_catalog_row **sorted,
                                       const char *name) {
  struct pvt_catalog_row key = {.name = name}, *key_at = &key, **found;

  if (name == NULL)
    return NULL;
  found = bsearch(&key_at, sorted, catalog->rows_count, sizeof sorted[0], by_name);
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

static int parse_contrasts(struct pvt_catalog *catalog, json_t *contrasts, struct pvt_why *why) {
  struct pvt_catalog_row **sorted = sorted_rows(catalog);
  int status = sorted == NULL ? -ENOMEM : 0;
  json_t *each;
  size_t i;

  catalog->contrasts = calloc(json_array_size(contrasts) + 1, sizeof catalog->contrasts[0]);
  if (status < 0 || catalog->contrasts == NULL) {
    free(sorted);
    return pvt_why_set(why, -ENOMEM, "no memory for %zu contrasts", json_array_size(contrasts));
  }
  for (size_t row = 1; row < catalog->rows_count && status == 0; row++)
    if (strcmp(sorted[row - 1]->name, sorted[row]->name) == 0)
      status = pvt_why_set(why, -EEXIST, "the row %s is there twice", sorted[row]->name);
  json_array_foreach (contrasts, i, each) {
    struct pvt_catalog_contrast *contrast = &catalog->contrasts[catalog->contrasts_count];
    struct pvt_catalog_row *arm = look_up(catalog, sorted, json_string_value(json_object_get(each, "arm")));
    struct pvt_catalog_row *against = look_up(catalog, sorted, json_string_value(json_object_get(each, "against")));

    contrast->id = json_string_value(json_object_get(each, "id"));
    contrast->kind = json_string_value(json_object_get(each, "kind"));
    contrast->is_null = json_is_true(json_object_get(each, "null_check"));
    if (status == 0 && (!is_clean(contrast->id) || !is_clean(contrast->kind) || arm == NULL || against == NULL))
      status = pvt_why_set(why, -EINVAL, "contrast %zu has no proper id, kind, arm and against", i);
    if (status < 0)
      break;
    contrast->arm = (size_t)(arm - catalog->rows);
    contrast->against = (size_t)(against - catalog->rows);
    catalog->contrasts_count++;
  }
  free(sorted);
  return status;
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
    status = parse_contrasts(&catalog, contrasts, why);
  if (status < 0)
    pvt_catalog_done(&catalog);
  else
    *ret_catalog = catalog;
  return status;
}

int pvt_catalog_read(const struct pvt_reaper *reaper, struct pvt_catalog *ret_catalog, struct pvt_why *why) {
  static const char *const arguments[] = {"--list", NULL};
  json_t *all = json_pack("{s:[], s:[], s:{}}", "rows", "contrasts", "questions");
  int status = all == NULL ? -ENOMEM : 0;

  for (unsigned i = 0; pvt_harness_questions[i] != NULL && status == 0; i++) {
    json_t *list;

    status = pvt_harness_run(reaper, pvt_harness_questions[i], arguments, true, LIST_TIMEOUT_S, &list, why);
    if (status < 0)
      break;
    json_array_extend(json_object_get(all, "rows"), json_object_get(list, "rows"));
    json_array_extend(json_object_get(all, "contrasts"), json_object_get(list, "contrasts"));
    json_object_set(json_object_get(all, "questions"), pvt_harness_questions[i], json_object_get(list, "title"));
    json_decref(list);
  }
  if (status == 0)
    status = pvt_catalog_parse(all, ret_catalog, why);
  json_decref(all);
  return status;
}

void pvt_catalog_done(struct pvt_catalog *catalog) {
  free(catalog->rows);
  free(catalog->contrasts);
  json_decref(catalog->json);
  *catalog = (struct pvt_catalog){0};
}
