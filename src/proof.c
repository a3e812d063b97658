#include "proof.h"

static const char *const sentences[] = {
    "the work was not done: operations counted differ from operations asked",
    "what workers wrote to shared memory did not reach the master",
    "memory was not private, or not shared, as the model says",
    "a worker began before the gate was open",
    "the workers did not work together: overlap below 0.95",
    "the lock let two holders in, or lost an increment",
    "a message was lost, repeated, reordered or changed",
};

const char *pvt_proof_missing(uint32_t required, uint32_t shown) {
  for (unsigned i = 0; i < sizeof sentences / sizeof sentences[0]; i++)
    if (required & ~shown & (1u << i))
      return sentences[i];
  return required & ~shown ? "an unknown proof" : NULL;
}
