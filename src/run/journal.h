/*
 * journal.h - rounds.jsonl, the memory of a run: line 1 is the plan, then one line per launch, written as it ends, and
 * one line that closes each group of launches and says whether it counts. What no closing line follows was cut off in
 * the middle and does not count.
 *
 *   {"round","slot","group","attempt","row","status":"ok"|"error","why","value_ns","values_ns","cpu_ns",...}
 *   {"end":true,"round","group","attempt","status":"ok"|"disturbed","why","telemetry":{...}}
 *   {"resumed":true}
 */
#ifndef PVT_RUN_JOURNAL_H
#define PVT_RUN_JOURNAL_H

#include "plan.h"

enum { PVT_JOURNAL_BYTES_MAX = 512 << 20, PVT_LINE_BYTES_MAX = 16 << 20 };
enum { PVT_ERRORS_MAX = 2 }; /* a row that failed so often is not launched again */

enum { PVT_JOURNAL_PATH_BYTES = 4096 };
/* DIR/rounds.jsonl. -ENAMETOOLONG. */
int pvt_journal_path(const char *folder, char ret_path[PVT_JOURNAL_PATH_BYTES], struct pvt_why *why);

/* ---- Writing (journal.c): one line at a time, whole, appended ---- */

struct pvt_journal {
  int fd; /* locked: two commands cannot write one run */
};

/* Makes DIR/rounds.jsonl with the plan. -EEXIST if there is one with a plan; -EBUSY as for resume. */
int pvt_journal_new(const char *folder, const struct pvt_plan *plan, struct pvt_journal *ret_journal,
                    struct pvt_why *why);
/* -EEXIST if there is one with a plan: better known before the run is calibrated. */
int pvt_journal_check_new(const char *folder, struct pvt_why *why);
/* Opens it to go on: cuts off a last line without its newline, and notes that what is not closed is void. -EBUSY if
 * another command is at it. */
int pvt_journal_resume(const char *folder, struct pvt_journal *ret_journal, struct pvt_why *why);
/* Takes the reference. -ENOSPC and the like; -EFBIG when it would become too large to be read. */
int pvt_journal_append(struct pvt_journal *journal, json_t *line, struct pvt_why *why);
void pvt_journal_close(struct pvt_journal *journal);

/* ---- Reading (history.c) ---- */

struct pvt_launched {
  unsigned round;
  size_t row; /* position in plan.catalog.rows */
  enum pvt_launch_status { PVT_LAUNCH_OK, PVT_LAUNCH_ERROR, PVT_LAUNCH_DISTURBED } status;
  double value_ns; /* of an ok or disturbed launch: finite and above 0 */
  json_t *json;    /* the line; a reference */
};

struct pvt_history {
  struct pvt_plan plan;
  struct pvt_launched *launches; /* of closed groups only, in the order of the journal */
  size_t launches_count;
  size_t *by_row, *row_first; /* positions in launches, row by row: from row_first[row], before row_first[row + 1] */
  unsigned char *closed;      /* [round * groups_count + group]: an undisturbed end was written */
  unsigned *disturbed;        /* [group]: how many groups of launches were disturbed */
  bool is_cut;                /* the last line had no newline and was left out */
};

/* Reads DIR/rounds.jsonl, which may be hostile. -ENOENT, -EFBIG, -EINVAL with the line's number in why. */
int pvt_history_read(const char *folder, struct pvt_history *ret_history, struct pvt_why *why);
void pvt_history_done(struct pvt_history *history);
/* Did it come to no value, in peace or disturbed? */
bool pvt_launch_failed(const struct pvt_launched *launched);
/* How often the row failed by itself, in groups that were not disturbed. One that never came to a value, disturbed or
 * not, cannot blame others: all its failures count. */
unsigned pvt_history_errors(const struct pvt_history *history, size_t row);
/* Rounds in which every group is closed, but for those of which every row has failed for good. */
unsigned pvt_history_rounds(const struct pvt_history *history);

#endif
