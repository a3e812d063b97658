/* test_stats.c - what the statistics promise, against sums made here from first principles. */
#include "stats/stats.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS 20
#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_near(double value, double expected, double relative) {
  return fabs(value - expected) <= relative * fabs(expected);
}

/* P(X = k) for every k of 0 to trials, by repeated addition of independent trials: no formula to get wrong. */
static long double *binomial(unsigned trials, long double p) {
  long double *chance = calloc(trials + 1, sizeof *chance);
  cr_assert_not_null(chance);
  chance[0] = 1;
  for (unsigned trial = 1; trial <= trials; trial++) {
    for (unsigned k = trial; k > 0; k--)
      chance[k] = chance[k] * (1 - p) + chance[k - 1] * p;
    chance[0] *= 1 - p;
  }
  return chance;
}

static long double at_most(const long double *chance, int count) {
  long double sum = 0;
  for (int k = 0; k <= count; k++)
    sum += chance[k];
  return sum;
}

/* The median lies in [X(low), X(count + 1 - low)] when at least low values lie on each side: exact up to 62 values. */
static long double rank_coverage(unsigned count, unsigned low) {
  long double *chance = binomial(count, 0.5L);
  long double coverage = 0;
  for (unsigned below = low; below + low <= count; below++)
    coverage += chance[below];
  free(chance);
  return coverage;
}

/* ---- the median ---- */

static const struct {
  const char *what;
  size_t count;
  double values[6];
  double median;
} medians[] = {
    {"one value", 1, {7}, 7},
    {"two values", 2, {9, 1}, 5},
    {"an odd count", 3, {30, 10, 20}, 20},
    {"an even count takes both in the middle", 4, {40, 10, 30, 20}, 25},
    {"ties", 5, {2, 2, 2, 9, 1}, 2},
    {"signs", 4, {-1, 1, -3, 3}, 0},
    {"an outlier changes nothing", 5, {1, 2, 3, 4, 1e300}, 3},
};

Test(median, is_the_middle, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(medians); i++) {
    double median = NAN;
    cr_expect_eq(pvt_stats_median(medians[i].values, medians[i].count, &median), 0, "%s", medians[i].what);
    cr_expect_eq(median, medians[i].median, "%s: %g, not %g", medians[i].what, median, medians[i].median);
  }
}

Test(median, leaves_its_input_as_it_was, .timeout = SECONDS) {
  double values[] = {5, 3, 4, 1, 2};
  const double before[] = {5, 3, 4, 1, 2};
  double median;
  struct pvt_interval interval;
  cr_assert_eq(pvt_stats_median(values, 5, &median), 0);
  cr_assert_eq(pvt_stats_interval(values, 5, 0.5, &interval), 0);
  cr_expect_arr_eq(values, before, sizeof values);
}

static const struct {
  const char *what;
  size_t count;
  double values[3];
  int error;
} bad_values[] = {
    {"no values", 0, {1}, -EINVAL},
    {"NaN", 3, {1, NAN, 2}, -EDOM},
    {"infinity", 3, {1, 2, INFINITY}, -EDOM},
    {"minus infinity", 1, {-INFINITY}, -EDOM},
    {"a middle beyond a double", 2, {DBL_MAX, DBL_MAX}, -EOVERFLOW},
};

Test(median, refuses_what_has_none, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(bad_values); i++) {
    double median = 42;
    struct pvt_interval interval = {.value = 42};
    cr_expect_eq(pvt_stats_median(bad_values[i].values, bad_values[i].count, &median), bad_values[i].error, "%s",
                 bad_values[i].what);
    cr_expect_eq(pvt_stats_interval(bad_values[i].values, (unsigned)bad_values[i].count, 0.95, &interval),
                 bad_values[i].error, "%s", bad_values[i].what);
    cr_expect_eq(median, 42, "%s: the output was touched", bad_values[i].what);
    cr_expect_eq(interval.value, 42, "%s: the output was touched", bad_values[i].what);
  }
}

/* ---- the interval of the median ---- */

static const struct {
  unsigned count;
  double level;
  unsigned low, high;
  double coverage_percent;
} known_ranks[] = {
    {6, 0.95, 1, 6, 96.9},   {9, 0.95, 2, 8, 96.1},    {10, 0.95, 2, 9, 97.9},
    {20, 0.95, 6, 15, 95.9}, {40, 0.95, 14, 27, 96.2}, {20, 0.99, 4, 17, 99.7},
};

Test(interval_ranks, are_those_of_the_tables, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(known_ranks); i++) {
    struct pvt_ranks ranks = {0};
    unsigned count = known_ranks[i].count;
    cr_expect_eq(pvt_stats_interval_ranks(count, known_ranks[i].level, &ranks), 0, "n = %u", count);
    cr_expect(ranks.low == known_ranks[i].low && ranks.high == known_ranks[i].high, "n = %u: %u to %u, not %u to %u",
              count, ranks.low, ranks.high, known_ranks[i].low, known_ranks[i].high);
    cr_expect(fabs(100 * ranks.coverage - known_ranks[i].coverage_percent) < 0.051, "n = %u: %g", count,
              ranks.coverage);
  }
}

Test(interval_ranks, are_the_narrowest_that_reach_the_level, .timeout = SECONDS) {
  const double levels[] = {1e-12, 0.5, 0.9, 0.95, 0.9609375, 0.99, 0.999};
  unsigned found = 0;
  for (unsigned count = 1; count <= 60; count++)
    for (size_t i = 0; i < COUNT(levels); i++) {
      unsigned widest = 0;
      for (unsigned low = 1; low + low <= count + 1; low++)
        if (rank_coverage(count, low) >= (long double)levels[i] && low < count + 1 - low)
          widest = low;
      struct pvt_ranks ranks = {0};
      int error = pvt_stats_interval_ranks(count, levels[i], &ranks);
      cr_expect_eq(error, widest > 0 ? 0 : -ERANGE, "n = %u, level %g: %d", count, levels[i], error);
      cr_expect_eq(ranks.low, widest, "n = %u, level %g: rank %u, not %u", count, levels[i], ranks.low, widest);
      if (error)
        continue;
      found++;
      cr_expect_eq(ranks.high, count + 1 - widest);
      cr_expect(is_near(ranks.coverage, (double)rank_coverage(count, widest), 1e-12),
                "n = %u, level %g: coverage %.17g", count, levels[i], ranks.coverage);
    }
  cr_expect_gt(found, 300, "only %u compared", found);
}

/* Every way in which the values can fall on either side of the median is equally likely: count them all. */
Test(interval_ranks, hold_the_median_as_often_as_they_say, .timeout = SECONDS) {
  for (unsigned count = 6; count <= 16; count++) {
    struct pvt_ranks ranks;
    cr_assert_eq(pvt_stats_interval_ranks(count, 0.95, &ranks), 0);
    unsigned held = 0;
    for (unsigned sides = 0; sides < 1u << count; sides++) {
      unsigned below = (unsigned)__builtin_popcount(sides);
      held += below >= ranks.low && below < ranks.high;
    }
    cr_expect(is_near(ranks.coverage, ldexp(held, -(int)count), 1e-12), "n = %u", count);
  }
}

Test(interval_ranks, refuse_too_few_values_and_impossible_levels, .timeout = SECONDS) {
  struct pvt_ranks ranks = {.low = 42};
  for (unsigned count = 0; count < 6; count++)
    cr_expect_eq(pvt_stats_interval_ranks(count, 0.95, &ranks), -ERANGE, "n = %u", count);
  const double levels[] = {0, 1, -1, 2, NAN, INFINITY};
  for (size_t i = 0; i < COUNT(levels); i++)
    cr_expect_eq(pvt_stats_interval_ranks(20, levels[i], &ranks), -EINVAL, "level %g", levels[i]);
  cr_expect_eq(ranks.low, 42, "the output was touched");
}

Test(interval_ranks, stay_sound_for_millions, .timeout = SECONDS) {
  const unsigned counts[] = {1000, 100000, 10000000, 4000000000u};
  for (size_t i = 0; i < COUNT(counts); i++) {
    struct pvt_ranks ranks = {0};
    cr_assert_eq(pvt_stats_interval_ranks(counts[i], 0.95, &ranks), 0);
    double expected = counts[i] / 2.0 - 0.98 * sqrt(counts[i]);
    cr_expect(fabs(ranks.low - expected) < 2 + 0.01 * sqrt(counts[i]), "n = %u: rank %u", counts[i], ranks.low);
    cr_expect(ranks.coverage >= 0.95 - 1e-9 && ranks.coverage < 0.957, "n = %u: %g", counts[i], ranks.coverage);
  }
}

Test(interval, takes_the_values_at_its_ranks, .timeout = SECONDS) {
  const double values[] = {90, 10, 80, 20, 70, 30, 60, 40, 50};
  struct pvt_interval interval;
  cr_assert_eq(pvt_stats_interval(values, 9, 0.95, &interval), 0);
  cr_expect_eq(interval.value, 50);
  cr_expect_eq(interval.low, 20);
  cr_expect_eq(interval.high, 80);
  cr_expect(is_near(interval.level, 0.9609375, 1e-12));
}

Test(interval, says_when_there_are_too_few_but_sound_values, .timeout = SECONDS) {
  const double values[] = {3, 1, 2, 5, 4};
  struct pvt_interval interval = {.value = 42};
  cr_expect_eq(pvt_stats_interval(values, 5, 0.95, &interval), -ERANGE);
  cr_expect_eq(pvt_stats_interval(values, 5, 1, &interval), -EINVAL);
  cr_expect_eq(interval.value, 42, "the output was touched");
}

/* ---- the ratio of two arms ---- */

/* Ratios 1.1, 1.2 ... 1.9 of costs that drift by a factor of 256. */
static void fill_drifting(double *arm, double *against) {
  const unsigned order[] = {4, 8, 0, 2, 6, 1, 7, 3, 5};
  for (unsigned i = 0; i < 9; i++) {
    against[i] = ldexp(100, (int)i);
    arm[i] = against[i] * (1.1 + 0.1 * order[i]);
  }
}

Test(ratio, is_the_median_of_the_pairs, .timeout = SECONDS) {
  double arm[9], against[9];
  fill_drifting(arm, against);
  struct pvt_ratio ratio;
  cr_assert_eq(pvt_stats_ratio(arm, against, 9, 0.95, &ratio), 0);
  cr_expect(is_near(ratio.ratio, 1.5, 1e-12), "ratio %g", ratio.ratio);
  cr_expect(is_near(ratio.low, 1.2, 1e-12), "low %g", ratio.low);
  cr_expect(is_near(ratio.high, 1.8, 1e-12), "high %g", ratio.high);
  cr_expect(is_near(ratio.level, 0.9609375, 1e-12), "level %g", ratio.level);
  cr_expect_eq(ratio.pairs, 9);
  cr_expect(is_near(ratio.could_see, sqrt(1.8 / 1.2), 1e-12), "could see %g", ratio.could_see);
}

Test(ratio, of_swapped_arms_is_the_reciprocal, .timeout = SECONDS) {
  for (unsigned pairs = 8; pairs <= 9; pairs++) {
    double arm[9], against[9];
    fill_drifting(arm, against);
    struct pvt_ratio there, back;
    cr_assert_eq(pvt_stats_ratio(arm, against, pairs, 0.95, &there), 0);
    cr_assert_eq(pvt_stats_ratio(against, arm, pairs, 0.95, &back), 0);
    cr_expect_gt(there.ratio, 1, "the arm costs more in every round: %g", there.ratio);
    cr_expect(is_near(back.ratio, 1 / there.ratio, 1e-14));
    cr_expect(is_near(back.low, 1 / there.high, 1e-14));
    cr_expect(is_near(back.high, 1 / there.low, 1e-14));
    cr_expect(is_near(back.hl, 1 / there.hl, 1e-14));
    cr_expect(is_near(back.could_see, there.could_see, 1e-14));
    cr_expect(is_near(back.sd_log, there.sd_log, 1e-14));
  }
}

Test(ratio, does_not_change_with_the_unit_or_the_order_of_rounds, .timeout = SECONDS) {
  double arm[9], against[9], arm_us[9], against_us[9];
  fill_drifting(arm, against);
  for (unsigned i = 0; i < 9; i++) {
    arm_us[i] = arm[8 - i] / 1000;
    against_us[i] = against[8 - i] / 1000;
  }
  struct pvt_ratio in_ns, in_us;
  cr_assert_eq(pvt_stats_ratio(arm, against, 9, 0.95, &in_ns), 0);
  cr_assert_eq(pvt_stats_ratio(arm_us, against_us, 9, 0.95, &in_us), 0);
  cr_expect(is_near(in_us.ratio, in_ns.ratio, 1e-12));
  cr_expect(is_near(in_us.low, in_ns.low, 1e-12));
  cr_expect(is_near(in_us.high, in_ns.high, 1e-12));
  cr_expect(is_near(in_us.hl, in_ns.hl, 1e-12));
}

/* Of an even count the middle is the geometric mean of the two ratios there. */
Test(ratio, of_an_even_count_takes_both_in_the_middle, .timeout = SECONDS) {
  const double arm[] = {1, 2, 8, 100}, against[] = {1, 1, 1, 1};
  struct pvt_ratio ratio;
  cr_assert_eq(pvt_stats_ratio(arm, against, 4, 0.95, &ratio), 0);
  cr_expect(is_near(ratio.ratio, 4, 1e-12), "ratio %g", ratio.ratio);
}

/* Logs 0, 1, 3 of base 2: the averages are 0, 0.5, 1, 1.5, 2, 3, their median 1.25; the MAD is 1. */
Test(ratio, has_hodges_lehmann_and_mad_beside_it, .timeout = SECONDS) {
  const double arm[] = {8, 1, 2}, against[] = {1, 1, 1};
  struct pvt_ratio ratio;
  cr_assert_eq(pvt_stats_ratio(arm, against, 3, 0.5, &ratio), 0);
  cr_expect(is_near(ratio.ratio, 2, 1e-12), "ratio %g", ratio.ratio);
  cr_expect(is_near(ratio.hl, exp2(1.25), 1e-12), "Hodges-Lehmann %g", ratio.hl);
  cr_expect(is_near(ratio.sd_log, 1.4826 * log(2), 1e-5), "sd of logs %g", ratio.sd_log);
}

Test(ratio, without_enough_pairs_has_no_interval_and_no_verdict, .timeout = SECONDS) {
  const double arm[] = {2, 2, 2, 2, 2, 2}, against[] = {1, 1, 1, 1, 1, 1};
  for (unsigned pairs = 1; pairs <= 6; pairs++) {
    struct pvt_ratio ratio;
    cr_assert_eq(pvt_stats_ratio(arm, against, pairs, 0.95, &ratio), 0, "%u pairs", pairs);
    cr_expect(is_near(ratio.ratio, 2, 1e-14));
    cr_expect_eq(ratio.pairs, pairs);
    bool enough = pairs == 6;
    cr_expect_eq(ratio.level > 0, enough, "%u pairs: level %g", pairs, ratio.level);
    cr_expect_eq(ratio.low > 0, enough, "%u pairs: low %g", pairs, ratio.low);
    cr_expect_eq((bool)isfinite(ratio.high), enough, "%u pairs: high %g", pairs, ratio.high);
    cr_expect_eq((bool)isfinite(ratio.could_see), enough);
    cr_expect_eq(pvt_stats_verdict(&ratio, 0, false), enough ? PVT_HIGHER : PVT_UNRESOLVED, "%u pairs", pairs);
  }
}

Test(ratio, refuses_what_is_no_cost, .timeout = SECONDS) {
  const double bad[] = {0, -0.0, -1, NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < COUNT(bad); i++) {
    const double sound[] = {1, 2, 3, 4, 5, 6}, spoilt[] = {1, 2, 3, 4, 5, bad[i]};
    struct pvt_ratio ratio = {.ratio = 42};
    cr_expect_eq(pvt_stats_ratio(spoilt, sound, 6, 0.95, &ratio), -EDOM, "arm %g", bad[i]);
    cr_expect_eq(pvt_stats_ratio(sound, spoilt, 6, 0.95, &ratio), -EDOM, "against %g", bad[i]);
    cr_expect_eq(ratio.ratio, 42, "the output was touched");
  }
}

Test(ratio, refuses_impossible_arguments, .timeout = SECONDS) {
  const double one[] = {1};
  struct pvt_ratio ratio = {.ratio = 42};
  cr_expect_eq(pvt_stats_ratio(one, one, 0, 0.95, &ratio), -EINVAL);
  const double levels[] = {0, 1, NAN};
  for (size_t i = 0; i < COUNT(levels); i++)
    cr_expect_eq(pvt_stats_ratio(one, one, 1, levels[i], &ratio), -EINVAL, "level %g", levels[i]);
  cr_expect_eq(pvt_stats_ratio(NULL, NULL, PVT_STATS_PAIRS_MAX + 1, 0.95, &ratio), -E2BIG);
  cr_expect_eq(ratio.ratio, 42, "the output was touched");
}

static const struct {
  const char *what;
  unsigned pairs;
  double arm[3], against[3];
} beyond[] = {
    {"everything", 1, {DBL_MAX}, {DBL_MIN}},
    {"only the median", 3, {DBL_MIN, DBL_MAX, DBL_MAX}, {DBL_MAX, 0.1, 0.1}},
    {"only Hodges-Lehmann", 3, {1e307, 1e307, DBL_MAX}, {1, 1, DBL_MIN}},
    {"only a bound", 3, {1, 1, DBL_MAX}, {1, 1, DBL_MIN}},
};

Test(ratio, refuses_to_leave_the_range_of_a_double, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(beyond); i++) {
    /* Three pairs have an interval at 0.5, and none at 0.95. */
    double level = strstr(beyond[i].what, "bound") ? 0.5 : 0.95;
    struct pvt_ratio ratio = {.ratio = 42};
    cr_expect_eq(pvt_stats_ratio(beyond[i].arm, beyond[i].against, beyond[i].pairs, level, &ratio), -EOVERFLOW,
                 "%s too large", beyond[i].what);
    cr_expect_eq(pvt_stats_ratio(beyond[i].against, beyond[i].arm, beyond[i].pairs, level, &ratio), -EOVERFLOW,
                 "%s too small", beyond[i].what);
    cr_expect_eq(ratio.ratio, 42, "%s: the output was touched", beyond[i].what);
  }
}

Test(ratio, takes_as_many_pairs_as_it_says, .timeout = SECONDS) {
  static double arm[PVT_STATS_PAIRS_MAX], against[PVT_STATS_PAIRS_MAX];
  for (unsigned i = 0; i < PVT_STATS_PAIRS_MAX; i++) {
    against[i] = 1 + i;
    arm[i] = 3 * against[i];
  }
  struct pvt_ratio ratio;
  cr_assert_eq(pvt_stats_ratio(arm, against, PVT_STATS_PAIRS_MAX, 0.95, &ratio), 0);
  cr_expect(is_near(ratio.ratio, 3, 1e-12));
  cr_expect(is_near(ratio.hl, 3, 1e-12));
}

/* ---- the verdict ---- */

#define BAND PVT_STATS_EQUAL_FACTOR
static const struct {
  const char *what;
  double low, high;
  unsigned pairs, disturbed;
  bool controls_failed;
  enum pvt_verdict verdict;
} verdicts[] = {
    {"clearly more", 1.2, 1.4, 20, 0, false, PVT_HIGHER},
    {"clearly less", 0.6, 0.8, 20, 0, false, PVT_LOWER},
    {"around 1 and wide", 0.9, 1.2, 20, 0, false, PVT_UNRESOLVED},
    {"around 1 and narrow", 0.99, 1.01, 20, 0, false, PVT_EQUAL},
    {"exactly 1", 1, 1, 20, 0, false, PVT_EQUAL},
    {"more, but too little to matter", 1.01, 1.02, 20, 0, false, PVT_EQUAL},
    {"less, but too little to matter", 0.98, 0.99, 20, 0, false, PVT_EQUAL},
    {"more, and perhaps it matters", 1.01, 1.05, 20, 0, false, PVT_HIGHER},
    {"less, and perhaps it matters", 0.95, 0.99, 20, 0, false, PVT_LOWER},
    {"low bound exactly 1", 1, 1.2, 20, 0, false, PVT_UNRESOLVED},
    {"low bound just above 1", 1 + DBL_EPSILON, 1.2, 20, 0, false, PVT_HIGHER},
    {"high bound exactly 1", 0.8, 1, 20, 0, false, PVT_UNRESOLVED},
    {"high bound just below 1", 0.8, 1 - DBL_EPSILON, 20, 0, false, PVT_LOWER},
    {"high bound exactly on the band", 0.99, BAND, 20, 0, false, PVT_UNRESOLVED},
    {"high bound just inside the band", 0.99, BAND - DBL_EPSILON, 20, 0, false, PVT_EQUAL},
    {"low bound exactly on the band", 1 / BAND, 1.01, 20, 0, false, PVT_UNRESOLVED},
    {"low bound just inside the band", 1 / BAND + DBL_EPSILON, 1.01, 20, 0, false, PVT_EQUAL},
    {"above 1, high bound exactly on the band", 1.01, BAND, 20, 0, false, PVT_HIGHER},
    {"one in five disturbed is borne", 1.2, 1.4, 20, 5, false, PVT_HIGHER},
    {"more than one in five is not", 1.2, 1.4, 20, 6, false, PVT_UNRESOLVED},
    {"nor for equal", 0.99, 1.01, 20, 6, false, PVT_UNRESOLVED},
    {"a failed control spoils it", 1.2, 1.4, 20, 0, true, PVT_INVALID},
    {"a failed control comes first", 0.9, 1.2, 20, 9, true, PVT_INVALID},
    {"NaN below", NAN, 1.2, 20, 0, false, PVT_UNRESOLVED},
    {"NaN above", 1.1, NAN, 20, 0, false, PVT_UNRESOLVED},
    {"turned around", 1.4, 1.2, 20, 0, false, PVT_UNRESOLVED},
    {"nothing was measured", 1.2, 1.4, 0, UINT32_MAX, false, PVT_UNRESOLVED},
};

Test(verdict, is_the_first_that_fits, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(verdicts); i++) {
    struct pvt_ratio ratio = {.ratio = sqrt(verdicts[i].low * verdicts[i].high),
                              .low = verdicts[i].low,
                              .high = verdicts[i].high,
                              .level = 0.959,
                              .pairs = verdicts[i].pairs};
    enum pvt_verdict verdict = pvt_stats_verdict(&ratio, verdicts[i].disturbed, verdicts[i].controls_failed);
    cr_expect_eq(verdict, verdicts[i].verdict, "%s: %s, not %s", verdicts[i].what, pvt_verdict_name(verdict),
                 pvt_verdict_name(verdicts[i].verdict));
  }
}

Test(verdict, mirrors_when_the_arms_are_swapped, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(verdicts); i++) {
    struct pvt_ratio ratio = {
        .low = 1 / verdicts[i].high, .high = 1 / verdicts[i].low, .level = 0.959, .pairs = verdicts[i].pairs};
    enum pvt_verdict mirror = verdicts[i].verdict;
    if (mirror == PVT_HIGHER || mirror == PVT_LOWER)
      mirror = mirror == PVT_HIGHER ? PVT_LOWER : PVT_HIGHER;
    /* A reciprocal of a value one unit from a threshold may round onto it. */
    if (strstr(verdicts[i].what, "just"))
      continue;
    cr_expect_eq(pvt_stats_verdict(&ratio, verdicts[i].disturbed, verdicts[i].controls_failed), mirror, "%s",
                 verdicts[i].what);
  }
}

Test(verdict, without_an_interval_is_unresolved, .timeout = SECONDS) {
  struct pvt_ratio ratio = {.ratio = 1.3, .low = 1.2, .high = 1.4, .level = 0, .pairs = 5};
  cr_expect_eq(pvt_stats_verdict(&ratio, 0, false), PVT_UNRESOLVED);
  ratio.level = NAN;
  cr_expect_eq(pvt_stats_verdict(&ratio, 0, false), PVT_UNRESOLVED);
}

Test(verdict, has_a_name, .timeout = SECONDS) {
  const char *const names[] = {[PVT_INVALID] = "invalid",
                               [PVT_EQUAL] = "equal",
                               [PVT_HIGHER] = "higher",
                               [PVT_LOWER] = "lower",
                               [PVT_UNRESOLVED] = "unresolved"};
  for (int i = 0; i < (int)COUNT(names); i++)
    cr_expect_str_eq(pvt_verdict_name((enum pvt_verdict)i), names[i]);
}

static const struct {
  const char *what;
  double low, high;
  bool failed;
} null_checks[] = {
    {"around 1", 0.99, 1.01, false},
    {"near 1 but excluding it", 1.01, 1.04, false},
    {"reaching into the band from above", 1.04, 1.2, false},
    {"reaching into the band from below", 0.8, 0.96, false},
    {"around the whole band", 0.5, 2, false},
    {"touching the band from above", 1.05, 1.2, false},
    {"touching the band from below", 0.8, 0.95, false},
    {"just above the band", 1.0501, 1.2, true},
    {"just below the band", 0.8, 0.9499, true},
    {"far above", 2, 3, true},
    {"far below", 0.1, 0.2, true},
    {"no interval", 0, INFINITY, false},
    {"NaN below", NAN, 1, true},
    {"NaN above", 1, NAN, true},
};

Test(null_check, fails_wholly_outside_the_band, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(null_checks); i++)
    cr_expect_eq(pvt_stats_null_failed(null_checks[i].low, null_checks[i].high), null_checks[i].failed, "%s",
                 null_checks[i].what);
}

/* ---- counts ---- */

Test(binomial_limit, is_the_smallest_count_that_reaches_the_level, .timeout = SECONDS) {
  const unsigned trials[] = {1, 2, 9, 20, 60, 100, 300};
  const double chances[] = {0.001, 0.01, 0.05, 0.25, 0.5, 0.9};
  const double levels[] = {0.005, 0.5, 0.9, 0.95, 0.99, 0.995, 0.999};
  for (size_t t = 0; t < COUNT(trials); t++)
    for (size_t p = 0; p < COUNT(chances); p++)
      for (size_t l = 0; l < COUNT(levels); l++) {
        unsigned limit = pvt_stats_binomial_limit(trials[t], chances[p], levels[l]);
        long double *chance = binomial(trials[t], (long double)chances[p]);
        /* Where P(X <= c) equals the level, 1e-12 forgives the rounding of either side. */
        cr_expect(at_most(chance, (int)limit) >= (long double)levels[l] - 1e-12L, "%u of %u at %g, level %g: too small",
                  limit, trials[t], chances[p], levels[l]);
        cr_expect(at_most(chance, (int)limit - 1) < (long double)levels[l] + 1e-12L,
                  "%u of %u at %g, level %g: too large", limit, trials[t], chances[p], levels[l]);
        free(chance);
      }
  cr_expect_eq(pvt_stats_binomial_limit(60, 0.05, 0.99), 7);
  cr_expect_eq(pvt_stats_binomial_limit(300, 0.01, 0.99), 8);
}

Test(binomial_limit, excuses_nothing_when_asked_nonsense, .timeout = SECONDS) {
  const double bad[][2] = {{NAN, 0.99}, {-0.1, 0.99}, {1.1, 0.99}, {0.5, NAN}, {0.5, 0}, {0.5, 1.1}, {0.5, -1}};
  for (size_t i = 0; i < COUNT(bad); i++)
    cr_expect_eq(pvt_stats_binomial_limit(60, bad[i][0], bad[i][1]), 0, "p %g, level %g", bad[i][0], bad[i][1]);
  cr_expect_eq(pvt_stats_binomial_limit(0, 0.5, 0.99), 0);
  cr_expect_eq(pvt_stats_binomial_limit(60, 0, 0.99), 0);
  cr_expect_eq(pvt_stats_binomial_limit(60, 1, 0.99), 60);
  cr_expect_eq(pvt_stats_binomial_limit(60, 0.5, 1), 60);
}

/* By its definition: at the low bound so many successes or more have the chance (1 - level) / 2, at the high bound so
   many or fewer. */
Test(proportion, puts_half_the_error_on_each_side, .timeout = SECONDS) {
  const unsigned trials[] = {1, 9, 20, 60};
  const double levels[] = {0.9, 0.95, 0.99};
  for (size_t t = 0; t < COUNT(trials); t++)
    for (size_t l = 0; l < COUNT(levels); l++)
      for (unsigned successes = 0; successes <= trials[t]; successes++) {
        struct pvt_interval interval;
        double miss = (1 - levels[l]) / 2;
        cr_assert_eq(pvt_stats_proportion(successes, trials[t], levels[l], &interval), 0);
        cr_expect_eq(interval.value, (double)successes / trials[t]);
        cr_expect_eq(interval.level, levels[l]);
        long double *at_low = binomial(trials[t], (long double)interval.low);
        long double *at_high = binomial(trials[t], (long double)interval.high);
        if (successes == 0)
          cr_expect_eq(interval.low, 0);
        else
          cr_expect(is_near((double)(1 - at_most(at_low, (int)successes - 1)), miss, 1e-9), "low of %u of %u",
                    successes, trials[t]);
        if (successes == trials[t])
          cr_expect_eq(interval.high, 1);
        else
          cr_expect(is_near((double)at_most(at_high, (int)successes), miss, 1e-9), "high of %u of %u", successes,
                    trials[t]);
        free(at_low);
        free(at_high);
      }
}

Test(proportion, stays_sound_for_millions, .timeout = SECONDS) {
  struct pvt_interval interval;
  cr_assert_eq(pvt_stats_proportion(20000, 1000000, 0.99, &interval), 0);
  double half_width = 2.5758 * sqrt(0.02 * 0.98 / 1000000);
  cr_expect(is_near(0.02 - interval.low, half_width, 0.02), "low %g", interval.low);
  cr_expect(is_near(interval.high - 0.02, half_width, 0.02), "high %g", interval.high);
}

Test(proportion, refuses_impossible_counts_and_levels, .timeout = SECONDS) {
  struct pvt_interval interval = {.value = 42};
  cr_expect_eq(pvt_stats_proportion(0, 0, 0.95, &interval), -EINVAL);
  cr_expect_eq(pvt_stats_proportion(10, 9, 0.95, &interval), -EINVAL);
  const double levels[] = {0, 1, -1, NAN};
  for (size_t i = 0; i < COUNT(levels); i++)
    cr_expect_eq(pvt_stats_proportion(1, 9, levels[i], &interval), -EINVAL, "level %g", levels[i]);
  cr_expect_eq(interval.value, 42, "the output was touched");
}

Test(order_balance, counts_the_orders_as_far_from_even, .timeout = SECONDS) {
  for (unsigned pairs = 0; pairs <= 16; pairs++)
    for (unsigned first = 0; first <= pairs; first++) {
      unsigned as_far = 0;
      for (unsigned orders = 0; orders < 1u << pairs; orders++) {
        int off = 2 * __builtin_popcount(orders) - (int)pairs;
        as_far += abs(off) >= abs(2 * (int)first - (int)pairs);
      }
      double p = NAN;
      cr_assert_eq(pvt_stats_order_balance(first, pairs, &p), 0);
      cr_expect(is_near(p, ldexp(as_far, -(int)pairs), 1e-12), "%u of %u: %g", first, pairs, p);
    }
  double p = 42;
  cr_expect_eq(pvt_stats_order_balance(10, 9, &p), -EINVAL);
  cr_expect_eq(p, 42, "the output was touched");
}
