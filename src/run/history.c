#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clean.h"
#include "journal.h"

/* Launches whose closing line has not come yet. */
struct pending {
  struct pvt_launched *launches;
  size_t count, room;
  json_int_t round, group, attempt;
};

struct reader {
  struct pvt_history *history;
  struct pending pending;
  bool *is_pending; /* [row] */
  size_t room;      /* of history->launches */
  unsigned line;    /* counted from 1 */
  const char *path;
};

static int bad(const struct reader *reader, const char *what, struct pvt_why *why) {
  return pvt_why_set(why, -EINVAL, "%s: line %u: %s", reader->path, reader->line, what);
}

static int push(struct pvt_launched **launches, size_t *count, size_t *room, const struct pvt_launched *launched) {
  if (*count == *room) {
    size_t more = *room == 0 ? 64 : *room * 2;
    struct pvt_launched *grown = reallocarray(*launches, more, sizeof *grown);

    if (grown == NULL)
      return -ENOMEM;
    *launches = grown;
    *room = more;
  }
  (*launches)[(*count)++] = *launched;
  return 0;
}

static void forget_pending(struct reader *reader) {
  struct pending *pending = &reader->pending;

  for (size_t i = 0; i < pending->count; i++) {
    reader->is_pending[pending->launches[i].row] = false;
    json_decref(pending->launches[i].json);
  }
  pending->count = 0;
}

static bool whole_number(json_t *line, const char *name, json_int_t limit, json_int_t *ret_number) {
  json_t *number = json_object_get(line, name);

  *ret_number = json_integer_value(number);
  return json_is_integer(number) && *ret_number >= 0 && *ret_number < limit;
}

static int read_launch(struct reader *reader, json_t *line, struct pvt_why *why) {
  struct pvt_plan *plan = &reader->history->plan;
  const char *status = json_string_value(json_object_get(line, "status"));
  const struct pvt_catalog_row *row = pvt_catalog_find(&plan->catalog, json_string_value(json_object_get(line, "row")));
  struct pvt_launched launched = {.json = line};
  struct pending *pending = &reader->pending;
  json_int_t round, group, attempt;

  if (!whole_number(line, "round", plan->rounds, &round) ||
      !whole_number(line, "group", (json_int_t)plan->groups_count, &group) ||
      !whole_number(line, "attempt", 1000, &attempt))
    return bad(reader, "no round, group and attempt of this plan", why);
  launched.row = row == NULL ? 0 : (size_t)(row - plan->catalog.rows);
  if (row == NULL || plan->rows[launched.row].group != (size_t)group)
    return bad(reader, "its row is not in the plan", why);
  if (status == NULL || (strcmp(status, "ok") != 0 && strcmp(status, "error") != 0))
    return bad(reader, "its status is neither ok nor error", why);
  launched.round = (unsigned)round;
  launched.status = strcmp(status, "ok") == 0 ? PVT_LAUNCH_OK : PVT_LAUNCH_ERROR;
  launched.value_ns = json_number_value(json_object_get(line, "value_ns"));
  if (launched.status == PVT_LAUNCH_OK && !(isfinite(launched.value_ns) && launched.value_ns > 0))
    return bad(reader, "its value_ns is not a number above 0", why);
  if (pending->count > 0 && (pending->round != round || pending->group != group || pending->attempt != attempt))
    forget_pending(reader); /* that group was cut off and begun again */
  if (reader->is_pending[launched.row])
    return bad(reader, "its row was launched before in the same group", why);
  pending->round = round;
  pending->group = group;
  pending->attempt = attempt;
  if (push(&pending->launches, &pending->count, &pending->room, &launched) < 0)
    return pvt_why_set(why, -ENOMEM, "no memory for %s", reader->path);
  reader->is_pending[launched.row] = true;
  json_incref(line);
  return 0;
}

static int read_end(struct reader *reader, json_t *line, struct pvt_why *why) {
  struct pvt_history *history = reader->history;
  const char *status = json_string_value(json_object_get(line, "status"));
  struct pending *pending = &reader->pending;
  json_int_t round, group, attempt;
  bool is_disturbed;

  if (!whole_number(line, "round", history->plan.rounds, &round) ||
      !whole_number(line, "group", (json_int_t)history->plan.groups_count, &group) ||
      !whole_number(line, "attempt", 1000, &attempt))
    return bad(reader, "no round, group and attempt of this plan", why);
  if (status == NULL || (strcmp(status, "ok") != 0 && strcmp(status, "disturbed") != 0))
    return bad(reader, "its status is neither ok nor disturbed", why);
  is_disturbed = strcmp(status, "disturbed") == 0;
  if (pending->count == 0 || pending->round != round || pending->group != group || pending->attempt != attempt)
    return bad(reader, "it closes a group that was not launched", why);
  if (!is_disturbed && history->closed[(size_t)round * history->plan.groups_count + (size_t)group])
    return bad(reader, "it closes a group that was closed before", why);
  for (size_t i = 0; i < pending->count; i++) {
    struct pvt_launched *launched = &pending->launches[i];

    if (is_disturbed)
      launched->status = PVT_LAUNCH_DISTURBED;
    if (push(&history->launches, &history->launches_count, &reader->room, launched) < 0)
      return pvt_why_set(why, -ENOMEM, "no memory for %s", reader->path);
    json_incref(launched->json); /* the history has it now */
  }
  forget_pending(reader);
  if (is_disturbed)
    history->disturbed[group]++;
  else
    history->closed[(size_t)round * history->plan.groups_count + (size_t)group] = 1;
  return 0;
}

static int read_plan(struct reader *reader, json_t *line, struct pvt_why *why) {
  struct pvt_history *history = reader->history;
  struct pvt_why inner;
  int status = pvt_plan_parse(line, &history->plan, &inner);

  if (status < 0)
    return pvt_why_set(why, status, "%s: line 1: %.400s", reader->path, inner.text);
  history->closed = calloc((size_t)history->plan.rounds * history->plan.groups_count + 1, 1);
  history->disturbed = calloc(history->plan.groups_count + 1, sizeof history->disturbed[0]);
  reader->is_pending = calloc(history->plan.catalog.rows_count + 1, sizeof reader->is_pending[0]);
  if (history->closed == NULL || history->disturbed == NULL || reader->is_pending == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for %s", reader->path);
  return 0;
}

/* One line without its newline. */
static int read_line(struct reader *reader, const char *text, size_t length, struct pvt_why *why) {
  json_error_t error;
  json_t *line;
  int status = 0;

  reader->line++;
  line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
  if (!json_is_object(line)) {
    json_decref(line);
    return bad(reader, "it is not a JSON object: the file is damaged", why);
  }
  if (pvt_clean_json(line) < 0)
    status = pvt_why_set(why, -ENOMEM, "no memory for %s", reader->path);
  else if (reader->line == 1)
    status = read_plan(reader, line, why);
  else if (json_is_true(json_object_get(line, "resumed")))
    forget_pending(reader); /* cut off here, and begun again */
  else if (json_is_true(json_object_get(line, "end")))
    status = read_end(reader, line, why);
  else
    status = read_launch(reader, line, why);
  json_decref(line);
  return status;
}

/* All that is whole in the buffer; keeps the rest at its beginning. */
static int read_buffer(struct reader *reader, char *buffer, size_t *length, struct pvt_why *why) {
  char *start = buffer, *newline;
  int status = 0;

  while (status == 0 && (newline = memchr(start, '\n', *length)) != NULL) {
    status = read_line(reader, start, (size_t)(newline - start), why);
    *length -= (size_t)(newline + 1 - start);
    start = newline + 1;
  }
  memmove(buffer, start, *length);
  return status;
}

static int read_lines(struct reader *reader, int fd, struct pvt_why *why) {
  size_t room = 1 << 16, length = 0;
  char *buffer = malloc(room);
  int status = buffer == NULL ? -ENOMEM : 0;
  ssize_t got = 1;

  while (status == 0 && got > 0) {
    if (length == room) {
      char *grown = room >= PVT_LINE_BYTES_MAX ? NULL : realloc(buffer, room * 2);

      if (grown == NULL) {
        reader->line++;
        status =
            room >= PVT_LINE_BYTES_MAX ? bad(reader, "it is longer than 16 MiB: the file is damaged", why) : -ENOMEM;
        break;
      }
      buffer = grown;
      room *= 2;
    }
    got = read(fd, buffer + length, room - length);
    if (got == -1)
      status = pvt_why_set(why, -errno, "%s: %s: name the folder of a run", reader->path, strerror(errno));
    length += got > 0 ? (size_t)got : 0;
    if (status == 0)
      status = read_buffer(reader, buffer, &length, why);
  }
  free(buffer);
  reader->history->is_cut = length > 0; /* the command was killed while it wrote */
  if (status == -ENOMEM)
    pvt_why_set(why, status, "no memory for %s", reader->path);
  if (status == 0 && reader->line == 0)
    status =
        pvt_why_set(why, -EINVAL, "%s: it has no plan: the run was ended before it began: begin it anew", reader->path);
  return status;
}

/* The positions of each row's launches, in the order of the journal. */
static int sort_by_row(struct pvt_history *history) {
  size_t rows = history->plan.catalog.rows_count, *next = calloc(rows + 1, sizeof next[0]);

  history->row_first = calloc(rows + 2, sizeof history->row_first[0]);
  history->by_row = calloc(history->launches_count + 1, sizeof history->by_row[0]);
  if (next == NULL || history->row_first == NULL || history->by_row == NULL) {
    free(next);
    return -ENOMEM;
  }
  for (size_t i = 0; i < history->launches_count; i++)
    history->row_first[history->launches[i].row + 1]++;
  for (size_t row = 0; row < rows; row++) {
    history->row_first[row + 1] += history->row_first[row];
    next[row] = history->row_first[row];
  }
  for (size_t i = 0; i < history->launches_count; i++)
    history->by_row[next[history->launches[i].row]++] = i;
  free(next);
  return 0;
}

int pvt_history_read(const char *folder, struct pvt_history *ret_history, struct pvt_why *why) {
  char path[PVT_JOURNAL_PATH_BYTES];
  struct pvt_history history = {0};
  struct reader reader = {.history = &history, .path = path};
  struct stat stat;
  int status = pvt_journal_path(folder, path, why), fd;

  if (status < 0)
    return status;
  fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO must not hold us up */
  if (fd == -1)
    return pvt_why_set(why, -errno, "%s: %s: name the folder of a run", path, strerror(errno));
  if (fstat(fd, &stat) == -1 || !S_ISREG(stat.st_mode))
    status = pvt_why_set(why, -EINVAL, "%s: it is no file: name the folder of a run", path);
  else if (stat.st_size > PVT_JOURNAL_BYTES_MAX)
    status = pvt_why_set(why, -EFBIG, "%s: it is larger than 512 MiB: no journal of pvt", path);
  else
    status = read_lines(&reader, fd, why);
  close(fd);
  forget_pending(&reader);
  free(reader.pending.launches);
  free(reader.is_pending);
  if (status == 0 && sort_by_row(&history) < 0)
    status = pvt_why_set(why, -ENOMEM, "no memory for %s", path);
  if (status < 0)
    pvt_history_done(&history);
  else
    *ret_history = history;
  return status;
}

void pvt_history_done(struct pvt_history *history) {
  for (size_t i = 0; i < history->launches_count; i++)
    json_decref(history->launches[i].json);
  free(history->launches);
  free(history->closed);
  free(history->disturbed);
  free(history->by_row);
  free(history->row_first);
  pvt_plan_done(&history->plan);
  *history = (struct pvt_history){0};
}

bool pvt_launch_failed(const struct pvt_launched *launched) {
  return strcmp(json_string_value(json_object_get(launched->json, "status")), "error") == 0;
}

unsigned pvt_history_errors(const struct pvt_history *history, size_t row) {
  unsigned errors = 0, failures = 0;
  bool has_value = false;

  for (size_t i = history->row_first[row]; i < history->row_first[row + 1]; i++) {
    const struct pvt_launched *launched = &history->launches[history->by_row[i]];

    errors += launched->status == PVT_LAUNCH_ERROR;
    failures += pvt_launch_failed(launched);
    has_value = has_value || !pvt_launch_failed(launched);
  }
  return has_value ? errors : failures;
}

/* [group]: whether any of its rows can still be launched. */
static bool *find_living_groups(const struct pvt_history *history) {
  bool *living = calloc(history->plan.groups_count + 1, sizeof living[0]);

  for (size_t row = 0; living != NULL && row < history->plan.catalog.rows_count; row++)
    if (history->plan.rows[row].error == NULL && pvt_history_errors(history, row) < PVT_ERRORS_MAX)
      living[history->plan.rows[row].group] = true;
  return living;
}

unsigned pvt_history_rounds(const struct pvt_history *history) {
  bool *living = find_living_groups(history);
  unsigned rounds = 0;

  for (unsigned round = 0; living != NULL && round < history->plan.rounds; round++) {
    bool whole = true;

    for (size_t group = 0; group < history->plan.groups_count; group++)
      whole = whole && (!living[group] || history->closed[(size_t)round * history->plan.groups_count + group]);
    rounds += whole;
  }
  free(living);
  return rounds;
}
