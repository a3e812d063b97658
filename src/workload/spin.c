/* spin: CPU-bound; a dependent multiply chain of calibrated length, which touches no memory and waits for nothing. */
#include "../workload.h"

static int init(struct pvt_work *work) {
  work->spins = pvt_workload_spins(work->spec.service_ns);
  return 0;
}

static int step(struct pvt_work *work, struct pvt_operation *await) {
  (void)await;
  work->check = pvt_workload_spin(work->check, work->spins);
  return PVT_DONE;
}

const struct pvt_workload pvt_workload_row_spin = {
    .name = "spin",
    .service_ns = 10000,
    .awaits = false,
    .init = init,
    .step = step,
};
