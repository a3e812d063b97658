/* pvt-reaper: reads "+group" and "-group" lines from its lifeline; when that ends, kills the groups still watched. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GROUPS_MAX = 1024 };

static pid_t groups[GROUPS_MAX];
static unsigned groups_count;

static void forget(pid_t group) {
  for (unsigned i = 0; i < groups_count; i++)
    if (groups[i] == group)
      groups[i--] = groups[--groups_count];
}

int main(void) {
  char line[32];

  /* What ends its keeper by the terminal or by a broadcast must not end it too. */
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  while (fgets(line, sizeof line, stdin) != NULL) {
    pid_t group = (pid_t)strtol(line + 1, NULL, 10);

    if (group <= 1)
      continue;
    forget(group);
    if (line[0] == '+' && groups_count < GROUPS_MAX)
      groups[groups_count++] = group;
  }
  for (unsigned i = 0; i < groups_count; i++)
    kill(-groups[i], SIGKILL);
  _exit(0);
}
