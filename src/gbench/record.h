/* record.h - what a harness tells a program that reads it: JSON of its rows, and of one launch. */
#ifndef PVT_GBENCH_RECORD_H
#define PVT_GBENCH_RECORD_H

#include <jansson.h>

#include "../question.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PVT_REPETITIONS = 5 };

/* One launch: its repetitions, or why it failed. */
struct pvt_record {
  const struct pvt_row *row;
  int status;
  char why[PVT_WHY_BYTES];
  uint64_t operations, window_ns, start_ns;
  unsigned repetitions;
  double values_ns[PVT_REPETITIONS]; /* per operation */
  struct pvt_measure measures[PVT_REPETITIONS];
};

void pvt_record_add(struct pvt_record *record, const struct pvt_measure *measure);
/* The median of an odd or even number of values, without changing them; 0 for none. At most PVT_REPETITIONS. */
double pvt_record_median(const double *values, unsigned count);
/* {"row","status":"ok"|"error","why","operations","window_ns","values_ns","value_ns","cpu_ns","switches","faults",
 *  "overlap","quantiles","histogram","t_start_ns"}; NULL when memory is out. The caller's to release. */
json_t *pvt_record_json(const struct pvt_record *record);
/* The shape of pvt list --json. The caller's to release. */
json_t *pvt_record_list(const struct pvt_question *question);

#ifdef __cplusplus
}
#endif
#endif
