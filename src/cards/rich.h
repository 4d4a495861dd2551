// SPDX-License-Identifier: Apache-2.0
// Text with marked parts. Ours is the only reader of marks: nothing from outside reaches Pango's
// markup, so a tag that is not in the list below is printed as it stands.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace affiche::cards {

enum class Mark { Bold, Italic, Underline, Strike, Superscript, Subscript, Small, Accent };

// Bytes [from, to) of the text.
struct Span {
  std::size_t from = 0;
  std::size_t to = 0;
  Mark mark = Mark::Bold;
};

struct RichText {
  std::string text;
  std::vector<Span> spans;
};

// Reads <b>, <strong>, <i>, <em>, <u>, <s>, <sup>, <sub>, <small>, <mark>, <br> and the five named
// entities of XML. A tag of any other name or with attributes, and one without its partner, is
// text.
RichText read_rich(const std::string& source);

// Replaces `removed` bytes at `at`. Positions are in the text before any of the edits.
struct TextEdit {
  std::size_t at = 0;
  std::size_t removed = 0;
  std::string inserted;
};
// `edits` in ascending order, not overlapping; spans move along.
RichText edited(const RichText& source, const std::vector<TextEdit>& edits);

// The first `bytes` of it and `end`.
RichText shortened(const RichText& source, std::size_t bytes, const std::string& end);

}  // namespace affiche::cards
