/* cgroup.c - the limits that control groups, version 1 or 2, set on this process. */
#include "parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CGROUP_BYTES = 16 * 1024,
  MOUNTINFO_BYTES = 512 * 1024, /* container hosts show thousands of mounts */
  VALUE_BYTES = 256,
};

/* Version 1 says "no memory limit" with the largest multiple of the page size. */
static const uint64_t no_memory_limit_bytes = UINT64_C(1) << 62;

struct sources {
  const char *root;
  char *cgroup;    /* /proc/self/cgroup */
  char *mountinfo; /* /proc/self/mountinfo; empty when unreadable */
};

/* Copies the line at *at and steps over it; false at the end. A line longer than `size` is cut. */
static bool next_line(const char **at, char *ret_line, size_t size) {
  if (**at == '\0')
    return false;
  size_t length = strcspn(*at, "\n"), kept = length < size ? length : size - 1;
  memcpy(ret_line, *at, kept);
  ret_line[kept] = '\0';
  *at += length + ((*at)[length] == '\n');
  return true;
}

/* Our path in the hierarchy of `controller` ("" = version 2), from lines "id:controllers:path". */
static bool own_path(const char *cgroup, const char *controller, char *ret_path) {
  char line[PATH_MAX];
  while (next_line(&cgroup, line, sizeof line)) {
    char *list = strchr(line, ':');
    char *path = list != NULL ? strchr(list + 1, ':') : NULL;
    if (path == NULL)
      continue;
    *list++ = '\0';
    *path++ = '\0';
    if (*controller == '\0' ? strcmp(line, "0") == 0 && *list == '\0' : pvt_machine_has_word(list, ',', controller)) {
      memcpy(ret_path, path, strlen(path) + 1);
      return true;
    }
  }
  return false;
}

static bool is_octal(const char *text) {
  return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' && text[2] >= '0' && text[2] <= '7';
}

/* mountinfo writes blanks and backslashes in paths as \040. */
static void unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; to++) {
    if (from[0] == '\\' && is_octal(from + 1)) {
      *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
}

/* One line of mountinfo: "id parent dev root mount options [optional]... - type source super-options". */
static bool mount_matches(char *line, const char *controller, char **ret_top, char **ret_mount) {
  char *tail = strstr(line, " - ");
  if (tail == NULL)
    return false;
  *tail = '\0';
  char *save, *type = strtok_r(tail + 3, " ", &save), *source = strtok_r(NULL, " ", &save);
  char *super = strtok_r(NULL, " ", &save);
  if (type == NULL || source == NULL || super == NULL)
    return false;
  if (*controller == '\0' ? strcmp(type, "cgroup2") != 0
                          : strcmp(type, "cgroup") != 0 || !pvt_machine_has_word(super, ',', controller))
    return false;
  char *field = strtok_r(line, " ", &save);
  for (int nth = 0; nth < 3 && field != NULL; nth++)
    field = strtok_r(NULL, " ", &save);
  *ret_top = field;
  *ret_mount = strtok_r(NULL, " ", &save);
  if (*ret_top == NULL || *ret_mount == NULL)
    return false;
  unescape(*ret_top);
  unescape(*ret_mount);
  return true;
}

/* `path` as seen below a mount that shows the hierarchy from `top` on: a container's mount shows only its own part. */
static const char *below(const char *path, const char *top) {
  size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
  if (strncmp(path, top, length) != 0 || (path[length] != '/' && path[length] != '\0') || strstr(path, "/..") != NULL)
    return "";
  return strcmp(path + length, "/") == 0 ? "" : path + length;
}

static bool find_mount(const struct sources *from, const char *controller, const char *path, char *ret_mount,
                       char *ret_folder) {
  char line[2 * PATH_MAX];
  const char *at = from->mountinfo;
  while (next_line(&at, line, sizeof line)) {
    char *top, *mount;
    if (mount_matches(line, controller, &top, &mount) && strlen(mount) < PATH_MAX) {
      memcpy(ret_mount, mount, strlen(mount) + 1);
      return snprintf(ret_folder, PATH_MAX, "%s%s", mount, below(path, top)) < PATH_MAX;
    }
  }
  /* No mount to be seen: try the usual places. */
  const char *folder = *controller != '\0' ? controller : "unified";
  if (*controller == '\0' && pvt_machine_exists(from->root, "/sys/fs/cgroup/cgroup.controllers"))
    folder = "";
  snprintf(ret_mount, PATH_MAX, "/sys/fs/cgroup%s%s", *folder != '\0' ? "/" : "", folder);
  return snprintf(ret_folder, PATH_MAX, "%s%s", ret_mount, below(path, "/")) < PATH_MAX;
}

/* Reads one level. PVT_MACHINE_NONE: this level sets nothing. */
typedef enum pvt_machine_state read_level_fn(const char *root, const char *folder, struct pvt_machine_cgroup *found);

static int read_value(const char *root, const char *folder, const char *name, char *ret_text) {
  char path[PATH_MAX];
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
    return -ENAMETOOLONG;
  return pvt_machine_slurp(root, path, ret_text, VALUE_BYTES);
}

static enum pvt_machine_state keep_quota(uint64_t quota_us, uint64_t period_us, struct pvt_machine_cgroup *found) {
  if (quota_us == 0 || period_us == 0)
    return PVT_MACHINE_UNKNOWN;
  if (found->quota_us == 0 ||
      (double)quota_us / (double)period_us < (double)found->quota_us / (double)found->period_us) {
    found->quota_us = quota_us;
    found->period_us = period_us;
  }
  return PVT_MACHINE_SET;
}

static enum pvt_machine_state read_cpu_v2(const char *root, const char *folder, struct pvt_machine_cgroup *found) {
  char text[VALUE_BYTES];
  int length = read_value(root, folder, "cpu.max", text);
  if (length < 0)
    return length == -ENOENT ? PVT_MACHINE_NONE : PVT_MACHINE_UNKNOWN;
  char *blank = strchr(text, ' ');
  uint64_t quota_us, period_us;
  if (blank == NULL || pvt_machine_number(blank, &period_us) < 0)
    return PVT_MACHINE_UNKNOWN;
  *blank = '\0';
  if (strcmp(text, "max") == 0)
    return PVT_MACHINE_NONE;
  return pvt_machine_number(text, &quota_us) < 0 ? PVT_MACHINE_UNKNOWN : keep_quota(quota_us, period_us, found);
}

static enum pvt_machine_state read_cpu_v1(const char *root, const char *folder, struct pvt_machine_cgroup *found) {
  char text[VALUE_BYTES];
  uint64_t quota_us, period_us;
  int length = read_value(root, folder, "cpu.cfs_quota_us", text);
  if (length < 0)
    return length == -ENOENT ? PVT_MACHINE_NONE : PVT_MACHINE_UNKNOWN;
  if (strncmp(text, "-1", 2) == 0)
    return PVT_MACHINE_NONE;
  if (pvt_machine_number(text, &quota_us) < 0 || read_value(root, folder, "cpu.cfs_period_us", text) < 0 ||
      pvt_machine_number(text, &period_us) < 0)
    return PVT_MACHINE_UNKNOWN;
  return keep_quota(quota_us, period_us, found);
}

/* One number, or "max". */
static enum pvt_machine_state read_count(const char *root, const char *folder, const char *name, uint64_t *found) {
  char text[VALUE_BYTES];
  uint64_t value;
  int length = read_value(root, folder, name, text);
  if (length < 0)
    return length == -ENOENT ? PVT_MACHINE_NONE : PVT_MACHINE_UNKNOWN;
  text[strcspn(text, "\n")] = '\0';
  if (strcmp(text, "max") == 0)
    return PVT_MACHINE_NONE;
  if (pvt_machine_number(text, &value) < 0)
    return PVT_MACHINE_UNKNOWN;
  if (value >= no_memory_limit_bytes)
    return PVT_MACHINE_NONE;
  if (value < *found)
    *found = value;
  return PVT_MACHINE_SET;
}

static enum pvt_machine_state read_memory_v2(const char *root, const char *folder, struct pvt_machine_cgroup *found) {
  return read_count(root, folder, "memory.max", &found->memory_bytes);
}

static enum pvt_machine_state read_memory_v1(const char *root, const char *folder, struct pvt_machine_cgroup *found) {
  return read_count(root, folder, "memory.limit_in_bytes", &found->memory_bytes);
}

static enum pvt_machine_state read_pids(const char *root, const char *folder, struct pvt_machine_cgroup *found) {
  return read_count(root, folder, "pids.max", &found->pids_limit);
}

/* From our own folder up to the mount: a parent's limit binds us as much as our own. Garbage at any level wins, because
 * the true limit may be the one that could not be read. */
static enum pvt_machine_state walk(const struct sources *from, const char *controller, read_level_fn *read_v1,
                                   read_level_fn *read_v2, struct pvt_machine_cgroup *found) {
  char path[PATH_MAX], mount[PATH_MAX], folder[PATH_MAX];
  read_level_fn *read_level = read_v1;
  /* A controller lives in one hierarchy: version 2 is asked only for what version 1 does not hold. */
  if (!own_path(from->cgroup, controller, path)) {
    if (!own_path(from->cgroup, "", path))
      return PVT_MACHINE_NONE;
    controller = "";
    read_level = read_v2;
  }
  if (!find_mount(from, controller, path, mount, folder) || !pvt_machine_exists(from->root, mount))
    return PVT_MACHINE_UNKNOWN;
  enum pvt_machine_state state = PVT_MACHINE_NONE;
  for (;;) {
    enum pvt_machine_state level = read_level(from->root, folder, found);
    if (level == PVT_MACHINE_UNKNOWN)
      return level;
    if (level == PVT_MACHINE_SET)
      state = level;
    char *slash = strrchr(folder, '/');
    if (slash == NULL || (size_t)(slash - folder) < strlen(mount))
      return state;
    *slash = '\0';
  }
}

/* Any line with a controller, and not only a name=, is version 1 at work. */
static const char *version_of(const char *cgroup) {
  static const char *controllers[] = {"cpu", "memory", "pids"};
  char path[PATH_MAX];
  for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++) {
    if (own_path(cgroup, controllers[i], path))
      return "v1";
  }
  return own_path(cgroup, "", path) ? "v2" : "none";
}

int pvt_machine_cgroup_limits(const char *root, struct pvt_machine_cgroup *ret_limits) {
  struct sources from = {.root = root, .cgroup = malloc(CGROUP_BYTES), .mountinfo = malloc(MOUNTINFO_BYTES)};
  struct pvt_machine_cgroup found = {.version = "unknown", .memory_bytes = UINT64_MAX, .pids_limit = UINT64_MAX};
  int rc = 0;
  if (from.cgroup == NULL || from.mountinfo == NULL) {
    rc = -ENOMEM;
    goto out;
  }
  int length = pvt_machine_slurp(root, "/proc/self/cgroup", from.cgroup, CGROUP_BYTES);
  if (length == -ENOENT && pvt_machine_exists(root, "/proc/self")) { /* a kernel built without */
    found.version = "none";
    found.cpu = found.memory = found.pids = PVT_MACHINE_NONE;
  }
  if (length >= 0) {
    if (pvt_machine_slurp(root, "/proc/self/mountinfo", from.mountinfo, MOUNTINFO_BYTES) < 0)
      from.mountinfo[0] = '\0';
    found.version = version_of(from.cgroup);
    found.cpu = walk(&from, "cpu", read_cpu_v1, read_cpu_v2, &found);
    found.memory = walk(&from, "memory", read_memory_v1, read_memory_v2, &found);
    found.pids = walk(&from, "pids", read_pids, read_pids, &found);
  }
  *ret_limits = found;
out:
  free(from.cgroup);
  free(from.mountinfo);
  return rc;
}
