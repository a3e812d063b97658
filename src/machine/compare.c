/* compare.c - which facts two machines must share for their numbers to be comparable. */
#include "machine.h"
#include "parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const hard[] = {
    "arch",
    "cpu.name",
    "cpu.vendor",
    "cpu.family",
    "cpu.model",
    "cpu.stepping",
    "cpu.microcode",
    "cpu.online",
    "cpu.allowed",
    "cpu.smt",
    "cpu.governor",
    "cpu.driver",
    "cpu.boost",
    "numa_nodes",
    "cgroup.cpu_max",
    "kernel.release",
    "kernel.aslr",
    "kernel.thp_enabled",
    "kernel.thp_defrag",
    "virtualisation.guest",
    "virtualisation.hypervisor",
    "virtualisation.container",
    "clock.source",
    "clock.resolution_ns",
    "libc",
    "build.compiler",
    "build.flags",
    "build.type",
    "build.optimised",
    "build.sanitizer",
};

/* A key only where somebody put it there: the library does not know the harness's libraries. */
static const char benchmark[] = "libraries.benchmark";

json_t *pvt_machine_at(const json_t *record, const char *path) {
  const json_t *at = record;
  while (at != NULL) {
    char name[64];
    size_t length = strcspn(path, ".");
    if (length >= sizeof name)
      return NULL;
    memcpy(name, path, length);
    name[length] = '\0';
    json_t *found = json_object_get(at, name);
    if (path[length] == '\0')
      return found;
    path += length + 1;
    at = found;
  }
  return NULL;
}

static void copy(json_t **key, const char *name, const json_t *value) {
  pvt_machine_put(key, name, value != NULL ? json_deep_copy(value) : json_string("unknown"));
}

static void copy_mitigations(json_t **key, const json_t *record) {
  static const char prefix[] = "mitigations.";
  json_t *mitigations = json_object_get(record, "mitigations"), *value;
  const char *name;
  if (!json_is_object(mitigations)) {
    copy(key, "mitigations", mitigations);
    return;
  }
  json_object_foreach (mitigations, name, value) {
    char *full = malloc(sizeof prefix + strlen(name));
    if (full == NULL) {
      pvt_machine_put(key, prefix, NULL);
      return;
    }
    memcpy(full, prefix, sizeof prefix);
    strcat(full, name);
    copy(key, full, value);
    free(full);
  }
}

int pvt_machine_hard_key(const json_t *record, json_t **ret_key) {
  if (!json_is_object(record))
    return -EINVAL;
  json_t *key = json_object();
  for (size_t i = 0; i < sizeof hard / sizeof *hard; i++)
    copy(&key, hard[i], pvt_machine_at(record, hard[i]));
  copy_mitigations(&key, record);
  if (pvt_machine_at(record, benchmark) != NULL)
    copy(&key, benchmark, pvt_machine_at(record, benchmark));
  if (key == NULL)
    return -ENOMEM;
  *ret_key = key;
  return 0;
}

static bool is_unknown(const json_t *value) {
  return json_is_string(value) && strcmp(json_string_value(value), "unknown") == 0;
}

static bool is_same_boot(const json_t *a, const json_t *b) {
  const json_t *boot_a = json_object_get(a, "boot_id"), *boot_b = json_object_get(b, "boot_id");
  return json_is_string(boot_a) && !is_unknown(boot_a) && json_equal(boot_a, boot_b);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *or_null(json_t *value) {
  return value != NULL ? json_incref(value) : json_null();
}

int pvt_machine_differences(const json_t *a, const json_t *b, bool may_be_same_boot, json_t **ret_array) {
  json_t *key_a = NULL, *key_b = NULL, *both = NULL, *array = NULL, *value;
  const char **names = NULL, *name;
  int rc = pvt_machine_hard_key(a, &key_a);
  if (rc == 0)
    rc = pvt_machine_hard_key(b, &key_b);
  if (rc < 0)
    goto out;
  rc = -ENOMEM;
  both = json_copy(key_a);
  if (both == NULL || json_object_update_missing(both, key_b) < 0)
    goto out;
  size_t count = 0;
  names = calloc(json_object_size(both), sizeof *names);
  array = json_array();
  if (names == NULL || array == NULL)
    goto out;
  json_object_foreach (both, name, value) {
    names[count++] = name;
  }
  qsort(names, count, sizeof *names, by_name);
  bool may_unknown_match = may_be_same_boot && is_same_boot(a, b);
  for (size_t i = 0; i < count; i++) {
    json_t *in_a = json_object_get(key_a, names[i]), *in_b = json_object_get(key_b, names[i]);
    if (json_equal(in_a, in_b) && (may_unknown_match || !is_unknown(in_a)))
      continue;
    json_t *difference = json_object();
    pvt_machine_put(&difference, "key", json_string(names[i]));
    pvt_machine_put(&difference, "a", or_null(in_a));
    pvt_machine_put(&difference, "b", or_null(in_b));
    if (json_array_append_new(array, difference) < 0)
      goto out;
  }
  *ret_array = array;
  array = NULL;
  rc = 0;
out:
  free(names);
  json_decref(array);
  json_decref(both);
  json_decref(key_a);
  json_decref(key_b);
  return rc;
}
