/* network: IO-bound; a request over loopback TCP to a server that takes a set time to answer (work_server.h). */
#include "../workload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../work_server.h"

/* The request, and the answer beside it: an answer must not be the request that was never overwritten. */
struct exchange {
  struct pvt_work_request request, answer;
};

/* Models write with write(), which has no MSG_NOSIGNAL: a server that is gone shall be an error, not a death. */
static void survive_broken_pipes(void) {
  struct sigaction action;

  if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
    signal(SIGPIPE, SIG_IGN);
}

static int init(struct pvt_work *work) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;

  if (work->spec.port == 0 || work->spec.service_ns > PVT_WORK_SERVICE_MAX_NS)
    return -EINVAL;
  work->awaits = 2;
  work->buffer = calloc(1, sizeof(struct exchange));
  if (work->buffer == NULL)
    return -ENOMEM;
  work->buffer_bytes = sizeof(struct exchange);
  survive_broken_pipes();
  work->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (work->fd == -1)
    return -errno;
  address.sin_port = htons(work->spec.port);
  if (connect(work->fd, (struct sockaddr *)&address, sizeof address) == -1)
    return -errno;
  setsockopt(work->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return 0;
}

static int ask(struct pvt_work *work, struct pvt_operation *await, enum pvt_operation_kind kind, void *buffer) {
  *await =
      (struct pvt_operation){.kind = kind, .fd = work->fd, .buffer = buffer, .bytes = sizeof(struct pvt_work_request)};
  return PVT_AWAIT;
}

static int step(struct pvt_work *work, struct pvt_operation *await) {
  struct exchange *exchange = (struct exchange *)work->buffer;

  if (work->at > 0 && await->result < 0)
    return (int)await->result;
  switch (work->at++) {
  case 0:
    exchange->request = (struct pvt_work_request){work->done + 1, work->spec.service_ns};
    return ask(work, await, PVT_WRITE, &exchange->request);
  case 1:
    /* 16 bytes are one segment: they travel whole or not at all. */
    return await->result != sizeof exchange->request ? -EPIPE : ask(work, await, PVT_READ, &exchange->answer);
  default:
    if (await->result == 0)
      return -ECONNRESET; /* an orderly end where an answer should be */
    if (await->result != sizeof exchange->answer || exchange->answer.id != exchange->request.id)
      return -EPROTO;
    return PVT_DONE;
  }
}

static void done(struct pvt_work *work) {
  if (work->fd >= 0)
    close(work->fd);
  work->fd = -1;
  free(work->buffer);
  work->buffer = NULL;
  work->buffer_bytes = 0;
}

const struct pvt_workload pvt_workload_row_network = {
    .name = "network",
    .service_ns = 1000000,
    .awaits = true,
    .init = init,
    .step = step,
    .done = done,
};
