/* test_reaper.c - whatever ends a process, what it started does not outlive it. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reaper.h"

enum { SECONDS = 60, PATIENCE_MS = 20000, LIFE_S = 120 };

/* A process in a group of its own that would outlive the test. */
static pid_t sleeper(void) {
  pid_t pid = fork();

  if (pid == 0) {
    setpgid(0, 0);
    alarm(LIFE_S);
    sleep(LIFE_S);
    _exit(0);
  }
  setpgid(pid, pid);
  return pid;
}

/* Waits until it has ended; false: it lives on. */
static bool has_ended(pid_t pid, int *ret_how) {
  for (int ms = 0; ms < PATIENCE_MS; ms += 5) {
    if (waitpid(pid, ret_how, WNOHANG) == pid)
      return true;
    usleep(5000);
  }
  return false;
}

static bool is_alive(pid_t pid) {
  usleep(100000); /* time enough to be killed wrongly */
  return waitpid(pid, NULL, WNOHANG) == 0;
}

static void end(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
}

static void start(struct pvt_reaper *ret_reaper) {
  char program[4096];

  cr_assert_eq(pvt_reaper_program_path("pvt-reaper", program, sizeof program), 0);
  cr_assert_eq(pvt_reaper_start(program, ret_reaper), 0, "%s", program);
}

Test(reaper, ends_what_it_watches_and_nothing_else, .timeout = SECONDS) {
  pid_t watched = sleeper(), forgotten = sleeper(), unknown = sleeper();
  struct pvt_reaper reaper;
  int how;

  start(&reaper);
  cr_expect_eq(pvt_reaper_watch(&reaper, watched), 0);
  cr_expect_eq(pvt_reaper_watch(&reaper, forgotten), 0);
  cr_expect_eq(pvt_reaper_forget(&reaper, forgotten), 0);
  cr_expect(is_alive(watched));
  pvt_reaper_end(&reaper);
  cr_expect(has_ended(watched, &how));
  cr_expect(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
  cr_expect(is_alive(forgotten));
  cr_expect(is_alive(unknown));
  end(forgotten);
  end(unknown);
}

Test(reaper, ends_the_whole_group, .timeout = SECONDS) {
  struct pvt_reaper reaper;
  int ends[2], how;
  char byte;
  pid_t leader;

  cr_assert_eq(pipe(ends), 0);
  leader = fork(); /* before there is a lifeline to be inherited */
  if (leader == 0) {
    setpgid(0, 0);
    for (int i = 0; i < 5; i++)
      if (fork() == 0)
        break;
    alarm(LIFE_S);
    sleep(LIFE_S);
    _exit(0);
  }
  setpgid(leader, leader);
  start(&reaper);
  cr_assert_eq(pvt_reaper_watch(&reaper, leader), 0);
  usleep(50000);
  pvt_reaper_end(&reaper);
  cr_expect(has_ended(leader, &how));
  close(ends[1]);
  cr_expect_eq(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, PATIENCE_MS), 1);
  cr_expect_eq(read(ends[0], &byte, 1), 0, "somebody of the group holds the pipe");
  close(ends[0]);
}

/* The keeper is killed: it can do nothing itself. */
Test(reaper, outlives_the_kill_of_its_keeper, .timeout = SECONDS) {
  pid_t *watched = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), keeper;
  int how;

  prctl(PR_SET_CHILD_SUBREAPER, 1); /* the orphan becomes our child, so that its end can be seen */
  keeper = fork();
  if (keeper == 0) {
    pid_t child = sleeper(); /* before there is a lifeline to be inherited */
    struct pvt_reaper reaper;
    char program[4096];

    if (pvt_reaper_program_path("pvt-reaper", program, sizeof program) < 0 || pvt_reaper_start(program, &reaper) < 0)
      _exit(1);
    pvt_reaper_watch(&reaper, child);
    __atomic_store_n(watched, child, __ATOMIC_SEQ_CST);
    alarm(LIFE_S);
    sleep(LIFE_S);
    _exit(0);
  }
  for (int ms = 0; ms < PATIENCE_MS && __atomic_load_n(watched, __ATOMIC_SEQ_CST) == 0; ms += 5)
    usleep(5000);
  cr_assert_neq(*watched, 0);
  end(keeper);
  cr_expect(has_ended(*watched, &how), "it lives on");
  cr_expect(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

Test(reaper, is_not_ended_by_what_ends_a_whole_terminal, .timeout = SECONDS) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
  pid_t watched = sleeper();
  struct pvt_reaper reaper;
  int how;

  start(&reaper);
  cr_assert_eq(pvt_reaper_watch(&reaper, watched), 0);
  usleep(50000); /* until it ignores them */
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    cr_expect_eq(kill(reaper.pid, signals[i]), 0);
  cr_expect(is_alive(watched));
  cr_expect_eq(getsid(reaper.pid), reaper.pid);
  pvt_reaper_end(&reaper);
  cr_expect(has_ended(watched, &how));
}

Test(reaper, watches_more_groups_than_anybody_has, .timeout = SECONDS) {
  enum { GROUPS = 3000, FIRST = 1 << 24 }; /* above every process id */
  pid_t early = sleeper(), late = sleeper();
  struct pvt_reaper reaper;
  int how;

  start(&reaper);
  cr_assert_eq(pvt_reaper_watch(&reaper, early), 0);
  for (int i = 0; i < GROUPS; i++)
    cr_assert_eq(pvt_reaper_watch(&reaper, FIRST + i), 0);
  cr_assert_eq(pvt_reaper_watch(&reaper, late), 0);
  pvt_reaper_end(&reaper);
  cr_expect(has_ended(early, &how));
  cr_expect(has_ended(late, &how));
}

Test(reaper, refuses_groups_that_would_be_everybody, .timeout = SECONDS) {
  static const pid_t groups[] = {1, 0, -1, -1000};
  struct pvt_reaper reaper;

  start(&reaper);
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
    cr_expect_eq(pvt_reaper_watch(&reaper, groups[i]), -EINVAL, "%d", (int)groups[i]);
  pvt_reaper_end(&reaper);
  pvt_reaper_end(&reaper); /* twice is once */
}

Test(reaper, says_so_when_it_is_gone, .timeout = SECONDS) {
  struct pvt_reaper reaper;

  signal(SIGPIPE, SIG_IGN);
  start(&reaper);
  kill(reaper.pid, SIGKILL);
  for (int ms = 0; ms < PATIENCE_MS && pvt_reaper_watch(&reaper, 1 << 24) == 0; ms += 5)
    usleep(5000);
  cr_expect_eq(pvt_reaper_watch(&reaper, 1 << 24), -EPIPE);
  cr_expect_eq(pvt_reaper_forget(&reaper, 1 << 24), -EPIPE);
  pvt_reaper_end(&reaper);
}

/* Whoever reads our output to its end must not wait for the reaper, nor must a lock that we hold live on in it. */
Test(reaper, holds_nothing_but_its_lifeline, .timeout = SECONDS) {
  struct pvt_reaper reaper;
  char path[64], name[400], target[4096];
  struct dirent *entry;
  int leaked = dup(STDERR_FILENO);
  DIR *folder;

  start(&reaper);
  cr_assert_eq(pvt_reaper_watch(&reaper, 1 << 24), 0);
  snprintf(path, sizeof path, "/proc/%d/fd", (int)reaper.pid);
  folder = opendir(path);
  cr_assert_not_null(folder);
  while ((entry = readdir(folder)) != NULL) {
    ssize_t length;

    if (entry->d_name[0] == '.')
      continue;
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    length = readlink(name, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    cr_expect(strcmp(entry->d_name, "0") == 0 ? strncmp(target, "pipe:", 5) == 0 : strcmp(target, "/dev/null") == 0,
              "descriptor %s is %s", entry->d_name, target);
  }
  closedir(folder);
  close(leaked);
  pvt_reaper_end(&reaper);
}

Test(reaper, a_program_that_is_not_there_is_an_error, .timeout = SECONDS) {
  struct pvt_reaper reaper = {.lifeline = -1};

  cr_expect_eq(pvt_reaper_start("/nowhere/pvt-reaper", &reaper), -ENOENT);
  cr_expect_eq(reaper.lifeline, -1);
}

Test(reaper, programs_are_found_beside_this_one_or_where_the_environment_says, .timeout = SECONDS) {
  char path[4096], small[8];

  unsetenv("PVT_LIBEXECDIR");
  cr_expect_eq(pvt_reaper_program_path("pvt-reaper", path, sizeof path), 0);
  cr_expect_eq(access(path, X_OK), 0, "%s", path);
  setenv("PVT_LIBEXECDIR", "/some/where", 1);
  cr_expect_eq(pvt_reaper_program_path("pvt-x", path, sizeof path), 0);
  cr_expect_str_eq(path, "/some/where/pvt-x");
  cr_expect_eq(pvt_reaper_program_path("pvt-x", small, sizeof small), -ENAMETOOLONG);
}
