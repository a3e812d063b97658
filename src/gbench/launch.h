/* launch.h - a harness's subject: started, asked, watched, ended. */
#ifndef PVT_GBENCH_LAUNCH_H
#define PVT_GBENCH_LAUNCH_H

#include <stdint.h>
#include <sys/types.h>

#include "../question.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pvt_launch; /* one subject process, in a process group of its own, watched by a reaper */

/* Starts pvt-<question>-subject with the row's environment. Returns 0 or -errno. */
int pvt_launch_new(const char *question, const struct pvt_row *row, struct pvt_launch **ret_launch);
/* Kills whatever is left of it and its workers. NULL is fine. */
void pvt_launch_free(struct pvt_launch *launch);
/* One repetition. Returns ret_measure->status, which is also set, with a why, for a subject that died or said nothing
 * for timeout_s, and for a missing proof. Workers that did not overlap are given up to five tries. */
int pvt_launch_measure(struct pvt_launch *launch, const struct pvt_row *row, uint64_t operations, uint64_t window_ns,
                       unsigned timeout_s, struct pvt_measure *ret_measure);

/* How long a window must be for this row: 20 ms, or 20 scheduler slices for each worker that shares a CPU. */
uint64_t pvt_launch_window_ns(const struct pvt_row *row, const struct pvt_host *host);
/* How many operations of a counted row take about target_ns. Returns 0 or -errno with measure->why. */
int pvt_launch_calibrate(struct pvt_launch *launch, const struct pvt_row *row, uint64_t target_ns, unsigned timeout_s,
                         struct pvt_measure *measure, uint64_t *ret_operations);

#ifdef __cplusplus
}
#endif
#endif
