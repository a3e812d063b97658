#include "gate.h"

#include <limits.h>

uint64_t pvt_gate_open(struct pvt_gate *gate, uint64_t window_ns) {
  uint64_t start_ns = pvt_clock_ns() + PVT_GATE_HEADSTART_NS;

  atomic_store(&gate->opened_ns, start_ns);
  atomic_store(&gate->deadline_ns, window_ns == 0 ? 0 : start_ns + window_ns);
  atomic_store(&gate->state, PVT_GATE_OPEN);
  pvt_shared_wake(&gate->state, INT_MAX);
  return start_ns;
}

void pvt_gate_abandon(struct pvt_gate *gate) {
  uint32_t closed = PVT_GATE_CLOSED;

  atomic_store(&gate->stopping, 1);
  atomic_compare_exchange_strong(&gate->state, &closed, PVT_GATE_ABANDONED);
  pvt_shared_wake(&gate->state, INT_MAX);
}

bool pvt_gate_pass(struct pvt_gate *gate) {
  while (atomic_load(&gate->state) == PVT_GATE_CLOSED)
    pvt_shared_wait(&gate->state, PVT_GATE_CLOSED, PVT_FOREVER_NS);
  if (atomic_load(&gate->state) == PVT_GATE_ABANDONED)
    return false;
  pvt_clock_spin_until(atomic_load(&gate->opened_ns));
  return true;
}

void pvt_gate_announce(struct pvt_gate *gate) {
  atomic_fetch_add(&gate->arrivals, 1);
  pvt_shared_wake(&gate->arrivals, INT_MAX);
}

static void bounds(const struct pvt_stamps *const *stamps, unsigned workers, uint64_t first[2], uint64_t last[2]) {
  first[0] = last[0] = UINT64_MAX;
  first[1] = last[1] = 0;
  for (unsigned i = 0; i < workers; i++) {
    first[0] = stamps[i]->first_ns < first[0] ? stamps[i]->first_ns : first[0];
    first[1] = stamps[i]->first_ns > first[1] ? stamps[i]->first_ns : first[1];
    last[0] = stamps[i]->last_ns < last[0] ? stamps[i]->last_ns : last[0];
    last[1] = stamps[i]->last_ns > last[1] ? stamps[i]->last_ns : last[1];
  }
}

double pvt_gate_overlap(const struct pvt_stamps *const *stamps, unsigned workers) {
  uint64_t first[2], last[2];

  bounds(stamps, workers, first, last);
  if (workers == 0 || last[0] <= first[1] || first[0] == 0)
    return 0;
  return (double)(last[0] - first[1]) / (double)(last[1] - first[0]);
}

uint64_t pvt_gate_span_ns(const struct pvt_stamps *const *stamps, unsigned workers) {
  uint64_t first[2], last[2];

  bounds(stamps, workers, first, last);
  return workers == 0 || last[1] < first[0] ? 0 : last[1] - first[0];
}
