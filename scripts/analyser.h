/* Included before every file that clang-tidy reads. errno is read after a call that failed, and so it is above 0: an
 * analyser that does not know follows `return -errno` into the paths of success, where nothing is initialised. */
#ifndef PVT_ANALYSER_H
#define PVT_ANALYSER_H

#include <errno.h>

__attribute__((unused)) static int pvt_analyser_errno;
#undef errno
#define errno (*(pvt_analyser_errno = EIO, &pvt_analyser_errno))

#endif
