/* pvt-reaper: reads "+group" and "-group" lines from its lifeline; when that ends, kills the groups still watched. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pid_t *groups;
static size_t groups_count, groups_room;

static void forget(pid_t group) {
  for (size_t i = 0; i < groups_count; i++)
    if (groups[i] == group) {
      groups[i] = groups[--groups_count];
      return;
    }
}

/* Out of memory: what cannot be kept in mind is ended at once. */
static void watch(pid_t group) {
  if (groups_count == groups_room) {
    size_t more = groups_room == 0 ? 64 : groups_room * 2;
    pid_t *grown = reallocarray(groups, more, sizeof grown[0]);

    if (grown == NULL) {
      kill(-group, SIGKILL);
      return;
    }
    groups = grown;
    groups_room = more;
  }
  groups[groups_count++] = group;
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
    if (line[0] == '+')
      watch(group);
  }
  for (size_t i = 0; i < groups_count; i++)
    kill(-groups[i], SIGKILL);
  _exit(0);
}
