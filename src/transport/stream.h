/* stream.h - whole messages through descriptors that may take or give a part of one. For rows alone. */
#ifndef PVT_TRANSPORT_STREAM_H
#define PVT_TRANSPORT_STREAM_H

#include <errno.h>
#include <unistd.h>

#include "../transport.h"

/* After a failed call: 0 to try again, or why not. */
static inline int pvt_stream_failure(const struct pvt_worker *worker) {
  if (errno == EINTR && !pvt_worker_must_end(worker))
    return 0;
  return -errno;
}

static inline int pvt_stream_put(const struct pvt_channel *channel, const struct pvt_worker *worker,
                                 const void *message) {
  size_t bytes = channel->spec.message_bytes, done = 0;

  while (done < bytes) {
    ssize_t wrote = write(channel->send_fd, (const char *)message + done, bytes - done);
    int status = wrote < 0 ? pvt_stream_failure(worker) : 0;

    if (status < 0)
      return status;
    done += wrote < 0 ? 0 : (size_t)wrote;
  }
  return 0;
}

/* The end of the stream is -EPIPE, as for the sender. */
static inline int pvt_stream_take(const struct pvt_channel *channel, const struct pvt_worker *worker,
                                  void *ret_message) {
  size_t bytes = channel->spec.message_bytes, done = 0;

  while (done < bytes) {
    ssize_t got = read(channel->receive_fd, (char *)ret_message + done, bytes - done);
    int status = got == 0 ? -EPIPE : got < 0 ? pvt_stream_failure(worker) : 0;

    if (status < 0)
      return status;
    done += got < 0 ? 0 : (size_t)got;
  }
  return 0;
}

#endif
