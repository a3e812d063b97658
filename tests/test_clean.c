/* test_clean.c - texts from anywhere, made fit for a terminal and for JSON. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "run/clean.h"
#include "run/why.h"

enum { SECONDS = 30 };

static const struct sample {
  const char *text, *clean;
} samples[] = {
    {"", ""},
    {"plain words: 12 %", "plain words: 12 %"},
    {"\x1b[2J\x1b]0;title\x07", "?[2J?]0;title?"},
    {"a\nb\tc\r\x7f", "a?b?c??"},
    {"r\xc3\xa9sultats \xe2\x82\xac \xf0\x9f\x98\x80", "r\xc3\xa9sultats \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"\xc2\x9b"
     "2J",
     "??2J"},                                              /* the control sequence introducer in one character */
    {"\xc2\xa0\xc2", "\xc2\xa0?"},                         /* cut in mid-character */
    {"\xe2\x82", "??"},                                    /* the same */
    {"\xff\xfe\x80", "???"},                               /* never UTF-8 */
    {"\xc0\xaf\xe0\x80\xaf\xf0\x80\x80\xaf", "?????????"}, /* '/' written too long */
    {"\xed\xa0\x80\xf4\x90\x80\x80\xf5", "????????"},      /* a surrogate, beyond the last character */
};

Test(clean, leaves_words_and_replaces_what_moves_a_terminal, .timeout = SECONDS) {
  for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
    char *text = strdup(samples[i].text);

    pvt_clean_text(text);
    cr_expect_str_eq(text, samples[i].clean, "sample %zu became %s", i, text);
    free(text);
  }
}

Test(clean, every_string_of_two_bytes_becomes_one_that_json_takes, .timeout = SECONDS) {
  for (unsigned pair = 0x0101; pair <= 0xffff; pair++) {
    char text[3] = {(char)(pair >> 8), (char)(pair & 0xff), '\0'};
    json_t *json;

    pvt_clean_text(text);
    json = json_string(text);
    cr_expect_not_null(json, "%04x", pair);
    json_decref(json);
  }
}

Test(clean, reaches_every_string_of_a_value, .timeout = SECONDS) {
  json_t *json = json_pack("{s:s, s:[s, {s:s}, i], s:n}", "a", "x\x1b", "b", "\n", "c", "\xc2\x85", 7, "d");

  cr_assert_eq(pvt_clean_json(json), 0);
  cr_expect_str_eq(json_string_value(json_object_get(json, "a")), "x?");
  cr_expect_str_eq(json_string_value(json_array_get(json_object_get(json, "b"), 0)), "?");
  cr_expect_str_eq(json_string_value(json_object_get(json_array_get(json_object_get(json, "b"), 1), "c")), "??");
  json_decref(json);
}

Test(clean, a_reason_is_clean_even_where_it_was_cut, .timeout = SECONDS) {
  struct pvt_why why;
  char text[600];
  json_t *json;

  memset(text, 'x', sizeof text);
  for (size_t i = 400; i + 1 < sizeof text - 1; i += 2)
    memcpy(text + i, "\xc3\xa9", 2);
  text[sizeof text - 1] = '\0';
  for (int shift = 0; shift < 2; shift++) {
    cr_expect_eq(pvt_why_set(&why, -5, "%s", text + shift), -5);
    json = json_string(why.text);
    cr_expect_not_null(json);
    json_decref(json);
  }
}
