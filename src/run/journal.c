#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int pvt_journal_path(const char *folder, char ret_path[PVT_JOURNAL_PATH_BYTES], struct pvt_why *why) {
  int printed = snprintf(ret_path, PVT_JOURNAL_PATH_BYTES, "%s/rounds.jsonl", folder);

  if (printed < 0 || printed >= PVT_JOURNAL_PATH_BYTES)
    return pvt_why_set(why, -ENAMETOOLONG, "%.200s...: too long a path", folder);
  return 0;
}

static int lock(int fd, const char *path, struct pvt_why *why) {
  if (flock(fd, LOCK_EX | LOCK_NB) == 0)
    return 0;
  return pvt_why_set(why, -EBUSY, "%s: another pvt run is writing it: wait for it, or take another --out", path);
}

/* How many bytes the whole lines take: where the last one ends. 0: there is none. */
static int whole_lines_bytes(int fd, off_t *ret_bytes) {
  char piece[65536];
  struct stat stat;
  off_t end;

  if (fstat(fd, &stat) == -1)
    return -errno;
  for (end = stat.st_size; end > 0;) {
    off_t start = end > (off_t)sizeof piece ? end - (off_t)sizeof piece : 0;
    ssize_t got = pread(fd, piece, (size_t)(end - start), start);
    char *newline;

    if (got != end - start)
      return got == -1 ? -errno : -EIO;
    newline = memrchr(piece, '\n', (size_t)got);
    if (newline != NULL) {
      *ret_bytes = start + (newline + 1 - piece);
      return 0;
    }
    end = start;
  }
  *ret_bytes = 0;
  return 0;
}

/* Nothing, or the beginning of a plan that was never written to its end: no run has begun here. */
static bool is_before_its_plan(int fd) {
  static const char first[] = "{\"plan\":";
  char begins[sizeof first - 1];
  ssize_t got = pread(fd, begins, sizeof begins, 0);
  off_t bytes;

  return got >= 0 && memcmp(begins, first, (size_t)got) == 0 && whole_lines_bytes(fd, &bytes) == 0 && bytes == 0;
}

static int refuse(const char *path, struct pvt_why *why) {
  return pvt_why_set(why, -EEXIST, "%s: there is a run already: --resume it, or take another --out", path);
}

int pvt_journal_check_new(const char *folder, struct pvt_why *why) {
  char path[PVT_JOURNAL_PATH_BYTES];
  int status = pvt_journal_path(folder, path, why), fd;

  if (status < 0)
    return status;
  fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd == -1)
    return errno == ENOENT ? 0 : pvt_why_set(why, -errno, "%s: %s: take another --out", path, strerror(errno));
  status = is_before_its_plan(fd) ? 0 : refuse(path, why);
  close(fd);
  return status;
}

int pvt_journal_new(const char *folder, const struct pvt_plan *plan, struct pvt_journal *ret_journal,
                    struct pvt_why *why) {
  char path[PVT_JOURNAL_PATH_BYTES];
  struct pvt_journal journal;
  int status = pvt_journal_path(folder, path, why);

  if (status < 0)
    return status;
  journal.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (journal.fd == -1)
    return pvt_why_set(why, -errno, "%s: %s: take another --out", path, strerror(errno));
  status = lock(journal.fd, path, why);
  if (status == 0 && !is_before_its_plan(journal.fd))
    status = refuse(path, why);
  if (status == 0 && ftruncate(journal.fd, 0) == -1)
    status = pvt_why_set(why, -errno, "%s: %s: take another --out", path, strerror(errno));
  if (status == 0) {
    status = pvt_journal_append(&journal, json_incref(plan->json), why);
    if (status < 0)
      unlink(path);
  }
  if (status < 0)
    pvt_journal_close(&journal);
  else
    *ret_journal = journal;
  return status;
}

int pvt_journal_resume(const char *folder, struct pvt_journal *ret_journal, struct pvt_why *why) {
  char path[PVT_JOURNAL_PATH_BYTES];
  struct pvt_journal journal;
  off_t bytes = 0;
  int status = pvt_journal_path(folder, path, why);

  if (status < 0)
    return status;
  journal.fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
  if (journal.fd == -1)
    return pvt_why_set(why, -errno, "%s: %s: name the folder of a run", path, strerror(errno));
  status = lock(journal.fd, path, why); /* before its size is taken: until then somebody may be writing */
  if (status == 0) {
    int cut = whole_lines_bytes(journal.fd, &bytes);

    if (cut == 0 && ftruncate(journal.fd, bytes) == -1)
      cut = -errno;
    if (cut < 0)
      status = pvt_why_set(why, cut, "%s: %s", path, strerror(-cut));
  }
  if (status == 0)
    status = pvt_journal_append(&journal, json_pack("{s:b}", "resumed", 1), why);
  if (status < 0)
    pvt_journal_close(&journal);
  else
    *ret_journal = journal;
  return status;
}

int pvt_journal_append(struct pvt_journal *journal, json_t *line, struct pvt_why *why) {
  char *text = line == NULL ? NULL : json_dumps(line, JSON_COMPACT);
  size_t length = text == NULL ? 0 : strlen(text), done = 0;
  struct stat stat;

  json_decref(line);
  if (text == NULL)
    return pvt_why_set(why, -ENOMEM, "no memory for a line of the journal");
  if (length >= PVT_LINE_BYTES_MAX || fstat(journal->fd, &stat) == -1 ||
      stat.st_size + (off_t)length >= PVT_JOURNAL_BYTES_MAX) {
    free(text);
    return pvt_why_set(why, -EFBIG, "rounds.jsonl grows above 512 MiB: take fewer rows or rounds");
  }
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
