#include "question.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[PVT_KINDS] = {
    [PVT_MODEL] = "model", [PVT_SHARING] = "sharing", [PVT_LADDER] = "ladder",
    [PVT_FLOOR] = "floor", [PVT_PEER] = "peer",       [PVT_SAME] = "same",
};

static struct pvt_row scrap_row;
static struct pvt_contrast scrap_contrast;

const char *pvt_contrast_kind_name(enum pvt_contrast_kind kind) {
  return kinds[kind];
}

static __attribute__((format(printf, 3, 4))) void fail(struct pvt_question *question, int status, const char *format,
                                                       ...) {
  va_list arguments;

  if (question->status < 0)
    return;
  question->status = status;
  va_start(arguments, format);
  vsnprintf(question->why, sizeof question->why, format, arguments);
  va_end(arguments);
}

/* One more element at the end of an array, zeroed; NULL when memory is out. */
static void *grow(void *array, size_t *count, size_t size) {
  char *grown = reallocarray(array, *count + 1, size);

  if (grown == NULL)
    return NULL;
  memset(grown + *count * size, 0, size);
  (*count)++;
  return grown;
}

struct pvt_row *pvt_question_row(struct pvt_question *question, const char *variant) {
  struct pvt_row *rows = grow(question->rows, &question->rows_count, sizeof *rows);
  struct pvt_row *row;

  if (rows == NULL) {
    fail(question, -ENOMEM, "no memory for a row");
    return &scrap_row;
  }
  question->rows = rows;
  row = &rows[question->rows_count - 1];
  row->profiles = PVT_ALWAYS;
  if ((size_t)snprintf(row->name, sizeof row->name, "%s/%s", question->name, variant) >= sizeof row->name)
    fail(question, -ENAMETOOLONG, "%s/%s is too long a name", question->name, variant);
  return row;
}

void pvt_row_axis(struct pvt_question *question, struct pvt_row *row, const char *axis, const char *format, ...) {
  struct pvt_axis *added = &row->axes[row->axes_count];
  size_t length = strlen(row->name);
  va_list arguments;
  int printed;

  if (row->axes_count == PVT_AXES_MAX) {
    fail(question, -ENAMETOOLONG, "%s has more than %d axes", row->name, PVT_AXES_MAX);
    return;
  }
  row->axes_count++;
  va_start(arguments, format);
  printed = vsnprintf(added->value, sizeof added->value, format, arguments);
  va_end(arguments);
  if (strlen(axis) >= sizeof added->name || printed < 0 || (size_t)printed >= sizeof added->value ||
      length + strlen(axis) + (size_t)printed + 3 > sizeof row->name) {
    fail(question, -ENAMETOOLONG, "axis %s of %s makes too long a name", axis, row->name);
    return;
  }
  strcpy(added->name, axis);
  row->name[length++] = '/';
  length += (size_t)(stpcpy(row->name + length, axis) - (row->name + length));
  row->name[length++] = ':';
  strcpy(row->name + length, added->value);
}

void pvt_row_skip(struct pvt_row *row, const char *format, ...) {
  va_list arguments;

  if (row->skip[0] != '\0')
    return;
  va_start(arguments, format);
  vsnprintf(row->skip, sizeof row->skip, format, arguments);
  va_end(arguments);
}

void pvt_row_needs_cpus(struct pvt_row *row, const struct pvt_host *host, unsigned cpus) {
  if (host->cpus < cpus)
    pvt_row_skip(row, "needs %u CPUs, this machine has %u", cpus, host->cpus);
  else if (host->cpu_quota > 0 && host->cpu_quota < cpus)
    pvt_row_skip(row, "needs %u CPUs at once, the cgroup's quota is %.2f", cpus, host->cpu_quota);
}

void pvt_row_needs_workers(struct pvt_row *row, const struct pvt_host *host, unsigned workers) {
  /* The harness, its subject, their idle threads and what else the user runs. */
  enum { SPARE = 64 };

  if (host->processes < (uint64_t)workers + SPARE)
    pvt_row_skip(row, "needs %u workers, the limit of processes and threads is %llu", workers,
                 (unsigned long long)host->processes);
}

void pvt_row_needs_bytes(struct pvt_row *row, const struct pvt_host *host, uint64_t bytes) {
  if (host->available_bytes / 2 < bytes)
    pvt_row_skip(row, "needs %llu MiB, more than half of the %llu MiB available", (unsigned long long)(bytes >> 20),
                 (unsigned long long)(host->available_bytes >> 20));
}

const void *pvt_question_keep(struct pvt_question *question, const void *bytes, size_t size) {
  void **kept = grow(question->kept, &question->kept_count, sizeof *kept);
  void *copy = malloc(size);

  if (kept != NULL) {
    question->kept = kept;
    kept[question->kept_count - 1] = copy;
  }
  if (kept == NULL || copy == NULL) {
    if (kept == NULL)
      free(copy);
    fail(question, -ENOMEM, "no memory for a row's description");
    return bytes;
  }
  return memcpy(copy, bytes, size);
}

/* "create/reaped" and its length: the name without its axes. */
static size_t variant_length(const struct pvt_row *row) {
  const char *axis = strchr(row->name, ':');
  size_t length = strlen(row->name);

  if (axis == NULL)
    return length;
  while (axis > row->name && *axis != '/')
    axis--;
  return (size_t)(axis - row->name);
}

static const char *axis_value(const struct pvt_row *row, const char *name) {
  for (unsigned i = 0; i < row->axes_count; i++)
    if (strcmp(row->axes[i].name, name) == 0)
      return row->axes[i].value;
  return NULL;
}

static void append(char *id, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char *id, const char *format, ...) {
  size_t length = strlen(id);
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(id + length, PVT_ID_BYTES - length, format, arguments);
  va_end(arguments);
}

/* Axes that agree appear once, those that differ as axis:arm-vs-against ("none" where one has no such axis). */
static void name_contrast(char id[PVT_ID_BYTES], const struct pvt_row *arm, const struct pvt_row *against) {
  size_t arm_length = variant_length(arm), against_length = variant_length(against);

  append(id, "%.*s", (int)arm_length, arm->name);
  if (arm_length != against_length || strncmp(arm->name, against->name, arm_length) != 0) {
    const char *slash = memrchr(against->name, '/', against_length);

    append(id, "-vs-%.*s", (int)(against->name + against_length - slash - 1), slash + 1);
  }
  for (unsigned i = 0; i < arm->axes_count; i++) {
    const char *other = axis_value(against, arm->axes[i].name);

    if (other != NULL && strcmp(other, arm->axes[i].value) == 0)
      append(id, "/%s:%s", arm->axes[i].name, other);
    else
      append(id, "/%s:%s-vs-%s", arm->axes[i].name, arm->axes[i].value, other == NULL ? "none" : other);
  }
  for (unsigned i = 0; i < against->axes_count; i++)
    if (axis_value(arm, against->axes[i].name) == NULL)
      append(id, "/%s:none-vs-%s", against->axes[i].name, against->axes[i].value);
}

static struct pvt_contrast *add_contrast(struct pvt_question *question, enum pvt_contrast_kind kind, size_t arm,
                                         size_t against) {
  struct pvt_contrast *contrasts = grow(question->contrasts, &question->contrasts_count, sizeof *contrasts);
  struct pvt_contrast *added;

  if (contrasts == NULL) {
    fail(question, -ENOMEM, "no memory for a contrast");
    return &scrap_contrast;
  }
  question->contrasts = contrasts;
  added = &contrasts[question->contrasts_count - 1];
  added->kind = kind;
  added->arm = arm;
  added->against = against;
  name_contrast(added->id, &question->rows[arm], &question->rows[against]);
  return added;
}

static size_t position(const struct pvt_question *question, const char *row) {
  size_t i = 0;

  while (i < question->rows_count && strcmp(question->rows[i].name, row) != 0)
    i++;
  return i;
}

const struct pvt_row *pvt_question_find(const struct pvt_question *question, const char *row) {
  size_t found = position(question, row);

  return found == question->rows_count ? NULL : &question->rows[found];
}

struct pvt_contrast *pvt_question_contrast(struct pvt_question *question, enum pvt_contrast_kind kind, const char *arm,
                                           const char *against) {
  size_t a = position(question, arm), b = position(question, against);

  if (a == question->rows_count || b == question->rows_count) {
    fail(question, -EINVAL, "a contrast names an unknown row: %s", a == question->rows_count ? arm : against);
    return &scrap_contrast;
  }
  return add_contrast(question, kind, a, b);
}

/* The same row but for that one axis. */
static bool differ_only_in(const struct pvt_row *a, const struct pvt_row *b, const char *axis) {
  size_t length = variant_length(a);

  if (a->axes_count != b->axes_count || length != variant_length(b) || strncmp(a->name, b->name, length) != 0)
    return false;
  for (unsigned i = 0; i < a->axes_count; i++) {
    const char *other = axis_value(b, a->axes[i].name);

    if (other == NULL || (strcmp(a->axes[i].name, axis) != 0 && strcmp(other, a->axes[i].value) != 0))
      return false;
  }
  return true;
}

void pvt_question_compare(struct pvt_question *question, enum pvt_contrast_kind kind, const char *axis,
                          const char *against) {
  for (size_t a = 0; a < question->rows_count; a++)
    for (size_t b = 0; b < question->rows_count; b++) {
      const char *value = axis_value(&question->rows[b], axis);

      if (a != b && value != NULL && strcmp(value, against) == 0 &&
          differ_only_in(&question->rows[a], &question->rows[b], axis))
        add_contrast(question, kind, a, b);
    }
}

static void check_rows(struct pvt_question *question) {
  for (size_t i = 0; i < question->rows_count; i++) {
    const struct pvt_row *row = &question->rows[i];

    if (row->name[strspn(row->name, "abcdefghijklmnopqrstuvwxyz0123456789_.:/-")] != '\0')
      fail(question, -EINVAL, "%s has a character outside [a-z0-9_.:/-]", row->name);
    if (row->measure == NULL || row->proofs == 0)
      fail(question, -EINVAL, "%s has no measure function or no proof", row->name);
    if (position(question, row->name) != i)
      fail(question, -EEXIST, "%s is declared twice", row->name);
  }
  for (size_t i = 0; i < question->contrasts_count; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(question->contrasts[i].id, question->contrasts[j].id) == 0)
        fail(question, -EEXIST, "the contrast %s is declared twice", question->contrasts[i].id);
}

int pvt_question_init(struct pvt_question *question, const struct pvt_host *host) {
  memset(question, 0, sizeof *question);
  pvt_question_declare(question, host);
  check_rows(question);
  return question->status;
}

void pvt_question_done(struct pvt_question *question) {
  for (size_t i = 0; i < question->kept_count; i++)
    free(question->kept[i]);
  free(question->kept);
  free(question->contrasts);
  free(question->rows);
  memset(question, 0, sizeof *question);
}
