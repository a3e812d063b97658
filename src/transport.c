#include "transport.h"

#include <errno.h>
#include <unistd.h>

#define ROW(row) &pvt_transport_##row,
const struct pvt_transport *const pvt_transports[] = {
#include "transport_rows.h"
    NULL};
#undef ROW

int pvt_channel_open(const struct pvt_transport *transport, const struct pvt_channel_spec *spec,
                     struct pvt_channel *ret_channel) {
  struct pvt_channel channel = {.transport = transport, .spec = *spec, .send_fd = -1, .receive_fd = -1};
  int status = 0;

  if (spec->message_bytes == 0 || spec->message_bytes > PVT_MESSAGE_BYTES_MAX || spec->depth == 0)
    return -EINVAL;
  if (transport->shared_bytes != NULL) {
    channel.shared_bytes = transport->shared_bytes(spec);
    status = pvt_shared_new(channel.shared_bytes, &channel.shared);
  }
  if (status == 0 && transport->open != NULL)
    status = transport->open(&channel);
  if (status < 0) {
    pvt_channel_close(&channel);
    return status;
  }
  *ret_channel = channel;
  return 0;
}

void pvt_channel_close(struct pvt_channel *channel) {
  if (channel->transport == NULL)
    return;
  if (channel->send_fd != -1)
    close(channel->send_fd);
  if (channel->receive_fd != -1)
    close(channel->receive_fd);
  pvt_shared_free(channel->shared, channel->shared_bytes);
  memset(channel, 0, sizeof *channel);
}
