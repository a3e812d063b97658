#include "samples.h"

#include <stdio.h>
#include <stdlib.h>

uint64_t pvt_samples_quantile(const uint64_t *sorted_ns, size_t count, unsigned parts, unsigned whole) {
  size_t rank = (count * parts + whole - 1) / whole;

  return sorted_ns[rank - 1];
}

static int ascending(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

  return (left > right) - (left < right);
}

void pvt_samples_summarise(uint64_t *samples_ns, size_t count, struct pvt_quantiles *ret_quantiles) {
  *ret_quantiles = (struct pvt_quantiles){.count = count};
  if (count == 0)
    return;
  qsort(samples_ns, count, sizeof samples_ns[0], ascending);
  ret_quantiles->p50 = pvt_samples_quantile(samples_ns, count, 50, 100);
  ret_quantiles->p90 = pvt_samples_quantile(samples_ns, count, 90, 100);
  ret_quantiles->p99 = pvt_samples_quantile(samples_ns, count, 99, 100);
  ret_quantiles->p999 = pvt_samples_quantile(samples_ns, count, 999, 1000);
  ret_quantiles->max = samples_ns[count - 1];
}

unsigned pvt_histogram_bucket(uint64_t value_ns) {
  unsigned doubling;

  if (value_ns < PVT_HISTOGRAM_STEPS)
    return (unsigned)value_ns;
  doubling = 63 - (unsigned)__builtin_clzll(value_ns); /* >= 4 */
  return (doubling - 3) * PVT_HISTOGRAM_STEPS + (unsigned)(value_ns >> (doubling - 4)) % PVT_HISTOGRAM_STEPS;
}

uint64_t pvt_histogram_lowest_ns(unsigned bucket) {
  unsigned doubling = bucket / PVT_HISTOGRAM_STEPS + 3;

  if (bucket < PVT_HISTOGRAM_STEPS)
    return bucket;
  return (uint64_t)(PVT_HISTOGRAM_STEPS + bucket % PVT_HISTOGRAM_STEPS) << (doubling - 4);
}

void pvt_histogram_add(struct pvt_histogram *histogram, const uint64_t *samples_ns, size_t count) {
  for (size_t i = 0; i < count; i++)
    histogram->counts[pvt_histogram_bucket(samples_ns[i])]++;
}

int pvt_histogram_print(const struct pvt_histogram *histogram, char *text, size_t text_bytes) {
  int length = 0;

  if (text_bytes > 0)
    text[0] = '\0';
  for (unsigned i = 0; i < PVT_HISTOGRAM_BUCKETS; i++) {
    size_t used = (size_t)length < text_bytes ? (size_t)length : text_bytes;

    if (histogram->counts[i] != 0)
      length += snprintf(text + used, text_bytes - used, "%s%llu:%u", length > 0 ? " " : "",
                         (unsigned long long)pvt_histogram_lowest_ns(i), histogram->counts[i]);
  }
  return length;
}
