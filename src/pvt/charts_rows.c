/* charts_rows.c - charts of times: what each row costs, and how much CPU time it uses meanwhile. */
#include "charts.h"

#include <math.h>
#include <string.h>

static double value_of(const json_t *row) {
  return pvt_words_number(row, "value");
}

static double cpus_of(const json_t *row) {
  return pvt_words_number(row, "cpu_ns") / pvt_words_number(row, "value");
}

static const char *model_of(const json_t *row) {
  static const char *const models[] = {"process", "thread", "hybrid", "event_loop", "event_loop_uring"};

  for (unsigned i = 0; i < sizeof models / sizeof models[0]; i++)
    if (strcmp(pvt_words_axis(row, "model"), models[i]) == 0)
      return models[i];
  return "other";
}

static const json_t **list(const struct pvt_chart_source *source, const char *question, size_t *ret_count) {
  return pvt_words_rows(source->summary, question, ret_count);
}

/* ---- Costs ---- */

static void hold_cost(const json_t *row, struct pvt_drawing *drawing) {
  pvt_drawing_hold(drawing, pvt_words_number(row, "value"));
  pvt_drawing_hold(drawing, pvt_words_number(row, "low"));
  pvt_drawing_hold(drawing, pvt_words_number(row, "high"));
}

static void write_cost(const struct pvt_chart_source *source, const json_t *row, FILE *to) {
  bool is_floor = json_object_get(source->floors, pvt_words_string(row, "name")) != NULL;
  char shown[PVT_WORDS_BYTES];

  pvt_chart_put(to, pvt_words_number(row, "value"));
  pvt_chart_put(to, pvt_words_number(row, "low"));
  pvt_chart_put(to, pvt_words_number(row, "high"));
  pvt_words_time(pvt_words_number(row, "value"), shown);
  fprintf(to, "\t%s\t%.0f\t%s\t%s", model_of(row), pvt_words_number(row, "launches"), is_floor ? "floor" : "row",
          shown);
}

static char *tell_costs(const struct pvt_chart_source *source, const json_t *const *rows,
                        const struct pvt_labels *labels, size_t count) {
  char cheap[PVT_WORDS_BYTES], dear[PVT_WORDS_BYTES], *title = NULL;
  size_t least = 0, most = 0;

  (void)source;
  for (size_t i = 1; i < count; i++) {
    if (value_of(rows[i]) < value_of(rows[least]))
      least = i;
    if (value_of(rows[i]) > value_of(rows[most]))
      most = i;
  }
  pvt_words_time(value_of(rows[least]), cheap);
  pvt_words_time(value_of(rows[most]), dear);
  if (count == 1)
    return asprintf(&title, "One operation takes %s", cheap) == -1 ? NULL : title;
  if (strlen(labels->texts[least]) + strlen(labels->texts[most]) > 110) /* no room for them above the chart */
    return asprintf(&title, "One operation takes from %s to %s", cheap, dear) == -1 ? NULL : title;
  return asprintf(&title, "One operation takes from %s (%s) to %s (%s)", cheap, labels->texts[least], dear,
                  labels->texts[most]) == -1
             ? NULL
             : title;
}

const struct pvt_chart_kind pvt_chart_costs = {
    .name = "costs",
    .columns = "value_ns\tlow_ns\thigh_ns\tmodel\tlaunches\tfloor\tshown",
    .about = "Medians over launches, each a fresh process. The line is the interval of the median.",
    .is_of_question = true,
    .is_of_rows = true,
    .is_time = true,
    .shown_chars = 8,
    .list = list,
    .number = value_of,
    .tell = tell_costs,
    .state = model_of,
    .hold = hold_cost,
    .write = write_cost};

/* ---- CPU time ---- */

static void hold_cpu(const json_t *row, struct pvt_drawing *drawing) {
  pvt_drawing_hold(drawing, pvt_words_number(row, "value"));
  pvt_drawing_hold(drawing, pvt_words_number(row, "cpu_ns"));
}

static void write_cpu(const struct pvt_chart_source *source, const json_t *row, FILE *to) {
  char shown[PVT_WORDS_BYTES], wall[PVT_WORDS_BYTES], cpu[PVT_WORDS_BYTES];

  (void)source;
  pvt_chart_put(to, pvt_words_number(row, "value"));
  pvt_chart_put(to, pvt_words_number(row, "cpu_ns"));
  pvt_chart_put(to, cpus_of(row));
  pvt_words_ratio(cpus_of(row), shown);
  pvt_words_time(pvt_words_number(row, "value"), wall);
  pvt_words_time(pvt_words_number(row, "cpu_ns"), cpu);
  fprintf(to, "\t%s\t%.16s: %.20s in %.20s", model_of(row), shown, cpu, wall);
}

static char *tell_cpu(const struct pvt_chart_source *source, const json_t *const *rows, const struct pvt_labels *labels,
                      size_t count) {
  char range[PVT_WORDS_BYTES], *title = NULL;
  double least = INFINITY, most = 0;

  (void)source;
  (void)labels;
  for (size_t i = 0; i < count; i++) {
    least = fmin(least, cpus_of(rows[i]));
    most = fmax(most, cpus_of(rows[i]));
  }
  pvt_words_range(least, most, range);
  return asprintf(&title, "Operations keep %s CPUs busy while they last", range) == -1 ? NULL : title;
}

const struct pvt_chart_kind pvt_chart_cpu = {
    .name = "cpu",
    .columns = "value_ns\tcpu_ns\tcpus\tmodel\tshown",
    .about =
        "Medians over launches, each a fresh process. CPU time left of the time that passes: the workers wait; "
        "right of it: several CPUs work at once.",
    .is_of_question = true,
    .is_of_rows = true,
    .is_time = true,
    .shown_chars = 24,
    .list = list,
    .number = cpus_of,
    .tell = tell_cpu,
    .state = model_of,
    .hold = hold_cpu,
    .write = write_cpu};
