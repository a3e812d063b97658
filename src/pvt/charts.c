/* charts.c - which charts a run has, and the writing of their data. */
#include "charts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run/folder.h"

static const struct pvt_chart_kind *const kinds[] = {&pvt_chart_ratios, &pvt_chart_costs, &pvt_chart_cpu,
                                                     &pvt_chart_floors, &pvt_chart_controls};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* What all charts of one call share. */
struct book {
  struct pvt_chart_source source;
  const char *folder, *prefix;
  struct pvt_charts *charts;
  struct pvt_why *why;
};

/* ---- Data ---- */

void pvt_chart_put(FILE *to, double number) {
  if (isfinite(number))
    fprintf(to, "\t%.9g", number);
  else
    fputs("\t-", to);
}

static int write_data(const struct book *book, const json_t *const *items, const struct pvt_drawing *drawing) {
  const struct pvt_chart *chart = drawing->chart;
  const char *name = chart->kind->is_of_rows ? "name" : "id";
  char path[PVT_FOLDER_BYTES];
  FILE *to;

  if (snprintf(path, sizeof path, "%s/charts/%s.tsv", book->folder, chart->name) >= (int)sizeof path)
    return pvt_why_set(book->why, -ENAMETOOLONG, "%.200s...: too long a path", path);
  to = fopen(path, "we");
  if (to == NULL)
    return pvt_why_set(book->why, -errno, "cannot write %.400s: %s: give another --out", path, strerror(errno));
  fprintf(to, "# %s\n%s\tlabel\t%s\n", chart->title, chart->kind->is_of_rows ? "row" : "contrast",
          chart->kind->columns);
  for (size_t i = 0; i < chart->rows; i++) {
    fprintf(to, "%s\t%s", pvt_words_string(items[i], name), drawing->labels->texts[i]);
    chart->kind->write(&book->source, items[i], to);
    fputc('\n', to);
  }
  if (ferror(to) != 0) {
    fclose(to);
    return pvt_why_set(book->why, -EIO, "cannot write %.400s: make room, or give another --out", path);
  }
  return fclose(to) == 0 ? 0 : pvt_why_set(book->why, -errno, "cannot write %.400s: %s", path, strerror(errno));
}

/* ---- Drawing ---- */

/* A drawing of another time must not stand beside new data. */
static void remove_old(const struct book *book, const char *name) {
  static const char *const suffixes[] = {"svg", "png"};
  char path[PVT_FOLDER_BYTES];

  for (unsigned i = 0; i < 2; i++)
    if (snprintf(path, sizeof path, "%s/charts/%s.%s", book->folder, name, suffixes[i]) < (int)sizeof path)
      unlink(path);
}

static int draw(const struct book *book, const struct pvt_drawing *drawing) {
  char folder[PVT_FOLDER_BYTES];
  struct pvt_why why = {""};

  remove_old(book, drawing->chart->name);
  if (book->charts->trouble.text[0] != '\0') /* what stopped one stops the others */
    return 0;
  if (snprintf(folder, sizeof folder, "%s/charts", book->folder) >= (int)sizeof folder)
    return pvt_why_set(book->why, -ENAMETOOLONG, "%.200s...: too long a path", folder);
  if (pvt_gnuplot_draw(drawing, folder, &why) == 0)
    drawing->chart->is_drawn = true;
  else
    book->charts->trouble = why;
  return 0;
}

/* Adds the word unless it is there. */
static void add_state(struct pvt_drawing *drawing, const char *state) {
  size_t length = strlen(drawing->states), word = strlen(state);

  for (const char *at = drawing->states; (at = strstr(at, state)) != NULL; at += word)
    if ((at == drawing->states || at[-1] == ' ') && (at[word] == ' ' || at[word] == '\0'))
      return;
  snprintf(drawing->states + length, sizeof drawing->states - length, "%s%s", length == 0 ? "" : " ", state);
}

static int write_chart(struct book *book, struct pvt_chart *chart, const json_t *const *items,
                       const struct pvt_labels *labels) {
  struct pvt_drawing drawing = {chart, labels, INFINITY, 0, ""};
  int status;

  for (size_t i = 0; i < chart->rows; i++) {
    chart->kind->hold(items[i], &drawing);
    add_state(&drawing, chart->kind->state(items[i]));
  }
  status = write_data(book, items, &drawing);
  return status < 0 ? status : draw(book, &drawing);
}

/* ---- One chart ---- */

/* Room for one more chart, in which free may be called on every pointer; NULL: no memory. */
static struct pvt_chart *more(struct pvt_charts *charts) {
  struct pvt_chart *grown = reallocarray(charts->charts, charts->count + 1, sizeof grown[0]);

  if (grown == NULL)
    return NULL;
  charts->charts = grown;
  grown[charts->count] = (struct pvt_chart){0};
  return &grown[charts->count++];
}

static int fill(const struct book *book, struct pvt_chart *chart, const char *question, const json_t *const *items,
                const struct pvt_labels *labels) {
  bool is_one = chart->kind->is_of_question;

  chart->question = is_one ? question : "";
  chart->rows = labels->count > PVT_CHART_ROWS_MAX ? PVT_CHART_ROWS_MAX : labels->count;
  chart->rows_left_out = labels->count - chart->rows;
  chart->title = chart->kind->tell(&book->source, items, labels, labels->count);
  chart->common = strdup(labels->common);
  if (asprintf(&chart->name, "%s%s%s%s", book->prefix, chart->kind->name, is_one ? "_" : "", chart->question) == -1)
    chart->name = NULL;
  return chart->name == NULL || chart->title == NULL || chart->common == NULL ? -ENOMEM : 0;
}

/* Without an item that can be drawn, there is no chart. */
static int add(struct book *book, const struct pvt_chart_kind *kind, const char *question) {
  size_t count = 0, kept = 0;
  const json_t **items = kind->list(&book->source, question, &count);
  struct pvt_labels labels = {0};
  struct pvt_chart *chart = NULL;
  int status = items == NULL ? -ENOMEM : 0;

  for (size_t i = 0; items != NULL && i < count; i++)
    if (isfinite(kind->number(items[i])) && kind->number(items[i]) > 0)
      items[kept++] = items[i];
  if (kept > 0)
    status = pvt_labels_new(book->source.index, items, kept, !kind->is_of_question, &labels);
  if (kept > 0 && status == 0)
    status = (chart = more(book->charts)) == NULL ? -ENOMEM : 0;
  if (chart != NULL) {
    chart->kind = kind;
    status = fill(book, chart, question, items, &labels);
  }
  if (status == -ENOMEM)
    pvt_why_set(book->why, status, "no memory for the charts");
  else if (chart != NULL)
    status = write_chart(book, chart, items, &labels);
  pvt_labels_done(&labels);
  free(items);
  return status;
}

/* ---- All of them ---- */

static int add_all(struct book *book) {
  json_t *questions = pvt_words_questions(book->source.summary), *each;
  const char *question;
  int status = questions == NULL ? pvt_why_set(book->why, -ENOMEM, "no memory for the charts") : 0;

  json_object_foreach (questions, question, each)
    for (unsigned i = 0; i < KINDS && status == 0; i++)
      if (kinds[i]->is_of_question)
        status = add(book, kinds[i], json_string_value(each)); /* the summary's own string: it outlives the list */
  for (unsigned i = 0; i < KINDS && status == 0; i++)
    if (!kinds[i]->is_of_question)
      status = add(book, kinds[i], "");
  json_decref(questions);
  return status;
}

static json_t *floors_of(const json_t *summary) {
  json_t *floors = json_object(), *each;
  size_t i;

  json_array_foreach (json_object_get(summary, "contrasts"), i, each) {
    if (pvt_words_is(each, "kind", "floor"))
      json_object_set_new(floors, pvt_words_string(each, "against"), json_true());
  }
  return floors;
}

int pvt_charts_write(const json_t *summary, const char *folder, const char *prefix, struct pvt_charts *ret_charts,
                     struct pvt_why *why) {
  struct pvt_charts charts = {0};
  struct book book = {{summary, pvt_words_index(summary), floors_of(summary)}, folder, prefix, &charts, why};
  char path[PVT_FOLDER_BYTES];
  int status;

  if (snprintf(path, sizeof path, "%s/charts", folder) >= (int)sizeof path)
    status = pvt_why_set(why, -ENAMETOOLONG, "%.200s...: too long a path", folder);
  else
    status = pvt_folder_make(path, why);
  if (status == 0)
    status = add_all(&book);
  json_decref(book.source.index);
  json_decref(book.source.floors);
  if (status < 0)
    pvt_charts_done(&charts);
  else
    *ret_charts = charts;
  return status;
}

void pvt_charts_done(struct pvt_charts *charts) {
  for (size_t i = 0; i < charts->count; i++) {
    free(charts->charts[i].name);
    free(charts->charts[i].title);
    free(charts->charts[i].common);
  }
  free(charts->charts);
  *charts = (struct pvt_charts){0};
}
