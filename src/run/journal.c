#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static int path_of(const char *folder, char path[PATH_BYTES], struct pvt_why *why) {
  int printed = snprintf(path, PATH_BYTES, "%s/rounds.jsonl", folder);

  return printed < 0 || printed >= PATH_BYTES ? pvt_why_set(why, -ENAMETOOLONG, "%.200s...: too long a path", folder)
                                              : 0;
}

/* ---- Writing ---- */

static int lock(int fd, const char *path, struct pvt_why *why) {
  if (flock(fd, LOCK_EX | LOCK_NB) == 0)
    return 0;
  return pvt_why_set(why, -EBUSY, "%s: another pvt run is writing it", path);
}

int pvt_journal_new(const char *folder, const struct pvt_plan *plan, struct pvt_journal *ret_journal,
                    struct pvt_why *why) {
  char path[PATH_BYTES];
  struct pvt_journal journal;
  int status = path_of(folder, path, why);

  if (status < 0)
    return status;
  journal.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (journal.fd == -1)
    return pvt_why_set(why, -errno, "%s: %s", path,
                       errno == EEXIST ? "there is a run already: resume it, or take another --out" : strerror(errno));
  status = lock(journal.fd, path, why);
  if (status == 0)
    status = pvt_journal_append(&journal, json_incref(plan->json), why);
  if (status < 0)
    pvt_journal_close(&journal);
  else
    *ret_journal = journal;
  return status;
}

/* Where the last whole line ends. */
static off_t last_newline(int fd, off_t size) {
  char byte;

  while (size > 0 && (pread(fd, &byte, 1, size - 1) != 1 || byte != '\n'))
    size--;
  return size;
}

int pvt_journal_resume(const char *folder, struct pvt_journal *ret_journal, struct pvt_why *why) {
  char path[PATH_BYTES];
  struct pvt_journal journal;
  struct stat stat;
  int status = path_of(folder, path, why);

  if (status < 0)
    return status;
  journal.fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
  if (journal.fd == -1 || fstat(journal.fd, &stat) == -1)
    return pvt_why_set(why, -errno, "%s: %s", path, strerror(errno));
  status = lock(journal.fd, path, why);
  if (status == 0 && ftruncate(journal.fd, last_newline(journal.fd, stat.st_size)) == -1)
    status = pvt_why_set(why, -errno, "%s: %s", path, strerror(errno));
  if (status < 0)
    pvt_journal_close(&journal);
  else
    *ret_journal = journal;
  return status;
}

int pvt_journal_append(struct pvt_journal *journal, json_t *line, struct pvt_why *why) {
  char *text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT);
  size_t length = text == NULL ? 0 : strlen(text), done = 0;

  json_decref(line);
  if (text == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for a line of the journal");
  text[length++] = '\n'; /* over the ending NUL: the text is no longer a string */
  while (done < length) {
    ssize_t written = write(journal->fd, text + done, length - done);

    if (written == -1 && errno == EINTR)
      continue;
    if (written == -1) {
      free(text);
      return pvt_why_set(why, -errno, "cannot write rounds.jsonl: %s: make room and --resume", strerror(errno));
    }
    done += (size_t)written;
  }
  free(text);
  return 0;
}

void pvt_journal_close(struct pvt_journal *journal) {
  if (journal->fd != -1)
    close(journal->fd);
  journal->fd = -1;
}

/* ---- Reading ---- */

/* Launches whose closing line has not come yet. */
struct pending {
  struct pvt_launched *launches;
  size_t count, room;
  json_int_t round, group, attempt;
};

struct reader {
  struct pvt_history *history;
  struct pending pending;
  size_t room;   /* of history->launches */
  unsigned line; /* counted from 1 */
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

static void forget_pending(struct pending *pending) {
  for (size_t i = 0; i < pending->count; i++)
    json_decref(pending->launches[i].json);
  pending->count = 0;
}

static bool whole_number(json_t *line, const char *name, json_int_t limit, json_int_t *ret_number) {
  json_t *number = json_object_get(line, name);

  *ret_number = json_integer_value(number);
  return json_is_integer(number) && *ret_number >= 0 && *ret_number < limit;
}

static int find_row(const struct pvt_catalog *catalog, const char *name, size_t *ret_row) {
  for (size_t i = 0; name != NULL && i < catalog->rows_count; i++)
    if (strcmp(catalog->rows[i].name, name) == 0) {
      *ret_row = i;
      return 0;
    }
  return -ENOENT;
}

static int read_launch(struct reader *reader, json_t *line, struct pvt_why *why) {
  struct pvt_plan *plan = &reader->history->plan;
  const char *status = json_string_value(json_object_get(line, "status"));
  struct pvt_launched launched = {.json = line};
  struct pending *pending = &reader->pending;
  json_int_t round, group, attempt;

  if (!whole_number(line, "round", plan->rounds, &round) ||
      !whole_number(line, "group", (json_int_t)plan->groups_count, &group) ||
      !whole_number(line, "attempt", 1000, &attempt))
    return bad(reader, "no round, group and attempt of this plan", why);
  if (find_row(&plan->catalog, json_string_value(json_object_get(line, "row")), &launched.row) < 0 ||
      plan->rows[launched.row].group != (size_t)group)
    return bad(reader, "its row is not in the plan", why);
  if (status == NULL || (strcmp(status, "ok") != 0 && strcmp(status, "error") != 0))
    return bad(reader, "its status is neither ok nor error", why);
  launched.round = (unsigned)round;
  launched.status = strcmp(status, "ok") == 0 ? PVT_LAUNCH_OK : PVT_LAUNCH_ERROR;
  launched.value_ns = json_number_value(json_object_get(line, "value_ns"));
  if (launched.status == PVT_LAUNCH_OK && !(isfinite(launched.value_ns) && launched.value_ns > 0))
    return bad(reader, "its value_ns is not a number above 0", why);
  if (pending->count > 0 && (pending->round != round || pending->group != group || pending->attempt != attempt))
    forget_pending(pending); /* that group was cut off and begun again */
  for (size_t i = 0; i < pending->count; i++)
    if (pending->launches[i].row == launched.row)
      return bad(reader, "its row was launched before in the same group", why);
  pending->round = round;
  pending->group = group;
  pending->attempt = attempt;
  if (push(&pending->launches, &pending->count, &pending->room, &launched) < 0)
    return pvt_why_set(why, -ENOMEM, "no memory for %s", reader->path);
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
    launched->json = NULL; /* the history has it now */
  }
  pending->count = 0;
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
  if (history->closed == NULL || history->disturbed == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for %s", reader->path);
  return 0;
}

static int read_line(struct reader *reader, const char *text, size_t length, struct pvt_why *why) {
  json_error_t error;
  json_t *line;
  int status;

  reader->line++;
  if (length > PVT_LINE_BYTES_MAX)
    return bad(reader, "it is longer than 16 MiB", why);
  line = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
  if (!json_is_object(line)) {
    json_decref(line);
    return bad(reader, "it is not a JSON object: the file is damaged", why);
  }
  if (reader->line == 1)
    status = read_plan(reader, line, why);
  else if (json_is_true(json_object_get(line, "end")))
    status = read_end(reader, line, why);
  else
    status = read_launch(reader, line, why);
  json_decref(line);
  return status;
}

static int read_lines(struct reader *reader, FILE *file, struct pvt_why *why) {
  char *text = NULL;
  size_t room = 0;
  ssize_t length;
  int status = 0;

  while (status == 0 && (length = getline(&text, &room, file)) != -1) {
    if (text[length - 1] != '\n') {
      reader->history->is_cut = true; /* the command was killed while it wrote */
      break;
    }
    status = read_line(reader, text, (size_t)length - 1, why);
  }
  free(text);
  if (status == 0 && reader->line == 0)
    status = pvt_why_set(why, -EINVAL, "%s: it has no plan: the run was ended before it began", reader->path);
  return status;
}

int pvt_history_read(const char *folder, struct pvt_history *ret_history, struct pvt_why *why) {
  char path[PATH_BYTES];
  struct pvt_history history = {0};
  struct reader reader = {.history = &history, .path = path};
  struct stat stat;
  FILE *file;
  int status = path_of(folder, path, why);

  if (status < 0)
    return status;
  file = fopen(path, "re");
  if (file == NULL)
    return pvt_why_set(why, -errno, "%s: %s", path, strerror(errno));
  if (fstat(fileno(file), &stat) == -1 || !S_ISREG(stat.st_mode))
    status = pvt_why_set(why, -EINVAL, "%s: not a file", path);
  else if (stat.st_size > PVT_JOURNAL_BYTES_MAX)
    status = pvt_why_set(why, -EFBIG, "%s: larger than 512 MiB: not a journal of pvt", path);
  else
    status = read_lines(&reader, file, why);
  fclose(file);
  forget_pending(&reader.pending);
  free(reader.pending.launches);
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
  pvt_plan_done(&history->plan);
  *history = (struct pvt_history){0};
}

unsigned pvt_history_errors(const struct pvt_history *history, size_t row) {
  unsigned errors = 0;

  for (size_t i = 0; i < history->launches_count; i++)
    errors += history->launches[i].row == row && history->launches[i].status == PVT_LAUNCH_ERROR;
  return errors;
}

unsigned pvt_history_rounds(const struct pvt_history *history) {
  unsigned rounds = 0;

  for (unsigned round = 0; round < history->plan.rounds; round++) {
    bool whole = true;

    for (size_t group = 0; group < history->plan.groups_count; group++)
      whole = whole && history->closed[round * history->plan.groups_count + group];
    rounds += whole;
  }
  return rounds;
}
