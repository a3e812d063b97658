/* report_html.h - report.html, and the parts that it is made of. Nothing here fails visibly but the writing itself. */
#ifndef PVT_PVT_REPORT_HTML_H
#define PVT_PVT_REPORT_HTML_H

#include <stdio.h>

#include "charts.h"

struct pvt_report_run {
  const json_t *summary;
  json_t *index; /* rows by name */
  struct pvt_charts charts;
};

/* Writes DIR/report.html, whole or not at all. Charts are read from DIR/charts. 0 or -errno with the path in why. */
int pvt_report_write_html(const struct pvt_report_run *runs, size_t count, const char *folder, struct pvt_why *why);

/* Text of any origin, so that a browser shows it and does nothing else with it. */
void pvt_html_text(FILE *to, const char *text);
/* printf-like; what is printed is escaped, the format too. */
void pvt_html_print(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* <td class="n">: a number, or "-" for NAN. */
void pvt_html_number(FILE *to, double number, const char *format) __attribute__((format(printf, 3, 0)));
/* <span class="verdict higher">costs more</span> */
void pvt_html_verdict(FILE *to, const char *verdict);

/* The sections. */
void pvt_report_machine_words(FILE *to, const struct pvt_report_run *run);
void pvt_report_machine(FILE *to, const struct pvt_report_run *run);
void pvt_report_question(FILE *to, const struct pvt_report_run *run, const char *folder, const char *question);
/* The charts over all questions. */
void pvt_report_whole(FILE *to, const struct pvt_report_run *run, const char *folder);
void pvt_report_rows(FILE *to, const struct pvt_report_run *run);
void pvt_report_contrasts(FILE *to, const struct pvt_report_run *run);
void pvt_report_reasons(FILE *to, const struct pvt_report_run *run);
void pvt_report_claims(FILE *to, const struct pvt_report_run *run);
void pvt_report_comparison(FILE *to, const struct pvt_report_run *runs, size_t count);
#endif
