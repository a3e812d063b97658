/* loops.h - the measured loops around a row's own put() and take(), which they call directly. For rows alone. */
#ifndef PVT_TRANSPORT_LOOPS_H
#define PVT_TRANSPORT_LOOPS_H

#include <errno.h>

#include "../exchange.h"

/* Always inlined, so that the functions they are given become direct calls, or no calls at all. */
#define PVT_LOOP static inline __attribute__((always_inline))

PVT_LOOP int pvt_loop_ask(struct pvt_exchange *exchange, struct pvt_worker *worker, pvt_send_fn *put,
                          pvt_receive_fn *take) {
  const struct pvt_channel *forth = &exchange->forth, *back = &exchange->back;
  _Alignas(PVT_LINE_BYTES) unsigned char message[PVT_MESSAGE_BYTES_MAX];
  const size_t bytes = forth->spec.message_bytes;
  const uint64_t rounds = exchange->rounds;
  struct pvt_sampler sampler = exchange->sampler;
  uint64_t n;
  int status = 0;

  pvt_sampler_begin(&sampler);
  for (n = 0; n < rounds; n++) {
    pvt_message_fill(message, bytes, n);
    status = put(forth, worker, message);
    if (status == 0)
      status = take(back, worker, message);
    if (status == 0 && !pvt_message_is(message, bytes, ~n))
      status = -EBADMSG;
    if (status < 0)
      break;
    pvt_sampler_note(&sampler);
  }
  exchange->sampler = sampler;
  worker->operations += n;
  return status;
}

PVT_LOOP int pvt_loop_answer(struct pvt_exchange *exchange, struct pvt_worker *worker, pvt_send_fn *put,
                             pvt_receive_fn *take) {
  const struct pvt_channel *forth = &exchange->forth, *back = &exchange->back;
  _Alignas(PVT_LINE_BYTES) unsigned char message[PVT_MESSAGE_BYTES_MAX];
  const size_t bytes = forth->spec.message_bytes;
  const uint64_t rounds = exchange->rounds;
  uint64_t n;
  int status = 0;

  for (n = 0; n < rounds; n++) {
    status = take(forth, worker, message);
    if (status == 0 && !pvt_message_is(message, bytes, n))
      status = -EBADMSG;
    if (status < 0)
      break;
    pvt_message_fill(message, bytes, ~n);
    status = put(back, worker, message);
    if (status < 0)
      break;
  }
  worker->operations += n;
  return status;
}

/* The row's loops, and whatever loops there will be. */
#define PVT_TRANSPORT_LOOPS(name, put, take)                                                                           \
  static int name##_ask(struct pvt_exchange *exchange, struct pvt_worker *worker) {                                    \
    return pvt_loop_ask(exchange, worker, put, take);                                                                  \
  }                                                                                                                    \
  static int name##_answer(struct pvt_exchange *exchange, struct pvt_worker *worker) {                                 \
    return pvt_loop_answer(exchange, worker, put, take);                                                               \
  }                                                                                                                    \
  static const struct pvt_transport_loops name = {name##_ask, name##_answer}

#endif
