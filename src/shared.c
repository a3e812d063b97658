#include "shared.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int pvt_shared_new(size_t bytes, void **ret_memory) {
  void *memory;

  if (bytes == 0)
    return -EINVAL;
  memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED)
    return -ENOMEM;
  memset(memory, 0, bytes);
  *ret_memory = memory;
  return 0;
}

void pvt_shared_free(void *memory, size_t bytes) {
  if (memory != NULL)
    munmap(memory, bytes);
}

int pvt_shared_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns) {
  struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u), .tv_nsec = (long)(timeout_ns % 1000000000u)};
  long got = syscall(SYS_futex, word, FUTEX_WAIT, value, timeout_ns == PVT_FOREVER_NS ? NULL : &timeout, NULL, 0);

  return got == -1 && errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void pvt_shared_wake(_Atomic uint32_t *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}
