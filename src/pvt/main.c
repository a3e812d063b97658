/* pvt: processes or threads? */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

#define ROW(command) &pvt_command_##command,
static const struct pvt_command *const commands[] = {
#include "command_rows.h"
    NULL};
#undef ROW

static void print_help(FILE *to) {
  fprintf(to,
          "Usage: pvt COMMAND [OPTION...]\n"
          "Compares processes with threads on this machine, with intervals and proofs.\n\n");
  for (const struct pvt_command *const *command = commands; *command != NULL; command++)
    fprintf(to, "  %-9s %s\n", (*command)->name, (*command)->summary);
  fprintf(to,
          "\n"
          "  pvt COMMAND --help    what a command takes        pvt --version    which pvt this is\n\n"
          "Begin with: pvt run --profile quick && pvt show\n"
          "Exit status: 0 fine, 2 usage or unusable files, 77 inconclusive, 99 something failed, 130 interrupted.\n");
}

/* So that nothing that is opened later is taken for a standard stream. */
static void fill_standard_streams(void) {
  int fd;

  while ((fd = open("/dev/null", O_RDWR)) != -1 && fd <= STDERR_FILENO)
    continue;
  if (fd != -1)
    close(fd);
}

/* A table that nobody could read is no success. Whoever closes the pipe early (head) knows it. */
static int check_output(int status) {
  if ((fflush(stdout) == 0 && !ferror(stdout)) || errno == EPIPE || status != PVT_EXIT_FINE)
    return status;
  fprintf(stderr, "pvt: cannot write to standard output: %s: give another\n", strerror(errno));
  return PVT_EXIT_USAGE;
}

int main(int argc, char **argv) {
  int status;

  signal(SIGPIPE, SIG_IGN);
  fill_standard_streams();
  if (argc > 1 && strcmp(argv[1], "--version") == 0) {
    printf("pvt %s\n", PVT_VERSION);
    return check_output(PVT_EXIT_FINE);
  }
  if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
    print_help(stdout);
    return check_output(PVT_EXIT_FINE);
  }
  for (const struct pvt_command *const *command = commands; argc > 1 && *command != NULL; command++)
    if (strcmp(argv[1], (*command)->name) == 0) {
      status = (*command)->main(argc - 1, argv + 1);
      pvt_command_done();
      return check_output(status);
    }
  if (argc > 1)
    fprintf(stderr, "pvt: no command '%s': see pvt --help\n", argv[1]);
  else
    print_help(stderr);
  return PVT_EXIT_USAGE;
}
