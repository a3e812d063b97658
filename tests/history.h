/* history.h - what tests of journals and of summaries share: a journal written line by line, and read. */
#ifndef PVT_TESTS_HISTORY_H
#define PVT_TESTS_HISTORY_H

#include "run/journal.h"
#include "runs.h"

/* A journal's text, which grows. */
struct script {
  char *text;
  size_t length;
};

static inline void say(struct script *script, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void say(struct script *script, const char *format, ...) {
  va_list arguments;

  if (script->text == NULL)
    script->text = calloc(TEXT_BYTES, 1);
  cr_assert_not_null(script->text);
  va_start(arguments, format);
  script->length += (size_t)vsnprintf(script->text + script->length, TEXT_BYTES - script->length, format, arguments);
  va_end(arguments);
  cr_assert_lt(script->length, (size_t)TEXT_BYTES);
}

static inline void say_plan(struct script *script, json_t *plan) {
  char *text = json_dumps(plan, JSON_COMPACT);

  say(script, "%s\n", text);
  free(text);
  json_decref(plan);
}

/* A launch that came to a value. */
static inline void say_launch(struct script *script, unsigned round, unsigned group, unsigned attempt, unsigned row,
                              double value_ns) {
  say(script,
      "{\"row\":\"create/row:%u\",\"status\":\"ok\",\"value_ns\":%.17g,\"cpu_ns\":%.17g,\"operations\":10,"
      "\"round\":%u,\"group\":%u,\"attempt\":%u}\n",
      row, value_ns, value_ns / 2, round, group, attempt);
}

static inline void say_error(struct script *script, unsigned round, unsigned group, unsigned attempt, unsigned row,
                             const char *why) {
  say(script,
      "{\"row\":\"create/row:%u\",\"status\":\"error\",\"why\":\"%s\",\"round\":%u,\"group\":%u,\"attempt\":%u}\n", row,
      why, round, group, attempt);
}

static inline void say_end(struct script *script, unsigned round, unsigned group, unsigned attempt,
                           const char *status) {
  say(script, "{\"end\":true,\"round\":%u,\"group\":%u,\"attempt\":%u,\"status\":\"%s\"}\n", round, group, attempt,
      status);
}

static const struct edge pair[] = {{0, 1}};

/* Rows 0 and 1 are group 0, row 2 is group 1; two rounds, all closed. */
static inline void say_two_rounds(struct script *script) {
  say_plan(script, plan_json(3, pair, 1, 2, 5));
  for (unsigned round = 0; round < 2; round++) {
    say_launch(script, round, 0, 0, 0, 100 + round);
    say_launch(script, round, 0, 0, 1, 50 + round);
    say_end(script, round, 0, 0, "ok");
    say_launch(script, round, 1, 0, 2, 7);
    say_end(script, round, 1, 0, "ok");
  }
}

/* How many launches the closing lines before that byte count, and how many of those lines there are. */
static inline size_t closed_launches(const struct script *script, size_t bytes, size_t *ret_ends) {
  size_t launches = 0, pending = 0;

  *ret_ends = 0;
  for (const char *line = script->text, *newline; (newline = strchr(line, '\n')) != NULL; line = newline + 1) {
    if ((size_t)(newline + 1 - script->text) > bytes)
      break;
    if (strncmp(line, "{\"end\"", 6) == 0) {
      launches += pending;
      pending = 0;
      (*ret_ends)++;
    } else
      pending += strncmp(line, "{\"row\"", 6) == 0;
  }
  return launches;
}

/* Writes the first bytes of it as DIR/rounds.jsonl and reads that. */
static inline int read_bytes(const char *folder, const struct script *script, size_t bytes,
                             struct pvt_history *ret_history, struct pvt_why *why) {
  file_write(folder, "rounds.jsonl", script->text, bytes);
  return pvt_history_read(folder, ret_history, why);
}

static inline void read_script(const char *folder, const struct script *script, struct pvt_history *ret_history) {
  struct pvt_why why = {""};

  cr_assert_eq(read_bytes(folder, script, script->length, ret_history, &why), 0, "%s", why.text);
}

#endif
