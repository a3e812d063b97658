/* read.c - bounded reading of the small files that a kernel shows. */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int join(const char *root, const char *path, char *ret_path, size_t size) {
  int length = snprintf(ret_path, size, "%s%s", root, path);
  return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int pvt_machine_slurp(const char *root, const char *path, char *ret_text, size_t size) {
  char full[PATH_MAX];
  int rc = join(root, path, full, sizeof full);
  if (rc < 0)
    return rc;
  /* O_NONBLOCK: a FIFO in the place of a file must not hang us. */
  int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return -errno;
  size_t length = 0;
  while (length < size - 1) {
    ssize_t got = read(fd, ret_text + length, size - 1 - length);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      rc = -errno;
      close(fd);
      return rc;
    }
    if (got == 0)
      break;
    length += (size_t)got;
  }
  close(fd);
  ret_text[length] = '\0';
  return (int)length;
}

bool pvt_machine_exists(const char *root, const char *path) {
  char full[PATH_MAX];
  return join(root, path, full, sizeof full) == 0 && access(full, F_OK) == 0;
}

int pvt_machine_number(const char *text, uint64_t *ret_value) {
  const char *start = text + strspn(text, " \t\n");
  if (*start < '0' || *start > '9')
    return -EBADMSG;
  char *end;
  errno = 0;
  unsigned long long value = strtoull(start, &end, 10);
  if (errno != 0 || end[strspn(end, " \t\n")] != '\0')
    return -EBADMSG;
  *ret_value = value;
  return 0;
}

int pvt_machine_field(const char *text, const char *name, char *ret_value, size_t size) {
  size_t name_length = strlen(name);
  for (const char *line = text; line != NULL && *line != '\0';) {
    const char *end = strchr(line, '\n');
    if (strncmp(line, name, name_length) == 0) {
      const char *colon = line + name_length + strspn(line + name_length, " \t");
      if (*colon == ':') {
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        size_t length = end != NULL && end > value ? (size_t)(end - value) : end != NULL ? 0 : strlen(value);
        if (length >= size)
          length = size - 1;
        memcpy(ret_value, value, length);
        ret_value[length] = '\0';
        return 0;
      }
    }
    line = end != NULL ? end + 1 : NULL;
  }
  return -ENOENT;
}

bool pvt_machine_has_word(const char *list, char separator, const char *word) {
  size_t word_length = strlen(word);
  for (const char *at = list;;) {
    const char *end = strchr(at, separator);
    size_t length = end != NULL ? (size_t)(end - at) : strlen(at);
    if (length == word_length && memcmp(at, word, length) == 0)
      return true;
    if (end == NULL)
      return false;
    at = end + 1;
  }
}
