/* summary.h - from launches to an answer: the JSON of pvt show --json, which the table, the charts and the report draw.
 */
#ifndef PVT_RUN_SUMMARY_H
#define PVT_RUN_SUMMARY_H

#include "journal.h"

/*
 * {"run","version","profile","seed","machine":{},"rounds","rounds_planned","is_complete","questions":{name: title},
 *  "rows":[{"name","question","axes","unit","better","value","low","high","level","quantiles":{},"cpu_ns","switches",
 *           "faults","overlap","histogram","launches","disturbed"}],
 *  "contrasts":[{"id","kind","arm","against","ratio","low","high","level","rounds","disturbed","verdict","could_see",
 *                "null_check","why"}],
 *  "errors":[{"row","why"}],"skipped":[{"row","why"}],"invalid":null|"why","notes":[]}
 * Values are ns per operation, medians over launches. low, high and could_see are null where there are too few rounds
 * for an interval; nothing is ever NaN. The caller's to release. Errors: -ENOMEM.
 */
int pvt_summary_new(const struct pvt_history *history, const char *run, json_t **ret_summary);

/* Google Benchmark's JSON: one iteration entry per undisturbed launch. The caller's to release; NULL: no memory. */
json_t *pvt_results_json(const struct pvt_history *history);
/* Writes it as DIR/results.json, whole or not at all. */
int pvt_results_write(const struct pvt_history *history, const char *folder, struct pvt_why *why);

#endif
