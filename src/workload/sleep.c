/* sleep: IO-bound without the IO; the worker waits for a time and for nobody. */
#include "../workload.h"

static int init(struct pvt_work *work) {
  work->awaits = 1;
  return 0;
}

static int step(struct pvt_work *work, struct pvt_operation *await) {
  if (work->at++ == 0) {
    *await = (struct pvt_operation){.kind = PVT_SLEEP, .fd = -1, .sleep_ns = work->spec.service_ns};
    return PVT_AWAIT;
  }
  return await->result < 0 ? (int)await->result : PVT_DONE;
}

const struct pvt_workload pvt_workload_row_sleep = {
    .name = "sleep",
    .service_ns = 1000000,
    .awaits = true,
    .init = init,
    .step = step,
};
