#include "why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "clean.h"

void pvt_why_write(struct pvt_why *why, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(why->text, sizeof why->text, format, arguments);
  va_end(arguments);
  pvt_clean_text(why->text);
}

const char *pvt_why_mend(int status) {
  switch (status) {
  case -EAGAIN:
    return "raise the limit of processes (ulimit -u, pids.max)";
  case -EMFILE:
  case -ENFILE:
    return "raise the limit of open files (ulimit -n)";
  case -ENOMEM:
    return "make memory free, or raise its limit (ulimit -v, memory.max)";
  default:
    return "build it, or set PVT_LIBEXECDIR";
  }
}
