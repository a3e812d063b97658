/* socketpair: bytes through a pair of connected Unix stream sockets, one way; their buffers are the depth. */
#include <sys/socket.h>

#include "loops.h"
#include "stream.h"

static int open_sockets(struct pvt_channel *channel) {
  int ends[2];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
    return -errno;
  channel->receive_fd = ends[0];
  channel->send_fd = ends[1];
  return 0;
}

PVT_TRANSPORT_LOOPS(loops, pvt_stream_put, pvt_stream_take);

const struct pvt_transport pvt_transport_socketpair = {
    .name = "socketpair",
    .copies_in_kernel = true,
    .open = open_sockets,
    .send = pvt_stream_put,
    .receive = pvt_stream_take,
    .loops = &loops,
};
