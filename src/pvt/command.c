#include "command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../run/folder.h"
#include "../run/summary.h"

int pvt_command_fail(const char *command, int status, const struct pvt_why *why) {
  fprintf(stderr, "pvt %s: %s\n", command, why->text);
  switch (status) {
  case -EINTR:
    return PVT_EXIT_INTERRUPTED;
  case -ENOMEM:
  case -ECHILD:
  case -EPIPE:
  case -EPROTO:
  case -ETIMEDOUT:
    return PVT_EXIT_FAILED;
  default:
    return PVT_EXIT_USAGE;
  }
}

int pvt_command_parse(const struct argp *argp, const char *command, int argc, char **argv, void *input) {
  static char name[64];

  snprintf(name, sizeof name, "pvt %s", command);
  argv[0] = name;
  program_invocation_name = name;
  argp_err_exit_status = PVT_EXIT_USAGE;
  return argp_parse(argp, argc, argv, 0, NULL, input) == 0 ? PVT_EXIT_FINE : PVT_EXIT_USAGE;
}

int pvt_command_print_json(const char *command, json_t *json) {
  struct pvt_why why;
  int status = json == NULL ? -1 : json_dumpf(json, stdout, JSON_INDENT(1));

  json_decref(json);
  if (status == 0 && putchar('\n') != EOF && fflush(stdout) == 0)
    return PVT_EXIT_FINE;
  pvt_why_set(&why, -EIO, "cannot write the JSON: %s: give another standard output", strerror(errno));
  return pvt_command_fail(command, -EIO, &why);
}

static struct pvt_reaper own_reaper = {.lifeline = -1};

int pvt_command_reaper(const struct pvt_reaper **ret_reaper, struct pvt_why *why) {
  char program[4096];
  int status = own_reaper.lifeline != -1 ? 0 : pvt_reaper_program_path("pvt-reaper", program, sizeof program);

  if (status == 0 && own_reaper.lifeline == -1)
    status = pvt_reaper_start(program, &own_reaper);
  if (status < 0)
    return pvt_why_set(why, -ECHILD, "cannot start pvt-reaper: %s: %s", strerror(-status), pvt_why_mend(status));
  *ret_reaper = &own_reaper;
  return 0;
}

void pvt_command_done(void) {
  pvt_reaper_end(&own_reaper);
}

bool pvt_command_is_colourful(int fd) {
  const char *no_color = getenv("NO_COLOR");

  return isatty(fd) && (no_color == NULL || no_color[0] == '\0');
}

void pvt_command_print_ns(double ns, char *text, size_t text_bytes) {
  static const struct {
    double ns;
    const char *unit;
  } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
  unsigned unit = 0;
  double value;

  while (unit < 3 && ns < units[unit].ns)
    unit++;
  value = ns / units[unit].ns;
  if (!isfinite(ns))
    snprintf(text, text_bytes, "-");
  else
    snprintf(text, text_bytes, "%.*f %s", value >= 100 ? 0 : value >= 10 ? 1 : 2, value, units[unit].unit);
}

int pvt_command_summary(const char *run, char *ret_folder, json_t **ret_summary, struct pvt_why *why) {
  struct pvt_history history;
  int status = 0;

  if (run == NULL || run[0] == '\0')
    status = pvt_folder_newest(ret_folder, why);
  else if (strlen(run) >= PVT_FOLDER_BYTES)
    status = pvt_why_set(why, -ENAMETOOLONG, "%.100s...: too long a path", run);
  else
    strcpy(ret_folder, run);
  if (status == 0)
    status = pvt_history_read(ret_folder, &history, why);
  if (status < 0)
    return status;
  status = pvt_summary_new(&history, ret_folder, ret_summary);
  pvt_history_done(&history);
  return status < 0 ? pvt_why_set(why, status, "%s: %s", ret_folder, strerror(-status)) : 0;
}
