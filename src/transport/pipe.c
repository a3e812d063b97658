/* pipe: bytes through a pipe of the kernel, whose own size is the depth. */
#include <fcntl.h>

#include "loops.h"
#include "stream.h"

static int open_pipe(struct pvt_channel *channel) {
  int ends[2];

  if (pipe2(ends, O_CLOEXEC) == -1)
    return -errno;
  channel->receive_fd = ends[0];
  channel->send_fd = ends[1];
  return 0;
}

PVT_TRANSPORT_LOOPS(loops, pvt_stream_put, pvt_stream_take);

const struct pvt_transport pvt_transport_pipe = {
    .name = "pipe",
    .copies_in_kernel = true,
    .open = open_pipe,
    .send = pvt_stream_put,
    .receive = pvt_stream_take,
    .loops = &loops,
};
