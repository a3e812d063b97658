/* The libc-only program in which every row of a question is measured; its harness talks to it on descriptor 3. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "model.h"
#include "question.h"

enum { HARNESS_FD = 3 };

/* A row that eats the machine's memory must be the first to go, and must not write it all into a core file. */
static void protect_host(void) {
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

  if (fd != -1) {
    (void)!write(fd, "500", 3);
    close(fd);
  }
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the harness's reaper be gone too */
}

static void measure(const struct pvt_question *question, const struct pvt_request *request,
                    struct pvt_measure *ret_measure) {
  const struct pvt_row *row = pvt_question_find(question, request->row);
  int status;

  memset(ret_measure, 0, sizeof *ret_measure);
  if (row == NULL) {
    pvt_measure_fail(ret_measure, -1, "no such row");
    return;
  }
  ret_measure->overlap = 1;
  status = row->measure(row, request, ret_measure);
  if (status < 0 && ret_measure->status == 0)
    pvt_measure_fail(ret_measure, status, "%s", strerror(-status));
}

int main(void) {
  static struct pvt_request request;
  static struct pvt_measure reply;
  struct pvt_question question;
  struct pvt_host host;

  signal(SIGPIPE, SIG_IGN);
  fcntl(HARNESS_FD, F_SETFD, FD_CLOEXEC);
  protect_host();
  pvt_host_read(&host);
  if (pvt_question_init(&question, &host) < 0 || pvt_model_neutral() < 0)
    _exit(1);
  while (pvt_wire_receive(HARNESS_FD, &request, sizeof request) == 0) {
    request.row[sizeof request.row - 1] = '\0';
    measure(&question, &request, &reply);
    if (pvt_wire_send(HARNESS_FD, &reply, sizeof reply) < 0)
      break;
  }
  _exit(0);
}
