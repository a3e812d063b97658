/* charts_gnuplot.c - gnuplot, started without a shell: its commands are pvt's own, all other text is data. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "charts.h"

enum { PATH_BYTES = 4096, LABEL_PX = 7, ROW_PX = 24, ROW_PX_OF_MANY = 16, MANY_ROWS = 80, TITLE_CHARS = 88 };

/* Where the .gp files lie: PVT_PLOTDIR, else where this pvt was built from or installed to. Absolute where it can be,
 * because gnuplot runs in the charts' folder. */
static const char *plot_folder(void) {
  static char absolute[PATH_MAX];
  const char *given = getenv("PVT_PLOTDIR");

  if (given == NULL || given[0] == '\0')
    given = PVT_PLOTDIR;
  return realpath(given, absolute) != NULL ? absolute : given;
}

/* name='text'; in gnuplot, single quotes double themselves, and nothing inside them is run or expanded. */
static void assign(FILE *to, const char *name, const char *text, size_t length) {
  fprintf(to, "%s='", name);
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '\'')
      fputc('\'', to);
    fputc((unsigned char)text[i] < 0x20 ? ' ' : text[i], to);
  }
  fputs("'; ", to);
}

/* Where a title that is too long for one line goes on: at the space nearest to its middle. */
static size_t middle_space(const char *title, size_t length) {
  for (size_t away = 0; away < length / 2; away++) {
    if (title[length / 2 - away] == ' ')
      return length / 2 - away;
    if (title[length / 2 + away] == ' ')
      return length / 2 + away;
  }
  return length / 2;
}

static void assign_title(FILE *to, const char *title) {
  size_t length = strlen(title), cut = length > TITLE_CHARS ? middle_space(title, length) : length;

  assign(to, "title1", title, cut);
  if (title[cut] == ' ')
    cut++;
  assign(to, "title2", title + cut, length - cut);
}

static char *settings(const struct pvt_drawing *drawing) {
  const struct pvt_chart *chart = drawing->chart;
  size_t size, longest = 10;
  char *text = NULL;
  FILE *to = open_memstream(&text, &size);
  char left_out[PVT_WORDS_BYTES + 16] = "";

  if (to == NULL)
    return NULL;
  for (size_t i = 0; i < chart->rows; i++)
    if (strlen(drawing->labels->texts[i]) > longest)
      longest = strlen(drawing->labels->texts[i]);
  assign(to, "plots", plot_folder(), strlen(plot_folder()));
  assign(to, "name", chart->name, strlen(chart->name));
  assign_title(to, chart->title);
  assign(to, "common", chart->common, strlen(chart->common));
  if (chart->rows_left_out > 0)
    snprintf(left_out, sizeof left_out, "%zu more rows are not drawn", chart->rows_left_out);
  assign(to, "states", drawing->states, strlen(drawing->states));
  assign(to, "left_out", left_out, strlen(left_out));
  fprintf(to, "n=%zu; row_px=%d; label_px=%zu; shown_chars=%u; ", chart->rows,
          chart->rows > MANY_ROWS ? ROW_PX_OF_MANY : ROW_PX, longest * LABEL_PX + 24, chart->kind->shown_chars);
  pvt_axis_write(drawing, to);
  return fclose(to) == 0 ? text : NULL;
}

/* The first line that gnuplot complained with, cleaned. */
static void read_complaint(int fd, char *text, size_t bytes) {
  ssize_t length = pread(fd, text, bytes - 1, 0);
  size_t start = 0;

  text[length > 0 ? length : 0] = '\0';
  start = strspn(text, "\n\r\t ");
  memmove(text, text + start, strlen(text + start) + 1);
  text[strcspn(text, "\n\r")] = '\0';
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < 0x20)
      *text = ' ';
}

static int start(char *const arguments[], const char *folder, int complaints, pid_t *ret_pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, defaults;
  int status = posix_spawn_file_actions_init(&actions);

  if (status != 0)
    return -status;
  status = posix_spawnattr_init(&attributes);
  if (status != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return -status;
  }
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  if ((status = posix_spawn_file_actions_addchdir_np(&actions, folder)) == 0 &&
      (status = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
      (status = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)) == 0 &&
      (status = posix_spawn_file_actions_adddup2(&actions, complaints, 2)) == 0)
    status = posix_spawnp(ret_pid, arguments[0], &actions, &attributes, arguments, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return -status;
}

static int run(char *const arguments[], const struct pvt_drawing *drawing, const char *folder, int complaints,
               struct pvt_why *why) {
  char complaint[200];
  pid_t pid = -1;
  int status = start(arguments, folder, complaints, &pid), ended;

  if (status == -ENOENT)
    return pvt_why_set(why, status, "gnuplot not found: install gnuplot-nox");
  if (status != 0)
    return pvt_why_set(why, -ECHILD, "cannot start gnuplot: %s", strerror(-status));
  while (waitpid(pid, &ended, 0) == -1)
    if (errno != EINTR)
      return pvt_why_set(why, -ECHILD, "cannot wait for gnuplot: %s", strerror(errno));
  if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0)
    return 0;
  read_complaint(complaints, complaint, sizeof complaint);
  return pvt_why_set(why, -ECHILD, "gnuplot failed on charts/%.100s.tsv with %s: %s", drawing->chart->name,
                     plot_folder(), complaint);
}

int pvt_gnuplot_draw(const struct pvt_drawing *drawing, const char *charts_folder, struct pvt_why *why) {
  char style[PATH_BYTES + 64], script[PATH_BYTES + 64], *set = settings(drawing);
  char *arguments[] = {"gnuplot",           "-d",  "-e",   set, "-e", "kind='svg'", style, script, "-e",
                       "reset; kind='png'", style, script, NULL};
  int complaints = memfd_create("complaints", MFD_CLOEXEC), status;

  snprintf(style, sizeof style, "%s/style.gp", plot_folder());
  snprintf(script, sizeof script, "%s/%.32s.gp", plot_folder(), drawing->chart->kind->name);
  if (set == NULL || complaints == -1)
    status = pvt_why_set(why, -ENOMEM, "no memory for a chart");
  else if (access(style, R_OK) == -1 || access(script, R_OK) == -1)
    status = pvt_why_set(why, -ECHILD, "%.300s: %s: set PVT_PLOTDIR", access(style, R_OK) == -1 ? style : script,
                         strerror(errno));
  else
    status = run(arguments, drawing, charts_folder, complaints, why);
  if (complaints != -1)
    close(complaints);
  free(set);
  return status;
}
