/* json.c - values of unknown bytes, put into JSON safely. */
#include "parts.h"

#include <errno.h>
#include <string.h>

enum { TEXT_BYTES = 1024 };

void pvt_machine_put(json_t **object, const char *key, json_t *value) {
  if (*object == NULL) {
    json_decref(value);
    return;
  }
  if (json_object_set_new(*object, key, value) < 0) { /* a NULL value fails here too */
    json_decref(*object);
    *object = NULL;
  }
}

json_t *pvt_machine_text(const char *bytes) {
  char text[TEXT_BYTES];
  size_t length = strnlen(bytes, sizeof text - 1);
  for (size_t i = 0; i < length; i++) {
    bool is_control = (unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7f;
    text[i] = bytes[i];
    if (is_control)
      text[i] = ' ';
  }
  while (length > 0 && text[length - 1] == ' ')
    length--;
  text[length] = '\0';
  const char *start = text + strspn(text, " ");
  if (*start == '\0')
    return json_string("unknown");
  json_t *string = json_string(start);
  if (string != NULL)
    return string;
  /* Jansson takes only valid UTF-8, and does not say where it broke. */
  for (size_t i = 0; i < length; i++) {
    if ((unsigned char)text[i] >= 0x80)
      text[i] = '?';
  }
  return json_string(start);
}

json_t *pvt_machine_file(const char *root, const char *path, const char *anchor) {
  char text[PVT_MACHINE_FILE_BYTES];
  int length = pvt_machine_slurp(root, path, text, sizeof text);
  if (length == -ENOENT && anchor != NULL && pvt_machine_exists(root, anchor))
    return json_string("none");
  if (length < 0)
    return json_string("unknown");
  text[strcspn(text, "\n")] = '\0';
  /* An empty list, such as that of isolated CPUs, is an answer. */
  return *text == '\0' && anchor != NULL ? json_string("none") : pvt_machine_text(text);
}

json_t *pvt_machine_file_number(const char *root, const char *path, const char *anchor) {
  json_t *text = pvt_machine_file(root, path, anchor);
  uint64_t value;
  if (text == NULL || pvt_machine_number(json_string_value(text), &value) < 0 || value > INT64_MAX)
    return text;
  json_decref(text);
  return json_integer((json_int_t)value);
}
