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

/* Marks the rows of CONTROL that are null checks: they are in every run; its other rows are for who asks. */
static void select_controls(const struct pvt_catalog *catalog, bool *selected) {
  for (size_t i = 0; i < catalog->contrasts_count; i++) {
    const struct pvt_catalog_contrast *contrast = &catalog->contrasts[i];

    if (contrast->is_null && strcmp(catalog->rows[contrast->arm].question, CONTROL) == 0)
      selected[contrast->arm] = selected[contrast->against] = true;
  }
}

int pvt_plan_new(const struct pvt_catalog *catalog, const struct pvt_plan_request *request, struct pvt_plan *ret_plan,
                 struct pvt_why *why) {
  json_t *rows = json_array(), *contrasts = json_array(), *skipped = json_array(), *json;
  bool *selected = calloc(catalog->rows_count + 1, sizeof selected[0]);
  unsigned rounds = request->rounds != 0 ? request->rounds : pvt_plan_profile_rounds(request->profile);
  int status = check_patterns(catalog, request->patterns, why);
  size_t asked = 0;

  if (selected != NULL)
    select_controls(catalog, selected);
  else
    status = pvt_why_set(why, -ENOMEM, "no memory for the plan");
  for (size_t i = 0; i < catalog->rows_count && status == 0; i++) {
    const struct pvt_catalog_row *row = &catalog->rows[i];
    bool is_asked = pvt_catalog_in_profile(row, request->profile) && matches_any(request->patterns, row->name);

    asked += is_asked;
    if ((is_asked || selected[i]) && row->skip != NULL)
      json_array_append_new(skipped, json_pack("{s:s, s:s}", "row", row->name, "why", row->skip));
    selected[i] = (is_asked || selected[i]) && row->skip == NULL;
    if (!selected[i])
      continue;
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
  if (status == 0 && request->timeout_s != 0)
    json_object_set_new(json, "timeout_s", json_integer((json_int_t)request->timeout_s));
  if (status == 0)
    status = pvt_plan_parse(json, ret_plan, why);
  json_decref(json);
  return status;
}

/* ---- Groups: the connected parts of the graph whose edges are the contrasts ---- */

/* The first row of the row's group, as far as the groups are joined; shortens the way there. */
static size_t first_of_group(struct pvt_plan *plan, size_t row) {
  while (plan->rows[row].group != row)
    row = plan->rows[row].group = plan->rows[plan->rows[row].group].group;
  return row;
}

static void group_rows(struct pvt_plan *plan) {
  const struct pvt_catalog *catalog = &plan->catalog;

  for (size_t i = 0; i < catalog->rows_count; i++)
    plan->rows[i].group = i;
  for (size_t i = 0; i < catalog->contrasts_count; i++) {
    size_t arm = first_of_group(plan, catalog->contrasts[i].arm);
    size_t against = first_of_group(plan, catalog->contrasts[i].against);

    plan->rows[arm > against ? arm : against].group = arm > against ? against : arm;
  }
  for (size_t i = 0; i < catalog->rows_count; i++)
    plan->rows[i].group = first_of_group(plan, i);
  /* Numbered without gaps, in the order of their first rows: a group's number is its first row's until then. */
  plan->groups_count = 0;
  for (size_t i = 0; i < catalog->rows_count; i++) {
    size_t first = plan->rows[i].group;

    plan->rows[i].group = first == i ? plan->groups_count++ : plan->rows[first].group;
  }
}

/* What the calibration found, or what a file says that it found. */
static int parse_calibration(struct pvt_plan *plan, size_t nth, struct pvt_why *why) {
  json_t *row = plan->catalog.rows[nth].json, *error = json_object_get(row, "error");
  json_int_t operations = json_integer_value(json_object_get(row, "operations"));
  json_int_t window_ns = json_integer_value(json_object_get(row, "window_ns"));

  if (operations < 0 || window_ns < 0 || (error != NULL && !json_is_string(error)))
    return pvt_why_set(why, -EINVAL, "row %zu has no proper operations, window_ns and error", nth);
  plan->rows[nth] = (struct pvt_plan_row){0, (uint64_t)operations, (uint64_t)window_ns, json_string_value(error)};
  return 0;
}

int pvt_plan_parse(json_t *json, struct pvt_plan *ret_plan, struct pvt_why *why) {
  json_int_t rounds = json_integer_value(json_object_get(json, "rounds"));
  json_t *timeout = json_object_get(json, "timeout_s");
  json_int_t timeout_s = timeout == NULL ? PVT_TIMEOUT_S : json_integer_value(timeout);
  struct pvt_plan plan = {0};
  int status;

  if (json_integer_value(json_object_get(json, "plan")) != 1)
    return pvt_why_set(why, -EINVAL, "it is not a plan of this version of pvt");
  if (rounds < 1 || rounds > PVT_ROUNDS_MAX)
    return pvt_why_set(why, -EINVAL, "it has no number of rounds from 1 to %d", PVT_ROUNDS_MAX);
  if (timeout_s < 1 || timeout_s > PVT_TIMEOUT_MAX_S)
    return pvt_why_set(why, -EINVAL, "it has no timeout_s from 1 to %d", PVT_TIMEOUT_MAX_S);
  status = pvt_catalog_parse(json, &plan.catalog, why);
  if (status < 0)
    return status;
  plan.rounds = (unsigned)rounds;
  plan.timeout_s = (unsigned)timeout_s;
  plan.seed = (uint64_t)json_integer_value(json_object_get(json, "seed"));
  plan.rows = calloc(plan.catalog.rows_count + 1, sizeof plan.rows[0]);
  if (plan.rows == NULL) {
    pvt_catalog_done(&plan.catalog);
    return pvt_why_set(why, -ENOMEM, "no memory for the plan");
  }
  plan.json = json_incref(json);
  for (size_t i = 0; i < plan.catalog.rows_count && status == 0; i++)
    status = parse_calibration(&plan, i, why);
  if (status < 0) {
    pvt_plan_done(&plan);
    return status;
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

/* One round's walk along the contrasts. Each row's neighbours are neighbours[first[row]] to [first[row + 1] - 1]. */
struct walk {
  const struct pvt_catalog *catalog;
  size_t *shuffled;                  /* rows in random order: the order in which groups, and neighbours, are tried */
  size_t *first, *neighbours, *next; /* next: where to go on at this row */
  size_t *stack;
  bool *seen;
};

static int walk_init(struct walk *walk, const struct pvt_catalog *catalog) {
  size_t rows = catalog->rows_count;

  *walk = (struct walk){.catalog = catalog,
                        .shuffled = calloc(rows + 1, sizeof(size_t)),
                        .first = calloc(rows + 2, sizeof(size_t)),
                        .neighbours = calloc(2 * catalog->contrasts_count + 1, sizeof(size_t)),
                        .next = calloc(rows + 1, sizeof(size_t)),
                        .stack = calloc(rows + 1, sizeof(size_t)),
                        .seen = calloc(rows + 1, sizeof(bool))};
  if (walk->shuffled == NULL || walk->first == NULL || walk->neighbours == NULL || walk->next == NULL ||
      walk->stack == NULL || walk->seen == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < rows; i++)
    walk->shuffled[i] = i;
  return 0;
}

static void walk_done(struct walk *walk) {
  free(walk->shuffled);
  free(walk->first);
  free(walk->neighbours);
  free(walk->next);
  free(walk->stack);
  free(walk->seen);
}

/* Counts, then fills, as in a counting sort. Which neighbour comes first is left to chance, as it is for the rows. */
static void find_neighbours(struct walk *walk, uint64_t *state) {
  const struct pvt_catalog *catalog = walk->catalog;

  for (size_t i = 0; i < catalog->contrasts_count; i++) {
    walk->first[catalog->contrasts[i].arm + 1]++;
    walk->first[catalog->contrasts[i].against + 1]++;
  }
  for (size_t row = 0; row < catalog->rows_count; row++) {
    walk->first[row + 1] += walk->first[row];
    walk->next[row] = walk->first[row];
  }
  for (size_t i = 0; i < catalog->contrasts_count; i++) {
    const struct pvt_catalog_contrast *contrast = &catalog->contrasts[i];

    walk->neighbours[walk->next[contrast->arm]++] = contrast->against;
    walk->neighbours[walk->next[contrast->against]++] = contrast->arm;
  }
  for (size_t row = 0; row < catalog->rows_count; row++) {
    shuffle(walk->neighbours + walk->first[row], walk->first[row + 1] - walk->first[row], state);
    walk->next[row] = walk->first[row];
  }
}

/* Depth first along the contrasts, so that rows that are compared stand next to each other, or nearly so. Returns how
 * many rows it found. */
static size_t visit(struct walk *walk, size_t row, size_t *ret_order) {
  size_t found = 0, depth = 0;

  walk->seen[row] = true;
  ret_order[found++] = walk->stack[depth++] = row;
  while (depth > 0) {
    size_t at = walk->stack[depth - 1], neighbour;

    if (walk->next[at] == walk->first[at + 1]) {
      depth--;
      continue;
    }
    neighbour = walk->neighbours[walk->next[at]++];
    if (walk->seen[neighbour])
      continue;
    walk->seen[neighbour] = true;
    ret_order[found++] = walk->stack[depth++] = neighbour;
  }
  return found;
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
  uint64_t state = plan->seed ^ (UINT64_C(0xd1342543de82ef95) * (round / 2 + 1));
  struct walk walk;
  size_t length = 0;
  int status = walk_init(&walk, &plan->catalog);

  if (status == 0) {
    shuffle(walk.shuffled, plan->catalog.rows_count, &state);
    find_neighbours(&walk, &state);
    for (size_t i = 0; i < plan->catalog.rows_count; i++)
      if (!walk.seen[walk.shuffled[i]])
        length += visit(&walk, walk.shuffled[i], ret_order + length);
    if (round % 2 == 1)
      reverse_groups(plan, ret_order);
  }
  walk_done(&walk);
  return status;
}
