/* parts.h - what the files of this folder share; nobody else includes it. */
#ifndef PVT_MACHINE_PARTS_H
#define PVT_MACHINE_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than any one file of /sys or /proc that is read for a value; what comes after is not read. */
#define PVT_MACHINE_FILE_BYTES 4096

/* read.c: bounded reading, no JSON. */

/* At most size - 1 bytes of root/path, ended with a 0. Its length, or -errno. */
int pvt_machine_slurp(const char *root, const char *path, char *ret_text, size_t size);
bool pvt_machine_exists(const char *root, const char *path);
/* A whole unsigned decimal number, blanks around it allowed. -EBADMSG when it is anything else. */
int pvt_machine_number(const char *text, uint64_t *ret_value);
/* The value of a "Name: value" line, as in /proc/cpuinfo, cut to `size`. 0 or -ENOENT. */
int pvt_machine_field(const char *text, const char *name, char *ret_value, size_t size);
/* Is `word` one of the words of `list`? */
bool pvt_machine_has_word(const char *list, char separator, const char *word);

/* cgroup.c */

enum pvt_machine_state { PVT_MACHINE_UNKNOWN, PVT_MACHINE_NONE, PVT_MACHINE_SET };

/* The tightest limits from our own cgroup up to the top that we can see. */
struct pvt_machine_cgroup {
  const char *version; /* "v1", "v2", "none", "unknown" */
  enum pvt_machine_state cpu, memory, pids;
  uint64_t quota_us, period_us;
  uint64_t memory_bytes;
  uint64_t pids_limit;
};

int pvt_machine_cgroup_limits(const char *root, struct pvt_machine_cgroup *ret_limits);

/* json.c. A NULL object stands for "out of memory" and stays NULL whatever is put into it: one check at the end. */

/* Takes `value`. When that fails, frees *object and makes it NULL. */
void pvt_machine_put(json_t **object, const char *key, json_t *value);
/* Any bytes as a JSON string: trimmed, cut, control characters to blanks, what is not UTF-8 to '?'. "unknown" if empty.
 */
json_t *pvt_machine_text(const char *bytes);
/* The first line of a file. "unknown" when it cannot be read; "none" when it is empty, or not there,
 * while the folder `anchor` is there. Without an anchor (NULL) both are "unknown". */
json_t *pvt_machine_file(const char *root, const char *path, const char *anchor);
/* The same as a number, where it is one. */
json_t *pvt_machine_file_number(const char *root, const char *path, const char *anchor);

/* The sections of the record, each in its own file. NULL = out of memory. */
json_t *pvt_machine_cpu_section(const char *root);
json_t *pvt_machine_memory_section(const char *root);
json_t *pvt_machine_limits_section(void);
json_t *pvt_machine_load_section(const char *root);
json_t *pvt_machine_kernel_section(const char *root);
json_t *pvt_machine_mitigations_section(const char *root);
json_t *pvt_machine_clock_section(const char *root);
json_t *pvt_machine_virtualisation_section(const char *root);
json_t *pvt_machine_build_section(void);
/* Both from one hwloc topology. *ret_numa_nodes and the caches are "unknown" where hwloc cannot tell. */
json_t *pvt_machine_caches_section(json_t **ret_numa_nodes);

#endif
