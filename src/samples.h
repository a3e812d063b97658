/* samples.h - single measurements kept raw, their exact quantiles, and a histogram small enough to keep for ever. */
#ifndef PVT_SAMPLES_H
#define PVT_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds. Each is a value that was measured: the smallest with at least that share of samples at or below it. */
struct pvt_quantiles {
  uint64_t p50, p90, p99, p999, max;
  uint64_t count; /* 0: none were taken */
};

/* Log-linear: values below 16 exactly, then 16 buckets to each doubling, so a bucket's width is <= 1/16 of its value.
 */
enum { PVT_HISTOGRAM_STEPS = 16, PVT_HISTOGRAM_BUCKETS = 16 + 60 * 16 };
struct pvt_histogram {
  uint32_t counts[PVT_HISTOGRAM_BUCKETS];
};

/* The quantile of sorted samples: 1-based rank ceil(count * parts / whole). Count must not be 0; 0 < parts <= whole. */
uint64_t pvt_samples_quantile(const uint64_t *sorted_ns, size_t count, unsigned parts, unsigned whole);
/* Sorts the samples in place; count 0 gives all zeros. */
void pvt_samples_summarise(uint64_t *samples_ns, size_t count, struct pvt_quantiles *ret_quantiles);

unsigned pvt_histogram_bucket(uint64_t value_ns);
uint64_t pvt_histogram_lowest_ns(unsigned bucket);
void pvt_histogram_add(struct pvt_histogram *histogram, const uint64_t *samples_ns, size_t count);
/* "lowest_ns:count lowest_ns:count ..." of the buckets in use. Returns what snprintf would. */
int pvt_histogram_print(const struct pvt_histogram *histogram, char *text, size_t text_bytes);

#endif
