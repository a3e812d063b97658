/* crew.h - what the rows of the model seam share with model.c, and nobody else includes. */
#ifndef PVT_MODEL_CREW_H
#define PVT_MODEL_CREW_H

#include "../model.h"

struct pvt_carrier {
  pid_t pid;        /* models made of processes */
  pthread_t thread; /* models made of threads */
  bool is_made;
  _Atomic bool has_left; /* a thread's last act; says that joining it will not block */
};

struct pvt_crew {
  const struct pvt_model *model;
  struct pvt_crew_spec spec;
  struct pvt_gate *gate; /* shared memory: the gate, then the workers */
  struct pvt_worker *workers;
  size_t shared_bytes;
  unsigned per_carrier, carriers;
  struct pvt_carrier *carrier; /* the master's own memory */
  /* In ordinary memory too: what a worker writes here reaches the master if, and only if, they share their memory. */
  _Atomic uint32_t private_word;
};

/* In a carrier that may block: lives the whole life of one worker, from its placement to its end. */
void pvt_worker_live(struct pvt_crew *crew, unsigned nth);
/* The parts of it, for carriers that carry several workers at once. Place and prepare; then the gate. */
int pvt_worker_begin(struct pvt_crew *crew, struct pvt_worker *worker);
void pvt_worker_end(struct pvt_crew *crew, struct pvt_worker *worker, int status);
/* What a worker's last word amounts to: an interruption that was meant to end it is no error. */
int pvt_worker_verdict(const struct pvt_worker *worker, int said);
/* Carries out the awaited operation with the blocking system call. */
void pvt_operation_block(struct pvt_operation *operation);

/* fork(): the child calls body(crew, carrier) and ends in _exit(0). Here alone a process is made. */
int pvt_spawn_process(struct pvt_crew *crew, unsigned carrier, void (*body)(struct pvt_crew *, unsigned));
bool pvt_process_is_gone(struct pvt_crew *crew, unsigned carrier);
void pvt_process_kill(struct pvt_crew *crew, unsigned carrier);
/* pthread_create(): the thread calls body(crew, carrier). Here alone a thread is made. */
int pvt_spawn_thread(struct pvt_crew *crew, unsigned carrier, void (*body)(struct pvt_crew *, unsigned));
bool pvt_thread_is_gone(struct pvt_crew *crew, unsigned carrier);
/* A thread that is nobody's carrier: idle, or one of several in a process. stack_bytes 0: as pvt_spawn_thread's. */
int pvt_spawn_plain_thread(pthread_t *ret_thread, size_t stack_bytes, void *(*body)(void *), void *context);

#endif
