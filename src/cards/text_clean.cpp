// SPDX-License-Identifier: Apache-2.0
#include <glib.h>

#include <memory>

#include "base/error.h"
#include "cards/text.h"

namespace affiche::cards {
namespace {

bool is_mark(gunichar c) {
  const GUnicodeType type = g_unichar_type(c);
  return type == G_UNICODE_NON_SPACING_MARK || type == G_UNICODE_ENCLOSING_MARK;
}

bool is_unwanted(gunichar c) {
  const GUnicodeType type = g_unichar_type(c);
  if (type == G_UNICODE_CONTROL || type == G_UNICODE_SURROGATE) return true;
  if (c >= 0x202A && c <= 0x202E) return true;  // bidirectional embeddings and overrides
  if (c >= 0x2066 && c <= 0x2069) return true;  // isolates: an unclosed one turns the credit round
  if (c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB)) return true;
  return c >= 0xE0000 && c <= 0xE001F;
}

bool is_space(gunichar c) {
  return c == '\t' || c == '\n' || c == '\r' || (g_unichar_isspace(c) && c != 0xA0 && c != 0x202F);
}

}  // namespace

std::string clean_text(const std::string& text, const std::string& what) {
  const gchar* stop = nullptr;
  // An embedded NUL ends validation early, so it is found here too.
  if (!g_utf8_validate(text.data(), static_cast<gssize>(text.size()), &stop)) {
    fail(Cause::BadInput, what, ": expected UTF-8, found an invalid byte at position ",
         stop - text.data());
  }
  constexpr int kMaxMarks = 4;
  const std::unique_ptr<gchar, decltype(&g_free)> normal(
      g_utf8_normalize(text.data(), static_cast<gssize>(text.size()), G_NORMALIZE_NFC), &g_free);
  std::string result;
  int marks = 0;
  bool space = false;
  for (const gchar* at = normal.get(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    if (is_space(c)) {
      space = !result.empty();
      continue;
    }
    if (is_unwanted(c)) continue;
    marks = is_mark(c) ? marks + 1 : 0;
    if (marks > kMaxMarks) continue;
    if (space) result += ' ';
    space = false;
    result.append(at, static_cast<std::size_t>(g_utf8_next_char(at) - at));
  }
  return result;
}

int count_characters(const std::string& utf8) {
  int count = 0;
  for (const gchar* at = utf8.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    if (!is_mark(g_utf8_get_char(at))) ++count;
  }
  return count;
}

}  // namespace affiche::cards
