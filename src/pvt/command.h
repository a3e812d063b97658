/* command.h - what the subcommands share. Only files of this folder print. */
#ifndef PVT_PVT_COMMAND_H
#define PVT_PVT_COMMAND_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>

#include "../reaper.h"
#include "../run/why.h"

enum pvt_exit {
  PVT_EXIT_FINE = 0,
  PVT_EXIT_REGRESSION = 1,
  PVT_EXIT_USAGE = 2,         /* or unusable input or output */
  PVT_EXIT_INCONCLUSIVE = 77, /* or not comparable */
  PVT_EXIT_FAILED = 99,       /* an error row, a broken build */
  PVT_EXIT_INTERRUPTED = 130,
};

/* One subcommand: its name, what it is for in a few words, and what it does. */
struct pvt_command {
  const char *name, *summary;
  int (*main)(int argc, char **argv); /* returns an enum pvt_exit */
};

#define ROW(command) extern const struct pvt_command pvt_command_##command;
#include "command_rows.h"
#undef ROW

/* "pvt run: what is wrong: what to do" on standard error; returns the exit status that fits the -errno. */
int pvt_command_fail(const char *command, int status, const struct pvt_why *why);
/* argp_parse with pvt's habits: exit 2 for wrong options, --help on standard output, "pvt <command>" as the name. */
int pvt_command_parse(const struct argp *argp, const char *command, int argc, char **argv, void *input);
/* Prints the JSON and a newline on standard output and releases it. PVT_EXIT_FINE, or FAILED if it cannot be written.
 */
int pvt_command_print_json(const char *command, json_t *json);
/* The command's own reaper, started once; ended when the command ends. */
int pvt_command_reaper(const struct pvt_reaper **ret_reaper, struct pvt_why *why);
void pvt_command_done(void);
/* Whether colour and movement are wanted on this stream: a terminal, and NO_COLOR is not set. */
bool pvt_command_is_colourful(int fd);

/* "1.23 us": four digits or fewer, a unit that fits. */
void pvt_command_print_ns(double ns, char *text, size_t text_bytes);

/* The summary of a run folder; NULL or "" stands for the newest. *ret_folder has PVT_FOLDER_BYTES. */
int pvt_command_summary(const char *run, char *ret_folder, json_t **ret_summary, struct pvt_why *why);
/* The table of pvt show. */
void pvt_command_print_table(const json_t *summary);
/* Charts and report.html into the folder; progress words on standard error. 0 or -errno with a why. */
int pvt_command_write_report(const json_t *summary, const char *folder, struct pvt_why *why);

#endif
