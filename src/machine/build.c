/* build.c - how this library was built. */
#include "parts.h"

#ifndef PVT_COMPILER
#ifdef __clang__
#define PVT_COMPILER __VERSION__
#else
#define PVT_COMPILER "gcc " __VERSION__
#endif
#endif
#ifndef PVT_CFLAGS
#define PVT_CFLAGS "unknown"
#endif
#ifndef PVT_BUILDTYPE
#define PVT_BUILDTYPE "unknown"
#endif

#ifndef __has_feature
#define __has_feature(x) 0
#endif

/* From the compiler itself: Meson's b_sanitize does not show in the flags. gcc does not tell of UBSan. */
static const char *sanitizer(void) {
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
  return "address";
#elif defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
  return "thread";
#elif __has_feature(memory_sanitizer)
  return "memory";
#elif __has_feature(undefined_behavior_sanitizer)
  return "undefined";
#else
  return "none";
#endif
}

json_t *pvt_machine_build_section(void) {
  json_t *section = json_object();
#ifdef __OPTIMIZE__
  bool is_optimised = true;
#else
  bool is_optimised = false;
#endif
  pvt_machine_put(&section, "compiler", pvt_machine_text(PVT_COMPILER));
  pvt_machine_put(&section, "flags", pvt_machine_text(*PVT_CFLAGS != '\0' ? PVT_CFLAGS : "none"));
  pvt_machine_put(&section, "type", pvt_machine_text(PVT_BUILDTYPE));
  pvt_machine_put(&section, "optimised", json_boolean(is_optimised));
  pvt_machine_put(&section, "sanitizer", json_string(sanitizer()));
  return section;
}
