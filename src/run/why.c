#include "why.h"

#include <stdarg.h>
#include <stdio.h>

int pvt_why_set(struct pvt_why *why, int status, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(why->text, sizeof why->text, format, arguments);
  va_end(arguments);
  return status;
}
