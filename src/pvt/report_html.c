/* report_html.c - the page: its head, its order, its style; and text made safe. */
#include "report_html.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run/folder.h"

void pvt_html_text(FILE *to, const char *text) {
  for (; *text != '\0'; text++)
    switch (*text) {
    case '&':
      fputs("&amp;", to);
      break;
    case '<':
      fputs("&lt;", to);
      break;
    case '>':
      fputs("&gt;", to);
      break;
    case '"':
      fputs("&quot;", to);
      break;
    case '\'':
      fputs("&#39;", to);
      break;
    case '`':
      fputs("&#96;", to);
      break;
    default:
      fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, to);
    }
}

void pvt_html_print(FILE *to, const char *format, ...) {
  char *text = NULL;
  va_list arguments;

  va_start(arguments, format);
  if (vasprintf(&text, format, arguments) == -1)
    text = NULL;
  va_end(arguments);
  if (text != NULL)
    pvt_html_text(to, text);
  free(text);
}

void pvt_html_number(FILE *to, double number, const char *format) {
  fputs("<td class=\"n\">", to);
  if (isfinite(number))
    fprintf(to, format, number);
  else
    fputs("-", to);
  fputs("</td>", to);
}

void pvt_html_verdict(FILE *to, const char *verdict) {
  static const char *const words[][2] = {{"higher", "costs more"},
                                         {"lower", "costs less"},
                                         {"equal", "equal within 3 %"},
                                         {"unresolved", "not resolved"},
                                         {"invalid", "run invalid"}};

  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(verdict, words[i][0]) == 0)
      fprintf(to, "<span class=\"verdict %s\">%s</span>", words[i][0], words[i][1]);
}

/* ---- The page ---- */

static const char style[] =
    "body{font:16px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;color:#1a1a1a;background:#fff;"
    "margin:0 auto;padding:1rem 1.25rem 4rem;max-width:68rem;overflow-wrap:anywhere}"
    "h1{font-size:1.7rem;line-height:1.2;margin:1rem 0 .3rem}"
    "h2{font-size:1.3rem;line-height:1.25;margin:2.6rem 0 .6rem;border-top:2px solid #1a1a1a;padding-top:.7rem}"
    "h3{font-size:1.05rem;margin:1.6rem 0 .4rem}p{margin:.5rem 0}.quiet{color:#555}"
    "ul{padding-left:1.2rem;margin:.4rem 0}li{margin:.25rem 0}"
    ".note{border-left:5px solid #e69f00;background:#fdf6e3;padding:.5rem .9rem;margin:.7rem 0}"
    ".note.bad{border-color:#d55e00;background:#fbeae0}"
    "figure{margin:1.2rem 0}figure div{overflow-x:auto}figure img{display:block;width:100%;min-width:40rem;height:auto}"
    "figcaption{color:#555;font-size:.88rem;margin-top:.3rem}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.84rem;line-height:1.35;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.28rem .55rem;border-bottom:1px solid #ddd}"
    "th{border-bottom:2px solid #888;vertical-align:bottom}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "th{overflow-wrap:normal}td{overflow-wrap:break-word}td.word{white-space:nowrap}td.claim{min-width:15rem}td.name{"
    "overflow-wrap:anywhere}"
    "td.name,code{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:.92em}td.name{min-width:16rem}"
    ".findings{list-style:none;padding-left:1.4rem}.mark{display:inline-block;width:1.4rem;margin-left:-1.4rem}"
    ".verdict{font-weight:600}.verdict:before{display:inline-block;width:1.1em}"
    ".higher{color:#a84a00}.higher:before{content:'\\25CF'}.lower{color:#005a8c}.lower:before{content:'\\25A0'}"
    ".equal{color:#00704f}.equal:before{content:'\\25C6'}.unresolved{color:#666}.unresolved:before{content:'\\25CB'}"
    ".invalid:before{content:'\\2715'}nav a{margin-right:1rem}"
    "@media print{body{max-width:none;padding:0;font-size:10.5pt}h2{break-after:avoid}figure,tr,li{break-inside:avoid}"
    "figure img{min-width:0}figure div,.scroll{overflow:visible}nav{display:none}table{font-size:6.8pt}"
    "td.n,th.n{white-space:normal}th,td{padding:.15rem .25rem}"
    "td.name{min-width:9rem}td.claim{min-width:9rem}}";

static void write_head(FILE *to, const struct pvt_report_run *runs, size_t count) {
  fputs(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>pvt: ",
      to);
  if (count == 1)
    pvt_html_text(to, pvt_words_string(runs[0].summary, "run"));
  else
    fprintf(to, "%zu runs", count);
  fprintf(to, "</title>\n<style>%s</style>\n</head>\n<body>\n", style);
}

/* What must be known before any number is read. */
static void write_warnings(FILE *to, const struct pvt_report_run *run) {
  const json_t *summary = run->summary;
  const char *invalid = json_string_value(json_object_get(summary, "invalid"));
  size_t errors = json_array_size(json_object_get(summary, "errors")), i, disturbed = 0;
  json_t *each;

  if (invalid != NULL) {
    fputs("<p class=\"note bad\"><strong>This run is invalid.</strong> ", to);
    pvt_html_print(to, "%s. Its ratios are shown, but no verdict is drawn from them.", invalid);
    fputs("</p>\n", to);
  }
  if (!json_is_true(json_object_get(summary, "is_complete"))) {
    fputs("<p class=\"note\"><strong>This run is not complete:</strong> ", to);
    pvt_html_print(to, "%.0f of %.0f rounds. ", pvt_words_number(summary, "rounds"),
                   pvt_words_number(summary, "rounds_planned"));
    fputs("If it was interrupted, <code>", to);
    pvt_html_print(to, "pvt run --resume %s", pvt_words_string(summary, "run"));
    fputs("</code> goes on with it.</p>\n", to);
  }
  json_array_foreach (json_object_get(summary, "contrasts"), i, each)
    disturbed += pvt_words_is(each, "verdict", "unresolved") &&
                 strcmp(pvt_words_string(each, "why"), "too many rounds were disturbed from outside") == 0;
  if (disturbed > 0)
    fprintf(to,
            "<p class=\"note\"><strong>This machine was busy with something else:</strong> %zu of %zu comparisons were "
            "disturbed from outside in more than 20 %% of their rounds and get no verdict.</p>\n",
            disturbed, json_array_size(json_object_get(summary, "contrasts")));
  if (errors > 0)
    fprintf(to, "<p class=\"note bad\"><strong>%zu %s failed</strong> in at least one launch: see below.</p>\n", errors,
            errors == 1 ? "row" : "rows");
  if (run->charts.trouble.text[0] != '\0') {
    fputs("<p class=\"note\"><strong>Charts are missing:</strong> ", to);
    pvt_html_print(to, "%s.", run->charts.trouble.text);
    fputs("</p>\n", to);
  }
}

static void write_run(FILE *to, const struct pvt_report_run *run, const char *folder) {
  const json_t *summary = run->summary;
  json_t *questions = pvt_words_questions(summary), *each;
  const char *question;

  fputs("<p class=\"quiet\">", to);
  pvt_html_print(to, "Run %s: %.0f of %.0f rounds, profile %s, seed %lld, pvt %s.", pvt_words_string(summary, "run"),
                 pvt_words_number(summary, "rounds"), pvt_words_number(summary, "rounds_planned"),
                 pvt_words_string(summary, "profile"), (long long)json_integer_value(json_object_get(summary, "seed")),
                 pvt_words_string(summary, "version"));
  fputs("</p>\n", to);
  pvt_report_machine_words(to, run);
  write_warnings(to, run);
  json_object_foreach (questions, question, each)
    pvt_report_question(to, run, folder, question);
  json_decref(questions);
  fputs("<h2>Can the numbers be believed?</h2>\n", to);
  pvt_report_whole(to, run, folder);
  pvt_report_reasons(to, run);
  pvt_report_claims(to, run);
  pvt_report_contrasts(to, run);
  pvt_report_rows(to, run);
  pvt_report_machine(to, run);
}

static void write_how_to_read(FILE *to) {
  fputs(
      "<h2>How to read this</h2>\n<ul>\n"
      "<li>A <strong>ratio</strong> is the cost of the first divided by the cost of the second: above 1 the first "
      "costs more. 2.00 means twice the time per operation.</li>\n"
      "<li>A <strong>launch</strong> is one fresh process that measures one row; its value is the median of five "
      "repetitions. Each <strong>round</strong> launches the two rows of a comparison next to each other, in balanced "
      "order. A ratio is the median over rounds of the paired ratios.</li>\n"
      "<li>The <strong>interval</strong> in brackets is the exact order-statistic interval of that median, at the "
      "level "
      "given (at least 95 %).</li>\n"
      "<li><strong>Costs more</strong>, <strong>costs less</strong>: the whole interval lies on one side of 1. "
      "<strong>Equal</strong>: it lies within 3 % of 1. <strong>Not resolved</strong>: these data cannot tell; "
      "what they could have seen is said with it.</li>\n"
      "<li><strong>Null checks</strong> compare things that cost the same. If one comes out wholly outside 0.95 to "
      "1.05, the run is invalid and no verdict is given.</li>\n"
      "<li>A <strong>floor</strong> is the thinnest code that does the same thing: a bare system call, one shared "
      "cache line.</li>\n"
      "<li><strong>Disturbed</strong> launches saw foreign CPU time, steal or a change of frequency; they were thrown "
      "away, blind to their value, and repeated.</li>\n</ul>\n",
      to);
}

static void write_page(FILE *to, const struct pvt_report_run *runs, size_t count, const char *folder) {
  write_head(to, runs, count);
  fputs("<h1>Processes or threads?</h1>\n", to);
  if (count > 1) {
    fputs("<nav>", to);
    for (size_t i = 0; i < count; i++) {
      fprintf(to, "<a href=\"#run%zu\">%zu: ", i + 1, i + 1);
      pvt_html_text(to, pvt_words_string(runs[i].summary, "run"));
      fputs("</a> ", to);
    }
    fputs("</nav>\n", to);
    pvt_report_comparison(to, runs, count);
  }
  for (size_t i = 0; i < count; i++) {
    if (count > 1) {
      fprintf(to, "<h1 id=\"run%zu\">Run %zu: ", i + 1, i + 1);
      pvt_html_text(to, pvt_words_string(runs[i].summary, "run"));
      fputs("</h1>\n", to);
    }
    write_run(to, &runs[i], folder);
  }
  write_how_to_read(to);
  fputs("</body>\n</html>\n", to);
}

int pvt_report_write_html(const struct pvt_report_run *runs, size_t count, const char *folder, struct pvt_why *why) {
  char path[PVT_FOLDER_BYTES], temporary[PVT_FOLDER_BYTES + 8];
  FILE *to;
  bool is_written;

  if (snprintf(path, sizeof path, "%s/report.html", folder) >= (int)sizeof path)
    return pvt_why_set(why, -ENAMETOOLONG, "%.200s...: too long a path", path);
  snprintf(temporary, sizeof temporary, "%s.new", path);
  to = fopen(temporary, "we");
  if (to == NULL)
    return pvt_why_set(why, -errno, "cannot write %s: %s: give another --out", temporary, strerror(errno));
  write_page(to, runs, count, folder);
  is_written = ferror(to) == 0;
  if (fclose(to) == 0 && is_written && rename(temporary, path) == 0)
    return 0;
  pvt_why_set(why, -EIO, "cannot write %s: %s: make room, or give another --out", path, strerror(errno));
  unlink(temporary);
  return -EIO;
}
