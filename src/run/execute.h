/* execute.h - carries out a plan: calibrates, launches round by round, watches for what comes from outside. */
#ifndef PVT_RUN_EXECUTE_H
#define PVT_RUN_EXECUTE_H

#include "journal.h"

/* Tells the command how far the run is; called between launches only. */
struct pvt_watcher {
  void (*progress)(void *context, const char *doing, size_t done, size_t all);
  void *context;
};

/* What a run can be held against when it is resumed, and when and where it was begun, put into the plan's json:
 * {"binaries": {...}, "machine": {...}, "started": "2026-01-31T23:59:59+00:00", "host": "..."} (identity.c). */
int pvt_execute_identify(struct pvt_plan *plan, struct pvt_why *why);
/* -ESTALE with the first difference in why, if the plan was made by another build or on another machine. */
int pvt_execute_verify(const struct pvt_plan *plan, struct pvt_why *why);

/* Finds N for every row; one that fails becomes an error row. Returns 0, -EINTR, or -EPIPE: the reaper is gone. */
int pvt_execute_calibrate(struct pvt_plan *plan, const struct pvt_reaper *reaper, const struct pvt_watcher *watcher,
                          struct pvt_why *why);
/* Launches what the history lacks. Returns 0 (errors of rows are in the journal), -EINTR, -EPIPE, or a journal's error.
 */
int pvt_execute_rounds(const struct pvt_history *history, struct pvt_journal *journal, const struct pvt_reaper *reaper,
                       const struct pvt_watcher *watcher, struct pvt_why *why);

#endif
