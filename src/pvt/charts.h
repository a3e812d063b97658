/* charts.h - the charts of a run: data, titles and drawings. */
#ifndef PVT_PVT_CHARTS_H
#define PVT_PVT_CHARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "../run/why.h"
#include "report_words.h"

enum { PVT_CHART_ROWS_MAX = 1500 };

/* One chart: <folder>/charts/<name>.tsv, and <name>.svg and <name>.png when it is drawn. */
struct pvt_chart {
  char *name; /* "ratios_create" */
  const struct pvt_chart_kind *kind;
  const char *question; /* borrowed from the summary; "" for a chart over all questions */
  char *title;          /* the finding, in words; its numbers stand in the TSV as "shown" */
  char *common;         /* what all its rows have in common, or "" */
  size_t rows, rows_left_out;
  bool is_drawn;
};

struct pvt_charts {
  struct pvt_chart *charts;
  size_t count;
  struct pvt_why trouble; /* why not all are drawn; "" when they are */
};

/*
 * Writes and draws all charts of a summary that would not be empty. prefix goes before their names ("" for one run).
 * A missing or failing gnuplot is no error: the charts are then not drawn, and trouble says why. 0, -ENOMEM, or -errno
 * of a file with its path in why.
 */
int pvt_charts_write(const json_t *summary, const char *folder, const char *prefix, struct pvt_charts *ret_charts,
                     struct pvt_why *why);
void pvt_charts_done(struct pvt_charts *charts);

/* ---- What the parts of it share ---- */

struct pvt_chart_source {
  const json_t *summary;
  json_t *index;  /* rows by name */
  json_t *floors; /* names of rows that are the floor of another */
};

/* A chart that is being written. */
struct pvt_drawing {
  struct pvt_chart *chart;
  const struct pvt_labels *labels;
  double least, most; /* of the x axis's data; none yet: INFINITY and 0 */
  char states[128];   /* words, those that occur: what the key explains */
};

/* One kind of chart; scripts/plot/<name>.gp draws it. Its items are all rows, or all contrasts. */
struct pvt_chart_kind {
  const char *name;
  const char *columns;      /* of the TSV, after the name and the label */
  const char *about;        /* what the report says below it */
  bool is_of_question;      /* one for each question, else one over all of them */
  bool is_of_rows, is_time; /* the x axis is ns, else a ratio */
  unsigned shown_chars;     /* room for what stands at the right */
  /* The items, those that can be drawn and others; the caller's to free. NULL: no memory. */
  const json_t **(*list)(const struct pvt_chart_source *source, const char *question, size_t *ret_count);
  double (*number)(const json_t *item); /* an item without this one is left out */
  char *(*tell)(const struct pvt_chart_source *source, const json_t *const *items, const struct pvt_labels *labels,
                size_t count);              /* the title; NULL: no memory */
  const char *(*state)(const json_t *item); /* a word: what colour and shape of the mark say */
  void (*hold)(const json_t *item, struct pvt_drawing *drawing);
  void (*write)(const struct pvt_chart_source *source, const json_t *item, FILE *to); /* "\tcell" each */
};

extern const struct pvt_chart_kind pvt_chart_ratios, pvt_chart_floors, pvt_chart_controls; /* charts_contrasts.c */
extern const struct pvt_chart_kind pvt_chart_costs, pvt_chart_cpu;                         /* charts_rows.c */

/* Widens the x axis to hold the number, unless it is no number above 0. */
void pvt_drawing_hold(struct pvt_drawing *drawing, double x);
/* "\t1.2345", or "\t-". */
void pvt_chart_put(FILE *to, double number);
/* The x axis for gnuplot: "xmin=...; xmax=...; xticks='...'". */
void pvt_axis_write(const struct pvt_drawing *drawing, FILE *to);
/* Draws with the kind's script in folder/charts: 0, -ENOENT without gnuplot, -ECHILD when it failed; with a why. */
int pvt_gnuplot_draw(const struct pvt_drawing *drawing, const char *charts_folder, struct pvt_why *why);

#endif
