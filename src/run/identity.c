#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../machine/machine.h"
#include "clean.h"
#include "execute.h"

/* FNV-1a, 64 bits: to tell one build from another, not to keep anybody out. */
static int hash_file(const char *path, uint64_t *ret_hash) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  unsigned char piece[65536];
  FILE *file = fopen(path, "re");
  bool is_broken;
  size_t got;

  if (file == NULL)
    return -errno;
  while ((got = fread(piece, 1, sizeof piece, file)) > 0)
    for (size_t i = 0; i < got; i++)
      hash = (hash ^ piece[i]) * UINT64_C(0x100000001b3);
  is_broken = ferror(file);
  fclose(file);
  *ret_hash = hash;
  return is_broken ? -EIO : 0;
}

static int add_binary(json_t *binaries, const char *name, const char *path, struct pvt_why *why) {
  uint64_t hash;
  char text[32];
  int status = hash_file(path, &hash);

  if (status != 0)
    return pvt_why_set(why, -ECHILD, "%.300s: %s: %s", path, strerror(-status), pvt_why_mend(status));
  snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
  return json_object_set_new(binaries, name, json_string(text)) < 0 ? pvt_why_set(why, -ENOMEM, "no memory") : 0;
}

static int add_program(json_t *binaries, const char *name, struct pvt_why *why) {
  char path[4096];
  int status = pvt_reaper_program_path(name, path, sizeof path);

  return status < 0 ? pvt_why_set(why, -ECHILD, "%s: %s: set PVT_LIBEXECDIR", name, strerror(-status))
                    : add_binary(binaries, name, path, why);
}

static int identify_binaries(json_t **ret_binaries, struct pvt_why *why) {
  json_t *binaries = json_object();
  int status = add_binary(binaries, "pvt", "/proc/self/exe", why); /* it makes the order */

  if (status == 0)
    status = add_program(binaries, "pvt-nothing", why);
  for (unsigned i = 0; pvt_harness_questions[i] != NULL && status == 0; i++) {
    char name[128];

    snprintf(name, sizeof name, "pvt-%s", pvt_harness_questions[i]);
    status = add_program(binaries, name, why);
    snprintf(name, sizeof name, "pvt-%s-subject", pvt_harness_questions[i]);
    if (status == 0)
      status = add_program(binaries, name, why);
  }
  if (status < 0)
    json_decref(binaries);
  else
    *ret_binaries = binaries;
  return status;
}

static int identify_machine(json_t **ret_machine, struct pvt_why *why) {
  int status = pvt_machine_record(ret_machine);

  return status < 0 ? pvt_why_set(why, status, "cannot read the machine: %s", strerror(-status)) : 0;
}

/* RFC 3339, in UTC. */
static json_t *moment(void) {
  time_t now = time(NULL);
  struct tm utc;
  char text[32];

  gmtime_r(&now, &utc);
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &utc);
  return json_string(text);
}

static json_t *host(void) {
  char name[256] = "";

  gethostname(name, sizeof name - 1);
  pvt_clean_text(name);
  return json_string(name);
}

int pvt_execute_identify(struct pvt_plan *plan, struct pvt_why *why) {
  json_t *binaries, *machine;
  int status = identify_binaries(&binaries, why);

  if (status < 0)
    return status;
  json_object_set_new(plan->json, "binaries", binaries);
  status = identify_machine(&machine, why);
  if (status < 0)
    return status;
  if (json_object_set_new(plan->json, "machine", machine) < 0 ||
      json_object_set_new(plan->json, "started", moment()) < 0 || json_object_set_new(plan->json, "host", host()) < 0)
    return pvt_why_set(why, -ENOMEM, "no memory for the machine");
  return 0;
}

static int compare_binaries(json_t *then, struct pvt_why *why) {
  json_t *now, *hash;
  const char *name;
  int status = identify_binaries(&now, why);

  if (status < 0)
    return status;
  json_object_foreach (now, name, hash) {
    if (status == 0 && !json_equal(json_object_get(then, name), hash))
      status = pvt_why_set(why, -ESTALE, "%s is not the build that began the run: start a new one", name);
  }
  if (status == 0 && json_object_size(then) != json_object_size(now))
    status = pvt_why_set(why, -ESTALE, "another build with more programs began the run: start a new one");
  json_decref(now);
  return status;
}

/* A plan is a file: it names the programs that are started. */
static int check_questions(const struct pvt_plan *plan, struct pvt_why *why) {
  for (size_t i = 0; i < plan->catalog.rows_count; i++) {
    const char *const *known = pvt_harness_questions;

    while (*known != NULL && strcmp(*known, plan->catalog.rows[i].question) != 0)
      known++;
    if (*known == NULL)
      return pvt_why_set(why, -ESTALE, "there is no harness pvt-%s in this build: start a new run",
                         plan->catalog.rows[i].question);
  }
  return 0;
}

int pvt_execute_verify(const struct pvt_plan *plan, struct pvt_why *why) {
  json_t *machine, *differences = NULL, *first;
  int status = compare_binaries(json_object_get(plan->json, "binaries"), why);

  if (status == 0)
    status = check_questions(plan, why);
  if (status == 0)
    status = identify_machine(&machine, why);
  if (status != 0)
    return status;
  status = pvt_machine_differences(json_object_get(plan->json, "machine"), machine, true, &differences);
  if (status < 0)
    pvt_why_set(why, status, "the run's machine record cannot be read: start a new one");
  first = json_array_get(differences, 0);
  if (status == 0 && first != NULL)
    status = pvt_why_set(why, -ESTALE, "the run was begun on another machine (%.100s differs): start a new one",
                         json_string_value(json_object_get(first, "key")));
  json_decref(differences);
  json_decref(machine);
  return status;
}
