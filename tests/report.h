/* report.h - what tests of pvt report share: a copy of the recorded run, edits of it, and pvt itself. */
#ifndef PVT_TESTS_REPORT_H
#define PVT_TESTS_REPORT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "runs.h"

/* What pvt printed last, on both streams. */
static char said[TEXT_BYTES];

/* The folder of the build, in which all programs lie side by side. */
static void build_folder(char ret[PATH_MAX]) {
  ssize_t length = readlink("/proc/self/exe", ret, PATH_MAX - 1);

  cr_assert_gt(length, 0);
  ret[length] = '\0';
  *strrchr(ret, '/') = '\0';
}

enum { ARGUMENTS_MAX = 15 };

static int pvt_of(const char *setting, const char *const *given) {
  char folder[PATH_MAX], program[PATH_MAX + 8], *arguments[ARGUMENTS_MAX + 1] = {program};
  int output = memfd_create("output", 0), status;
  pid_t pid;

  build_folder(folder);
  snprintf(program, sizeof program, "%s/pvt", folder);
  for (unsigned i = 0; i < ARGUMENTS_MAX - 1 && given[i] != NULL; i++)
    memcpy(&arguments[i + 1], &given[i], sizeof(void *)); /* execv takes them without const, and changes none */
  pid = fork();
  if (pid == 0) {
    if (dup2(output, 1) == -1 || dup2(output, 2) == -1 || (setting != NULL && putenv(strdup(setting)) != 0))
      _exit(98);
    execv(program, arguments);
    _exit(98);
  }
  cr_assert_gt(pid, 0);
  cr_assert_eq(waitpid(pid, &status, 0), pid);
  memset(said, 0, sizeof said);
  cr_assert_geq(pread(output, said, sizeof said - 1, 0), 0);
  close(output);
  cr_assert(WIFEXITED(status), "pvt was ended by a signal");
  return WEXITSTATUS(status);
}

/* Runs pvt with these arguments, and with NAME=value set if it is not NULL. Returns its exit status. */
#define pvt(setting, ...) pvt_of(setting, (const char *const[]){__VA_ARGS__, NULL})

/* A folder of this test's own that holds the recorded run. */
static char *run_copy(void) {
  char path[PATH_MAX], from[2 * PATH_MAX], source[] = __FILE__, *folder = folder_new(), *text;

  *strrchr(source, '/') = '\0';
  build_folder(path);
  snprintf(from, sizeof from, "%s%s%s/data/run", source[0] == '/' ? "" : path, source[0] == '/' ? "" : "/", source);
  text = file_read(from, "rounds.jsonl");
  cr_assert_not_null(text, "%s", from);
  file_write(folder, "rounds.jsonl", text, strlen(text));
  free(text);
  return folder;
}

/* Passes every line of the journal through edit, which keeps it by returning true. */
static void run_edit(const char *folder, bool (*edit)(json_t *line, unsigned nth)) {
  char *text = file_read(folder, "rounds.jsonl"), *line, *rest, *edited = NULL;
  size_t size;
  FILE *to = open_memstream(&edited, &size);
  unsigned nth = 0;

  cr_assert(text != NULL && to != NULL);
  for (line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    json_t *json = json_loads(line, 0, NULL);

    cr_assert_not_null(json);
    if (edit(json, nth++)) {
      json_dumpf(json, to, JSON_COMPACT);
      fputc('\n', to);
    }
    json_decref(json);
  }
  fclose(to);
  file_write(folder, "rounds.jsonl", edited, size);
  free(edited);
  free(text);
}

/* ---- Edits ---- */

/* Every process of a null check costs twice what it did. */
static bool fail_null_checks(json_t *line, unsigned nth) {
  const char *row = json_string_value(json_object_get(line, "row"));
  double value = json_number_value(json_object_get(line, "value_ns"));

  (void)nth;
  if (row != NULL && strncmp(row, "control/", 8) == 0 && strstr(row, "model:process") != NULL)
    json_object_set_new(line, "value_ns", json_real(2 * value));
  return true;
}

static bool keep_two_rounds(json_t *line, unsigned nth) {
  return nth == 0 || json_integer_value(json_object_get(line, "round")) < 2;
}

#define NASTY                                                                                                          \
  "<script>alert(1)</script>\"'`touch pwned`$(touch pwned)%n%s\n\t{/Bold x}@^_\\n<img src=x onerror=alert(1)>"

/* Every text that is not a name becomes hostile; one row of each kind of axis too. */
static bool make_hostile(json_t *line, unsigned nth) {
  static const char *const questions[] = {"create", "lock", "control"};
  json_t *rows = json_object_get(line, "rows"), *each;
  size_t i;

  if (nth > 0) {
    if (json_object_get(line, "end") == NULL)
      json_object_set_new(line, "why", json_string(NASTY));
    if (nth == 1)
      json_object_set_new(line, "status", json_string("error"));
    return true;
  }
  json_object_set_new(line, "version", json_string(NASTY));
  json_object_set_new(line, "profile", json_string(NASTY));
  json_object_set_new(json_object_get(json_object_get(line, "machine"), "cpu"), "name", json_string(NASTY));
  json_object_set_new(json_object_get(line, "machine"), NASTY, json_string(NASTY));
  json_object_set_new(line, "skipped", json_pack("[{s:s, s:s}]", "row", NASTY, "why", NASTY));
  for (i = 0; i < sizeof questions / sizeof questions[0]; i++)
    json_object_set_new(json_object_get(line, "questions"), questions[i], json_string(NASTY));
  json_array_foreach (rows, i, each) {
    json_object_set_new(json_object_get(each, "axes"), i % 2 == 0 ? "holder" : NASTY, json_string(NASTY));
    if (i % 5 == 0)
      json_object_set_new(json_object_get(each, "axes"), "model", json_string("`touch pwned`"));
    if (i == 3)
      json_object_set_new(each, "axes", json_string("`touch pwned`"));
  }
  return true;
}

/* ---- Looking ---- */

static bool is_file(const char *folder, const char *name) {
  char path[PATH_MAX];

  snprintf(path, sizeof path, "%s/%s", folder, name);
  return access(path, F_OK) == 0;
}

/* Both drawings are there and begin as they should. */
static void check_drawn(const char *folder, const char *name) {
  char path[PATH_MAX], *text;

  snprintf(path, sizeof path, "charts/%s.svg", name);
  text = file_read(folder, path);
  cr_assert_not_null(text, "%s", path);
  cr_expect_eq(strncmp(text, "<?xml", 5), 0, "%s", path);
  cr_expect_not_null(strstr(text, "</svg>"), "%s is whole", path);
  cr_expect_null(strstr(text, "<script"), "%s", path);
  free(text);
  snprintf(path, sizeof path, "charts/%s.png", name);
  text = file_read(folder, path);
  cr_assert_not_null(text, "%s", path);
  cr_expect_eq(memcmp(text, "\x89PNG", 4), 0, "%s", path);
  free(text);
}

static unsigned count(const char *text, const char *word) {
  unsigned found = 0;

  for (; (text = strstr(text, word)) != NULL; text += strlen(word))
    found++;
  return found;
}

/* The summary as pvt show prints it; the caller's. */
static json_t *summary_of(const char *folder) {
  json_t *summary;

  cr_assert_eq(pvt(NULL, "show", "--json", folder), 0, "%s", said);
  summary = json_loads(said, 0, NULL);
  cr_assert_not_null(summary);
  return summary;
}

#endif
