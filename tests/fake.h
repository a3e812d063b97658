/* fake.h - a folder of false harnesses: shell scripts in place of this build's programs. */
#ifndef PVT_TESTS_FAKE_H
#define PVT_TESTS_FAKE_H

#include <sys/stat.h>

#include "run/harness.h"
#include "runs.h"

/* A script of that name; its text needs no first line. */
static inline void fake_write(const char *folder, const char *name, const char *text) {
  char path[4200], script[16384];

  snprintf(script, sizeof script, "#!/bin/sh\n%s\n", text);
  file_write(folder, name, script, strlen(script));
  snprintf(path, sizeof path, "%s/%s", folder, name);
  cr_assert_eq(chmod(path, 0700), 0);
}

/* Every harness of this build is this script. */
static inline void fake_write_all(const char *folder, const char *text) {
  for (unsigned i = 0; pvt_harness_questions[i] != NULL; i++) {
    char name[128];

    snprintf(name, sizeof name, "pvt-%s", pvt_harness_questions[i]);
    fake_write(folder, name, text);
  }
}

/* A true reaper; from then on programs are taken from the folder. */
static inline void fake_begin(const char *folder, struct pvt_reaper *ret_reaper) {
  char program[4096];

  signal(SIGPIPE, SIG_IGN);
  unsetenv("PVT_LIBEXECDIR");
  cr_assert_eq(pvt_reaper_program_path("pvt-reaper", program, sizeof program), 0);
  cr_assert_eq(pvt_reaper_start(program, ret_reaper), 0, "%s", program);
  setenv("PVT_LIBEXECDIR", folder, 1);
  setenv("FAKE", folder, 1);
}

/* Has the process ended, reaped or not? Its number is in the file. */
static inline bool fake_is_gone(const char *folder, const char *name) {
  char *text = file_read(folder, name), path[64], state = 'Z';
  FILE *file;

  cr_assert_not_null(text, "%s was not written", name);
  snprintf(path, sizeof path, "/proc/%d/stat", atoi(text));
  free(text);
  file = fopen(path, "re");
  if (file != NULL && fscanf(file, "%*d %*s %c", &state) != 1)
    state = '?';
  if (file != NULL)
    fclose(file);
  return state == 'Z' || state == 'X';
}

static inline bool fake_goes(const char *folder, const char *name) {
  for (int ms = 0; ms < 10000; ms += 10) {
    if (fake_is_gone(folder, name))
      return true;
    usleep(10000);
  }
  return false;
}

#endif
