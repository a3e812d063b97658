#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The harness whose rows say whether the machine can be trusted: in every run. */
#define CONTROL "control"

unsigned pvt_plan_profile_rounds(const char *profile) {
  if (strcmp(profile, "quick") == 0)
    return 9;
  if (strcmp(profile, "standard") == 0)
    return 20;
  if (strcmp(profile, "full") == 0)
    return 40;
  return 0;
}

/* ---- Selection ---- */

static bool matches_any(const char *const *patterns, const char *name) {
  if (patterns[0] == NULL)
    return true;
  for (; *patterns != NULL; patterns++)
    if (pvt_catalog_matches(*patterns, name))
      return true;
  return false;
}

static int check_patterns(const struct pvt_catalog *catalog, const char *const *patterns, struct pvt_why *why) {
  for (; *patterns != NULL; patterns++) {
    size_t i = 0;

    while (i < catalog->rows_count && !pvt_catalog_matches(*patterns, catalog->rows[i].name))
      i++;
    if (i == catalog->rows_count)
      return pvt_why_set(why, -ENOENT, "no row matches '%.200s': see pvt list", *patterns);
  }
  return 0;
}

static bool is_selected(const struct pvt_catalog_row *row, const struct pvt_plan_request *request) {
  bool is_control = strcmp(row->question, CONTROL) == 0;

  return pvt_catalog_in_profile(row, request->profile) && (is_control || matches_any(request->patterns, row->name));
}

int pvt_plan_new(const struct pvt_catalog *catalog, const struct pvt_plan_request *request, struct pvt_plan *ret_plan,
                 struct pvt_why *why) {
  json_t *rows = json_array(), *contrasts = json_array(), *skipped = json_array(), *json;
  bool *selected = calloc(catalog->rows_count + 1, sizeof selected[0]);
  unsigned rounds = request->rounds != 0 ? request->rounds : pvt_plan_profile_rounds(request->profile);
  int status = check_patterns(catalog, request->patterns, why);
  size_t asked = 0;

  for (size_t i = 0; i < catalog->rows_count && status == 0; i++) {
    const struct pvt_catalog_row *row = &catalog->rows[i];

    if (!is_selected(row, request))
      continue;
    asked += matches_any(request->patterns, row->name);
    if (row->skip != NULL) {
      json_array_append_new(skipped, json_pack("{s:s, s:s}", "row", row->name, "why", row->skip));
      continue;
    }
    selected[i] = true;
    json_array_append_new(rows, json_deep_copy(row->json));
  }
  if (status == 0 && asked == 0)
    status = pvt_why_set(why, -ENOENT, "no row of profile %s matches: see pvt list, or take another --profile",
                         request->profile);
  for (size_t i = 0; i < catalog->contrasts_count && status == 0; i++) {
    const struct pvt_catalog_contrast *contrast = &catalog->contrasts[i];

    if (selected[contrast->arm] && selected[contrast->against])
      json_array_append_new(contrasts,
                            json_pack("{s:s, s:s, s:s, s:s, s:b}", "id", contrast->id, "kind", contrast->kind, "arm",
                                      catalog->rows[contrast->arm].name, "against",
                                      catalog->rows[contrast->against].name, "null_check", (int)contrast->is_null));
  }
  free(selected);
  json =
      json_pack("{s:i, s:s, s:s, s:i, s:I, s:o, s:o, s:o, s:O*}", "plan", 1, "version", PVT_VERSION, "profile",
                request->profile, "rounds", (int)rounds, "seed", (json_int_t)request->seed, "rows", rows, "contrasts",
                contrasts, "skipped", skipped, "questions", json_object_get(catalog->json, "questions"));
  if (status == 0 && json == NULL)
    status = pvt_why_set(why, -ENOMEM, "no memory for the plan");
  if (status == 0)
    status = pvt_plan_parse(json, ret_plan, why);
  json_decref(json);
  return status;
}

/* ---- Groups: the connected parts of the graph whose edges are the contrasts ---- */

static void group_rows(struct pvt_plan *plan) {
  const struct pvt_catalog *catalog = &plan->catalog;
  bool changed = true;

  for (size_t i = 0; i < catalog->rows_count; i++)
    plan->rows[i].group = i;
  while (changed) {
    changed = false;
    for (size_t i = 0; i < catalog->contrasts_count; i++) {
      size_t *arm = &plan->rows[catalog->contrasts[i].arm].group;
      size_t *against = &plan->rows[catalog->contrasts[i].against].group;

      changed = changed || *arm != *against;
      *arm = *against = *arm < *against ? *arm : *against;
    }
  }
  /* Numbered without gaps, in the order of their first rows: a group's number is its first row's until then. */
  plan->groups_count = 0;
  for (size_t i = 0; i < catalog->rows_count; i++) {
    size_t first = plan->rows[i].group;

    plan->rows[i].group = first == i ? plan->groups_count++ : plan->rows[first].group;
  }
}

int pvt_plan_parse(json_t *json, struct pvt_plan *ret_plan, struct pvt_why *why) {
  json_int_t rounds = json_integer_value(json_object_get(json, "rounds"));
  struct pvt_plan plan = {0};
  int status;

  if (json_integer_value(json_object_get(json, "plan")) != 1)
    return pvt_why_set(why, -EINVAL, "it is not a plan of this version of pvt");
  if (rounds < 1 || rounds > PVT_ROUNDS_MAX)
    return pvt_why_set(why, -EINVAL, "it has no number of rounds from 1 to %d", PVT_ROUNDS_MAX);
  status = pvt_catalog_parse(json, &plan.catalog, why);
  if (status < 0)
    return status;
  plan.rounds = (unsigned)rounds;
  plan.seed = (uint64_t)json_integer_value(json_object_get(json, "seed"));
  plan.rows = calloc(plan.catalog.rows_count + 1, sizeof plan.rows[0]);
  if (plan.rows == NULL) {
    pvt_catalog_done(&plan.catalog);
    return pvt_why_set(why, -ENOMEM, "no memory for the plan");
  }
  plan.json = json_incref(json);
  for (size_t i = 0; i < plan.catalog.rows_count; i++) {
    json_t *row = plan.catalog.rows[i].json;

    plan.rows[i].operations = (uint64_t)json_integer_value(json_object_get(row, "operations"));
    plan.rows[i].window_ns = (uint64_t)json_integer_value(json_object_get(row, "window_ns"));
    plan.rows[i].error = json_string_value(json_object_get(row, "error"));
  }
  group_rows(&plan);
  *ret_plan = plan;
  return 0;
}

void pvt_plan_done(struct pvt_plan *plan) {
  free(plan->rows);
  pvt_catalog_done(&plan->catalog);
  json_decref(plan->json);
  *plan = (struct pvt_plan){0};
}

void pvt_plan_calibrated(struct pvt_plan *plan, size_t row, uint64_t operations, uint64_t window_ns,
                         const char *error) {
  json_t *json = plan->catalog.rows[row].json;

  plan->rows[row].operations = operations;
  plan->rows[row].window_ns = window_ns;
  json_object_set_new(json, "operations", json_integer((json_int_t)operations));
  json_object_set_new(json, "window_ns", json_integer((json_int_t)window_ns));
  if (error != NULL) {
    json_object_set_new(json, "error", json_string(error));
    plan->rows[row].error = json_string_value(json_object_get(json, "error"));
  }
}

/* ---- Order ---- */

/* splitmix64 (Steele, Lea, Flood 2014): small, and the same order everywhere from the same seed. */
static uint64_t draw(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void shuffle(size_t *items, size_t count, uint64_t *state) {
  for (size_t i = count; i > 1; i--) {
    size_t other = draw(state) % i, kept = items[i - 1];

    items[i - 1] = items[other];
    items[other] = kept;
  }
}

struct walk {
  const struct pvt_plan *plan;
  const size_t *shuffled; /* rows in random order: the order in which neighbours are tried */
  bool *seen;
  size_t *order, length;
};

static bool are_compared(const struct pvt_catalog *catalog, size_t a, size_t b) {
  for (size_t i = 0; i < catalog->contrasts_count; i++) {
    const struct pvt_catalog_contrast *contrast = &catalog->contrasts[i];

    if ((contrast->arm == a && contrast->against == b) || (contrast->arm == b && contrast->against == a))
      return true;
  }
  return false;
}

/* Depth first along the contrasts, so that rows that are compared stand next to each other, or nearly so. */
static void visit(struct walk *walk, size_t row) {
  walk->seen[row] = true;
  walk->order[walk->length++] = row;
  for (size_t i = 0; i < walk->plan->catalog.rows_count; i++) {
    size_t next = walk->shuffled[i];

    if (!walk->seen[next] && walk->plan->rows[next].group == walk->plan->rows[row].group &&
        are_compared(&walk->plan->catalog, row, next))
      visit(walk, next);
  }
}

static void reverse(size_t *items, size_t count) {
  for (size_t i = 0; i < count / 2; i++) {
    size_t kept = items[i];

    items[i] = items[count - 1 - i];
    items[count - 1 - i] = kept;
  }
}

/* Each group's part of the round, backwards. */
static void reverse_groups(const struct pvt_plan *plan, size_t *order) {
  for (size_t start = 0, end; start < plan->catalog.rows_count; start = end) {
    for (end = start; end < plan->catalog.rows_count && plan->rows[order[end]].group == plan->rows[order[start]].group;)
      end++;
    reverse(order + start, end - start);
  }
}

int pvt_plan_order(const struct pvt_plan *plan, unsigned round, size_t *ret_order) {
  size_t count = plan->catalog.rows_count;
  uint64_t state = plan->seed ^ (UINT64_C(0xd1342543de82ef95) * (round / 2 + 1));
  size_t *shuffled = calloc(count + 1, sizeof shuffled[0]);
  struct walk walk = {plan, shuffled, calloc(count + 1, sizeof walk.seen[0]), ret_order, 0};

  if (shuffled == NULL || walk.seen == NULL) {
    free(shuffled);
    free(walk.seen);
    return -ENOMEM;
  }
  for (size_t i = 0; i < count; i++)
    shuffled[i] = i;
  shuffle(shuffled, count, &state);
  for (size_t i = 0; i < count; i++)
    if (!walk.seen[shuffled[i]])
      visit(&walk, shuffled[i]);
  if (round % 2 == 1)
    reverse_groups(plan, ret_order);
  free(walk.seen);
  free(shuffled);
  return 0;
}
