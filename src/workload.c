#include "workload.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "model/crew.h" /* pvt_operation_block: the same blocking calls as in a worker */

#define ROW(row) &pvt_workload_row_##row,
const struct pvt_workload *const pvt_workloads[] = {
#include "workload_rows.h"
    NULL};
#undef ROW

enum { CALIBRATION_PASSES = 1 << 15, CALIBRATION_TRIES = 48 };

const struct pvt_workload *pvt_workload_find(const char *name) {
  for (const struct pvt_workload *const *workload = pvt_workloads; *workload != NULL; workload++)
    if (strcmp((*workload)->name, name) == 0)
      return *workload;
  return NULL;
}

const char *pvt_workload_note(const struct pvt_workload *workload, const struct pvt_work_spec *spec) {
  return workload->note == NULL ? NULL : workload->note(spec);
}

/* ---- Computing ---- */

uint64_t pvt_workload_spin(uint64_t seed, uint64_t spins) {
  for (uint64_t i = 0; i < spins; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    __asm__ volatile("" : "+r"(seed)); /* each pass waits for the one before; none is folded or left out */
  }
  return seed;
}

static double passes_per_ns;

/* The best of many short tries: interruptions and a slow clock at the start only ever make a try longer. */
static void calibrate(void) {
  uint64_t best_ns = UINT64_MAX, seed = 1;

  for (int i = 0; i < CALIBRATION_TRIES; i++) {
    uint64_t start_ns = pvt_clock_ns(), took_ns;

    seed = pvt_workload_spin(seed, CALIBRATION_PASSES);
    took_ns = pvt_clock_ns() - start_ns;
    if (took_ns > 0 && took_ns < best_ns)
      best_ns = took_ns;
  }
  passes_per_ns = (double)CALIBRATION_PASSES / (double)best_ns;
}

uint64_t pvt_workload_spins(uint64_t service_ns) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  uint64_t spins;

  pthread_once(&once, calibrate);
  spins = (uint64_t)((double)service_ns * passes_per_ns);
  return spins == 0 && service_ns > 0 ? 1 : spins;
}

/* ---- One worker's work ---- */

int pvt_work_init(struct pvt_work *work, const struct pvt_workload *workload, const struct pvt_work_spec *spec) {
  int status;

  *work = (struct pvt_work){.spec = *spec, .check = 1, .fd = -1};
  if (!(spec->io_share >= 0 && spec->io_share <= 1))
    return -EINVAL;
  if (workload->cannot != NULL && workload->cannot() != NULL)
    return -ENOTSUP;
  work->workload = workload;
  if (work->spec.service_ns == 0)
    work->spec.service_ns = workload->service_ns;
  status = workload->init(work);
  if (status < 0)
    pvt_work_done(work);
  return status;
}

static int advance(struct pvt_work *work, struct pvt_operation *await) {
  int said;

  if (work->is_awaiting && await->result == -EINTR)
    return PVT_AWAIT; /* the same once more: a signal is not an answer */
  work->is_awaiting = false;
  said = work->workload->step(work, await);
  if (said == PVT_AWAIT) {
    work->is_awaiting = true;
    work->awaited++;
  } else if (said == PVT_DONE) {
    if (work->awaited != work->awaits)
      return -EPROTO; /* it claims what it has not done */
    work->at = 0;
    work->awaited = 0;
    work->done++;
  }
  return said;
}

int pvt_work_step(struct pvt_work *work, struct pvt_worker *worker) {
  return advance(work, &worker->await);
}

static void block(struct pvt_operation *await) {
  if (await->kind == PVT_SLEEP) {
    /* To a moment: whoever stops a crew knocks every millisecond, and a span begun anew each time would never end. */
    pvt_clock_sleep_until(pvt_clock_ns() + await->sleep_ns);
    await->result = 0;
  } else {
    pvt_operation_block(await);
  }
}

int pvt_work_once(struct pvt_work *work) {
  struct pvt_operation await = {.fd = -1};

  for (;;) {
    int said = advance(work, &await);

    if (said == PVT_AWAIT)
      block(&await);
    else if (said != PVT_MORE)
      return said;
  }
}

void pvt_work_done(struct pvt_work *work) {
  if (work->workload != NULL && work->workload->done != NULL)
    work->workload->done(work);
  work->workload = NULL;
}
