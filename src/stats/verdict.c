/* verdict.c - what an interval lets us say. */
#include "stats.h"

#include <stdint.h>

static bool too_many(unsigned disturbed, unsigned kept) {
  return (uint64_t)disturbed * 100 > ((uint64_t)disturbed + kept) * PVT_STATS_DISTURBED_MAX_PERCENT;
}

enum pvt_verdict pvt_stats_verdict(const struct pvt_ratio *ratio, unsigned disturbed, bool controls_failed) {
  if (controls_failed)
    return PVT_INVALID;
  /* Written so that NaN falls through to unresolved. */
  if (!(ratio->level > 0) || !(ratio->low <= ratio->high) || too_many(disturbed, ratio->pairs))
    return PVT_UNRESOLVED;
  if (ratio->low > 1 / PVT_STATS_EQUAL_FACTOR && ratio->high < PVT_STATS_EQUAL_FACTOR)
    return PVT_EQUAL;
  if (ratio->low > 1)
    return PVT_HIGHER;
  if (ratio->high < 1)
    return PVT_LOWER;
  return PVT_UNRESOLVED;
}

const char *pvt_verdict_name(enum pvt_verdict verdict) {
  switch (verdict) {
  case PVT_INVALID:
    return "invalid";
  case PVT_EQUAL:
    return "equal";
  case PVT_HIGHER:
    return "higher";
  case PVT_LOWER:
    return "lower";
  case PVT_UNRESOLVED:
    break;
  }
  return "unresolved";
}

bool pvt_stats_null_failed(double low, double high) {
  bool reaches_band = low <= PVT_STATS_NULL_HIGH && high >= PVT_STATS_NULL_LOW;
  return !reaches_band;
}
