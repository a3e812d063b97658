/* Judges recorded runs by rules that were fixed before they were made: see scripts/acceptance. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "stats/stats.h"

#define DATA PVT_SOURCE_ROOT "/tests/data/same.tsv"

struct tally {
  const char *model;
  unsigned runs, misses;
};

/* Counts the runs of one model's contrast whose interval does not hold 1. */
static void count(struct tally *tally) {
  FILE *file = fopen(DATA, "r");
  char line[512], contrast[256];
  double ratio, low, high;
  unsigned run;

  cr_assert_not_null(file, "cannot open " DATA);
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "%u\t%255s\t%lf\t%lf\t%lf", &run, contrast, &ratio, &low, &high) != 5 ||
        strstr(contrast, tally->model) == NULL)
      continue;
    cr_assert(low <= ratio && ratio <= high, "run %u of %s: the interval does not hold its ratio", run, contrast);
    tally->runs++;
    tally->misses += low > 1 || high < 1;
  }
  fclose(file);
}

Test(acceptance, the_same_row_twice_misses_one_no_more_often_than_chance, .timeout = 10) {
  struct tally tallies[] = {{"model:process", 0, 0}, {"model:thread", 0, 0}};

  for (unsigned i = 0; i < 2; i++) {
    unsigned limit;

    count(&tallies[i]);
    limit = pvt_stats_binomial_limit(tallies[i].runs, 0.05, 0.99);
    cr_expect_eq(tallies[i].runs, 60, "%s: %u runs recorded, 60 were promised", tallies[i].model, tallies[i].runs);
    cr_expect_leq(tallies[i].misses, limit, "%s: %u of %u intervals miss 1, at most %u may", tallies[i].model,
                  tallies[i].misses, tallies[i].runs, limit);
  }
}
