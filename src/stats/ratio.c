/* ratio.c - what one arm costs against the other, pair by pair. */
#include "stats.h"

#include <errno.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

/* Hodges-Lehmann: the median of the averages of every two values, each value with itself included. */
static int hodges_lehmann(const double *values, unsigned count, double *ret_middle) {
  size_t averages = (size_t)count * (count + 1) / 2;
  double *walsh = calloc(averages, sizeof *walsh);
  if (!walsh)
    return -ENOMEM;
  size_t filled = 0;
  for (unsigned i = 0; i < count; i++)
    for (unsigned j = i; j < count; j++)
      walsh[filled++] = (values[i] + values[j]) / 2;
  *ret_middle = gsl_stats_median(walsh, 1, averages);
  free(walsh);
  return 0;
}

static int summarise(const double *logs, double *work, unsigned pairs, double level, struct pvt_ratio *ret_ratio) {
  struct pvt_interval middle;
  double hl;
  int error = pvt_stats_interval(logs, pairs, level, &middle);
  if (error == -ERANGE) {
    middle = (struct pvt_interval){.low = -INFINITY, .high = INFINITY};
    error = pvt_stats_median(logs, pairs, &middle.value);
  }
  if (!error)
    error = hodges_lehmann(logs, pairs, &hl);
  if (error)
    return error;
  struct pvt_ratio ratio = {
      .ratio = exp(middle.value),
      .low = exp(middle.low),
      .high = exp(middle.high),
      .level = middle.level,
      .pairs = pairs,
      .hl = exp(hl),
      .sd_log = gsl_stats_mad(logs, 1, pairs, work),
      .could_see = exp((middle.high - middle.low) / 2),
  };
  bool has_interval = ratio.level > 0;
  if (!isnormal(ratio.ratio) || !isnormal(ratio.hl) ||
      (has_interval && (!isnormal(ratio.low) || !isfinite(ratio.high))))
    return -EOVERFLOW;
  *ret_ratio = ratio;
  return 0;
}

int pvt_stats_ratio(const double *arm, const double *against, unsigned pairs, double level,
                    struct pvt_ratio *ret_ratio) {
  if (pairs == 0)
    return -EINVAL;
  if (pairs > PVT_STATS_PAIRS_MAX)
    return -E2BIG;
  double *logs = calloc(pairs, sizeof *logs);
  double *work = calloc(pairs, sizeof *work);
  int error = -ENOMEM;
  if (!logs || !work)
    goto out;
  /* What is not finite and above 0 has no finite logarithm, so that summarise refuses it. */
  for (unsigned i = 0; i < pairs; i++)
    logs[i] = log(arm[i]) - log(against[i]);
  error = summarise(logs, work, pairs, level, ret_ratio);
out:
  free(work);
  free(logs);
  return error;
}
