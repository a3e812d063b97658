/* shared.h - memory that processes and threads of one crew see alike, and futexes in it. */
#ifndef PVT_SHARED_H
#define PVT_SHARED_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* What a CPU moves at once, and its neighbour that the prefetcher brings along. */
#define PVT_LINE_BYTES 64
#define PVT_APART_BYTES 128

/* Zeroed, page-aligned and touched, shared with every child forked later. Returns 0, -ENOMEM or -EINVAL (0 bytes). */
int pvt_shared_new(size_t bytes, void **ret_memory);
/* NULL is fine. The bytes are those of pvt_shared_new. */
void pvt_shared_free(void *memory, size_t bytes);

/* Futexes here are process-shared (no FUTEX_PRIVATE_FLAG), so that both arms of a contrast make the same call. */
/* Sleeps while *word == value. Returns 0 (woken, or the value had changed, or a signal came), -ETIMEDOUT. */
int pvt_shared_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns);
/* Wakes up to count sleepers. */
void pvt_shared_wake(_Atomic uint32_t *word, int count);
#define PVT_FOREVER_NS UINT64_MAX

#endif
