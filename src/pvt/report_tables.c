/* report_tables.c - the tables: rows, contrasts, reasons, the machine, and runs beside each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../machine/machine.h"
#include "report_html.h"

/* ---- Rows ---- */

static void put_time(FILE *to, double ns) {
  char text[PVT_WORDS_BYTES];

  pvt_words_time(ns, text);
  fprintf(to, "<td class=\"n\">%s</td>", text);
}

static void put_name(FILE *to, const char *name) {
  fputs("<td class=\"name\">", to);
  pvt_html_text(to, name);
  fputs("</td>", to);
}

/* {row: floor contrast} */
static json_t *floors_of(const json_t *summary) {
  json_t *floors = json_object(), *each;
  size_t i;

  json_array_foreach (json_object_get(summary, "contrasts"), i, each) {
    if (pvt_words_is(each, "kind", "floor"))
      json_object_set(floors, pvt_words_string(each, "arm"), each);
  }
  return floors;
}

static void put_interval(FILE *to, const json_t *row) {
  char low[PVT_WORDS_BYTES], high[PVT_WORDS_BYTES];

  pvt_words_time(pvt_words_number(row, "low"), low);
  pvt_words_time(pvt_words_number(row, "high"), high);
  if (isfinite(pvt_words_number(row, "low")))
    fprintf(to, "<td class=\"n\">%s to %s</td>", low, high);
  else
    fputs("<td class=\"n\">-</td>", to);
}

static void put_row(FILE *to, const json_t *row, const json_t *floors) {
  const json_t *quantiles = json_object_get(row, "quantiles"), *switches = json_object_get(row, "switches");
  char floor[PVT_WORDS_BYTES];

  fputs("<tr>", to);
  put_name(to, pvt_words_string(row, "name"));
  put_time(to, pvt_words_number(row, "value"));
  put_interval(to, row);
  pvt_words_ratio(pvt_words_number(json_object_get(floors, pvt_words_string(row, "name")), "ratio"), floor);
  fprintf(to, "<td class=\"n\">%s</td>", floor);
  put_time(to, pvt_words_number(quantiles, "p50"));
  put_time(to, pvt_words_number(quantiles, "p99"));
  put_time(to, pvt_words_number(row, "cpu_ns"));
  pvt_html_number(to, pvt_words_number(switches, "voluntary"), "%.3g");
  pvt_html_number(to, pvt_words_number(switches, "involuntary"), "%.3g");
  pvt_html_number(to, pvt_words_number(row, "faults"), "%.3g");
  pvt_html_number(to, pvt_words_number(row, "launches"), "%.0f");
  pvt_html_number(to, pvt_words_number(row, "disturbed"), "%.0f");
  fputs("</tr>\n", to);
}

void pvt_report_rows(FILE *to, const struct pvt_report_run *run) {
  json_t *floors = floors_of(run->summary), *each;
  size_t i;

  fputs(
      "<h2>Every row</h2>\n<p class=\"quiet\">Medians over launches, per operation. Switches and faults are counts per "
      "operation, of the workers alone.</p>\n<div class=\"scroll\"><table>\n<tr><th>row</th><th class=\"n\">time</th>"
      "<th class=\"n\">interval</th><th class=\"n\">above floor</th><th class=\"n\">p50</th><th class=\"n\">p99</th>"
      "<th class=\"n\">CPU time</th><th class=\"n\">switches, voluntary</th><th class=\"n\">involuntary</th>"
      "<th class=\"n\">faults</th><th class=\"n\">launches</th><th class=\"n\">disturbed</th></tr>\n",
      to);
  json_array_foreach (json_object_get(run->summary, "rows"), i, each)
    put_row(to, each, floors);
  fputs("</table></div>\n", to);
  json_decref(floors);
}

/* ---- Contrasts ---- */

static void put_contrast(FILE *to, const json_t *contrast) {
  char ratio[PVT_WORDS_BYTES];
  double level = pvt_words_number(contrast, "level"), could_see = pvt_words_number(contrast, "could_see");

  pvt_words_ratio_interval(contrast, ratio);
  fputs("<tr>", to);
  put_name(to, pvt_words_string(contrast, "id"));
  fputs("<td>", to);
  pvt_html_text(to, pvt_words_is_null_check(contrast) ? "null check" : pvt_words_string(contrast, "kind"));
  fprintf(to, "</td><td class=\"n\">%s</td>", isfinite(pvt_words_number(contrast, "ratio")) ? ratio : "-");
  fputs("<td>", to);
  pvt_html_verdict(to, pvt_words_string(contrast, "verdict"));
  if (pvt_words_string(contrast, "why")[0] != '\0') {
    fputs("<br>", to);
    pvt_html_text(to, pvt_words_string(contrast, "why"));
  }
  fputs("</td>", to);
  pvt_html_number(to, level > 0 ? level * 100 : NAN, "%.1f %%");
  pvt_html_number(to, could_see, "%.3f");
  pvt_html_number(to, pvt_words_number(contrast, "rounds"), "%.0f");
  pvt_html_number(to, pvt_words_number(contrast, "disturbed"), "%.0f");
  fputs("</tr>\n", to);
}

void pvt_report_contrasts(FILE *to, const struct pvt_report_run *run) {
  json_t *each;
  size_t i;

  fputs(
      "<h2>Every comparison</h2>\n<div class=\"scroll\"><table>\n<tr><th>comparison</th><th>kind</th>"
      "<th class=\"n\">ratio [interval]</th><th>verdict</th><th class=\"n\">level</th>"
      "<th class=\"n\">could have seen</th><th class=\"n\">rounds</th><th class=\"n\">disturbed</th></tr>\n",
      to);
  json_array_foreach (json_object_get(run->summary, "contrasts"), i, each)
    put_contrast(to, each);
  fputs("</table></div>\n", to);
}

/* ---- Reasons ---- */

static void put_reasons(FILE *to, const json_t *list, const char *title) {
  json_t *each;
  size_t i;

  if (json_array_size(list) == 0)
    return;
  fprintf(to, "<h3>%s</h3>\n<div class=\"scroll\"><table>\n<tr><th>row</th><th>why</th></tr>\n", title);
  json_array_foreach (list, i, each) {
    fputs("<tr>", to);
    put_name(to, pvt_words_string(each, "row"));
    fputs("<td>", to);
    pvt_html_text(to, pvt_words_string(each, "why"));
    fputs("</td></tr>\n", to);
  }
  fputs("</table></div>\n", to);
}

static void put_disturbed(FILE *to, const json_t *summary) {
  double launches = 0, disturbed = 0;
  json_t *each;
  size_t i;

  json_array_foreach (json_object_get(summary, "rows"), i, each) {
    launches += fmax(pvt_words_number(each, "launches"), 0);
    disturbed += fmax(pvt_words_number(each, "disturbed"), 0);
  }
  fprintf(to,
          "<h3>Disturbed</h3>\n<p>%.0f of %.0f launches were disturbed from outside (foreign CPU time, steal, a change "
          "of frequency) and thrown away; the tables below give each row's and each comparison's share.</p>\n",
          disturbed, disturbed + launches);
}

void pvt_report_reasons(FILE *to, const struct pvt_report_run *run) {
  put_reasons(to, json_object_get(run->summary, "errors"), "Failed");
  put_reasons(to, json_object_get(run->summary, "skipped"), "Skipped");
  put_disturbed(to, run->summary);
}

/* ---- The machine ---- */

/* A value in words; "" for what the record lacks or could not read. */
static const char *text_at(const json_t *machine, const char *path, char text[PVT_WORDS_BYTES]) {
  const json_t *value = pvt_machine_at(machine, path);

  if (json_is_string(value))
    return strcmp(json_string_value(value), "unknown") == 0 || strcmp(json_string_value(value), "none") == 0
               ? ""
               : json_string_value(value);
  text[0] = '\0';
  if (json_is_integer(value))
    snprintf(text, PVT_WORDS_BYTES, "%lld", (long long)json_integer_value(value));
  return text;
}

static void put_part(FILE *to, bool *is_first, const char *before, const char *text, const char *after) {
  if (text[0] == '\0')
    return;
  fputs(*is_first ? "" : ", ", to);
  pvt_html_print(to, "%s%s%s", before, text, after);
  *is_first = false;
}

void pvt_report_machine_words(FILE *to, const struct pvt_report_run *run) {
  const json_t *machine = json_object_get(run->summary, "machine");
  char text[PVT_WORDS_BYTES], memory[PVT_WORDS_BYTES] = "";
  json_t *bytes = pvt_machine_at(machine, "memory.total_bytes");
  bool is_first = true;

  if (json_is_integer(bytes))
    snprintf(memory, sizeof memory, "%.1f", (double)json_integer_value(bytes) / (1 << 30));
  fputs("<p>Measured on: ", to);
  put_part(to, &is_first, "", text_at(machine, "cpu.name", text), "");
  put_part(to, &is_first, "", text_at(machine, "cpu.allowed_cpus", text), " CPUs");
  put_part(to, &is_first, "", memory, " GiB of memory");
  put_part(to, &is_first, "Linux ", text_at(machine, "kernel.release", text), "");
  if (json_is_true(pvt_machine_at(machine, "virtualisation.guest")))
    put_part(to, &is_first, "a virtual machine of ", text_at(machine, "virtualisation.hypervisor", text), "");
  else if (json_is_false(pvt_machine_at(machine, "virtualisation.guest")))
    put_part(to, &is_first, "", "no virtual machine", "");
  put_part(to, &is_first, "in a container of ", text_at(machine, "virtualisation.container", text), "");
  put_part(to, &is_first, "", text_at(machine, "libc", text), "");
  put_part(to, &is_first, "compiled by ", text_at(machine, "build.compiler", text), "");
  fputs(is_first ? "a machine without a record.</p>\n" : ".</p>\n", to);
}

static void put_value(FILE *to, const char *path, const json_t *value) {
  char name[256], *text;
  const char *key;
  json_t *inner;

  if (json_is_object(value) && json_object_size(value) > 0) {
    json_object_foreach ((json_t *)value, key, inner) {
      snprintf(name, sizeof name, "%s%s%s", path, path[0] == '\0' ? "" : ".", key);
      put_value(to, name, inner);
    }
    return;
  }
  text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
  fputs("<tr>", to);
  put_name(to, path);
  fputs("<td>", to);
  pvt_html_text(to, text != NULL ? text : json_is_string(value) ? json_string_value(value) : "");
  fputs("</td></tr>\n", to);
  free(text);
}

void pvt_report_machine(FILE *to, const struct pvt_report_run *run) {
  fputs("<h2>The machine</h2>\n<div class=\"scroll\"><table>\n", to);
  put_value(to, "", json_object_get(run->summary, "machine"));
  fputs("</table></div>\n", to);
}

/* ---- Runs beside each other ---- */

static const json_t *contrast_of(const json_t *by_id, const char *id) {
  return json_object_get(by_id, id);
}

/* {id: contrast} of a run; and every id, once, in `ids`. */
static json_t *contrasts_by_id(const json_t *summary, json_t *ids) {
  json_t *by_id = json_object(), *each;
  size_t i;

  json_array_foreach (json_object_get(summary, "contrasts"), i, each) {
    json_object_set(by_id, pvt_words_string(each, "id"), each);
    json_object_set_new(ids, pvt_words_string(each, "id"), json_true());
  }
  return by_id;
}

static void put_machine_difference(FILE *to, const struct pvt_report_run *a, const struct pvt_report_run *b,
                                   size_t nth) {
  json_t *differences, *each;
  size_t i;

  if (pvt_machine_differences(json_object_get(a->summary, "machine"), json_object_get(b->summary, "machine"), true,
                              &differences) < 0) {
    fprintf(to, "<p class=\"note\">Whether run %zu ran on the machine of run 1 is not known.</p>\n", nth);
    return;
  }
  if (json_array_size(differences) > 0) {
    fprintf(to, "<p class=\"note\"><strong>Run %zu is not from the machine, or the set-up, of run 1:</strong> ", nth);
    json_array_foreach (differences, i, each) {
      fputs(i == 0 ? "" : ", ", to);
      pvt_html_text(to, pvt_words_string(each, "key"));
    }
    fputs(" differ.</p>\n", to);
  }
  json_decref(differences);
}

static void put_compared(FILE *to, const char *id, json_t *const *by_ids, size_t count) {
  char text[PVT_WORDS_BYTES];

  fputs("<tr>", to);
  put_name(to, id);
  for (size_t i = 0; i < count; i++) {
    const json_t *contrast = contrast_of(by_ids[i], id);

    if (contrast == NULL || !isfinite(pvt_words_number(contrast, "ratio"))) {
      fputs("<td class=\"n\">-</td>", to);
      continue;
    }
    pvt_words_ratio_interval(contrast, text);
    fprintf(to, "<td class=\"n\">%s<br>", text);
    pvt_html_verdict(to, pvt_words_string(contrast, "verdict"));
    fputs("</td>", to);
  }
  fputs("</tr>\n", to);
}

void pvt_report_comparison(FILE *to, const struct pvt_report_run *runs, size_t count) {
  json_t **by_ids = calloc(count, sizeof(void *)), *ids = json_object(), *ignored;
  const char *id;

  if (by_ids == NULL || ids == NULL) {
    free(by_ids);
    json_decref(ids);
    return;
  }
  fputs(
      "<h2>The runs beside each other</h2>\n<p>Each cell is one run's own ratio and verdict. Two runs are two samples: "
      "that both have a verdict does not compare them with each other.</p>\n",
      to);
  for (size_t i = 1; i < count; i++)
    put_machine_difference(to, &runs[0], &runs[i], i + 1);
  fputs("<div class=\"scroll\"><table>\n<tr><th>comparison</th>", to);
  for (size_t i = 0; i < count; i++) {
    by_ids[i] = contrasts_by_id(runs[i].summary, ids);
    fprintf(to, "<th class=\"n\">run %zu</th>", i + 1);
  }
  fputs("</tr>\n", to);
  json_object_foreach (ids, id, ignored)
    put_compared(to, id, by_ids, count);
  fputs("</table></div>\n", to);
  for (size_t i = 0; i < count; i++)
    json_decref(by_ids[i]);
  free(by_ids);
  json_decref(ids);
}
