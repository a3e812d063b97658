#include "folder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUNS "results"

void pvt_folder_default(char ret_folder[PVT_FOLDER_BYTES]) {
  char host[64] = "host", moment[32];
  time_t now = time(NULL);
  struct tm utc;

  gethostname(host, sizeof host - 1);
  host[sizeof host - 1] = '\0';
  for (char *at = host; *at != '\0'; at++)
    if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL)
      *at = '_';
  gmtime_r(&now, &utc);
  strftime(moment, sizeof moment, "%Y%m%dT%H%M%SZ", &utc);
  snprintf(ret_folder, PVT_FOLDER_BYTES, RUNS "/%s-%s", moment, host);
}

int pvt_folder_make(const char *folder, struct pvt_why *why) {
  char path[PVT_FOLDER_BYTES];
  int fd;

  if (folder[0] == '\0' || strlen(folder) >= sizeof path - 32)
    return pvt_why_set(why, -ENAMETOOLONG, "'%.100s' is no folder's name: give another --out", folder);
  strcpy(path, folder);
  for (char *slash = path + 1;; slash++) {
    bool is_last = *slash == '\0';

    if (*slash != '/' && !is_last)
      continue;
    *slash = '\0';
    if (mkdir(path, 0777) == -1 && errno != EEXIST)
      return pvt_why_set(why, -errno, "cannot make %s: %s: give another --out", path, strerror(errno));
    if (is_last)
      break;
    *slash = '/';
  }
  fd = open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
  if (fd == -1 && errno == EOPNOTSUPP && access(path, W_OK | X_OK) == 0)
    return 0;
  if (fd == -1)
    return pvt_why_set(why, -errno, "cannot write in %s: %s: give another --out", path, strerror(errno));
  close(fd);
  return 0;
}

int pvt_folder_newest(char ret_folder[PVT_FOLDER_BYTES], struct pvt_why *why) {
  char newest[PVT_FOLDER_BYTES] = "";
  struct timespec last = {0};
  struct dirent *entry;
  DIR *runs = opendir(RUNS);

  while (runs != NULL && (entry = readdir(runs)) != NULL) {
    char path[PVT_FOLDER_BYTES];
    struct stat stat_of;

    if (entry->d_name[0] == '.')
      continue;
    snprintf(path, sizeof path, RUNS "/%s/rounds.jsonl", entry->d_name);
    if (stat(path, &stat_of) == -1)
      continue;
    if (newest[0] == '\0' || stat_of.st_mtim.tv_sec > last.tv_sec ||
        (stat_of.st_mtim.tv_sec == last.tv_sec && stat_of.st_mtim.tv_nsec > last.tv_nsec)) {
      last = stat_of.st_mtim;
      snprintf(newest, sizeof newest, RUNS "/%s", entry->d_name);
    }
  }
  if (runs != NULL)
    closedir(runs);
  if (newest[0] == '\0')
    return pvt_why_set(why, -ENOENT, "no run below ./" RUNS ": begin with pvt run, or name a run's folder");
  strcpy(ret_folder, newest);
  return 0;
}
