/* polled: one mailbox in shared memory whose flag both ends watch without sleeping: what is left when nobody is woken.
 */
#include "loops.h"

enum { SPINS_PER_LOOK = 1024 };

/* The flag is in the message's first line: what announces it brings it along. */
struct mailbox {
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t is_full;
  _Alignas(uint64_t) unsigned char message[];
};

static size_t shared_bytes(const struct pvt_channel_spec *spec) {
  return sizeof(struct mailbox) + spec->message_bytes;
}

static inline int spin_while(_Atomic uint32_t *flag, uint32_t value, const struct pvt_worker *worker) {
  for (unsigned spins = 1; atomic_load_explicit(flag, memory_order_acquire) == value; spins++) {
    if (spins % SPINS_PER_LOOK == 0 && pvt_worker_must_end(worker))
      return -EINTR;
    pvt_clock_relax();
  }
  return 0;
}

static int put(const struct pvt_channel *channel, const struct pvt_worker *worker, const void *message) {
  struct mailbox *mailbox = channel->shared;
  int status = spin_while(&mailbox->is_full, 1, worker);

  if (status < 0)
    return status;
  memcpy(mailbox->message, message, channel->spec.message_bytes);
  atomic_store_explicit(&mailbox->is_full, 1, memory_order_release);
  return 0;
}

static int take(const struct pvt_channel *channel, const struct pvt_worker *worker, void *ret_message) {
  struct mailbox *mailbox = channel->shared;
  int status = spin_while(&mailbox->is_full, 0, worker);

  if (status < 0)
    return status;
  memcpy(ret_message, mailbox->message, channel->spec.message_bytes);
  atomic_store_explicit(&mailbox->is_full, 0, memory_order_release);
  return 0;
}

PVT_TRANSPORT_LOOPS(loops, put, take);

const struct pvt_transport pvt_transport_polled = {
    .name = "polled",
    .spins = true,
    .shared_bytes = shared_bytes,
    .send = put,
    .receive = take,
    .loops = &loops,
};
