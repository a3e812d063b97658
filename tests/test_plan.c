/* test_plan.c - what is launched, and in which order: balanced, repeatable, and from any JSON that a file may hold. */
#include "runs.h"

#define EDGES(...) (const struct edge[]){__VA_ARGS__}, sizeof((const struct edge[]){__VA_ARGS__}) / sizeof(struct edge)

/* Shapes of contrasts: alone, a pair, a star, a chain, a ring with a chord, two groups whose rows lie mixed. */
static const struct shape {
  const char *name;
  size_t rows;
  const struct edge *edges;
  size_t edges_count;
} shapes[] = {
    {"one row", 1, NULL, 0},
    {"a pair", 2, EDGES({0, 1})},
    {"a star", 6, EDGES({1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0})},
    {"a chain", 5, EDGES({4, 3}, {2, 1}, {1, 0}, {3, 2})},
    {"a ring", 5, EDGES({0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 0}, {0, 2})},
    {"two groups", 7, EDGES({0, 2}, {2, 4}, {1, 3}, {3, 5}, {0, 4})},
    {"a pair compared twice", 3, EDGES({0, 1}, {1, 0})},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0], SEEDS = 40 };

static void shape_plan(struct pvt_plan *ret_plan, const struct shape *shape, unsigned rounds, json_int_t seed) {
  plan_new(ret_plan, shape->rows, shape->edges, shape->edges_count, rounds, seed);
}

/* Where each row stands in the round. */
static void positions(const struct pvt_plan *plan, unsigned round, size_t *ret_at) {
  size_t order[64];

  cr_assert_eq(pvt_plan_order(plan, round, order), 0);
  for (size_t i = 0; i < plan->catalog.rows_count; i++)
    ret_at[order[i]] = i;
}

static void check_balance(const struct shape *shape, unsigned rounds, json_int_t seed) {
  struct pvt_plan plan;
  unsigned first[64] = {0};

  shape_plan(&plan, shape, rounds, seed);
  for (unsigned round = 0; round < rounds; round++) {
    size_t at[64];

    positions(&plan, round, at);
    for (size_t i = 0; i < shape->edges_count; i++)
      first[i] += at[shape->edges[i].arm] < at[shape->edges[i].against];
  }
  for (size_t i = 0; i < shape->edges_count; i++) {
    unsigned second = rounds - first[i], apart = first[i] > second ? first[i] - second : second - first[i];

    cr_expect_eq(apart, rounds % 2, "%s, %u rounds, seed %lld: contrast %zu had its arm first %u times", shape->name,
                 rounds, (long long)seed, i, first[i]);
  }
  pvt_plan_done(&plan);
}

Test(plan, every_contrast_has_each_row_first_equally_often, .timeout = SECONDS) {
  static const unsigned rounds[] = {1, 2, 3, 9, 20, 40};

  for (size_t shape = 0; shape < SHAPES; shape++)
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++)
      for (json_int_t seed = 0; seed < SEEDS; seed++)
        check_balance(&shapes[shape], rounds[i], seed);
}

Test(plan, either_row_is_first_by_chance, .timeout = SECONDS) {
  enum { TRIALS = 400, LOW = 174, HIGH = 226 }; /* 99 % of binomial(400, 1/2) */
  struct pvt_plan plan;
  unsigned first = 0;

  for (json_int_t seed = 0; seed < TRIALS; seed++) {
    size_t at[64];

    shape_plan(&plan, &shapes[1], 2, seed * 1000003);
    positions(&plan, 0, at);
    first += at[0] < at[1];
    pvt_plan_done(&plan);
  }
  cr_expect(first >= LOW && first <= HIGH, "%u of %d", first, TRIALS);
}

Test(plan, every_row_stands_once_in_a_round_and_groups_stay_together, .timeout = SECONDS) {
  for (size_t shape = 0; shape < SHAPES; shape++)
    for (json_int_t seed = 0; seed < SEEDS; seed++) {
      struct pvt_plan plan;

      shape_plan(&plan, &shapes[shape], 4, seed);
      for (unsigned round = 0; round < 4; round++) {
        size_t order[64], seen[64] = {0}, changes = 0;

        cr_assert_eq(pvt_plan_order(&plan, round, order), 0);
        for (size_t i = 0; i < shapes[shape].rows; i++) {
          cr_assert_lt(order[i], shapes[shape].rows);
          seen[order[i]]++;
          changes += i == 0 || plan.rows[order[i]].group != plan.rows[order[i - 1]].group;
        }
        for (size_t i = 0; i < shapes[shape].rows; i++)
          cr_expect_eq(seen[i], 1, "%s: row %zu stands %zu times in round %u", shapes[shape].name, i, seen[i], round);
        cr_expect_eq(changes, plan.groups_count, "%s: a group is torn apart", shapes[shape].name);
      }
      pvt_plan_done(&plan);
    }
}

Test(plan, compared_rows_of_a_pair_are_neighbours, .timeout = SECONDS) {
  struct pvt_plan plan;

  for (json_int_t seed = 0; seed < SEEDS; seed++) {
    size_t at[64];

    plan_new(&plan, 8, EDGES({0, 7}, {1, 6}, {2, 5}), 2, seed);
    positions(&plan, 0, at);
    cr_expect(at[0] + 1 == at[7] || at[7] + 1 == at[0]);
    cr_expect(at[1] + 1 == at[6] || at[6] + 1 == at[1]);
    cr_expect(at[2] + 1 == at[5] || at[5] + 1 == at[2]);
    pvt_plan_done(&plan);
  }
}

Test(plan, a_seed_gives_one_order_and_another_seed_another, .timeout = SECONDS) {
  struct pvt_plan plan, again, other;
  unsigned differ = 0, rounds_differ = 0;
  size_t order[64], same[64], different[64], before[64];

  plan_new(&plan, 12, EDGES({0, 1}, {2, 3}), 8, 7);
  plan_new(&again, 12, EDGES({0, 1}, {2, 3}), 8, 7);
  plan_new(&other, 12, EDGES({0, 1}, {2, 3}), 8, 8);
  for (unsigned round = 0; round < 8; round++) {
    cr_assert_eq(pvt_plan_order(&plan, round, order), 0);
    cr_assert_eq(pvt_plan_order(&again, round, same), 0);
    cr_assert_eq(pvt_plan_order(&other, round, different), 0);
    cr_expect_arr_eq(order, same, 12 * sizeof order[0]);
    differ += memcmp(order, different, 12 * sizeof order[0]) != 0;
    rounds_differ += round > 0 && memcmp(order, before, 12 * sizeof order[0]) != 0;
    memcpy(before, order, sizeof before);
  }
  cr_expect_eq(differ, 8);
  cr_expect_eq(rounds_differ, 7);
  pvt_plan_done(&plan);
  pvt_plan_done(&again);
  pvt_plan_done(&other);
}

/* Which rows can be reached from which, the slow and plain way. */
static void reach(bool reached[16][16], const struct edge *edges, size_t edges_count) {
  for (size_t i = 0; i < 16; i++)
    reached[i][i] = true;
  for (size_t i = 0; i < edges_count; i++)
    reached[edges[i].arm][edges[i].against] = reached[edges[i].against][edges[i].arm] = true;
  for (size_t k = 0; k < 16; k++)
    for (size_t i = 0; i < 16; i++)
      for (size_t j = 0; j < 16; j++)
        reached[i][j] = reached[i][j] || (reached[i][k] && reached[k][j]);
}

Test(plan, groups_are_the_connected_parts, .timeout = SECONDS) {
  unsigned short state[3] = {1, 2, 3};

  for (unsigned trial = 0; trial < 200; trial++) {
    bool reached[16][16] = {{false}};
    struct edge edges[24];
    size_t count = 0;
    struct pvt_plan plan;

    while (count < trial % 24) {
      struct edge edge = {(size_t)nrand48(state) % 16, (size_t)nrand48(state) % 16};

      if (edge.arm != edge.against)
        edges[count++] = edge;
    }
    plan_new(&plan, 16, edges, count, 2, 1);
    reach(reached, edges, count);
    for (size_t i = 0; i < 16; i++) {
      cr_expect_lt(plan.rows[i].group, plan.groups_count);
      for (size_t j = 0; j < 16; j++)
        cr_expect_eq(plan.rows[i].group == plan.rows[j].group, reached[i][j], "trial %u: rows %zu and %zu", trial, i,
                     j);
    }
    pvt_plan_done(&plan);
  }
}

/* A chain named from its end and a star, as large as nothing will ever be: in proportion, and no deep recursion. */
Test(plan, a_hundred_thousand_rows_are_ordered, .timeout = SECONDS) {
  enum { ROWS = 100000 };
  struct edge *edges = calloc(ROWS, sizeof edges[0]);
  size_t *order = calloc(ROWS, sizeof order[0]);
  struct pvt_plan plan;

  for (size_t i = 0; i < ROWS / 2; i++)
    edges[i] = (struct edge){ROWS / 2 - i, ROWS / 2 - i - 1};
  for (size_t i = ROWS / 2; i < ROWS - 1; i++)
    edges[i] = (struct edge){i + 1, ROWS / 2};
  plan_new(&plan, ROWS, edges, ROWS - 1, 2, 3);
  cr_expect_eq(plan.groups_count, 1);
  cr_expect_eq(pvt_plan_order(&plan, 0, order), 0);
  cr_expect_eq(pvt_plan_order(&plan, 1, order), 0);
  pvt_plan_done(&plan);
  free(order);
  free(edges);
}

/* ---- Selection ---- */

static void catalog_new(struct pvt_catalog *ret_catalog) {
  static const char text[] =
      "{'rows':[{'name':'create/a/x:1','question':'create','profiles':['quick','standard']},"
      "{'name':'create/b/x:1','question':'create','profiles':['standard']},"
      "{'name':'queue/c','question':'queue','profiles':['standard'],'skip':'needs a moon'},"
      "{'name':'control/d','question':'control','profiles':['quick','standard']},"
      "{'name':'control/e','question':'control','profiles':['quick','standard']},"
      "{'name':'control/f','question':'control','profiles':['standard']}],"
      "'contrasts':[{'id':'a-vs-b','kind':'model','arm':'create/a/x:1','against':'create/b/x:1'},"
      "{'id':'a-vs-c','kind':'model','arm':'create/a/x:1','against':'queue/c'},"
      "{'id':'d-vs-e','kind':'model','arm':'control/d','against':'control/e','null_check':true},"
      "{'id':'f-vs-e','kind':'floor','arm':'control/f','against':'control/e','null_check':false}],"
      "'questions':{'create':'What?'}}";
  char *quoted = strdup(text);
  struct pvt_why why;
  json_t *json;

  for (char *quote = quoted; (quote = strchr(quote, '\'')) != NULL;)
    *quote = '"';
  json = json_loads(quoted, 0, NULL);
  free(quoted);
  cr_assert_not_null(json);
  cr_assert_eq(pvt_catalog_parse(json, ret_catalog, &why), 0, "%s", why.text);
  json_decref(json);
}

struct selection {
  const char *patterns[4], *profile;
  int status;
  size_t rows, contrasts, skipped;
};

Test(plan, patterns_and_profiles_select, .timeout = SECONDS) {
  static const struct selection selections[] = {
      {{NULL}, "standard", 0, 5, 3, 1},
      {{"*", NULL}, "standard", 0, 5, 3, 1},
      {{"create/*", NULL}, "standard", 0, 4, 2, 0}, /* the star crosses the slash; null checks come by themselves */
      {{"*x:1", NULL}, "standard", 0, 4, 2, 0},
      {{"create/a*", NULL}, "standard", 0, 3, 1, 0},
      {{"create/a*", "queue/*", NULL}, "standard", 0, 3, 1, 1},
      {{"queue/c", NULL}, "standard", 0, 2, 1, 1}, /* all that was asked for is skipped: no error */
      {{"control/f", NULL}, "standard", 0, 3, 2, 0},
      {{"create/*", NULL}, "quick", 0, 3, 1, 0},
      {{"create/b*", NULL}, "quick", -ENOENT, 0, 0, 0}, /* not in this profile */
      {{"nothing", NULL}, "standard", -ENOENT, 0, 0, 0},
      {{"create/*", "nothing", NULL}, "standard", -ENOENT, 0, 0, 0},
      {{"", NULL}, "standard", -ENOENT, 0, 0, 0},
      {{"[", NULL}, "standard", -ENOENT, 0, 0, 0},
      {{NULL}, "full", -ENOENT, 0, 0, 0},
  };
  struct pvt_catalog catalog;

  catalog_new(&catalog);
  for (size_t i = 0; i < sizeof selections / sizeof selections[0]; i++) {
    const struct selection *selection = &selections[i];
    struct pvt_plan_request request = {.patterns = selection->patterns, .profile = selection->profile, .rounds = 3};
    struct pvt_plan plan;
    struct pvt_why why = {""};
    int status = pvt_plan_new(&catalog, &request, &plan, &why);

    cr_expect_eq(status, selection->status, "%zu: %d %s", i, status, why.text);
    if (status < 0) {
      cr_expect_not_null(strstr(why.text, "see pvt list"), "%s", why.text);
      continue;
    }
    cr_expect_eq(plan.catalog.rows_count, selection->rows, "%zu: %zu rows", i, plan.catalog.rows_count);
    cr_expect_eq(plan.catalog.contrasts_count, selection->contrasts, "%zu: contrasts", i);
    cr_expect_eq(json_array_size(json_object_get(plan.json, "skipped")), selection->skipped, "%zu: skipped", i);
    pvt_plan_done(&plan);
  }
  pvt_catalog_done(&catalog);
}

Test(plan, what_was_asked_for_and_calibrated_survives_the_file, .timeout = SECONDS) {
  static const char *const none[] = {NULL};
  struct pvt_plan_request request = {.patterns = none, .profile = "standard", .rounds = 0, .seed = 99, .timeout_s = 7};
  struct pvt_catalog catalog;
  struct pvt_plan plan, again;
  struct pvt_why why;
  json_t *copy;

  catalog_new(&catalog);
  cr_assert_eq(pvt_plan_new(&catalog, &request, &plan, &why), 0);
  pvt_plan_calibrated(&plan, 0, 1234, 0, NULL);
  pvt_plan_calibrated(&plan, 1, 0, 0, "it would not");
  copy = json_deep_copy(plan.json);
  cr_assert_eq(pvt_plan_parse(copy, &again, &why), 0, "%s", why.text);
  cr_expect_eq(again.rounds, 20);
  cr_expect_eq(again.seed, 99);
  cr_expect_eq(again.timeout_s, 7);
  cr_expect_eq(again.rows[0].operations, 1234);
  cr_expect_null(again.rows[0].error);
  cr_expect_str_eq(again.rows[1].error, "it would not");
  cr_expect_eq(json_array_size(json_object_get(again.json, "skipped")), 1);
  json_decref(copy);
  pvt_plan_done(&again);
  pvt_plan_done(&plan);
  pvt_catalog_done(&catalog);
}

/* ---- Plans from hostile files ---- */

#define ROWS "\"rows\":[{\"name\":\"a\",\"question\":\"q\"},{\"name\":\"b\",\"question\":\"q\"}]"
#define HEAD "{\"plan\":1,\"rounds\":3,"
#define EDGE(id, arm, against) "{\"id\":\"" id "\",\"kind\":\"model\",\"arm\":\"" arm "\",\"against\":\"" against "\"}"

static const struct hostile {
  const char *text;
  int status;
} plans[] = {
    {HEAD ROWS ",\"contrasts\":[" EDGE("c", "a", "b") "]}", 0},
    {HEAD "\"rows\":[],\"contrasts\":[]}", 0},
    {"{}", -EINVAL},
    {"{\"plan\":2,\"rounds\":3," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":\"1\",\"rounds\":3," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":1," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":1,\"rounds\":0," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":1,\"rounds\":-1," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":1,\"rounds\":1001," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":1,\"rounds\":4294967297," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":1,\"rounds\":3.5," ROWS ",\"contrasts\":[]}", -EINVAL},
    {"{\"plan\":1,\"rounds\":[3]," ROWS ",\"contrasts\":[]}", -EINVAL},
    {HEAD "\"timeout_s\":0," ROWS ",\"contrasts\":[]}", -EINVAL},
    {HEAD "\"timeout_s\":\"9\"," ROWS ",\"contrasts\":[]}", -EINVAL},
    {HEAD ROWS "}", -EINVAL},
    {HEAD "\"rows\":{},\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[],\"contrasts\":{}}", -EINVAL},
    {HEAD "\"rows\":[null],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":7,\"question\":\"q\"}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"a\"}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"\",\"question\":\"q\"}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"a b\",\"question\":\"q\"}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"<script>\",\"question\":\"q\"}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"a\\u001b[2J\",\"question\":\"q\"}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"a\",\"question\":\"../../bin/sh\"}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"a\",\"question\":\"q\"},{\"name\":\"a\",\"question\":\"q\"}],\"contrasts\":[]}",
     -EEXIST},
    {HEAD "\"rows\":[{\"name\":\"a\",\"question\":\"q\",\"operations\":-1}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"a\",\"question\":\"q\",\"window_ns\":-1}],\"contrasts\":[]}", -EINVAL},
    {HEAD "\"rows\":[{\"name\":\"a\",\"question\":\"q\",\"error\":7}],\"contrasts\":[]}", -EINVAL},
    {HEAD ROWS ",\"contrasts\":[null]}", -EINVAL},
    {HEAD ROWS ",\"contrasts\":[" EDGE("c", "a", "nobody") "]}", -EINVAL},
    {HEAD ROWS ",\"contrasts\":[" EDGE("c", "a", "a") "]}", -EINVAL},
    {HEAD ROWS ",\"contrasts\":[" EDGE("c d", "a", "b") "]}", -EINVAL},
    {HEAD ROWS ",\"contrasts\":[{\"id\":\"c\",\"arm\":\"a\",\"against\":\"b\"}]}", -EINVAL},
    {HEAD ROWS ",\"contrasts\":[{\"id\":\"c\",\"kind\":\"model\",\"arm\":[\"a\"],\"against\":\"b\"}]}", -EINVAL},
    {HEAD ROWS ",\"contrasts\":[" EDGE("c", "a", "b") "," EDGE("c", "b", "a") "]}", -EEXIST},
};

Test(plan, a_hostile_plan_is_refused_with_a_reason, .timeout = SECONDS) {
  for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
    json_t *json = json_loads(plans[i].text, 0, NULL);
    struct pvt_plan plan;
    struct pvt_why why = {""};
    int status;

    cr_assert_not_null(json, "%zu: %s", i, plans[i].text);
    status = pvt_plan_parse(json, &plan, &why);
    cr_expect_eq(status, plans[i].status, "%zu: %d (%s): %s", i, status, why.text, plans[i].text);
    if (status == 0)
      pvt_plan_done(&plan);
    else
      cr_expect_neq(why.text[0], '\0', "%zu: no reason", i);
    json_decref(json);
  }
}

Test(plan, a_name_may_be_long_but_not_endless, .timeout = SECONDS) {
  for (size_t length = 500; length < 520; length++) {
    char name[600] = "";
    struct pvt_catalog catalog;
    struct pvt_why why;
    json_t *json;
    int status;

    memset(name, 'a', length);
    json = json_pack("{s:[{s:s, s:s}], s:[]}", "rows", "name", name, "question", "q", "contrasts");
    status = pvt_catalog_parse(json, &catalog, &why);
    cr_expect_eq(status, length < 512 ? 0 : -EINVAL, "%zu bytes: %d", length, status);
    if (status == 0)
      pvt_catalog_done(&catalog);
    json_decref(json);
  }
}
