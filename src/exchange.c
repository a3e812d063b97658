#include "exchange.h"

#include <errno.h>

#include "proof.h"

#define CHECK_NS 100000000u /* how often to look for workers that died without a word */

int pvt_sampler_init(struct pvt_sampler *sampler, uint64_t operations) {
  uint64_t stride = (operations + PVT_SAMPLES_MAX - 1) / PVT_SAMPLES_MAX;
  size_t bytes = (operations < PVT_SAMPLES_MAX ? operations : PVT_SAMPLES_MAX) * sizeof sampler->samples_ns[0];
  void *memory;
  int status = pvt_shared_new(bytes, &memory);

  if (status < 0)
    return status;
  *sampler = (struct pvt_sampler){.samples_ns = memory, .samples_bytes = bytes, .stride = stride};
  return 0;
}

void pvt_sampler_done(struct pvt_sampler *sampler) {
  pvt_shared_free(sampler->samples_ns, sampler->samples_bytes);
  *sampler = (struct pvt_sampler){0};
}

void pvt_sampler_report(const struct pvt_sampler *sampler, struct pvt_measure *measure) {
  pvt_histogram_add(&measure->histogram, sampler->samples_ns, sampler->taken);
  pvt_samples_summarise(sampler->samples_ns, sampler->taken, &measure->quantiles);
}

int pvt_exchange_new(const struct pvt_transport *transport, const struct pvt_channel_spec *spec, uint64_t rounds,
                     bool is_sampled, struct pvt_exchange **ret_exchange) {
  struct pvt_exchange *exchange;
  void *memory;
  int status = pvt_shared_new(sizeof *exchange, &memory);

  if (status < 0)
    return status;
  exchange = memory;
  exchange->rounds = rounds;
  status = pvt_channel_open(transport, spec, &exchange->forth);
  if (status == 0)
    status = pvt_channel_open(transport, spec, &exchange->back);
  if (status == 0 && is_sampled)
    status = pvt_sampler_init(&exchange->sampler, rounds);
  if (status < 0) {
    pvt_exchange_free(exchange);
    return status;
  }
  *ret_exchange = exchange;
  return 0;
}

void pvt_exchange_free(struct pvt_exchange *exchange) {
  if (exchange == NULL)
    return;
  pvt_sampler_done(&exchange->sampler);
  pvt_channel_close(&exchange->forth);
  pvt_channel_close(&exchange->back);
  pvt_shared_free(exchange, sizeof *exchange);
}

void pvt_exchange_touch(void *memory, size_t bytes) {
  /* Both workers touch the same pages, hence atomically. */
  for (size_t at = 0; at < bytes; at += 4096)
    atomic_fetch_or_explicit((_Atomic unsigned char *)memory + at, 0, memory_order_relaxed);
}

int pvt_exchange_prepare(struct pvt_worker *worker) {
  struct pvt_exchange *exchange = worker->shared;

  pvt_exchange_touch(exchange, sizeof *exchange);
  pvt_exchange_touch(exchange->forth.shared, exchange->forth.shared_bytes);
  pvt_exchange_touch(exchange->back.shared, exchange->back.shared_bytes);
  pvt_exchange_touch(exchange->sampler.samples_ns, exchange->sampler.samples_bytes);
  return 0;
}

int pvt_exchange_step(struct pvt_worker *worker) {
  struct pvt_exchange *exchange = worker->shared;
  const struct pvt_transport_loops *loops = exchange->forth.transport->loops;

  return worker->index == 0 ? loops->ask(exchange, worker) : loops->answer(exchange, worker);
}

int pvt_exchange_wait(struct pvt_crew *crew, uint64_t patience_ns) {
  struct pvt_gate *gate = pvt_crew_worker(crew, 0)->gate;
  uint64_t start_ns = pvt_clock_ns();

  for (;;) {
    uint32_t seen = atomic_load(&gate->arrivals);
    unsigned living = 0;

    for (unsigned i = 0; i < pvt_crew_workers(crew); i++)
      if (pvt_crew_is_alive(crew, i))
        living++;
      else if (pvt_crew_worker(crew, i)->status < 0)
        return pvt_crew_worker(crew, i)->status;
    if (living == 0)
      return 0;
    if (pvt_clock_ns() - start_ns > patience_ns)
      return -ETIMEDOUT;
    pvt_shared_wait(&gate->arrivals, seen, CHECK_NS);
  }
}

void pvt_exchange_report(const struct pvt_crew *crew, uint64_t rounds, const struct pvt_sampler *sampler,
                         struct pvt_measure *measure) {
  const struct pvt_worker *asking = pvt_crew_worker(crew, 0), *answering = pvt_crew_worker(crew, 1);

  pvt_crew_report(crew, measure);
  measure->span_ns = asking->stamps.last_ns - asking->stamps.first_ns;
  measure->operations = asking->operations;
  if (asking->operations == rounds && answering->operations == rounds)
    measure->proofs |= PVT_PROOF_WORK | PVT_PROOF_ORDER;
  if (sampler->samples_ns != NULL)
    pvt_sampler_report(sampler, measure);
}
