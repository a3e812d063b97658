/* report_words.h - what charts and report say: numbers, labels and sentences made from the summary of a run. */
#ifndef PVT_PVT_REPORT_WORDS_H
#define PVT_PVT_REPORT_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { PVT_WORDS_BYTES = 64, PVT_LABEL_BYTES = 120 };

/* ---- Reading the summary ---- */

/* NAN when it is not there or null. */
double pvt_words_number(const json_t *object, const char *name);
/* "" when it is not there. */
const char *pvt_words_string(const json_t *object, const char *name);
bool pvt_words_is(const json_t *object, const char *name, const char *value);
/* {row's name: row}: the look-up of the functions below. The caller's; NULL: no memory. */
json_t *pvt_words_index(const json_t *summary);
/* A row's axis, or "": "process" for "model". */
const char *pvt_words_axis(const json_t *row, const char *axis);
/* The question of the contrast's arm, or "". */
const char *pvt_words_question(const json_t *index, const json_t *contrast);
bool pvt_words_is_null_check(const json_t *contrast);

/* ---- Numbers ---- */

/* "7.63", "94.1", "1.003" (a digit more near 1), "1230"; "-" for what is not finite. */
void pvt_words_ratio(double ratio, char text[PVT_WORDS_BYTES]);
/* "5.34 us": ns, as the table of pvt show prints them. */
void pvt_words_time(double ns, char text[PVT_WORDS_BYTES]);
/* "7.63 [7.41, 7.90]", or without the interval where there is none. */
void pvt_words_ratio_interval(const json_t *contrast, char text[PVT_WORDS_BYTES]);
/* "7.63 to 94.1", or "7.63" when both read the same. */
void pvt_words_range(double low, double high, char text[PVT_WORDS_BYTES]);

/* ---- Labels ---- */

/*
 * Rows or contrasts, told apart by as few words as do: what all have in common stands once in `common`. Labels are
 * plain ASCII without quotes, backslashes, tabs or anything else that a drawing program or a table could mistake.
 */
struct pvt_labels {
  char (*texts)[PVT_LABEL_BYTES];
  size_t count;
  char common[4 * PVT_LABEL_BYTES]; /* "" when there is nothing */
};

/* items: rows, or contrasts whose rows are looked up in the index. with_question: there are several questions. -ENOMEM.
 */
int pvt_labels_new(const json_t *index, const json_t *const *items, size_t count, bool with_question,
                   struct pvt_labels *ret_labels);
void pvt_labels_done(struct pvt_labels *labels);

/* ---- What contrasts say together ---- */

struct pvt_tally {
  size_t count, higher, lower, equal, unresolved, invalid;   /* contrasts, by verdict */
  double higher_least, higher_most, lower_least, lower_most; /* ratios of those; meaningless without any */
  double equal_least, equal_most;
  double least, most; /* of all that have a ratio */
};

struct pvt_tally pvt_tally_of(const json_t *const *contrasts, size_t count);

/* "Processes", "A process" from the contrasts' arms: plural and capital as asked; "The other models" when they differ.
 */
const char *pvt_words_arms(const json_t *index, const json_t *const *contrasts, size_t count);
/* "Processes cost 7.63 to 94.1 times as much as threads (3 of 3 resolved)": the finding of model contrasts. */
char *pvt_words_model_title(const json_t *index, const json_t *const *contrasts, size_t count);
/* The same for any kind, told by what arm and against are called. All three are the caller's to free; NULL: no memory.
 */
char *pvt_words_kind_title(const char *kind, const json_t *const *contrasts, size_t count);
/* One contrast: "a process costs 7.63 times as much as a thread, [7.41, 7.90]". */
char *pvt_words_sentence(const json_t *index, const json_t *contrast);

/* Contrasts of the summary: of one question (NULL: any) and one kind (NULL: any), null checks or not. The caller's to
 * free; the members are borrowed. NULL: no memory. */
const json_t **pvt_words_contrasts(const json_t *summary, const json_t *index, const char *question, const char *kind,
                                   bool is_null, size_t *ret_count);
/* {name: the same name}, of questions that have rows, in the order of the rows; the strings are the summary's own. The
 * caller's; NULL: no memory. */
json_t *pvt_words_questions(const json_t *summary);
/* Rows of a question that have a value. */
const json_t **pvt_words_rows(const json_t *summary, const char *question, size_t *ret_count);

#endif
