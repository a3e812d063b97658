/* hybrid: several processes of several threads; a process is one carrier, its main thread one of its workers. */
#include "crew.h"

#include <errno.h>
#include <stdlib.h>

enum { THREADS_DEFAULT = 2 };

/* One worker's thread in a process. */
struct seat {
  struct pvt_crew *crew;
  unsigned worker;
  pthread_t thread;
  bool is_taken;
};

static unsigned threads(const struct pvt_crew_spec *spec) {
  return spec->threads == 0 ? THREADS_DEFAULT : spec->threads;
}

static void *sit(void *context) {
  const struct seat *seat = context;

  pvt_worker_live(seat->crew, seat->worker);
  return NULL;
}

static void take(struct seat *seat, int status) {
  if (status == 0)
    status = pvt_spawn_plain_thread(&seat->thread, 0, sit, seat);
  seat->is_taken = status == 0;
  if (status < 0)
    pvt_worker_end(seat->crew, &seat->crew->workers[seat->worker], status);
}

/* In the child. */
static void live(struct pvt_crew *crew, unsigned carrier) {
  unsigned count = crew->per_carrier, first = carrier * count;
  struct seat *seats = calloc(count, sizeof *seats);
  int status = pvt_model_neutral();

  if (seats == NULL)
    return;
  for (unsigned i = 1; i < count; i++) {
    seats[i] = (struct seat){.crew = crew, .worker = first + i};
    take(&seats[i], status);
  }
  if (status < 0)
    pvt_worker_end(crew, &crew->workers[first], status);
  else
    pvt_worker_live(crew, first);
  for (unsigned i = 1; i < count; i++)
    if (seats[i].is_taken)
      pthread_join(seats[i].thread, NULL);
  free(seats);
}

static int make(struct pvt_crew *crew, unsigned carrier) {
  return pvt_spawn_process(crew, carrier, live);
}

const struct pvt_model pvt_model_hybrid = {
    .name = "hybrid",
    .shares_memory = false,
    .workers_per_carrier = threads,
    .make = make,
    .is_gone = pvt_process_is_gone,
    .kill = pvt_process_kill,
};
