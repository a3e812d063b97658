/*
 * stats.h - ratios, intervals and verdicts: numbers in, numbers out.
 *
 * Every function is a pure function of its arguments: no input is altered, nothing is kept, nothing is printed, and
 * the same numbers give the same answer. Safe in any thread. Outputs are untouched on failure.
 *
 * Costs are times per operation (ns, or any one unit): a rate is inverted before it comes here, so a ratio above 1
 * always means that the arm costs more.
 *
 * Medians and MAD are GSL's. Binomial and beta distributions are libRmath's, because GSL's return NaN or abort the
 * program from about 100 000 trials on. Sources: order-statistic interval, David and Nagaraja, Order Statistics, 7.1;
 * Hodges and Lehmann 1963; Clopper and Pearson 1934.
 */
#ifndef PVT_STATS_H
#define PVT_STATS_H

#include <stdbool.h>
#include <stddef.h>

/* A ratio nearer to 1 than this factor does not matter: the band of `equal` is [1/1.03, 1.03]. */
#define PVT_STATS_EQUAL_FACTOR 1.03
/* A control's ratio is 1 by construction; its interval must reach into this band. */
#define PVT_STATS_NULL_LOW 0.95
#define PVT_STATS_NULL_HIGH 1.05
/* More than this share of disturbed pairs, in percent, and the contrast is not resolved. */
#define PVT_STATS_DISTURBED_MAX_PERCENT 20
/* Most pairs a ratio takes: it holds pairs * (pairs + 1) / 2 averages in memory, here 17 MB. */
#define PVT_STATS_PAIRS_MAX 2048

/* Positions in the sorted values, counted from 1: low = k, high = count + 1 - k. */
struct pvt_ranks {
  unsigned low;
  unsigned high;
  double coverage; /* chance that the interval holds the median, in (0, 1] */
};

struct pvt_interval {
  double value;
  double low;
  double high;
  double level; /* in (0, 1); see each function for whether it is exact or a lower limit */
};

struct pvt_ratio {
  double ratio;     /* exp of the median of ln(arm / against) */
  double low;       /* order-statistic interval of that median; 0 when the pairs are too few for one */
  double high;      /* INFINITY when the pairs are too few for one */
  double level;     /* exact coverage of [low, high], at least what was asked; 0 when there is no interval */
  unsigned pairs;   /* rounds counted */
  double hl;        /* Hodges-Lehmann: exp of the median of the Walsh averages of ln(arm / against) */
  double sd_log;    /* 1.4826 MAD of ln(arm / against): 0.01 is about 1 % between rounds */
  double could_see; /* factor >= 1, exp of half the interval's width in logs: the smallest difference these data
                       could have told from none; INFINITY when there is no interval */
};

/* The first that fits, in this order, but a contrast with too few pairs or too many disturbed is never more than
   unresolved. */
enum pvt_verdict {
  PVT_INVALID,   /* a control or null check of the run failed */
  PVT_EQUAL,     /* the interval lies inside the band of `equal` */
  PVT_HIGHER,    /* the interval lies above 1: the arm costs more */
  PVT_LOWER,     /* the interval lies below 1: the arm costs less */
  PVT_UNRESOLVED /* none of these, too few pairs, or too many disturbed */
};

/*
 * A sorted copy, smallest first, for the caller to free().
 * -EINVAL: count is 0. -EDOM: a value is not finite. -ENOMEM.
 */
int pvt_stats_sorted(const double *values, size_t count, double **ret_sorted);

/*
 * The median; of an even count the mean of the two in the middle.
 * -EINVAL: count is 0. -EDOM: a value is not finite. -EOVERFLOW: the two in the middle add up to infinity. -ENOMEM.
 */
int pvt_stats_median(const double *values, size_t count, double *ret_median);

/*
 * The narrowest symmetric pair of ranks that holds the median with a chance of at least level (0 < level < 1), from
 * the binomial distribution with chance 1/2: 9 values at 0.95 give 2 and 8, 96.1 %. Asks of the values only that they
 * are independent draws; ties make the coverage larger.
 * -EINVAL: level out of range. -ERANGE: too few values for any pair (fewer than 6 at 0.95).
 */
int pvt_stats_interval_ranks(unsigned count, double level, struct pvt_ranks *ret_ranks);

/*
 * The median and its order-statistic interval; ret->level is the exact coverage, at least the level asked for.
 * The errors of pvt_stats_median first, then those of pvt_stats_interval_ranks: after -ERANGE the values are sound and
 * pvt_stats_median gives the value to print without an interval.
 */
int pvt_stats_interval(const double *values, unsigned count, double level, struct pvt_interval *ret_interval);

/*
 * Cost of arm / cost of against, where arm[i] and against[i] were measured next to each other in round i.
 * Too few pairs for an interval is no error: ret->level is then 0.
 * -EINVAL: no pairs, or level not in (0, 1). -E2BIG: more than PVT_STATS_PAIRS_MAX. -EDOM: a cost is not finite or not
 * above 0 (found before a bad level). -EOVERFLOW: the ratio, or a bound of it, is too large or too small for a double.
 * -ENOMEM.
 */
int pvt_stats_ratio(const double *arm, const double *against, unsigned pairs, double level,
                    struct pvt_ratio *ret_ratio);

/*
 * The verdict on one contrast. A bound equal to a threshold counts as not clearing it.
 * disturbed: pairs thrown away and replaced; their share is taken of all pairs launched, ratio->pairs + disturbed.
 * controls_failed: a control of the same run failed (pvt_stats_null_failed), or could not be judged.
 */
enum pvt_verdict pvt_stats_verdict(const struct pvt_ratio *ratio, unsigned disturbed, bool controls_failed);

/* "invalid", "equal", "higher", "lower" or "unresolved"; static. "unresolved" for a value outside the enum. */
const char *pvt_verdict_name(enum pvt_verdict verdict);

/*
 * Whether a control's interval [low, high] lies wholly outside [0.95, 1.05]. Touching the band is not failing; a bound
 * that is NaN is. A ratio without an interval (0 to INFINITY) does not fail.
 */
bool pvt_stats_null_failed(double low, double high);

/*
 * The smallest c with P(X <= c) >= level for X binomial(trials, p): a count above it is not explained by p at that
 * one-sided level. 60 trials of 0.05 at 0.99 give 7. p in [0, 1], level in (0, 1]; 0, which excuses least, when either
 * is not.
 */
unsigned pvt_stats_binomial_limit(unsigned trials, double p, double level);

/*
 * Clopper-Pearson interval of a proportion: ret->value = successes / trials, two-sided, (1 - level) / 2 on each side,
 * coverage at least ret->level = level.
 * -EINVAL: no trials, more successes than trials, or level not in (0, 1).
 */
int pvt_stats_proportion(unsigned successes, unsigned trials, double level, struct pvt_interval *ret_interval);

/*
 * Exact two-sided sign test of the order in which the arms ran: the chance, if each order were a fair coin, of a count
 * at least as far from pairs / 2 as first (pairs in which arm A ran first). 1 for no pairs.
 * -EINVAL: first > pairs.
 */
int pvt_stats_order_balance(unsigned first, unsigned pairs, double *ret_p);

#endif
