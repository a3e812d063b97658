/*
 * exchange.h - two workers, two channels: worker 0 asks, worker 1 answers, and both verify every message.
 *
 * Question n is message n, its answer message ~n. What is measured is the round trip, as worker 0 sees it.
 */
#ifndef PVT_EXCHANGE_H
#define PVT_EXCHANGE_H

#include "transport.h"

/* Latencies of every stride-th operation of a loop; one clock reading each where the stride is 1. */
struct pvt_sampler {
  uint64_t *samples_ns; /* in shared memory; NULL: takes none */
  size_t samples_bytes;
  uint64_t stride, taken, countdown, moment_ns;
};
enum { PVT_SAMPLES_MAX = 65536 };

/* Returns 0 or -ENOMEM. */
int pvt_sampler_init(struct pvt_sampler *sampler, uint64_t operations);
void pvt_sampler_done(struct pvt_sampler *sampler);
/* Sorts the samples. */
void pvt_sampler_report(const struct pvt_sampler *sampler, struct pvt_measure *measure);

static inline void pvt_sampler_begin(struct pvt_sampler *sampler) {
  sampler->taken = 0;
  sampler->countdown = 1;
  sampler->moment_ns = pvt_clock_ns();
}

/* After each operation. */
static inline void pvt_sampler_note(struct pvt_sampler *sampler) {
  if (sampler->samples_ns == NULL)
    return;
  if (--sampler->countdown == 0) {
    uint64_t now_ns = pvt_clock_ns();

    sampler->samples_ns[sampler->taken++] = now_ns - sampler->moment_ns;
    sampler->moment_ns = now_ns;
    sampler->countdown = sampler->stride;
  } else if (sampler->countdown == 1) {
    sampler->moment_ns = pvt_clock_ns();
  }
}

struct pvt_exchange { /* in shared memory */
  struct pvt_channel forth, back;
  uint64_t rounds;
  struct pvt_sampler sampler; /* worker 0's */
};

/* Opens both channels. Returns 0 or -errno. */
int pvt_exchange_new(const struct pvt_transport *transport, const struct pvt_channel_spec *spec, uint64_t rounds,
                     bool is_sampled, struct pvt_exchange **ret_exchange);
/* NULL is fine. */
void pvt_exchange_free(struct pvt_exchange *exchange);

/* For a crew of two with the exchange as what they share. A worker's operations are the messages it has verified; one
 * that is not as expected ends it with -EBADMSG. Prepare brings the pages in, so that no fault is measured. */
int pvt_exchange_prepare(struct pvt_worker *worker);
int pvt_exchange_step(struct pvt_worker *worker);
/* Writes to every page; what is in it stays. NULL is fine. */
void pvt_exchange_touch(void *memory, size_t bytes);

/* Until all workers have ended, or one has failed: its partner may then wait for ever, and the crew is to be stopped.
 * Returns 0, the failure (-ECHILD: it died) or -ETIMEDOUT. */
int pvt_exchange_wait(struct pvt_crew *crew, uint64_t patience_ns);
/* After a wait that returned 0: what the crew reports, but worker 0's own time as the span; the operations, if both
 * ends verified as many; the proofs of work and order; the quantiles. */
void pvt_exchange_report(const struct pvt_crew *crew, uint64_t rounds, const struct pvt_sampler *sampler,
                         struct pvt_measure *measure);

#endif
