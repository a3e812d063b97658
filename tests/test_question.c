/* test_question.c - what a declaration may say: rows, axes, contrasts, and the errors that it keeps. */
#include "question.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { SECONDS = 20 };

typedef void declare_fn(struct pvt_question *question, const struct pvt_host *host);
static declare_fn *declare;

/* The harness of this test: each case sets what it declares. */
void pvt_question_declare(struct pvt_question *question, const struct pvt_host *host) {
  question->name = "fake";
  question->title = "What is declared here?";
  declare(question, host);
}

static const struct pvt_host host = {.cpus = 2, .available_bytes = 1 << 30, .processes = 1000};

static int measure(const struct pvt_row *row, const struct pvt_request *request, struct pvt_measure *ret_measure) {
  (void)row, (void)request, (void)ret_measure;
  return 0;
}

static int init(struct pvt_question *question, declare_fn *how) {
  declare = how;
  return pvt_question_init(question, &host);
}

static struct pvt_row *row(struct pvt_question *question, const char *variant, const char *model, int size) {
  struct pvt_row *added = pvt_question_row(question, variant);

  added->measure = measure;
  added->proofs = PVT_PROOF_WORK;
  pvt_row_axis(question, added, "model", "%s", model);
  if (size >= 0)
    pvt_row_axis(question, added, "size_bytes", "%d", size);
  return added;
}

static void declare_rows(struct pvt_question *question, const struct pvt_host *here) {
  cr_expect_eq(here, &host);
  row(question, "batched", "process", 64);
  row(question, "batched", "thread", 64);
  row(question, "batched", "process", 4096);
  row(question, "batched", "thread", 4096);
  row(question, "batched", "hybrid", 4096);
  row(question, "sampled", "thread", 64);
  row(question, "batched", "thread", -1);
}

Test(question, names_rows_by_variant_and_axes, .timeout = SECONDS) {
  struct pvt_question question;

  cr_assert_eq(init(&question, declare_rows), 0, "%s", question.why);
  cr_assert_eq(question.rows_count, 7);
  cr_assert_not_null(question.rows);
  cr_expect_str_eq(question.rows[0].name, "fake/batched/model:process/size_bytes:64");
  cr_expect_str_eq(question.rows[6].name, "fake/batched/model:thread");
  cr_expect_eq(question.rows[0].axes_count, 2);
  cr_expect_str_eq(question.rows[0].axes[1].name, "size_bytes");
  cr_expect_str_eq(question.rows[0].axes[1].value, "64");
  cr_expect_eq(question.rows[0].profiles, PVT_ALWAYS);
  cr_expect_eq(pvt_question_find(&question, "fake/sampled/model:thread/size_bytes:64"), &question.rows[5]);
  cr_expect_null(pvt_question_find(&question, "fake/sampled"));
  pvt_question_done(&question);
  cr_expect_eq(question.rows_count, 0);
}

static void declare_comparison(struct pvt_question *question, const struct pvt_host *here) {
  declare_rows(question, here);
  pvt_question_compare(question, PVT_MODEL, "model", "thread");
}

Test(question, compares_rows_that_differ_in_that_axis_alone, .timeout = SECONDS) {
  static const struct {
    const char *id;
    size_t arm, against;
  } expected[] = {
      {"fake/batched/model:process-vs-thread/size_bytes:64", 0, 1},
      {"fake/batched/model:process-vs-thread/size_bytes:4096", 2, 3},
      {"fake/batched/model:hybrid-vs-thread/size_bytes:4096", 4, 3},
  };
  struct pvt_question question;

  cr_assert_eq(init(&question, declare_comparison), 0, "%s", question.why);
  cr_assert_not_null(question.contrasts);
  cr_assert_eq(question.contrasts_count, sizeof expected / sizeof expected[0]);
  for (size_t i = 0; i < question.contrasts_count; i++) {
    cr_expect_str_eq(question.contrasts[i].id, expected[i].id);
    cr_expect_eq(question.contrasts[i].kind, PVT_MODEL);
    cr_expect_eq(question.contrasts[i].arm, expected[i].arm);
    cr_expect_eq(question.contrasts[i].against, expected[i].against);
  }
  pvt_question_done(&question);
}

static void declare_contrasts(struct pvt_question *question, const struct pvt_host *here) {
  declare_rows(question, here);
  pvt_question_contrast(question, PVT_LADDER, "fake/batched/model:thread/size_bytes:64",
                        "fake/sampled/model:thread/size_bytes:64");
  pvt_question_contrast(question, PVT_FLOOR, "fake/batched/model:process/size_bytes:64", "fake/batched/model:thread");
  pvt_question_contrast(question, PVT_FLOOR, "fake/batched/model:thread", "fake/batched/model:process/size_bytes:64")
      ->is_null = true;
}

Test(question, names_contrasts_by_what_differs, .timeout = SECONDS) {
  struct pvt_question question;

  cr_assert_eq(init(&question, declare_contrasts), 0, "%s", question.why);
  cr_assert_not_null(question.contrasts);
  cr_assert_eq(question.contrasts_count, 3);
  cr_expect_str_eq(question.contrasts[0].id, "fake/batched-vs-sampled/model:thread/size_bytes:64");
  cr_expect_str_eq(question.contrasts[1].id, "fake/batched/model:process-vs-thread/size_bytes:64-vs-none");
  cr_expect_str_eq(question.contrasts[2].id, "fake/batched/model:thread-vs-process/size_bytes:none-vs-64");
  cr_expect_not(question.contrasts[1].is_null);
  cr_expect(question.contrasts[2].is_null);
  pvt_question_done(&question);
}

/* ---- Errors ---- */

static void twice(struct pvt_question *question, const struct pvt_host *here) {
  (void)here;
  row(question, "batched", "thread", 64);
  row(question, "batched", "thread", 64);
}

static void contrast_twice(struct pvt_question *question, const struct pvt_host *here) {
  declare_comparison(question, here);
  pvt_question_compare(question, PVT_MODEL, "model", "thread");
}

static void capital(struct pvt_question *question, const struct pvt_host *here) {
  (void)here;
  row(question, "batched", "Thread", 64);
}

static void blank(struct pvt_question *question, const struct pvt_host *here) {
  (void)here;
  row(question, "one way", "thread", 64);
}

static void without_proof(struct pvt_question *question, const struct pvt_host *here) {
  (void)here;
  row(question, "batched", "thread", 64)->proofs = 0;
}

static void without_measure(struct pvt_question *question, const struct pvt_host *here) {
  (void)here;
  row(question, "batched", "thread", 64)->measure = NULL;
}

static void unknown_row(struct pvt_question *question, const struct pvt_host *here) {
  declare_rows(question, here);
  pvt_question_contrast(question, PVT_MODEL, "fake/batched/model:thread", "fake/nowhere")->is_null = true;
}

static void long_value(struct pvt_question *question, const struct pvt_host *here) {
  (void)here;
  row(question, "batched", "a_value_with_more_characters_than_there_is_room_for", 64);
}

static void long_axis(struct pvt_question *question, const struct pvt_host *here) {
  (void)here;
  pvt_row_axis(question, row(question, "batched", "thread", 64), "an_axis_with_more_characters_than_there_is_room_for",
               "1");
}

static void long_name(struct pvt_question *question, const struct pvt_host *here) {
  struct pvt_row *added = row(question, "batched", "thread", 64);

  (void)here;
  for (int i = 0; i < 4; i++)
    pvt_row_axis(question, added, "an_axis_of_thirty_characters_", "a_value_of_thirty_characters_%d", i);
}

static void long_variant(struct pvt_question *question, const struct pvt_host *here) {
  char variant[2 * PVT_NAME_BYTES];

  (void)here;
  memset(variant, 'v', sizeof variant - 1);
  variant[sizeof variant - 1] = '\0';
  row(question, variant, "thread", -1);
}

static void many_axes(struct pvt_question *question, const struct pvt_host *here) {
  struct pvt_row *added = row(question, "batched", "thread", 64);

  (void)here;
  for (int i = 0; i < PVT_AXES_MAX; i++)
    pvt_row_axis(question, added, "a", "%d", i);
}

static void two_errors(struct pvt_question *question, const struct pvt_host *here) {
  unknown_row(question, here);
  twice(question, here);
}

static const struct {
  const char *what;
  declare_fn *declare;
  int status;
  const char *why; /* a part of it */
} errors[] = {
    {"a row declared twice", twice, -EEXIST, "fake/batched/model:thread/size_bytes:64"},
    {"a contrast declared twice", contrast_twice, -EEXIST, "process-vs-thread"},
    {"a capital letter", capital, -EINVAL, "model:Thread"},
    {"a blank", blank, -EINVAL, "one way"},
    {"no proof", without_proof, -EINVAL, "no proof"},
    {"no measure function", without_measure, -EINVAL, "no measure"},
    {"a contrast with an unknown row", unknown_row, -EINVAL, "fake/nowhere"},
    {"a value too long", long_value, -ENAMETOOLONG, "model"},
    {"an axis too long", long_axis, -ENAMETOOLONG, "an_axis"},
    {"a name too long", long_name, -ENAMETOOLONG, "an_axis"},
    {"a variant too long", long_variant, -ENAMETOOLONG, "vvv"},
    {"too many axes", many_axes, -ENAMETOOLONG, "axes"},
    {"two errors: the first stays", two_errors, -EINVAL, "fake/nowhere"},
};

Test(question, keeps_the_first_error_and_says_why, .timeout = SECONDS) {
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
    struct pvt_question question;
    int status = init(&question, errors[i].declare);

    cr_expect_eq(status, errors[i].status, "%s: %d", errors[i].what, status);
    cr_expect_eq(question.status, status, "%s", errors[i].what);
    cr_expect(strstr(question.why, errors[i].why) != NULL, "%s: %s", errors[i].what, question.why);
    pvt_question_done(&question);
  }
}

/* ---- Skips, and what is kept ---- */

static void declare_skips(struct pvt_question *question, const struct pvt_host *here) {
  pvt_row_needs_cpus(row(question, "cpus", "thread", 1), here, 2);
  pvt_row_needs_cpus(row(question, "cpus", "thread", 2), here, 3);
  pvt_row_needs_bytes(row(question, "bytes", "thread", 1), here, 1 << 29);
  pvt_row_needs_bytes(row(question, "bytes", "thread", 2), here, (1 << 29) + 1);
  pvt_row_needs_workers(row(question, "workers", "thread", 1), here, 900);
  pvt_row_needs_workers(row(question, "workers", "thread", 2), here, 1000);
  pvt_row_skip(row(question, "own", "thread", 1), "needs %s", "luck");
  pvt_row_needs_cpus(&question->rows[question->rows_count - 1], here, 3);
  question->rows[0].subject = pvt_question_keep(question, "kept", 5);
}

Test(question, says_why_a_row_cannot_run_here, .timeout = SECONDS) {
  static const char *const expected[] = {
      "",           "needs 3 CPUs, this machine has 2",
      "",           "needs 512 MiB, more than half of the 1024 MiB available",
      "",           "needs 1000 workers, the limit of processes and threads is 1000",
      "needs luck",
  };
  struct pvt_question question;

  cr_assert_eq(init(&question, declare_skips), 0, "%s", question.why);
  for (size_t i = 0; i < question.rows_count; i++)
    cr_expect_str_eq(question.rows[i].skip, expected[i]);
  cr_expect_str_eq((const char *)question.rows[0].subject, "kept");
  pvt_question_done(&question);
}

Test(question, has_a_name_for_every_kind_of_contrast, .timeout = SECONDS) {
  for (unsigned kind = 0; kind < PVT_KINDS; kind++)
    cr_expect_not_null(pvt_contrast_kind_name(kind), "kind %u", kind);
}
