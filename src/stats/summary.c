/* summary.c - what stands in the middle of some numbers. */
#include "stats.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int pvt_stats_sorted(const double *values, size_t count, double **ret_sorted) {
  if (count == 0)
    return -EINVAL;
  for (size_t i = 0; i < count; i++)
    if (!isfinite(values[i]))
      return -EDOM;
  double *sorted = calloc(count, sizeof *sorted);
  if (!sorted)
    return -ENOMEM;
  memcpy(sorted, values, count * sizeof *sorted);
  gsl_sort(sorted, 1, count);
  *ret_sorted = sorted;
  return 0;
}

int pvt_stats_median(const double *values, size_t count, double *ret_median) {
  double *sorted = NULL;
  int error = pvt_stats_sorted(values, count, &sorted);
  if (error)
    return error;
  double median = gsl_stats_median_from_sorted_data(sorted, 1, count);
  free(sorted);
  if (!isfinite(median))
    return -EOVERFLOW;
  *ret_median = median;
  return 0;
}
