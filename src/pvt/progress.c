#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../clock.h"

enum { BAR_CELLS = 20, REDRAW_NS = 100000000 };

static int terminal_columns(void) {
  struct winsize size;

  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col : 80;
}

void pvt_progress_begin(struct pvt_progress *progress, const char *stage) {
  *progress = (struct pvt_progress){
      .stage = stage, .is_terminal = isatty(STDERR_FILENO), .began_ns = pvt_clock_ns(), .first = SIZE_MAX};
  if (!progress->is_terminal)
    fprintf(stderr, "%s\n", stage);
}

void pvt_progress_show(struct pvt_progress *progress, const char *doing, size_t done, size_t all) {
  uint64_t now_ns = pvt_clock_ns();
  char bar[BAR_CELLS + 1], left[32] = "";
  int columns;

  if (progress->first == SIZE_MAX)
    progress->first = done;
  if (!progress->is_terminal || all == 0 || now_ns - progress->drawn_ns < REDRAW_NS)
    return;
  progress->drawn_ns = now_ns;
  memset(bar, '.', BAR_CELLS);
  memset(bar, '#', BAR_CELLS * done / all);
  bar[BAR_CELLS] = '\0';
  if (done > progress->first) {
    double seconds =
        (double)(now_ns - progress->began_ns) * 1e-9 / (double)(done - progress->first) * (double)(all - done);

    snprintf(left, sizeof left, "%d:%02d left", (int)seconds / 60, (int)seconds % 60);
  }
  columns = terminal_columns() - BAR_CELLS - (int)strlen(progress->stage) - (int)strlen(left) - 26;
  fprintf(stderr, "\r%s [%s] %zu/%zu %s  %.*s\033[K", progress->stage, bar, done, all, left, columns > 0 ? columns : 0,
          doing);
}

void pvt_progress_end(struct pvt_progress *progress) {
  if (progress->is_terminal)
    fputs("\r\033[K", stderr);
}
