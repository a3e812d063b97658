/* mixed: the part io_share of service_ns waits, the rest computes; the axis between spin (0) and sleep (1). */
#include "../workload.h"

static uint64_t waiting_ns(const struct pvt_work *work) {
  return (uint64_t)((double)work->spec.service_ns * work->spec.io_share);
}

static int init(struct pvt_work *work) {
  work->spins = pvt_workload_spins(work->spec.service_ns - waiting_ns(work));
  work->awaits = waiting_ns(work) > 0 ? 1 : 0;
  return 0;
}

static int step(struct pvt_work *work, struct pvt_operation *await) {
  if (work->at++ == 0) {
    work->check = pvt_workload_spin(work->check, work->spins);
    if (work->awaits == 0)
      return PVT_DONE; /* a sleep of 0 ns would still cost a system call and the timer's slack */
    *await = (struct pvt_operation){.kind = PVT_SLEEP, .fd = -1, .sleep_ns = waiting_ns(work)};
    return PVT_AWAIT;
  }
  return await->result < 0 ? (int)await->result : PVT_DONE;
}

const struct pvt_workload pvt_workload_row_mixed = {
    .name = "mixed",
    .service_ns = 1000000,
    .awaits = true,
    .init = init,
    .step = step,
};
