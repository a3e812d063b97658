/* interval.c - between which two of the values the median lies, and with what chance. */
#include "stats.h"

#include <Rmath.h>
#include <errno.h>
#include <stdlib.h>

/* Lets a coverage that equals the level in exact arithmetic count as reaching it, as a share of 1 - level. */
#define ROUNDING 1e-9

int pvt_stats_interval_ranks(unsigned count, double level, struct pvt_ranks *ret_ranks) {
  if (!(level > 0 && level < 1))
    return -EINVAL;
  /* The interval from rank k misses on one side when fewer than k values lie on it: chance P(X <= k - 1). */
  double miss = (1 - level) / 2 * (1 + ROUNDING);
  unsigned low = (unsigned)qbinom(miss, count, 0.5, 1, 0);
  if (low > count / 2)
    low = count / 2;
  if (low == 0)
    return -ERANGE;
  *ret_ranks = (struct pvt_ranks){
      .low = low,
      .high = count + 1 - low,
      .coverage = 1 - 2 * pbinom(low - 1.0, count, 0.5, 1, 0),
  };
  return 0;
}

int pvt_stats_interval(const double *values, unsigned count, double level, struct pvt_interval *ret_interval) {
  double *sorted = NULL;
  double median;
  struct pvt_ranks ranks;
  int error = pvt_stats_median(values, count, &median);
  if (!error)
    error = pvt_stats_interval_ranks(count, level, &ranks);
  if (!error)
    error = pvt_stats_sorted(values, count, &sorted);
  if (error)
    return error;
  *ret_interval = (struct pvt_interval){
      .value = median,
      .low = sorted[ranks.low - 1],
      .high = sorted[ranks.high - 1],
      .level = ranks.coverage,
  };
  free(sorted);
  return 0;
}
