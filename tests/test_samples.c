/* test_samples.c - exact quantiles, and a histogram whose buckets lie side by side without a gap. */
#include "samples.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS = 20 };
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* 1 .. count, upside down, so that the quantile of a share is the rank itself. */
static uint64_t *ranks_new(size_t count) {
  uint64_t *samples = calloc(count, sizeof *samples);

  cr_assert_not_null(samples);
  for (size_t i = 0; i < count; i++)
    samples[i] = count - i;
  return samples;
}

static const struct {
  size_t count;
  struct pvt_quantiles expected;
} cases[] = {
    {1, {.p50 = 1, .p90 = 1, .p99 = 1, .p999 = 1, .max = 1, .count = 1}},
    {2, {.p50 = 1, .p90 = 2, .p99 = 2, .p999 = 2, .max = 2, .count = 2}},
    {3, {.p50 = 2, .p90 = 3, .p99 = 3, .p999 = 3, .max = 3, .count = 3}},
    {10, {.p50 = 5, .p90 = 9, .p99 = 10, .p999 = 10, .max = 10, .count = 10}},
    {11, {.p50 = 6, .p90 = 10, .p99 = 11, .p999 = 11, .max = 11, .count = 11}},
    {100, {.p50 = 50, .p90 = 90, .p99 = 99, .p999 = 100, .max = 100, .count = 100}},
    {101, {.p50 = 51, .p90 = 91, .p99 = 100, .p999 = 101, .max = 101, .count = 101}},
    {1000, {.p50 = 500, .p90 = 900, .p99 = 990, .p999 = 999, .max = 1000, .count = 1000}},
    {1001, {.p50 = 501, .p90 = 901, .p99 = 991, .p999 = 1000, .max = 1001, .count = 1001}},
};

Test(samples, gives_exact_quantiles, .timeout = SECONDS) {
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint64_t *samples = ranks_new(cases[i].count);
    struct pvt_quantiles got;

    pvt_samples_summarise(samples, cases[i].count, &got);
    cr_expect_eq(memcmp(&got, &cases[i].expected, sizeof got), 0,
                 "1 .. %zu: p50 %d, p90 %d, p99 %d, p99.9 %d, max %d, count %d", cases[i].count, (int)got.p50,
                 (int)got.p90, (int)got.p99, (int)got.p999, (int)got.max, (int)got.count);
    free(samples);
  }
}

Test(samples, gives_zeros_for_none, .timeout = SECONDS) {
  struct pvt_quantiles got = {1, 1, 1, 1, 1, 1}, none = {0};

  pvt_samples_summarise(NULL, 0, &got);
  cr_expect_eq(memcmp(&got, &none, sizeof got), 0);
}

/* The definition itself: the smallest sample with at least that share at or below it. */
Test(samples, keeps_to_the_definition_with_ties, .timeout = SECONDS) {
  static const uint64_t sorted[] = {5, 5, 5, 7, 7, 9, 9, 9, 9, UINT64_MAX};
  enum { SORTED = COUNT(sorted) };

  for (unsigned parts = 1; parts <= 100; parts++) {
    uint64_t got = pvt_samples_quantile(sorted, SORTED, parts, 100);
    unsigned at_or_below = 0, below = 0;

    for (unsigned i = 0; i < SORTED; i++) {
      at_or_below += sorted[i] <= got;
      below += sorted[i] < got;
    }
    cr_expect_geq(at_or_below * 100, parts * SORTED, "%u %%", parts);
    cr_expect_lt(below * 100, parts * SORTED, "%u %%", parts);
  }
}

static void check_bucket(uint64_t value_ns) {
  unsigned bucket = pvt_histogram_bucket(value_ns);
  uint64_t lowest_ns = pvt_histogram_lowest_ns(bucket);

  cr_assert_lt(bucket, (unsigned)PVT_HISTOGRAM_BUCKETS, "%llu", (unsigned long long)value_ns);
  cr_expect_leq(lowest_ns, value_ns, "%llu", (unsigned long long)value_ns);
  cr_expect_leq(value_ns - lowest_ns, lowest_ns / PVT_HISTOGRAM_STEPS, "%llu", (unsigned long long)value_ns);
  if (bucket + 1 < PVT_HISTOGRAM_BUCKETS)
    cr_expect_lt(value_ns, pvt_histogram_lowest_ns(bucket + 1), "%llu", (unsigned long long)value_ns);
  else
    cr_expect_geq(value_ns, 31ull << 59);
}

Test(histogram, puts_each_value_where_it_belongs, .timeout = SECONDS) {
  uint64_t value_ns = 88172645463325252u;

  for (uint64_t small = 0; small < 5000; small++)
    check_bucket(small);
  for (unsigned bit = 0; bit < 64; bit++) {
    check_bucket(1ull << bit);
    check_bucket((1ull << bit) - 1);
    check_bucket((1ull << bit) + 1);
    check_bucket(UINT64_MAX >> bit);
  }
  for (unsigned i = 0; i < 100000; i++) { /* xorshift, cut to every length */
    value_ns ^= value_ns << 13;
    value_ns ^= value_ns >> 7;
    value_ns ^= value_ns << 17;
    check_bucket(value_ns >> i % 64);
  }
}

Test(histogram, has_buckets_in_order_each_starting_at_its_lowest, .timeout = SECONDS) {
  for (unsigned bucket = 0; bucket < PVT_HISTOGRAM_BUCKETS; bucket++) {
    cr_expect_eq(pvt_histogram_bucket(pvt_histogram_lowest_ns(bucket)), bucket, "bucket %u", bucket);
    if (bucket > 0)
      cr_expect_eq(pvt_histogram_bucket(pvt_histogram_lowest_ns(bucket) - 1), bucket - 1, "bucket %u", bucket);
  }
  cr_expect_eq(pvt_histogram_bucket(0), 0);
  cr_expect_eq(pvt_histogram_bucket(UINT64_MAX), PVT_HISTOGRAM_BUCKETS - 1);
}

Test(histogram, prints_the_buckets_in_use, .timeout = SECONDS) {
  static struct pvt_histogram histogram;
  static const uint64_t samples[] = {100, 3, 3, 101, 1000000, 0};
  static const char whole[] = "0:1 3:2 100:2 983040:1";
  char text[64], cut[8];

  cr_expect_eq(pvt_histogram_print(&histogram, text, sizeof text), 0);
  cr_expect_str_eq(text, "");
  pvt_histogram_add(&histogram, samples, COUNT(samples));
  cr_expect_eq(pvt_histogram_print(&histogram, text, sizeof text), (int)strlen(whole));
  cr_expect_str_eq(text, whole);
  cr_expect_eq(pvt_histogram_print(&histogram, cut, sizeof cut), (int)strlen(whole));
  cr_expect_str_eq(cut, "0:1 3:2");
}
