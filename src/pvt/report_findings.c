/* report_findings.c - what a question's contrasts say, in plain words; its charts and what they were made of. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../run/folder.h"
#include "report_html.h"

/* ---- Sentences ---- */

static void write_sentence(FILE *to, const struct pvt_report_run *run, const json_t *contrast, const char *label) {
  char *sentence = pvt_words_sentence(run->index, contrast);

  fprintf(to, "<li><span class=\"mark %s\"></span><strong>", pvt_words_string(contrast, "verdict"));
  pvt_html_text(to, label);
  fputs("</strong>: ", to);
  pvt_html_text(to, sentence == NULL ? "" : sentence);
  fputs(". <span class=\"quiet\">", to);
  pvt_html_print(to, "%.0f rounds", pvt_words_number(contrast, "rounds"));
  if (pvt_words_number(contrast, "level") > 0)
    pvt_html_print(to, ", %.1f\u00a0%%", pvt_words_number(contrast, "level") * 100);
  if (pvt_words_number(contrast, "disturbed") > 0)
    pvt_html_print(to, ", %.0f disturbed", pvt_words_number(contrast, "disturbed"));
  fputs("</span></li>\n", to);
  free(sentence);
}

/* ---- Charts ---- */

static void write_base64(FILE *to, FILE *from) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned char bytes[3];
  size_t count;

  while ((count = fread(bytes, 1, 3, from)) > 0) {
    unsigned long all =
        (unsigned long)bytes[0] << 16 | (count > 1 ? (unsigned long)bytes[1] << 8 : 0) | (count > 2 ? bytes[2] : 0);

    fputc(digits[all >> 18], to);
    fputc(digits[all >> 12 & 63], to);
    fputc(count > 1 ? digits[all >> 6 & 63] : '=', to);
    fputc(count > 2 ? digits[all & 63] : '=', to);
  }
}

/* Every value of the axis that the question's rows have: "same_cpu, cross_cpu". */
static void list_axis(FILE *to, const struct pvt_report_run *run, const char *question, const char *axis) {
  json_t *seen = json_object(), *each, *ignored;
  const char *value;
  size_t i;
  bool is_first = true;

  json_array_foreach (json_object_get(run->summary, "rows"), i, each) {
    value = pvt_words_axis(each, axis);
    if (value[0] != '\0' && (question[0] == '\0' || pvt_words_is(each, "question", question)))
      json_object_set_new(seen, value, json_true());
  }
  json_object_foreach (seen, value, ignored) {
    fputs(is_first ? " Placement: " : ", ", to);
    pvt_html_text(to, value);
    is_first = false;
  }
  if (!is_first)
    fputs(".", to);
  json_decref(seen);
}

/* The least and the most of a number in the contrasts, or in the rows, that a chart may draw. */
static void range_of(const struct pvt_report_run *run, const char *list, const char *question, const char *name,
                     double *ret_least, double *ret_most) {
  json_t *each;
  size_t i;

  *ret_least = INFINITY;
  *ret_most = 0;
  json_array_foreach (json_object_get(run->summary, list), i, each) {
    const char *of =
        strcmp(list, "rows") == 0 ? pvt_words_string(each, "question") : pvt_words_question(run->index, each);
    double number = pvt_words_number(each, name);

    if (!(number > 0) || (question[0] != '\0' && strcmp(of, question) != 0))
      continue;
    *ret_least = fmin(*ret_least, number);
    *ret_most = fmax(*ret_most, number);
  }
}

static void print_range(FILE *to, double least, double most, int digits) {
  char first[PVT_WORDS_BYTES], last[PVT_WORDS_BYTES];

  snprintf(first, sizeof first, "%.*f", digits, least);
  snprintf(last, sizeof last, "%.*f", digits, most);
  fputs(first, to);
  if (strcmp(first, last) != 0)
    fprintf(to, " to %s", last);
}

static void write_caption(FILE *to, const struct pvt_report_run *run, const struct pvt_chart *chart) {
  const char *list = chart->kind->is_of_rows ? "rows" : "contrasts";
  double least, most;

  fputs(chart->kind->about, to);
  range_of(run, list, chart->question, chart->kind->is_of_rows ? "launches" : "rounds", &least, &most);
  if (isfinite(least)) {
    fputs(chart->kind->is_of_rows ? " Launches: " : " Pairs: ", to);
    print_range(to, least, most, 0);
    fputs(".", to);
  }
  range_of(run, list, chart->question, "level", &least, &most);
  if (isfinite(least) && chart->kind != &pvt_chart_cpu) {
    fputs(" Level of the intervals: ", to);
    print_range(to, least * 100, most * 100, 1);
    fputs(" %.", to);
  }
  list_axis(to, run, chart->question, "placement");
}

static void write_chart(FILE *to, const struct pvt_report_run *run, const char *folder, const struct pvt_chart *chart) {
  char path[PVT_FOLDER_BYTES];
  FILE *from;

  if (!chart->is_drawn || snprintf(path, sizeof path, "%s/charts/%s.svg", folder, chart->name) >= (int)sizeof path)
    return;
  from = fopen(path, "re");
  if (from == NULL)
    return;
  fputs("<figure><div><img alt=\"", to);
  pvt_html_text(to, chart->title);
  fputs("\" src=\"data:image/svg+xml;base64,", to);
  write_base64(to, from);
  fclose(from);
  fputs("\"></div>\n<figcaption>", to);
  write_caption(to, run, chart);
  fputs(" Data: <code>charts/", to);
  pvt_html_text(to, chart->name);
  fputs(".tsv</code></figcaption></figure>\n", to);
}

/* The charts of a question ("": those over all); of this kind alone, or all but this kind. */
static void write_charts(FILE *to, const struct pvt_report_run *run, const char *folder, const char *question,
                         const struct pvt_chart_kind *kind, bool is_wanted) {
  for (size_t i = 0; i < run->charts.count; i++)
    if (strcmp(run->charts.charts[i].question, question) == 0 && (run->charts.charts[i].kind == kind) == is_wanted)
      write_chart(to, run, folder, &run->charts.charts[i]);
}

/* ---- A question ---- */

static void write_kind(FILE *to, const struct pvt_report_run *run, const char *folder, const char *question,
                       const char *kind, bool is_null, const char *heading) {
  bool is_model = kind != NULL && strcmp(kind, "model") == 0;
  size_t count = 0;
  const json_t **contrasts = pvt_words_contrasts(run->summary, run->index, question, kind, is_null, &count);
  struct pvt_labels labels;
  char *title;

  if (contrasts == NULL || count == 0 || pvt_labels_new(run->index, contrasts, count, false, &labels) < 0) {
    free(contrasts);
    return;
  }
  title = heading != NULL ? strdup(heading)
          : is_model      ? pvt_words_model_title(run->index, contrasts, count)
                          : pvt_words_kind_title(kind, contrasts, count);
  fputs("<h3>", to);
  pvt_html_text(to, title == NULL ? "" : title);
  fputs("</h3>\n", to);
  if (labels.common[0] != '\0') {
    fputs("<p class=\"quiet\">All: ", to);
    pvt_html_text(to, labels.common);
    fputs("</p>\n", to);
  }
  if (is_model)
    write_charts(to, run, folder, question, &pvt_chart_ratios, true);
  fputs("<ul class=\"findings\">\n", to);
  for (size_t i = 0; i < count; i++)
    write_sentence(to, run, contrasts[i], labels.texts[i]);
  fputs("</ul>\n", to);
  free(title);
  free(contrasts);
  pvt_labels_done(&labels);
}

void pvt_report_question(FILE *to, const struct pvt_report_run *run, const char *folder, const char *question) {
  static const char *const kinds[] = {"model", "sharing", "ladder", "peer", "floor", "same"};
  const char *title = pvt_words_string(json_object_get(run->summary, "questions"), question);

  fputs("<h2>", to);
  pvt_html_text(to, title[0] == '\0' ? question : title);
  fputs("</h2>\n", to);
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    write_kind(to, run, folder, question, kinds[i], false, NULL);
  write_kind(to, run, folder, question, NULL, true, "Null checks: what must cost the same");
  write_charts(to, run, folder, question, &pvt_chart_ratios, false);
}

void pvt_report_whole(FILE *to, const struct pvt_report_run *run, const char *folder) {
  write_charts(to, run, folder, "", NULL, false);
}
