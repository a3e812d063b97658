/* pvt machine: the machine record, and what will disturb a measurement. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../machine/machine.h"
#include "command.h"

enum { JSON_KEY = 1 };

static const struct argp_option argp_options[] = {{"json", JSON_KEY, NULL, 0, "for programs", 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
  bool *is_json = state->input;

  (void)argument;
  if (key != JSON_KEY)
    return ARGP_ERR_UNKNOWN;
  *is_json = true;
  return 0;
}

static const struct argp argp = {
    argp_options,
    parse,
    NULL,
    "Prints the machine record that every run keeps, and a preflight: what will disturb a measurement, and the mend.",
    NULL,
    NULL,
    NULL};

static void print_value(const char *name, json_t *value, int depth) {
  char *text;
  const char *key;
  json_t *inner;

  if (json_is_object(value)) {
    printf("%*s%s\n", depth, "", name);
    json_object_foreach (value, key, inner)
      print_value(key, inner, depth + 2);
    return;
  }
  text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
  printf("%*s%-*s %s\n", depth, "", 26 - depth, name, text != NULL ? text : json_string_value(value));
  free(text);
}

static json_t *advice_json(const struct pvt_advice *advice, unsigned count) {
  json_t *list = json_array();

  for (unsigned i = 0; i < count; i++)
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "severity",
                                          advice[i].severity == PVT_WARN ? "warn" : "note", "what", advice[i].what,
                                          "why_it_matters", advice[i].why_it_matters, "mend", advice[i].mend));
  return list;
}

static void print_advice(const struct pvt_advice *advice, unsigned count) {
  printf("\nPreflight: %s\n", count == 0 ? "nothing found that would disturb a measurement" : "");
  for (unsigned i = 0; i < count; i++)
    printf("  %s %s\n       %s\n       mend: %s\n", advice[i].severity == PVT_WARN ? "WARN" : "note", advice[i].what,
           advice[i].why_it_matters, advice[i].mend);
}

static int run(int argc, char **argv) {
  struct pvt_advice advice[PVT_ADVICE_MAX];
  bool is_json = false;
  struct pvt_why why;
  unsigned count = 0;
  json_t *record;
  const char *name;
  json_t *value;
  int status = pvt_command_parse(&argp, "machine", argc, argv, &is_json);

  if (status != PVT_EXIT_FINE)
    return status;
  status = pvt_machine_record(&record);
  if (status == 0)
    status = pvt_machine_preflight(record, advice, PVT_ADVICE_MAX, &count);
  if (status < 0) {
    pvt_why_set(&why, status, "cannot read the machine: %s", strerror(-status));
    return pvt_command_fail("machine", status, &why);
  }
  if (is_json)
    return pvt_command_print_json("machine",
                                  json_pack("{s:o, s:o}", "machine", record, "preflight", advice_json(advice, count)));
  json_object_foreach (record, name, value)
    print_value(name, value, 0);
  print_advice(advice, count);
  json_decref(record);
  return PVT_EXIT_FINE;
}

const struct pvt_command pvt_command_machine = {"machine", "the machine record and a preflight", run};
