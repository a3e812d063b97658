/* thread: each worker is a thread of the master's process, made with pthread_create(). */
#include "crew.h"

#include <errno.h>
#include <stdlib.h>

struct start {
  struct pvt_crew *crew;
  unsigned carrier;
  void (*body)(struct pvt_crew *, unsigned);
};

static void *enter(void *context) {
  struct start start = *(struct start *)context;

  free(context);
  start.body(start.crew, start.carrier);
  atomic_store(&start.crew->carrier[start.carrier].has_left, true);
  return NULL;
}

int pvt_spawn_thread(struct pvt_crew *crew, unsigned carrier, void (*body)(struct pvt_crew *, unsigned)) {
  struct start *start = malloc(sizeof *start);
  int status;

  if (start == NULL)
    return -ENOMEM;
  *start = (struct start){crew, carrier, body};
  status = pthread_create(&crew->carrier[carrier].thread, NULL, enter, start);
  if (status != 0)
    free(start);
  return -status;
}

int pvt_spawn_plain_thread(pthread_t *ret_thread, size_t stack_bytes, void *(*body)(void *), void *context) {
  pthread_attr_t attributes;
  int status;

  pthread_attr_init(&attributes);
  if (stack_bytes != 0)
    pthread_attr_setstacksize(&attributes, stack_bytes);
  status = pthread_create(ret_thread, &attributes, body, context);
  pthread_attr_destroy(&attributes);
  return -status;
}

bool pvt_thread_is_gone(struct pvt_crew *crew, unsigned carrier) {
  if (!atomic_load(&crew->carrier[carrier].has_left))
    return false;
  pthread_join(crew->carrier[carrier].thread, NULL);
  return true;
}

static unsigned one(const struct pvt_crew_spec *spec) {
  (void)spec;
  return 1;
}

static int make(struct pvt_crew *crew, unsigned worker) {
  return pvt_spawn_thread(crew, worker, pvt_worker_live);
}

const struct pvt_model pvt_model_thread = {
    .name = "thread",
    .shares_memory = true,
    .workers_per_carrier = one,
    .make = make,
    .is_gone = pvt_thread_is_gone,
};
