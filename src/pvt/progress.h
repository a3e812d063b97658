/* progress.h - a bar and the time left, on a terminal only; elsewhere a line for each stage. */
#ifndef PVT_PVT_PROGRESS_H
#define PVT_PVT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pvt_progress {
  const char *stage; /* "calibrating", "measuring" */
  bool is_terminal;
  uint64_t began_ns, drawn_ns;
  size_t first; /* how much was done when it began: a resumed run is not that fast */
};

void pvt_progress_begin(struct pvt_progress *progress, const char *stage);
/* Draws at most ten times a second. */
void pvt_progress_show(struct pvt_progress *progress, const char *doing, size_t done, size_t all);
/* Clears the line. */
void pvt_progress_end(struct pvt_progress *progress);

#endif
