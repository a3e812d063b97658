/* report_labels.c - names of rows and contrasts, shortened to what tells them apart. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_words.h"

enum { PIECES_MAX = 24, TEXT_BYTES = 80 };

/* One thing that a label may say: an axis and its value, or the two values of a contrast; and the words for it. */
struct piece {
  char axis[TEXT_BYTES], value[TEXT_BYTES], text[2 * TEXT_BYTES];
};

struct entry {
  struct piece pieces[PIECES_MAX];
  unsigned count;
};

/* Only what no drawing program can take for a command or a mark. */
static void keep_plain(char *text) {
  for (; *text != '\0'; text++)
    if (!isascii(*text) || (!isalnum((unsigned char)*text) && strchr(" .,:/()+-", *text) == NULL))
      *text = *text == '_' ? ' ' : '?';
}

static const char *const units[][2] = {{"_mib", " MiB"}, {"_kib", " KiB"}, {"_bytes", " B"},
                                       {"_us", " us"},   {"_ns", " ns"},   {"_ms", " ms"}};

/* A value that says nothing without its axis. */
static bool is_bare(const char *value) {
  return (value[0] >= '0' && value[0] <= '9') || strlen(value) <= 2 || strstr(value, "none") != NULL;
}

static bool is_only_against(const struct piece *piece) {
  return strncmp(piece->value, "vs ", 3) == 0;
}

/* "dirty_mib", "64" reads "dirty 64 MiB"; "placement", "same_cpu" reads "same cpu"; "holder", "none" "holder none". */
static void write_text(struct piece *piece, bool is_named) {
  size_t length = strlen(piece->axis), suffix = 0;
  const char *unit = "";

  for (size_t i = 0; i < sizeof units / sizeof units[0] && suffix == 0 && isdigit((unsigned char)piece->value[0]); i++)
    if (length > strlen(units[i][0]) && strcmp(piece->axis + length - strlen(units[i][0]), units[i][0]) == 0) {
      unit = units[i][1];
      suffix = strlen(units[i][0]);
    }
  if (piece->axis[0] == '\0' || !is_named || is_only_against(piece))
    snprintf(piece->text, sizeof piece->text, "%s%s", piece->value, unit);
  else
    snprintf(piece->text, sizeof piece->text, "%.*s %s%s", (int)(length - suffix), piece->axis, piece->value, unit);
  keep_plain(piece->text);
}

/* An axis is named everywhere when one of its values is bare, or is a value of another axis too. */
static void write_texts(struct entry *entries, size_t count) {
  json_t *axis_of = json_object(), *named = json_object();

  for (size_t i = 0; i < count; i++)
    for (unsigned p = 0; p < entries[i].count; p++) {
      const struct piece *piece = &entries[i].pieces[p];
      const char *other = json_string_value(json_object_get(axis_of, piece->value));

      if (other == NULL)
        json_object_set_new(axis_of, piece->value, json_string(piece->axis));
      else if (strcmp(other, piece->axis) != 0) {
        json_object_set_new(named, other, json_true());
        json_object_set_new(named, piece->axis, json_true());
      }
      if (is_bare(piece->value))
        json_object_set_new(named, piece->axis, json_true());
    }
  for (size_t i = 0; i < count; i++)
    for (unsigned p = 0; p < entries[i].count; p++)
      write_text(&entries[i].pieces[p], json_object_get(named, entries[i].pieces[p].axis) != NULL);
  json_decref(axis_of);
  json_decref(named);
}

static void add(struct entry *entry, const char *axis, const char *arm, const char *against) {
  struct piece *piece = &entry->pieces[entry->count];

  if (entry->count == PIECES_MAX || (arm[0] == '\0' && against[0] == '\0'))
    return;
  entry->count++;
  snprintf(piece->axis, sizeof piece->axis, "%s", axis);
  if (strcmp(arm, against) == 0 || against[0] == '\0')
    snprintf(piece->value, sizeof piece->value, "%s", arm);
  else
    snprintf(piece->value, sizeof piece->value, "%.36s%svs %.36s", arm, arm[0] == '\0' ? "" : " ", against);
}

/* The part of the name that is no axis: "reaped" of "create/reaped/model:process". */
static void variant_of(const json_t *row, char variant[TEXT_BYTES]) {
  const char *name = pvt_words_string(row, "name"), *question = pvt_words_string(row, "question");
  size_t length = strlen(question);
  const char *colon;

  variant[0] = '\0';
  if (strncmp(name, question, length) != 0 || name[length] != '/')
    return;
  name += length + 1;
  colon = strchr(name, ':');
  if (colon == NULL)
    colon = name + strlen(name);
  else
    while (colon > name && *colon != '/')
      colon--;
  snprintf(variant, TEXT_BYTES, "%.*s", (int)(colon - name), name);
}

static void describe(const json_t *arm, const json_t *against, bool with_question, struct entry *ret) {
  char arm_variant[TEXT_BYTES], against_variant[TEXT_BYTES];
  const char *axis;
  json_t *value;

  ret->count = 0;
  if (with_question)
    add(ret, "", pvt_words_string(arm, "question"), pvt_words_string(against, "question"));
  variant_of(arm, arm_variant);
  variant_of(against, against_variant);
  add(ret, "", arm_variant, against_variant);
  json_object_foreach (json_object_get(arm, "axes"), axis, value)
    if (json_is_string(value))
      add(ret, axis, json_string_value(value), pvt_words_axis(against, axis));
  json_object_foreach (json_object_get(against, "axes"), axis, value)
    if (json_is_string(value) && pvt_words_axis(arm, axis)[0] == '\0')
      add(ret, axis, "", json_string_value(value));
}

static bool has(const struct entry *entry, const struct piece *piece) {
  for (unsigned i = 0; i < entry->count; i++)
    if (strcmp(entry->pieces[i].axis, piece->axis) == 0 && strcmp(entry->pieces[i].text, piece->text) == 0)
      return true;
  return false;
}

static void append(char *text, size_t bytes, const char *more) {
  size_t length = strlen(text);

  snprintf(text + length, bytes - length, "%s%s", length == 0 ? "" : ", ", more);
}

/* What all entries have is said once. A single entry keeps everything for itself. */
static void share_out(const struct entry *entries, struct pvt_labels *labels) {
  struct entry common = {.count = 0};

  for (unsigned p = 0; labels->count > 1 && p < entries[0].count; p++) {
    size_t i = 1;

    while (i < labels->count && has(&entries[i], &entries[0].pieces[p]))
      i++;
    if (i < labels->count)
      continue;
    common.pieces[common.count++] = entries[0].pieces[p];
    append(labels->common, sizeof labels->common, entries[0].pieces[p].text);
  }
  for (size_t i = 0; i < labels->count; i++)
    for (unsigned p = 0; p < entries[i].count; p++)
      if (!has(&common, &entries[i].pieces[p]))
        append(labels->texts[i], PVT_LABEL_BYTES, entries[i].pieces[p].text);
}

int pvt_labels_new(const json_t *index, const json_t *const *items, size_t count, bool with_question,
                   struct pvt_labels *ret_labels) {
  struct entry *entries = calloc(count + 1, sizeof entries[0]);
  struct pvt_labels labels = {calloc(count + 1, sizeof labels.texts[0]), count, ""};

  if (entries == NULL || labels.texts == NULL) {
    free(entries);
    free(labels.texts);
    return -ENOMEM;
  }
  for (size_t i = 0; i < count; i++) {
    const json_t *arm = json_object_get(index, pvt_words_string(items[i], "arm"));
    const json_t *against = json_object_get(index, pvt_words_string(items[i], "against"));

    describe(arm == NULL ? items[i] : arm, arm == NULL ? items[i] : against, with_question, &entries[i]);
  }
  write_texts(entries, count);
  share_out(entries, &labels);
  for (size_t i = 0; i < count; i++)
    if (labels.texts[i][0] == '\0')
      snprintf(labels.texts[i], PVT_LABEL_BYTES, "%.100s",
               pvt_words_string(items[i], json_object_get(items[i], "id") == NULL ? "name" : "id"));
  free(entries);
  *ret_labels = labels;
  return 0;
}

void pvt_labels_done(struct pvt_labels *labels) {
  free(labels->texts);
  *labels = (struct pvt_labels){0};
}
