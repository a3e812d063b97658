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
