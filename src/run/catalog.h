/* catalog.h - every row and contrast that the harnesses of this build declare. */
#ifndef PVT_RUN_CATALOG_H
#define PVT_RUN_CATALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "harness.h"
#include "why.h"

struct pvt_catalog_row {
  const char *name, *question; /* borrowed from json */
  const char *skip;            /* NULL: it can run here */
  bool is_windowed;
  json_t *json; /* borrowed: the row as the harness said it */
};

struct pvt_catalog_contrast {
  const char *id, *kind;
  size_t arm, against; /* positions in rows */
  bool is_null;
};

struct pvt_catalog {
  json_t *json; /* {"rows", "contrasts"} as in pvt list --json, and "questions": {name: title} */
  struct pvt_catalog_row *rows;
  size_t rows_count;
  struct pvt_catalog_row **by_name; /* the rows, sorted */
  struct pvt_catalog_contrast *contrasts;
  size_t contrasts_count;
};

/* Asks every harness. Returns 0 or -errno with a why. Release with pvt_catalog_done. */
int pvt_catalog_read(const struct pvt_reaper *reaper, struct pvt_catalog *ret_catalog, struct pvt_why *why);
/* From JSON of that shape, which may come from a file and is checked; takes a reference. */
int pvt_catalog_parse(json_t *json, struct pvt_catalog *ret_catalog, struct pvt_why *why);
void pvt_catalog_done(struct pvt_catalog *catalog);

/* NULL if there is none of that name, or name is NULL. */
const struct pvt_catalog_row *pvt_catalog_find(const struct pvt_catalog *catalog, const char *name);
/* Does the name match the glob? '*' crosses '/'. */
bool pvt_catalog_matches(const char *pattern, const char *name);
/* Is the profile's name in the row's list? */
bool pvt_catalog_in_profile(const struct pvt_catalog_row *row, const char *profile);

#endif
