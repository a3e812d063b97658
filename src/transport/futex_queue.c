/* futex_queue: a ring in shared memory; an end that finds it empty, or full, sleeps on a futex until the other wakes
 * it.
 */
#include "loops.h"

/* One sender, one receiver. What one end writes lies apart from what the other writes. */
struct ring {
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t sent;            /* messages ever put in, modulo 2^32; the sender's */
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t taken;           /* the receiver's */
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t receiver_sleeps; /* 1: announced, and not yet called by the sender */
  _Alignas(PVT_APART_BYTES) _Atomic uint32_t sender_sleeps;
  _Alignas(PVT_APART_BYTES) uint32_t slots_count; /* a power of two, so that the counts may wrap around */
  uint32_t slot_bytes;
  _Alignas(PVT_APART_BYTES) unsigned char slots[];
};

static uint32_t slots_count(const struct pvt_channel_spec *spec) {
  uint32_t count = 1;

  while (count < spec->depth && count < UINT32_C(1) << 31)
    count *= 2;
  return count;
}

static uint32_t slot_bytes(const struct pvt_channel_spec *spec) {
  return (spec->message_bytes + PVT_LINE_BYTES - 1) / PVT_LINE_BYTES * PVT_LINE_BYTES;
}

static size_t shared_bytes(const struct pvt_channel_spec *spec) {
  return sizeof(struct ring) + (size_t)slots_count(spec) * slot_bytes(spec);
}

static int open_ring(struct pvt_channel *channel) {
  struct ring *ring = channel->shared;

  ring->slots_count = slots_count(&channel->spec);
  ring->slot_bytes = slot_bytes(&channel->spec);
  return 0;
}

static void *slot(struct ring *ring, uint32_t nth) {
  return ring->slots + (size_t)(nth & (ring->slots_count - 1)) * ring->slot_bytes;
}

/* Sleeps until the other end's count moves on. The announcement comes before the last look at the count, and the other
 * end looks for it after the count has moved: one of the two sees the other, whatever their order. The futex is the
 * announcement itself, so that a call which comes before the sleep is not lost. */
static int await(_Atomic uint32_t *count, uint32_t stands_at, _Atomic uint32_t *sleeps,
                 const struct pvt_worker *worker) {
  while (atomic_load(count) == stands_at) {
    if (pvt_worker_must_end(worker))
      return -EINTR;
    atomic_store(sleeps, 1);
    if (atomic_load(count) == stands_at)
      pvt_shared_wait(sleeps, 1, PVT_FOREVER_NS);
    else
      atomic_store(sleeps, 0);
  }
  return 0;
}

static void call(_Atomic uint32_t *sleeps) {
  if (atomic_load(sleeps) == 1 && atomic_exchange(sleeps, 0) == 1)
    pvt_shared_wake(sleeps, 1);
}

static int put(const struct pvt_channel *channel, const struct pvt_worker *worker, const void *message) {
  struct ring *ring = channel->shared;
  uint32_t sent = atomic_load_explicit(&ring->sent, memory_order_relaxed);
  int status = await(&ring->taken, sent - ring->slots_count, &ring->sender_sleeps, worker);

  if (status < 0)
    return status;
  memcpy(slot(ring, sent), message, channel->spec.message_bytes);
  atomic_store(&ring->sent, sent + 1);
  call(&ring->receiver_sleeps);
  return 0;
}

static int take(const struct pvt_channel *channel, const struct pvt_worker *worker, void *ret_message) {
  struct ring *ring = channel->shared;
  uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
  int status = await(&ring->sent, taken, &ring->receiver_sleeps, worker);

  if (status < 0)
    return status;
  memcpy(ret_message, slot(ring, taken), channel->spec.message_bytes);
  atomic_store(&ring->taken, taken + 1);
  call(&ring->sender_sleeps);
  return 0;
}

PVT_TRANSPORT_LOOPS(loops, put, take);

const struct pvt_transport pvt_transport_futex_queue = {
    .name = "futex_queue",
    .shared_bytes = shared_bytes,
    .open = open_ring,
    .send = put,
    .receive = take,
    .loops = &loops,
};
