/* charts_axis.c - where an axis begins and ends, and its marks. Every axis is logarithmic. */
#include <math.h>
#include <stdio.h>

#include "charts.h"

enum { TICKS_MAX = 10, TICKS_OF_TIME_MAX = 7 }; /* "100 us" takes more room than "100" */

void pvt_drawing_hold(struct pvt_drawing *drawing, double x) {
  if (!isfinite(x) || !(x > 0))
    return;
  drawing->least = fmin(drawing->least, x);
  drawing->most = fmax(drawing->most, x);
}

static void print_tick(bool is_time, double value, FILE *to) {
  static const char *const units[] = {"ns", "us", "ms"};
  unsigned unit = 0;

  if (!is_time) {
    fprintf(to, "\"%.6g\" %.6g", value, value);
    return;
  }
  for (; unit < 2 && value >= pow(1000, unit + 1) * (1 - 1e-9);)
    unit++;
  if (value >= 1e9 * (1 - 1e-9))
    fprintf(to, "\"%.4g s\" %.6g", value / 1e9, value);
  else
    fprintf(to, "\"%.4g %s\" %.6g", value / pow(1000, unit), units[unit], value);
}

/* Round numbers m * 10^e between the ends, from the given mantissas and every so many decades. */
static unsigned ticks_by_decade(double least, double most, const double *mantissas, unsigned count, int decades,
                                double *ret_ticks) {
  int first = (int)floor(log10(least)), last = (int)ceil(log10(most));
  unsigned found = 0;

  for (int decade = first - first % decades; decade <= last; decade += decades)
    for (unsigned m = 0; m < count; m++) {
      double tick = mantissas[m] * pow(10, decade);

      if (tick < least * (1 - 1e-9) || tick > most * (1 + 1e-9))
        continue;
      if (found < TICKS_MAX)
        ret_ticks[found] = tick;
      found++;
    }
  return found;
}

/* Equal steps, for an axis too short for more than two round numbers. */
static unsigned ticks_by_step(double least, double most, double *ret_ticks) {
  double rough = (most - least) / 7, power = pow(10, floor(log10(rough))), step = power, first;
  unsigned found = 0;

  if (rough / power > 5)
    step = 10 * power;
  else if (rough / power > 2)
    step = 5 * power;
  else if (rough / power > 1)
    step = 2 * power;
  first = ceil(least / step - 1e-9);
  while (found < TICKS_MAX && (first + found) * step <= most * (1 + 1e-9)) {
    ret_ticks[found] = (first + found) * step;
    found++;
  }
  return found;
}

static unsigned find_ticks(double least, double most, unsigned limit, double *ret_ticks) {
  static const double all[] = {1, 2, 5}, few[] = {1, 3}, one[] = {1};
  unsigned found;

  if (most / least < 5)
    return ticks_by_step(least, most, ret_ticks);
  found = ticks_by_decade(least, most, all, 3, 1, ret_ticks);
  if (found > limit)
    found = ticks_by_decade(least, most, few, 2, 1, ret_ticks);
  for (int decades = 1; found > limit; decades++)
    found = ticks_by_decade(least, most, one, 1, decades, ret_ticks);
  return found;
}

void pvt_axis_write(const struct pvt_drawing *drawing, FILE *to) {
  double least = drawing->least, most = drawing->most, ticks[TICKS_MAX], room;
  unsigned count;

  if (!(least > 0) || !(most >= least))
    least = most = 1;
  room = fmax(pow(most / least, 0.04), 1.02);
  least = fmax(least / room, 1e-300);
  most = fmin(most * room, 1e300);
  count = find_ticks(least, most, drawing->chart->kind->is_time ? TICKS_OF_TIME_MAX : TICKS_MAX, ticks);
  fprintf(to, "xmin=%.9g; xmax=%.9g; xticks='", least, most);
  for (unsigned i = 0; i < count; i++) {
    fputs(i == 0 ? "" : ", ", to);
    print_tick(drawing->chart->kind->is_time, ticks[i], to);
  }
  fputs("'", to);
}
