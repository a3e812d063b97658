#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

int pvt_wire_send(int fd, const void *message, size_t bytes) {
  ssize_t sent;

  do
    sent = send(fd, message, bytes, MSG_NOSIGNAL);
  while (sent == -1 && errno == EINTR);
  if (sent == -1)
    return errno == EPIPE ? -ECONNRESET : -errno;
  return (size_t)sent == bytes ? 0 : -EMSGSIZE;
}

int pvt_wire_receive(int fd, void *message, size_t bytes) {
  ssize_t got;

  do
    got = recv(fd, message, bytes, MSG_TRUNC);
  while (got == -1 && errno == EINTR);
  if (got == -1)
    return -errno;
  if (got == 0)
    return -ECONNRESET;
  return (size_t)got == bytes ? 0 : -EMSGSIZE;
}

int pvt_measure_fail(struct pvt_measure *measure, int status, const char *format, ...) {
  va_list arguments;

  measure->status = status;
  va_start(arguments, format);
  vsnprintf(measure->why, sizeof measure->why, format, arguments);
  va_end(arguments);
  return status;
}
