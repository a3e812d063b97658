/* charts_contrasts.c - charts of ratios: what models cost, how far above the floor, whether controls hold. */
#include "charts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../stats/stats.h"

#define COLUMNS "ratio\tlow\thigh\tverdict\trounds\tshown"
#define ABOUT                                                                                                          \
  "Medians of paired ratios: in each round both rows were launched next to each other, each in a fresh process, in "   \
  "balanced order. The line is the interval."

static double ratio_of(const json_t *item) {
  return pvt_words_number(item, "ratio");
}

static void hold(const json_t *item, struct pvt_drawing *drawing) {
  pvt_drawing_hold(drawing, 1);
  pvt_drawing_hold(drawing, pvt_words_number(item, "ratio"));
  pvt_drawing_hold(drawing, pvt_words_number(item, "low"));
  pvt_drawing_hold(drawing, pvt_words_number(item, "high"));
}

static const char *verdict_of(const json_t *item) {
  return pvt_words_string(item, "verdict");
}

static void put(const json_t *item, const char *state, FILE *to) {
  char shown[PVT_WORDS_BYTES];

  pvt_chart_put(to, pvt_words_number(item, "ratio"));
  pvt_chart_put(to, pvt_words_number(item, "low"));
  pvt_chart_put(to, pvt_words_number(item, "high"));
  pvt_words_ratio_interval(item, shown);
  fprintf(to, "\t%s\t%.0f\t%s", state, pvt_words_number(item, "rounds"), shown);
}

static void write(const struct pvt_chart_source *source, const json_t *item, FILE *to) {
  (void)source;
  put(item, verdict_of(item), to);
}

/* ---- Models ---- */

static const json_t **list_models(const struct pvt_chart_source *source, const char *question, size_t *ret_count) {
  return pvt_words_contrasts(source->summary, source->index, question, "model", false, ret_count);
}

static char *tell_models(const struct pvt_chart_source *source, const json_t *const *items,
                         const struct pvt_labels *labels, size_t count) {
  (void)labels;
  return pvt_words_model_title(source->index, items, count);
}

const struct pvt_chart_kind pvt_chart_ratios = {.name = "ratios",
                                                .columns = COLUMNS,
                                                .about = ABOUT,
                                                .is_of_question = true,
                                                .shown_chars = 22,
                                                .list = list_models,
                                                .number = ratio_of,
                                                .tell = tell_models,
                                                .state = verdict_of,
                                                .hold = hold,
                                                .write = write};

/* ---- Floors ---- */

static const json_t **list_floors(const struct pvt_chart_source *source, const char *question, size_t *ret_count) {
  (void)question;
  return pvt_words_contrasts(source->summary, source->index, NULL, "floor", false, ret_count);
}

static char *tell_floors(const struct pvt_chart_source *source, const json_t *const *items,
                         const struct pvt_labels *labels, size_t count) {
  (void)source;
  (void)labels;
  return pvt_words_kind_title("floor", items, count);
}

const struct pvt_chart_kind pvt_chart_floors = {.name = "floors",
                                                .columns = COLUMNS,
                                                .about = ABOUT,
                                                .shown_chars = 22,
                                                .list = list_floors,
                                                .number = ratio_of,
                                                .tell = tell_floors,
                                                .state = verdict_of,
                                                .hold = hold,
                                                .write = write};

/* ---- Controls: null checks first, then what was measured against itself ---- */

/* Whether a null check holds is asked of its interval alone; the same test makes a run invalid. */
static const char *state_of_control(const json_t *item) {
  double low = pvt_words_number(item, "low"), high = pvt_words_number(item, "high");

  if (!isfinite(low) || !isfinite(high))
    return "unresolved";
  return pvt_stats_null_failed(low, high) ? "fails" : "holds";
}

static const json_t **list_controls(const struct pvt_chart_source *source, const char *question, size_t *ret_count) {
  size_t nulls = 0, same = 0;
  const json_t **items = pvt_words_contrasts(source->summary, source->index, NULL, NULL, true, &nulls);
  const json_t **again = pvt_words_contrasts(source->summary, source->index, NULL, "same", false, &same);
  const json_t **both = items == NULL || again == NULL ? NULL : calloc(nulls + same + 1, sizeof(void *));

  (void)question;
  if (both != NULL) {
    memcpy(both, items, nulls * sizeof(void *));
    memcpy(both + nulls, again, same * sizeof(void *));
  }
  free(items);
  free(again);
  *ret_count = nulls + same;
  return both;
}

/* How many of either kind, their range in words, and how many do not hold. */
struct controls {
  size_t count, failed, unresolved;
  double least, most;
  char range[PVT_WORDS_BYTES];
};

static struct controls look_at(const json_t *const *items, size_t count, bool is_null) {
  struct controls controls = {.least = INFINITY};

  for (size_t i = 0; i < count; i++) {
    const char *state = state_of_control(items[i]);

    if (pvt_words_is_null_check(items[i]) != is_null)
      continue;
    controls.count++;
    controls.failed += strcmp(state, "fails") == 0;
    controls.unresolved += strcmp(state, "unresolved") == 0;
    controls.least = fmin(controls.least, ratio_of(items[i]));
    controls.most = fmax(controls.most, ratio_of(items[i]));
  }
  pvt_words_range(controls.least, controls.most, controls.range);
  return controls;
}

static char *tell_controls(const struct pvt_chart_source *source, const json_t *const *items,
                           const struct pvt_labels *labels, size_t count) {
  struct controls nulls = look_at(items, count, true), same = look_at(items, count, false);
  char *title = NULL;
  size_t size;
  FILE *to = open_memstream(&title, &size);

  (void)source;
  (void)labels;
  if (to == NULL)
    return NULL;
  if (nulls.failed > 0)
    fprintf(to, "%zu of %zu null checks failed: ratios %s", nulls.failed, nulls.count, nulls.range);
  else if (nulls.unresolved > 0)
    fprintf(to, "Too few rounds to tell whether the null checks hold: ratios %s", nulls.range);
  else if (nulls.count > 0)
    fprintf(to, "%s: ratios %s", nulls.count == 1 ? "The null check holds" : "All null checks hold", nulls.range);
  if (same.count > 0)
    fprintf(to, "%s same thing twice: %s", nulls.count > 0 ? "; the" : "The", same.range);
  return fclose(to) == 0 ? title : NULL;
}

static void write_control(const struct pvt_chart_source *source, const json_t *item, FILE *to) {
  (void)source;
  put(item, state_of_control(item), to);
  fprintf(to, "\t%s", pvt_words_is_null_check(item) ? "null" : "same");
}

const struct pvt_chart_kind pvt_chart_controls = {
    .name = "controls",
    .columns = COLUMNS "\tkind",
    .about =
        "What must come out at 1: null checks, and the same thing measured twice, launched next to each other as all "
        "pairs are. A null check whose interval lies wholly outside the band makes the run invalid.",
    .shown_chars = 22,
    .list = list_controls,
    .number = ratio_of,
    .tell = tell_controls,
    .state = state_of_control,
    .hold = hold,
    .write = write_control};
