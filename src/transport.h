/*
 * transport.h - how a message travels from one worker to another: a one-way channel of messages of one size.
 *
 * A channel is opened before the crew starts, so that the workers of every model inherit it. One of them sends, one
 * receives.
 */
#ifndef PVT_TRANSPORT_H
#define PVT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model.h"

enum { PVT_MESSAGE_BYTES_MAX = 64 };

struct pvt_channel_spec {
  uint32_t message_bytes; /* 1 .. PVT_MESSAGE_BYTES_MAX */
  uint32_t depth;         /* messages that may wait, at least 1; kernel buffers have their own, a mailbox holds one */
};

/* Nothing in it changes between open and close; what does lies in shared. */
struct pvt_channel {
  const struct pvt_transport *transport;
  struct pvt_channel_spec spec;
  void *shared; /* the transport's shared_bytes, zeroed, page-aligned; NULL if it wants none */
  size_t shared_bytes;
  int send_fd, receive_fd; /* -1: none */
};

/* Whole messages. Both wait as long as they must. Return 0, -EINTR when the worker must end, or what else failed. */
typedef int pvt_send_fn(const struct pvt_channel *channel, const struct pvt_worker *worker, const void *message);
typedef int pvt_receive_fn(const struct pvt_channel *channel, const struct pvt_worker *worker, void *ret_message);

/* What is measured: loops in which send and receive are direct calls. Made for every row by transport/loops.h. */
struct pvt_exchange;
struct pvt_transport_loops {
  int (*ask)(struct pvt_exchange *exchange, struct pvt_worker *worker);
  int (*answer)(struct pvt_exchange *exchange, struct pvt_worker *worker);
};

/* One row of the seam. */
struct pvt_transport {
  const char *name;
  bool spins;            /* waits without sleeping: the two ends need a CPU each */
  bool copies_in_kernel; /* a message is written to the kernel and read from it */
  size_t (*shared_bytes)(const struct pvt_channel_spec *spec); /* NULL: none */
  int (*open)(struct pvt_channel *channel);                    /* what it needs beside memory; 0 or -errno; or NULL */
  pvt_send_fn *send;
  pvt_receive_fn *receive;
  const struct pvt_transport_loops *loops;
};

#define ROW(row) extern const struct pvt_transport pvt_transport_##row;
#include "transport_rows.h"
#undef ROW
extern const struct pvt_transport *const pvt_transports[]; /* ends with NULL */

/* Returns 0 or -errno; -EINVAL for the spec. */
int pvt_channel_open(const struct pvt_transport *transport, const struct pvt_channel_spec *spec,
                     struct pvt_channel *ret_channel);
/* Closes this process's descriptors and frees the memory. A channel that was never opened, but zeroed, is fine. */
void pvt_channel_close(struct pvt_channel *channel);

/* A message's first 8 bytes are its sequence number, and all others follow from it: one that was lost, repeated, torn
 * or changed does not pass. Messages below 8 bytes carry the number's low bytes. */
static inline uint64_t pvt_message_word(uint64_t sequence, size_t at) {
  return sequence + at * UINT64_C(0x9e3779b97f4a7c15);
}

static inline void pvt_message_fill(void *message, size_t bytes, uint64_t sequence) {
  size_t at = 0;
  uint64_t word;

  for (; at + sizeof word <= bytes; at += sizeof word) {
    word = pvt_message_word(sequence, at);
    memcpy((char *)message + at, &word, sizeof word);
  }
  word = pvt_message_word(sequence, at);
  memcpy((char *)message + at, &word, bytes - at);
}

static inline bool pvt_message_is(const void *message, size_t bytes, uint64_t sequence) {
  uint64_t expected[PVT_MESSAGE_BYTES_MAX / sizeof(uint64_t)];

  pvt_message_fill(expected, bytes, sequence);
  return memcmp(message, expected, bytes) == 0;
}

#endif
