/* binomial.c - what a count out of a number of trials can tell. */
#include "stats.h"

#include <Rmath.h>
#include <errno.h>

unsigned pvt_stats_binomial_limit(unsigned trials, double p, double level) {
  if (!(p >= 0 && p <= 1) || !(level > 0 && level <= 1))
    return 0;
  return (unsigned)qbinom(level, trials, p, 1, 0);
}

int pvt_stats_proportion(unsigned successes, unsigned trials, double level, struct pvt_interval *ret_interval) {
  if (trials == 0 || successes > trials || !(level > 0 && level < 1))
    return -EINVAL;
  double miss = (1 - level) / 2;
  double failures = (double)trials - successes;
  *ret_interval = (struct pvt_interval){
      .value = (double)successes / trials,
      .low = successes == 0 ? 0 : qbeta(miss, successes, failures + 1, 1, 0),
      .high = failures == 0 ? 1 : qbeta(miss, successes + 1.0, failures, 0, 0),
      .level = level,
  };
  return 0;
}

int pvt_stats_order_balance(unsigned first, unsigned pairs, double *ret_p) {
  if (first > pairs)
    return -EINVAL;
  unsigned fewer = first < pairs - first ? first : pairs - first;
  double both = 2 * pbinom(fewer, pairs, 0.5, 1, 0);
  *ret_p = both < 1 ? both : 1;
  return 0;
}
