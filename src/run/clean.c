#include "clean.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static unsigned continuations(const unsigned char *bytes, unsigned count) {
  unsigned i = 0;

  while (i < count && (bytes[i] & 0xc0) == 0x80)
    i++;
  return i;
}

/* How long the printable character is that begins here; 0: none does. */
static unsigned printable_bytes(const unsigned char *at) {
  if (at[0] < 0x80)
    return at[0] >= 0x20 && at[0] != 0x7f;
  if (at[0] >= 0xc2 && at[0] <= 0xdf)
    return continuations(at + 1, 1) == 1 && (at[0] != 0xc2 || at[1] >= 0xa0) ? 2 : 0; /* U+0080 to U+009F move too */
  if (at[0] >= 0xe0 && at[0] <= 0xef) {
    bool is_overlong = at[0] == 0xe0 && at[1] < 0xa0, is_surrogate = at[0] == 0xed && at[1] > 0x9f;

    return continuations(at + 1, 2) == 2 && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (at[0] >= 0xf0 && at[0] <= 0xf4) {
    bool is_outside = (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f);

    return continuations(at + 1, 3) == 3 && !is_outside ? 4 : 0;
  }
  return 0;
}

void pvt_clean_text(char *text) {
  while (*text != '\0') {
    unsigned bytes = printable_bytes((const unsigned char *)text);

    if (bytes == 0)
      *text = '?';
    text += bytes == 0 ? 1 : bytes;
  }
}

static int clean_string(json_t *string) {
  char *text = strdup(json_string_value(string));
  int status = text == NULL ? -ENOMEM : 0;

  if (status == 0)
    pvt_clean_text(text);
  if (status == 0 && strcmp(text, json_string_value(string)) != 0 && json_string_set(string, text) < 0)
    status = -ENOMEM;
  free(text);
  return status;
}

int pvt_clean_json(json_t *json) {
  const char *name;
  json_t *each;
  int status = 0;
  size_t i;

  if (json_is_string(json))
    return clean_string(json);
  json_object_foreach (json, name, each)
    status = status == 0 ? pvt_clean_json(each) : status;
  json_array_foreach (json, i, each)
    status = status == 0 ? pvt_clean_json(each) : status;
  return status;
}
