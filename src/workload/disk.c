/*
 * disk: reads one page, writes it and makes it safe, in a private file; the machine decides how long that takes.
 *
 * The file is written in full at init, so the page cache holds it: pread copies from memory and never reaches the
 * device, pwrite only marks the page dirty, and fsync alone waits for the device. Blocks are allocated by then, so
 * fsync pays for the page and its inode, not for new blocks.
 */
#include "../workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, PAGES = 256, PATH_BYTES = 4096 };

/* At the beginning of each page. */
struct stamp {
  uint64_t page;
  uint64_t written; /* the operation that wrote it last, from 1; 0: init */
};

static const char *folder_of(const struct pvt_work_spec *spec) {
  const char *folder = spec->folder != NULL ? spec->folder : getenv("TMPDIR");

  return folder != NULL && folder[0] != '\0' ? folder : "/tmp";
}

/* A file without a name, so that nothing is left over whatever ends the worker. Returns a descriptor or -errno. */
static int open_private(const char *folder) {
  char path[PATH_BYTES];
  int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd >= 0)
    return fd;
  if (errno != EOPNOTSUPP && errno != EISDIR) /* what file systems and kernels without O_TMPFILE say */
    return -errno;
  if (snprintf(path, sizeof path, "%s/pvt-disk-XXXXXX", folder) >= (int)sizeof path)
    return -ENAMETOOLONG;
  fd = mkostemp(path, O_CLOEXEC);
  if (fd == -1)
    return -errno;
  unlink(path);
  return fd;
}

static int fill(const struct pvt_work *work) {
  struct stamp *stamp = (struct stamp *)work->buffer;

  for (unsigned page = 0; page < PAGES; page++) {
    ssize_t wrote;

    *stamp = (struct stamp){.page = page};
    wrote = pwrite(work->fd, work->buffer, PAGE_BYTES, (off_t)page * PAGE_BYTES);
    if (wrote != PAGE_BYTES)
      return wrote == -1 ? -errno : -ENOSPC;
  }
  return fsync(work->fd) == 0 ? 0 : -errno;
}

static int init(struct pvt_work *work) {
  work->awaits = 3;
  work->buffer = aligned_alloc(PAGE_BYTES, PAGE_BYTES);
  if (work->buffer == NULL)
    return -ENOMEM;
  work->buffer_bytes = PAGE_BYTES;
  memset(work->buffer, 0, PAGE_BYTES);
  work->fd = open_private(folder_of(&work->spec));
  return work->fd < 0 ? work->fd : fill(work);
}

static int ask(struct pvt_work *work, struct pvt_operation *await, enum pvt_operation_kind kind) {
  *await = (struct pvt_operation){.kind = kind, .fd = work->fd};
  if (kind != PVT_FSYNC) {
    await->buffer = work->buffer;
    await->bytes = PAGE_BYTES;
    await->offset = (work->check >> 32) % PAGES * PAGE_BYTES;
  }
  return PVT_AWAIT;
}

static int step(struct pvt_work *work, struct pvt_operation *await) {
  struct stamp *stamp = (struct stamp *)work->buffer;

  if (work->at > 0 && await->result < 0)
    return (int)await->result;
  switch (work->at++) {
  case 0:
    work->check = pvt_workload_spin(work->check, 1); /* the next page, in no order that read-ahead would know */
    return ask(work, await, PVT_PREAD);
  case 1:
    if (await->result != PAGE_BYTES || stamp->page != (work->check >> 32) % PAGES)
      return -EIO;
    stamp->written = work->done + 1;
    return ask(work, await, PVT_PWRITE);
  case 2:
    return await->result != PAGE_BYTES ? -ENOSPC : ask(work, await, PVT_FSYNC);
  default:
    return PVT_DONE;
  }
}

static void done(struct pvt_work *work) {
  if (work->fd >= 0)
    close(work->fd);
  work->fd = -1;
  free(work->buffer);
  work->buffer = NULL;
  work->buffer_bytes = 0;
}

static const char *note(const struct pvt_work_spec *spec) {
  struct statfs about;

  if (statfs(folder_of(spec), &about) == -1)
    return NULL; /* init says why */
  if (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC)
    return "the file lies in memory (tmpfs), where fsync waits for nothing";
  return NULL;
}

const struct pvt_workload pvt_workload_row_disk = {
    .name = "disk",
    .awaits = true,
    .init = init,
    .step = step,
    .done = done,
    .note = note,
};
