/*
 * plan.h - what a run will launch, and in which order. It is line 1 of the journal, so that a run can be resumed and
 * read without the harnesses that made it.
 */
#ifndef PVT_RUN_PLAN_H
#define PVT_RUN_PLAN_H

#include <stdint.h>

#include "catalog.h"

struct pvt_plan_row {
  size_t group;        /* rows that contrasts connect are launched together, and replaced together */
  uint64_t operations; /* counted rows: of each repetition */
  uint64_t window_ns;  /* windowed rows */
  const char *error;   /* it failed while it was calibrated: not launched. NULL: fine */
};

struct pvt_plan {
  json_t *json;               /* the journal's first line */
  struct pvt_catalog catalog; /* the selected rows that can run, and the contrasts between them */
  struct pvt_plan_row *rows;  /* one for each of catalog.rows */
  size_t groups_count;
  unsigned rounds;
  unsigned timeout_s; /* a launch without an answer for so long is an error */
  uint64_t seed;
};

enum { PVT_ROUNDS_MAX = 1000, PVT_TIMEOUT_S = 240, PVT_TIMEOUT_MAX_S = 86400 };

struct pvt_plan_request {
  const char *const *patterns; /* NULL-ended; empty: all rows of the profile */
  const char *profile;         /* "quick", "standard", "full" */
  unsigned rounds;             /* 0: the profile's: 9, 20, 40 */
  uint64_t seed;
  unsigned timeout_s; /* 0: PVT_TIMEOUT_S */
};

/* Selects from the catalog: rows in the profile that match a pattern, and the controls always. A pattern that matches
 * no row of any profile is -ENOENT. Adds skipped rows with their reasons. Calibration comes later. */
int pvt_plan_new(const struct pvt_catalog *catalog, const struct pvt_plan_request *request, struct pvt_plan *ret_plan,
                 struct pvt_why *why);
/* From the journal's first line, which is checked. Takes a reference. */
int pvt_plan_parse(json_t *json, struct pvt_plan *ret_plan, struct pvt_why *why);
void pvt_plan_done(struct pvt_plan *plan);

/* What the calibration found, kept in rows and in json. Error NULL: fine. */
void pvt_plan_calibrated(struct pvt_plan *plan, size_t row, uint64_t operations, uint64_t window_ns, const char *error);

/* The order of one round: group by group, each group's rows along its contrasts. Rounds come in pairs: the second of a
 * pair runs each group backwards, so that in an even number of rounds every contrast has each of its rows first
 * equally often. Fills catalog.rows_count positions. -ENOMEM. */
int pvt_plan_order(const struct pvt_plan *plan, unsigned round, size_t *ret_order);

/* The rounds of a profile; 0 for an unknown one. */
unsigned pvt_plan_profile_rounds(const char *profile);

#endif
