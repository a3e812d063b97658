/*
 * stats_simulation.c - does the interval of a ratio miss the truth as often as it says?
 *
 * Each world makes pairs of launches whose true median ratio is known; the number of intervals that miss it must lie
 * within the 99 % two-sided binomial limits of 1 - coverage. The seed is fixed: a red result is a finding, not chance
 * to be tried again.
 */
#include "stats/stats.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>

#define SEED 20240229
#define TRIALS 4000
#define LEVEL 0.95
#define TRUE_RATIO 1.37
#define REPETITIONS 5
#define PAIRS_MAX 20
#define COUNT(array) (sizeof(array) / sizeof *(array))

/*
 * Log cost of a launch = drift + launch + median of its repetitions, each with its noise and now and then a spike.
 * Drift is autoregressive from launch to launch. The arm adds ln TRUE_RATIO and its own skew, whose median is 0.
 */
struct world {
  const char *name;
  double drift_sd, drift_memory, launch_sd, repetition_sd, spike_chance, spike_mean, mode_chance, skew;
};

static const struct world worlds[] = {
    {"quiet", .003, .90, .003, .005, .01, .05, 0, 0},
    {"CI", .03, .90, .01, .015, .05, .15, 0, 0},
    {"nasty", .10, .95, .03, .04, .10, .40, .30, 0},
    {"skewed arm", .03, .90, 0, 0, 0, 0, 0, .30},
};

static double median(const double *values, size_t count) {
  double middle = NAN;
  return pvt_stats_median(values, count, &middle) ? NAN : middle;
}

static double step_drift(const gsl_rng *rng, const struct world *world, double drift) {
  double fresh = sqrt(1 - world->drift_memory * world->drift_memory) * world->drift_sd;
  return world->drift_memory * drift + gsl_ran_gaussian_ziggurat(rng, fresh);
}

static double launch(const gsl_rng *rng, const struct world *world) {
  double values[REPETITIONS];
  for (unsigned i = 0; i < REPETITIONS; i++) {
    values[i] = gsl_ran_gaussian_ziggurat(rng, world->repetition_sd);
    if (gsl_rng_uniform(rng) < world->spike_chance)
      values[i] += gsl_ran_exponential(rng, world->spike_mean);
  }
  double mode = gsl_rng_uniform(rng) < world->mode_chance ? log(1.10) : 0;
  return gsl_ran_gaussian_ziggurat(rng, world->launch_sd) + mode + median(values, REPETITIONS);
}

/* The two launches of a round stand next to each other, in an order drawn afresh for each round. A skewed arm would
   not keep its median under a drift inside the pair, so that world's drift steps once per round. */
static void measure(const gsl_rng *rng, const struct world *world, unsigned pairs, double *arm, double *against) {
  double drift = gsl_ran_gaussian_ziggurat(rng, world->drift_sd);
  for (unsigned i = 0; i < pairs; i++) {
    double *in_order[] = {&arm[i], &against[i]};
    unsigned second = gsl_rng_uniform(rng) < 0.5;
    for (unsigned slot = 0; slot < 2; slot++) {
      if (slot == 0 || world->skew == 0)
        drift = step_drift(rng, world, drift);
      *in_order[slot ^ second] = 1e6 * exp(drift + launch(rng, world));
    }
    arm[i] *= TRUE_RATIO;
    if (world->skew > 0)
      arm[i] *= exp(gsl_ran_exponential(rng, world->skew) - world->skew * log(2));
  }
}

/* Returns whether the count of misses is one that the stated coverage explains. */
static bool judge(const struct world *world, unsigned pairs) {
  gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
  if (!rng)
    return false;
  gsl_rng_set(rng, SEED);
  unsigned below = 0, above = 0;
  struct pvt_ratio ratio = {0};
  for (unsigned trial = 0; trial < TRIALS; trial++) {
    double arm[PAIRS_MAX] = {0}, against[PAIRS_MAX] = {0};
    measure(rng, world, pairs, arm, against);
    if (pvt_stats_ratio(arm, against, pairs, LEVEL, &ratio)) {
      fprintf(stderr, "stats_simulation: %s, %u pairs: no ratio in trial %u\n", world->name, pairs, trial);
      break;
    }
    below += ratio.high < TRUE_RATIO;
    above += ratio.low > TRUE_RATIO;
  }
  gsl_rng_free(rng);
  unsigned least = pvt_stats_binomial_limit(TRIALS, 1 - ratio.level, 0.005);
  unsigned most = pvt_stats_binomial_limit(TRIALS, 1 - ratio.level, 0.995);
  unsigned missed = below + above;
  bool is_fine = ratio.level >= LEVEL && missed >= least && missed <= most;
  printf("%-4s %-10s %2u pairs: coverage %.4f, %u of %d missed (%u below, %u above), allowed %u to %u\n",
         is_fine ? "ok" : "BAD", world->name, pairs, ratio.level, missed, TRIALS, below, above, least, most);
  return is_fine;
}

int main(void) {
  const unsigned pairs[] = {9, 20};
  bool all_fine = true;
  for (size_t i = 0; i < COUNT(worlds); i++)
    for (size_t j = 0; j < COUNT(pairs); j++)
      all_fine &= judge(&worlds[i], pairs[j]);
  return all_fine ? 0 : 1;
}
