/* report_words.c - numbers, and what contrasts say together. */
#include "report_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../stats/stats.h"
#include "command.h"

/* ---- Reading the summary ---- */

double pvt_words_number(const json_t *object, const char *name) {
  json_t *value = json_object_get(object, name);

  return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *pvt_words_string(const json_t *object, const char *name) {
  const char *value = json_string_value(json_object_get(object, name));

  return value == NULL ? "" : value;
}

bool pvt_words_is(const json_t *object, const char *name, const char *value) {
  return strcmp(pvt_words_string(object, name), value) == 0;
}

json_t *pvt_words_index(const json_t *summary) {
  json_t *index = json_object(), *each;
  size_t i;

  json_array_foreach (json_object_get(summary, "rows"), i, each)
    json_object_set(index, pvt_words_string(each, "name"), each);
  return index;
}

const char *pvt_words_axis(const json_t *row, const char *axis) {
  return pvt_words_string(json_object_get(row, "axes"), axis);
}

static const json_t *arm_of(const json_t *index, const json_t *contrast) {
  return json_object_get(index, pvt_words_string(contrast, "arm"));
}

const char *pvt_words_question(const json_t *index, const json_t *contrast) {
  return pvt_words_string(arm_of(index, contrast), "question");
}

bool pvt_words_is_null_check(const json_t *contrast) {
  return json_is_true(json_object_get(contrast, "null_check"));
}

const json_t **pvt_words_contrasts(const json_t *summary, const json_t *index, const char *question, const char *kind,
                                   bool is_null, size_t *ret_count) {
  json_t *all = json_object_get(summary, "contrasts"), *each;
  const json_t **found = calloc(json_array_size(all) + 1, sizeof(void *));
  size_t i, count = 0;

  if (found == NULL)
    return NULL;
  json_array_foreach (all, i, each) {
    if (pvt_words_is_null_check(each) == is_null && (kind == NULL || pvt_words_is(each, "kind", kind)) &&
        (question == NULL || strcmp(pvt_words_question(index, each), question) == 0))
      found[count++] = each;
  }
  *ret_count = count;
  return found;
}

json_t *pvt_words_questions(const json_t *summary) {
  json_t *questions = json_object(), *each;
  size_t i;

  json_array_foreach (json_object_get(summary, "rows"), i, each) {
    json_t *name = json_object_get(each, "question");

    if (json_is_string(name) && json_object_get(questions, json_string_value(name)) == NULL)
      json_object_set(questions, json_string_value(name), name);
  }
  return questions;
}

const json_t **pvt_words_rows(const json_t *summary, const char *question, size_t *ret_count) {
  json_t *all = json_object_get(summary, "rows"), *each;
  const json_t **found = calloc(json_array_size(all) + 1, sizeof(void *));
  size_t i, count = 0;

  if (found == NULL)
    return NULL;
  json_array_foreach (all, i, each) {
    if (pvt_words_is(each, "question", question) && isfinite(pvt_words_number(each, "value")))
      found[count++] = each;
  }
  *ret_count = count;
  return found;
}

/* ---- Numbers ---- */

void pvt_words_ratio(double ratio, char text[PVT_WORDS_BYTES]) {
  if (!isfinite(ratio))
    snprintf(text, PVT_WORDS_BYTES, "-");
  else if (ratio >= 1e6 || ratio < 0.01)
    snprintf(text, PVT_WORDS_BYTES, "%.2e", ratio);
  else
    snprintf(text, PVT_WORDS_BYTES, "%.*f", ratio >= 100 ? 0 : ratio >= 10 ? 1 : ratio >= 1.1 ? 2 : 3, ratio);
}

void pvt_words_time(double ns, char text[PVT_WORDS_BYTES]) {
  pvt_command_print_ns(ns, text, PVT_WORDS_BYTES);
}

void pvt_words_ratio_interval(const json_t *contrast, char text[PVT_WORDS_BYTES]) {
  double low_value = pvt_words_number(contrast, "low"), high_value = pvt_words_number(contrast, "high");
  char ratio[PVT_WORDS_BYTES], low[PVT_WORDS_BYTES], high[PVT_WORDS_BYTES];

  pvt_words_ratio(pvt_words_number(contrast, "ratio"), ratio);
  pvt_words_ratio(low_value, low);
  pvt_words_ratio(high_value, high);
  if (isfinite(low_value) && isfinite(high_value))
    snprintf(text, PVT_WORDS_BYTES, "%.16s [%.16s, %.16s]", ratio, low, high);
  else
    snprintf(text, PVT_WORDS_BYTES, "%.16s, no interval", ratio);
}

void pvt_words_range(double low, double high, char text[PVT_WORDS_BYTES]) {
  char first[PVT_WORDS_BYTES], last[PVT_WORDS_BYTES];

  pvt_words_ratio(low, first);
  pvt_words_ratio(high, last);
  if (strcmp(first, last) == 0)
    snprintf(text, PVT_WORDS_BYTES, "%.24s", first);
  else
    snprintf(text, PVT_WORDS_BYTES, "%.24s to %.24s", first, last);
}

/* ---- What contrasts say together ---- */

static void widen(double ratio, size_t *count, double *least, double *most) {
  if (*count == 0 || ratio < *least)
    *least = ratio;
  if (*count == 0 || ratio > *most)
    *most = ratio;
  ++*count;
}

struct pvt_tally pvt_tally_of(const json_t *const *contrasts, size_t count) {
  struct pvt_tally tally = {.count = count, .least = NAN, .most = NAN};
  size_t with_ratio = 0;

  for (size_t i = 0; i < count; i++) {
    const char *verdict = pvt_words_string(contrasts[i], "verdict");
    double ratio = pvt_words_number(contrasts[i], "ratio");

    if (isfinite(ratio))
      widen(ratio, &with_ratio, &tally.least, &tally.most);
    if (strcmp(verdict, "higher") == 0)
      widen(ratio, &tally.higher, &tally.higher_least, &tally.higher_most);
    else if (strcmp(verdict, "lower") == 0)
      widen(ratio, &tally.lower, &tally.lower_least, &tally.lower_most);
    else if (strcmp(verdict, "equal") == 0)
      widen(ratio, &tally.equal, &tally.equal_least, &tally.equal_most);
    else if (strcmp(verdict, "invalid") == 0)
      tally.invalid++;
    else
      tally.unresolved++;
  }
  return tally;
}

/* Carriers by their name in the axis "model". */
static const struct carrier {
  const char *model, *one, *many;
} carriers[] = {{"process", "a process", "Processes"},
                {"thread", "a thread", "Threads"},
                {"hybrid", "a hybrid", "Hybrids"},
                {"event_loop_uring", "an event loop on io_uring", "Event loops on io_uring"},
                {"event_loop", "an event loop", "Event loops"},
                {"by_hand", "a loop by hand", "Loops by hand"}};

static const struct carrier *carrier_of(const json_t *row) {
  for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++)
    if (strcmp(pvt_words_axis(row, "model"), carriers[i].model) == 0)
      return &carriers[i];
  return NULL;
}

const char *pvt_words_arms(const json_t *index, const json_t *const *contrasts, size_t count) {
  const struct carrier *first = count == 0 ? NULL : carrier_of(arm_of(index, contrasts[0]));

  for (size_t i = 1; i < count; i++)
    if (carrier_of(arm_of(index, contrasts[i])) != first)
      return "Other models";
  return first == NULL ? "Other models" : first->many;
}

/* " in 3 of 5 comparisons", " in all 3 comparisons", or nothing when there is but one. */
static void tell_share(FILE *to, size_t share, size_t count) {
  if (share < count)
    fprintf(to, " in %zu of %zu comparisons", share, count);
  else if (count > 1)
    fprintf(to, " in all %zu comparisons", count);
}

/* What the leading verdict left untold. */
static void tell_rest(FILE *to, const struct pvt_tally *tally, enum pvt_verdict told) {
  char range[PVT_WORDS_BYTES];

  if (told != PVT_HIGHER && tally->higher > 0) {
    pvt_words_range(tally->higher_least, tally->higher_most, range);
    fprintf(to, "; more in %zu (%s times)", tally->higher, range);
  }
  if (told != PVT_LOWER && tally->lower > 0) {
    pvt_words_range(tally->lower_least, tally->lower_most, range);
    fprintf(to, "; less in %zu (%s times)", tally->lower, range);
  }
  if (told != PVT_EQUAL && tally->equal > 0)
    fprintf(to, "; equal within 3 %% in %zu", tally->equal);
  if (tally->unresolved > 0)
    fprintf(to, "; not resolved in %zu", tally->unresolved);
}

/* The verdict that most of the resolved contrasts have: it leads the title. */
static enum pvt_verdict leading(const struct pvt_tally *tally) {
  if (tally->invalid > 0)
    return PVT_INVALID;
  if (tally->higher + tally->lower + tally->equal == 0)
    return PVT_UNRESOLVED;
  if (tally->higher >= tally->lower && tally->higher >= tally->equal)
    return PVT_HIGHER;
  return tally->lower >= tally->equal ? PVT_LOWER : PVT_EQUAL;
}

static void tell(FILE *to, const char *arms, const char *against, const struct pvt_tally *tally) {
  enum pvt_verdict verdict = leading(tally);
  char range[PVT_WORDS_BYTES];

  switch (verdict) {
  case PVT_INVALID:
    pvt_words_range(tally->least, tally->most, range);
    fprintf(to, "No verdict, because the run is invalid: ratios from %s", range);
    return;
  case PVT_UNRESOLVED:
    pvt_words_range(tally->least, tally->most, range);
    fprintf(to, "Not resolved here: whether %c%s cost more than %s (%s %s)", arms[0] - 'A' + 'a', arms + 1, against,
            tally->count == 1 ? "ratio" : "ratios", range);
    return;
  case PVT_HIGHER:
    pvt_words_range(tally->higher_least, tally->higher_most, range);
    fprintf(to, "%s cost %s times as much as %s", arms, range, against);
    tell_share(to, tally->higher, tally->count);
    break;
  case PVT_LOWER:
    pvt_words_range(tally->lower_least, tally->lower_most, range);
    fprintf(to, "%s cost less than %s, %s times as much,", arms, against, range);
    tell_share(to, tally->lower, tally->count);
    break;
  case PVT_EQUAL:
    fprintf(to, "%s cost the same as %s within 3 %%", arms, against);
    tell_share(to, tally->equal, tally->count);
    break;
  }
  tell_rest(to, tally, verdict);
}

/* arms begins with a capital; both are plural. */
static char *title_of(const char *arms, const char *against, const struct pvt_tally *tally) {
  char *text = NULL;
  size_t size;
  FILE *to = open_memstream(&text, &size);

  if (to == NULL)
    return NULL;
  tell(to, arms, against, tally);
  return fclose(to) == 0 ? text : NULL;
}

char *pvt_words_model_title(const json_t *index, const json_t *const *contrasts, size_t count) {
  struct pvt_tally tally = pvt_tally_of(contrasts, count);

  return title_of(pvt_words_arms(index, contrasts, count), "threads", &tally);
}

char *pvt_words_kind_title(const char *kind, const json_t *const *contrasts, size_t count) {
  static const char *const kinds[][3] = {
      {"sharing", "Shared variants", "private ones"},
      {"ladder", "Variants one step on", "the step before"},
      {"peer", "Arms", "the other libraries"},
      {"floor", "Operations", "their floors"},
  };
  struct pvt_tally tally = pvt_tally_of(contrasts, count);
  char range[PVT_WORDS_BYTES], *title = NULL;

  if (strcmp(kind, "same") == 0) {
    pvt_words_range(tally.least, tally.most, range);
    return asprintf(&title, "The same thing measured twice: %s", range) == -1 ? NULL : title;
  }
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if (strcmp(kind, kinds[i][0]) == 0)
      return title_of(kinds[i][1], kinds[i][2], &tally);
  return title_of("Arms", "what they are compared with", &tally);
}

/* What an unresolved contrast still says. */
static int tell_unresolved(const json_t *contrast, const char *interval, char **ret_text) {
  const char *why = pvt_words_string(contrast, "why");
  double could_see = pvt_words_number(contrast, "could_see");

  if (!isfinite(pvt_words_number(contrast, "ratio")))
    return asprintf(ret_text, "not measured: %s", why);
  if (!isfinite(could_see))
    return asprintf(ret_text, "not resolved: %s; %s", interval, why);
  if (could_see < 2)
    return asprintf(ret_text, "not resolved: %s; %s; a difference of %.2g %% could have been seen", interval, why,
                    (could_see - 1) * 100);
  return asprintf(ret_text, "not resolved: %s; %s; a factor of %.3g could have been seen", interval, why, could_see);
}

char *pvt_words_sentence(const json_t *index, const json_t *contrast) {
  const json_t *against = json_object_get(index, pvt_words_string(contrast, "against"));
  const struct carrier *a = carrier_of(arm_of(index, contrast)), *b = carrier_of(against);
  const char *arm_name = a == NULL || a == b ? "the first" : a->one;
  const char *against_name = b == NULL || a == b ? "the second" : b->one;
  const char *verdict = pvt_words_string(contrast, "verdict");
  char interval[PVT_WORDS_BYTES], *text = NULL;
  int printed;

  pvt_words_ratio_interval(contrast, interval);
  if (strcmp(verdict, "higher") == 0 || strcmp(verdict, "lower") == 0)
    printed = asprintf(&text, "%s costs %s times as much as %s", arm_name, interval, against_name);
  else if (strcmp(verdict, "equal") == 0)
    printed = asprintf(&text, "equal within 3 %%: %s", interval);
  else if (strcmp(verdict, "invalid") == 0)
    printed = asprintf(&text, "no verdict, the run is invalid: %s", interval);
  else
    printed = tell_unresolved(contrast, interval, &text);
  return printed == -1 ? NULL : text;
}
