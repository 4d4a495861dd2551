// SPDX-License-Identifier: Apache-2.0
// Texts of other people, made fit for a credit: one line of UTF-8 without markup, controls and
// direction overrides. Nothing is ever cut off a name. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace affiche::photos {

struct HtmlText {
  std::string text;  // as plain_line() leaves it
  std::string link;  // of the first <a href> to http or https, absolute; empty: none
};

// Reads a fragment of HTML by a parser: what a browser would show of it. Scripts, styles and what
// style="display:none" hides are left out; protocol-relative links become https. Broken markup is
// read as a browser would. BadInput, starting with `what`, for more than 64 KiB or for nesting
// beyond the parser's bound.
HtmlText read_html(std::string_view html, const std::string& what);

// NFC, white space folded; controls, direction overrides and isolates, and more than four marks on
// a letter are dropped; bytes that are no UTF-8 become U+FFFD.
std::string plain_line(std::string_view text);

}  // namespace affiche::photos
