/* test_report.c - pvt report on a recorded run: what it writes agrees with pvt show, and hostile text stays text. */
#include <ctype.h>
#include <dirent.h>
#include <math.h>

#include "report.h"

enum { CELLS_MAX = 16 };

/* ---- Charts: the title against the data, the data against pvt show --json ---- */

struct table {
  char *text, *title;
  char *cells[512][CELLS_MAX];
  unsigned columns, rows; /* without the head, which is cells[0] */
};

static void table_read(const char *folder, const char *name, struct table *ret) {
  char *line, *rest, *cell, *rest_of_line;
  char path[PATH_MAX];

  snprintf(path, sizeof path, "charts/%s", name);
  memset(ret, 0, sizeof *ret);
  ret->text = file_read(folder, path);
  cr_assert_not_null(ret->text, "%s", path);
  line = strtok_r(ret->text, "\n", &rest);
  cr_assert(line != NULL && strncmp(line, "# ", 2) == 0, "%s begins with its title", name);
  ret->title = line + 2;
  for (unsigned row = 0; (line = strtok_r(NULL, "\n", &rest)) != NULL; row++) {
    unsigned column = 0;

    cr_assert_lt(row, 512);
    rest_of_line = line;
    while ((cell = strsep(&rest_of_line, "\t")) != NULL && column < CELLS_MAX)
      ret->cells[row][column++] = cell;
    if (row == 0)
      ret->columns = column;
    cr_assert_eq(column, ret->columns, "%s: row %u has %u of %u cells", name, row, column, ret->columns);
    ret->rows = row;
  }
  cr_assert_gt(ret->rows, 0, "%s is not empty", name);
}

static const char *cell(const struct table *table, unsigned row, const char *column) {
  for (unsigned i = 0; i < table->columns; i++)
    if (strcmp(table->cells[0][i], column) == 0)
      return table->cells[row][i];
  cr_assert_fail("no column %s", column);
  return NULL;
}

static bool has_column(const struct table *table, const char *column) {
  for (unsigned i = 0; i < table->columns; i++)
    if (strcmp(table->cells[0][i], column) == 0)
      return true;
  return false;
}

/* "7.63" of "7.63 [7.41, 7.90]" or of "7.63: ...". */
static void head_of_shown(const char *shown, char ret[64]) {
  snprintf(ret, 64, "%.*s", (int)strcspn(shown, " :,"), shown);
}

/* "7.63 to 94.1" over the rows whose `by` column has that value: what a title must say. "": no such row. */
static void range_shown(const struct table *table, const char *of, const char *by, const char *value, char ret[160]) {
  unsigned least = 0, most = 0;
  char low[64], high[64];

  ret[0] = '\0';
  for (unsigned row = 1; row <= table->rows; row++) {
    if (by != NULL && strcmp(cell(table, row, by), value) != 0)
      continue;
    if (least == 0 || atof(cell(table, row, of)) < atof(cell(table, least, of)))
      least = row;
    if (most == 0 || atof(cell(table, row, of)) > atof(cell(table, most, of)))
      most = row;
  }
  if (least == 0)
    return;
  head_of_shown(cell(table, least, "shown"), low);
  head_of_shown(cell(table, most, "shown"), high);
  snprintf(ret, 160, strcmp(low, high) == 0 ? "%s" : "%s to %s", low, high);
}

static void check_title(const char *name, const struct table *table) {
  char range[160];

  if (strncmp(name, "costs_", 6) == 0) {
    range_shown(table, "value_ns", NULL, NULL, range);
    cr_assert_gt(strlen(range), 0);
    for (char *number = strtok(range, " "); number != NULL; number = strtok(NULL, " "))
      cr_expect(strcmp(number, "to") == 0 || strstr(table->title, number) != NULL, "%s: %s has no %s", name,
                table->title, number);
    return;
  }
  if (strncmp(name, "cpu_", 4) == 0)
    range_shown(table, "cpus", NULL, NULL, range);
  else if (strncmp(name, "controls", 8) == 0)
    range_shown(table, "ratio", "kind", "null", range);
  else {
    range_shown(table, "ratio", "verdict", "higher", range);
    if (range[0] == '\0')
      range_shown(table, "ratio", "verdict", "lower", range);
    if (range[0] == '\0')
      range_shown(table, "ratio", "verdict", "unresolved", range);
  }
  cr_expect(strstr(table->title, range) != NULL, "%s: the title says %s, the data %s", name, table->title, range);
}

static const json_t *find(const json_t *list, const char *key, const char *name) {
  json_t *each;
  size_t i;

  json_array_foreach (list, i, each) {
    if (strcmp(json_string_value(json_object_get(each, key)), name) == 0)
      return each;
  }
  return NULL;
}

/* Every cell that is a number of the summary equals it; "-" stands for null. */
static void check_cells(const char *name, const struct table *table, const json_t *summary) {
  static const char *const pairs[][2] = {{"ratio", "ratio"},   {"low", "low"},        {"high", "high"},
                                         {"rounds", "rounds"}, {"value_ns", "value"}, {"low_ns", "low"},
                                         {"high_ns", "high"},  {"cpu_ns", "cpu_ns"},  {"launches", "launches"}};
  bool is_rows = strcmp(table->cells[0][0], "row") == 0;
  json_t *list = json_object_get(summary, is_rows ? "rows" : "contrasts");

  for (unsigned row = 1; row <= table->rows; row++) {
    const json_t *item = find(list, is_rows ? "name" : "id", table->cells[row][0]);

    cr_assert_not_null(item, "%s: pvt show has no %s", name, table->cells[row][0]);
    for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
      const json_t *number = json_object_get(item, pairs[i][1]);

      if (!has_column(table, pairs[i][0]))
        continue;
      if (json_is_null(number))
        cr_expect_str_eq(cell(table, row, pairs[i][0]), "-");
      else
        cr_expect_float_eq(atof(cell(table, row, pairs[i][0])) / json_number_value(number), 1, 1e-8, "%s: %s of %s",
                           name, pairs[i][0], table->cells[row][0]);
    }
    if (has_column(table, "verdict") && strncmp(name, "controls", 8) != 0)
      cr_expect_str_eq(cell(table, row, "verdict"), json_string_value(json_object_get(item, "verdict")));
  }
}

/* How many items of the summary the chart must draw. */
static unsigned expected_rows(const char *name, const json_t *summary) {
  bool is_rows = strncmp(name, "costs_", 6) == 0 || strncmp(name, "cpu_", 4) == 0;
  const char *question = strchr(name, '_');
  unsigned count = 0;
  json_t *each;
  size_t i;

  json_array_foreach (json_object_get(summary, is_rows ? "rows" : "contrasts"), i, each) {
    const char *kind = json_string_value(json_object_get(each, "kind"));
    bool is_null = json_is_true(json_object_get(each, "null_check"));
    const char *of = json_string_value(json_object_get(each, is_rows ? "question" : "arm"));
    size_t length = question == NULL ? 0 : strcspn(question + 1, ".");

    if (question != NULL && (strncmp(of, question + 1, length) != 0 || (of[length] != '\0' && of[length] != '/')))
      continue;
    if (is_rows)
      count += json_is_number(json_object_get(each, "value"));
    else if (json_is_number(json_object_get(each, "ratio")))
      count += strncmp(name, "controls", 8) == 0 ? is_null || strcmp(kind, "same") == 0
               : strncmp(name, "floors", 6) == 0 ? !is_null && strcmp(kind, "floor") == 0
                                                 : !is_null && strcmp(kind, "model") == 0;
  }
  return count;
}

Test(report, charts_agree_with_their_titles_and_with_show, .timeout = SECONDS) {
  char *folder = run_copy();
  json_t *summary;
  unsigned charts = 0;
  struct dirent *entry;
  char path[PATH_MAX];
  DIR *files;

  cr_assert_eq(pvt(NULL, "report", folder), 0, "%s", said);
  summary = summary_of(folder);
  snprintf(path, sizeof path, "%s/charts", folder);
  files = opendir(path);
  cr_assert_not_null(files);
  while ((entry = readdir(files)) != NULL) {
    static struct table table;

    if (strstr(entry->d_name, ".tsv") == NULL)
      continue;
    charts++;
    table_read(folder, entry->d_name, &table);
    check_title(entry->d_name, &table);
    check_cells(entry->d_name, &table, summary);
    cr_expect_eq(table.rows, expected_rows(entry->d_name, summary), "%s draws all", entry->d_name);
    *strrchr(entry->d_name, '.') = '\0';
    check_drawn(folder, entry->d_name);
    free(table.text);
  }
  closedir(files);
  cr_expect_geq(charts, 9, "ratios, costs and cpu of three questions, floors and controls; not %u", charts);
  json_decref(summary);
  folder_free(folder);
}

/* ---- The page ---- */

/* Elements open and close in order. The page has no comments, and no '<' in its attributes. */
static void check_well_formed(const char *html) {
  static const char *const empty[] = {"meta", "img", "br", "!doctype"};
  char open[64][16], name[16];
  unsigned depth = 0;

  for (const char *at = html; (at = strchr(at, '<')) != NULL; at++) {
    bool closes = at[1] == '/', is_empty = false;
    size_t length = strcspn(at + 1 + closes, " >\n");

    snprintf(name, sizeof name, "%.*s", (int)length, at + 1 + closes);
    for (unsigned i = 0; i < sizeof empty / sizeof empty[0]; i++)
      is_empty = is_empty || strcmp(name, empty[i]) == 0;
    if (is_empty)
      continue;
    if (closes) {
      cr_assert(depth > 0 && strcmp(open[depth - 1], name) == 0, "</%s> closes <%s>: %.60s", name,
                depth == 0 ? "" : open[depth - 1], at);
      depth--;
    } else if (strcmp(name, "li") == 0 || isalpha((unsigned char)name[0])) {
      cr_assert_lt(depth, 64);
      strcpy(open[depth++], name);
    } else
      cr_assert_fail("'<' begins nothing: %.60s", at);
  }
  cr_assert_eq(depth, 0, "all is closed");
}

static void check_self_contained(const char *html) {
  static const char *const forbidden[] = {"http:",   "https:",  "src=\"/", "href=\"/", "<script", "<link",
                                          "<iframe", "@import", "url(",    "onerror=", "onload="};

  for (unsigned i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
    cr_expect_null(strstr(html, forbidden[i]), "the page has %s", forbidden[i]);
}

static void check_names(const char *html, const char *folder) {
  json_t *summary = summary_of(folder), *each;
  size_t i;

  json_array_foreach (json_object_get(summary, "rows"), i, each)
    cr_expect_not_null(strstr(html, json_string_value(json_object_get(each, "name"))), "row %zu is in the page", i);
  json_array_foreach (json_object_get(summary, "contrasts"), i, each)
    cr_expect_not_null(strstr(html, json_string_value(json_object_get(each, "id"))), "contrast %zu is in the page", i);
  json_decref(summary);
}

Test(report, page_is_whole_and_needs_nothing, .timeout = SECONDS) {
  char *folder = run_copy(), *html;

  cr_assert_eq(pvt(NULL, "report", folder), 0);
  html = file_read(folder, "report.html");
  check_well_formed(html);
  check_self_contained(html);
  check_names(html, folder);
  cr_expect_geq(count(html, "data:image/svg+xml;base64,"), 9);
  for (unsigned i = 1; i <= 16; i++) {
    char number[64];

    snprintf(number, sizeof number, "<td class=\"n\">%u</td><td class=\"claim\">", i);
    cr_expect_not_null(strstr(html, number), "claim %u is there", i);
  }
  cr_expect_not_null(strstr(html, "<strong>holds only where</strong>"), "threads are cheaper in some rows only");
  cr_expect_not_null(strstr(html, "not measured here"));
  free(html);
  folder_free(folder);
}

Test(report, out_is_elsewhere_when_it_is_asked_for, .timeout = SECONDS) {
  char *folder = run_copy(), *out = folder_new(), path[PATH_MAX];

  snprintf(path, sizeof path, "%s/it's a \"new\" `one`", out);
  cr_assert_eq(pvt(NULL, "report", folder, "--out", path), 0, "%s", said);
  check_drawn(path, "controls");
  free(file_read(path, "report.html"));
  cr_expect_not(is_file(folder, "report.html"));
  folder_free(folder);
  folder_free(out);
}

Test(report, runs_beside_each_other, .timeout = SECONDS) {
  char *folder = run_copy(), *other = run_copy(), *out = folder_new(), *html;

  cr_expect_eq(pvt(NULL, "report", folder, other), 2, "to neither of them");
  cr_assert_eq(pvt(NULL, "report", folder, other, "--out", out), 0, "%s", said);
  html = file_read(out, "report.html");
  check_well_formed(html);
  check_self_contained(html);
  check_names(html, folder);
  cr_expect_not_null(strstr(html, "beside each other"));
  check_drawn(out, "run1_controls");
  check_drawn(out, "run2_controls");
  free(html);
  folder_free(folder);
  folder_free(other);
  folder_free(out);
}

/* ---- Runs that are not as they should be ---- */

Test(report, an_invalid_run_gets_no_verdict, .timeout = SECONDS) {
  char *folder = run_copy(), *html, *data;

  run_edit(folder, fail_null_checks);
  cr_assert_eq(pvt(NULL, "report", folder), 0);
  html = file_read(folder, "report.html");
  cr_expect_not_null(strstr(html, "This run is invalid."));
  cr_expect_null(strstr(html, "<strong>holds</strong>"));
  cr_expect_null(strstr(html, "<strong>holds only where</strong>"));
  data = file_read(folder, "charts/ratios_create.tsv");
  cr_expect_eq(strncmp(data, "# No verdict", 12), 0, "%.80s", data);
  free(data);
  data = file_read(folder, "charts/controls.tsv");
  cr_expect_not_null(strstr(data, "null checks failed"), "%.80s", data);
  free(data);
  free(html);
  folder_free(folder);
}

Test(report, a_run_too_short_for_intervals_is_drawn_without, .timeout = SECONDS) {
  char *folder = run_copy(), *html, *data;

  run_edit(folder, keep_two_rounds);
  cr_assert_eq(pvt(NULL, "report", folder), 0, "%s", said);
  html = file_read(folder, "report.html");
  cr_expect_not_null(strstr(html, "This run is not complete"));
  check_well_formed(html);
  data = file_read(folder, "charts/ratios_create.tsv");
  cr_expect_eq(strncmp(data, "# Not resolved here", 19), 0, "%.80s", data);
  cr_expect_not_null(strstr(data, "\t-\t-\tunresolved"));
  check_drawn(folder, "ratios_create");
  free(data);
  free(html);
  folder_free(folder);
}

Test(report, hostile_text_stays_text, .timeout = SECONDS) {
  char *folder = run_copy(), *html;
  struct dirent *entry;
  char path[PATH_MAX];
  DIR *files;

  run_edit(folder, make_hostile);
  cr_assert_eq(pvt(NULL, "report", folder), 0, "%s", said);
  html = file_read(folder, "report.html");
  check_well_formed(html);
  cr_expect_null(strstr(html, "<script"));
  cr_expect_null(strstr(html, "<img src=x"));
  cr_expect_null(strchr(html, '`'), "no backtick is left");
  cr_expect_geq(count(html, "&lt;script&gt;alert(1)&lt;/script&gt;"), 5,
                "machine, question, reasons, profile, version");
  cr_expect_not_null(strstr(html, "%n%s"), "what looks like a format is printed as it is");
  free(html);
  snprintf(path, sizeof path, "%s/charts", folder);
  files = opendir(path);
  cr_assert_not_null(files);
  while ((entry = readdir(files)) != NULL) {
    static struct table table;

    cr_expect_null(strstr(entry->d_name, "pwned"), "gnuplot ran a command of the file's");
    if (strstr(entry->d_name, ".tsv") == NULL)
      continue;
    table_read(folder, entry->d_name, &table);
    for (unsigned row = 1; row <= table.rows; row++)
      cr_expect_eq(strcspn(cell(&table, row, "label"), "`'\"\\$@{}<>&^~|;!#"), strlen(cell(&table, row, "label")),
                   "%s: %s", entry->d_name, cell(&table, row, "label"));
    free(table.text);
    *strrchr(entry->d_name, '.') = '\0';
    check_drawn(folder, entry->d_name);
  }
  closedir(files);
  cr_expect_not(is_file(folder, "pwned"));
  folder_free(folder);
}

Test(report, without_gnuplot_the_page_is_still_written, .timeout = SECONDS) {
  char *folder = run_copy(), *html;

  cr_expect_eq(pvt("PATH=/nonexistent", "report", folder), 99);
  cr_expect_not_null(strstr(said, "install gnuplot-nox"), "%s", said);
  html = file_read(folder, "report.html");
  cr_expect_not_null(strstr(html, "Charts are missing"));
  check_well_formed(html);
  check_names(html, folder);
  free(html);
  cr_expect_eq(pvt("PVT_PLOTDIR=/nonexistent", "report", folder), 99);
  cr_expect_not_null(strstr(said, "set PVT_PLOTDIR"), "%s", said);
  folder_free(folder);
}

Test(report, unusable_files_are_one_line_and_exit_2, .timeout = SECONDS) {
  char *folder = run_copy(), *garbled = folder_new(), out[PATH_MAX];

  file_write(garbled, "rounds.jsonl", "{\"plan\":1}\n", 11);
  cr_expect_eq(pvt(NULL, "report", "/nonexistent/run"), 2);
  cr_expect_eq(count(said, "\n"), 1, "%s", said);
  cr_expect_eq(pvt(NULL, "report", garbled), 2);
  cr_expect_eq(count(said, "\n"), 1, "%s", said);
  cr_expect_eq(pvt(NULL, "report", folder, "--out", "/proc/nothing/here"), 2);
  cr_expect_eq(count(said, "\n"), 1, "%s", said);
  snprintf(out, sizeof out, "%s/rounds.jsonl", folder);
  cr_expect_eq(pvt(NULL, "report", folder, "--out", out), 2, "a file is no folder");
  cr_expect_eq(count(said, "\n"), 1, "%s", said);
  folder_free(folder);
  folder_free(garbled);
}
