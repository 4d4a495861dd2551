// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/prompt_weights.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "diffusion/text/unicode.h"

namespace affiche::diffusion {
namespace {

constexpr double kRound = 1.1;
constexpr double kSquare = 1 / 1.1;
constexpr std::size_t kDeepest = 100;

// What Python's regular expressions call \s and \w, which A1111's grammar is written in.
bool is_blank(char32_t c) {
  return unicode::is_space(c) || (c >= 0x1C && c <= 0x1F);
}
bool is_word(char32_t c) {
  return unicode::is_letter(c) || unicode::is_number(c) || c == U'_';
}

void skip_blanks(std::u32string_view text, std::size_t& at) {
  while (at < text.size() && is_blank(text[at])) ++at;
}

struct Part {
  std::u32string text;
  double weight = 1;
  bool starts_chunk = false;
};

void add_text(std::vector<Part>& parts, std::u32string_view text) {
  constexpr std::u32string_view kBreak = U"BREAK";
  std::size_t start = 0;
  std::size_t from = 0;
  while (true) {
    const std::size_t at = text.find(kBreak, from);
    if (at == std::u32string_view::npos) break;
    std::size_t end = at + kBreak.size();
    from = end;
    if ((at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]))) continue;
    std::size_t last = at;
    while (last > start && is_blank(text[last - 1])) --last;
    parts.push_back({std::u32string(text.substr(start, last - start))});
    parts.push_back({U"", 1, true});
    skip_blanks(text, end);
    start = from = end;
  }
  parts.push_back({std::u32string(text.substr(start))});
}

// ":NUMBER)" with blanks around the number; returns the number's text, moves `at` behind it.
std::optional<std::string> weight_at(std::u32string_view text, std::size_t& at) {
  std::size_t i = at + 1;
  skip_blanks(text, i);
  std::string digits;
  if (i < text.size() && (text[i] == U'+' || text[i] == U'-')) {
    digits.push_back(static_cast<char>(text[i++]));
  }
  const std::size_t sign = digits.size();
  while (i < text.size() && ((text[i] >= U'0' && text[i] <= U'9') || text[i] == U'.')) {
    digits.push_back(static_cast<char>(text[i++]));
  }
  if (digits.size() == sign) return std::nullopt;
  skip_blanks(text, i);
  if (i == text.size() || text[i] != U')') return std::nullopt;
  at = i + 1;
  return digits;
}

double number_of(const std::string& digits) {
  const char* first = digits.data() + (digits.starts_with('+') ? 1 : 0);
  const char* last = digits.data() + digits.size();
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc{} || end != last || !std::isfinite(value)) {
    fail(Cause::BadInput, "prompt: the weight \"", digits.substr(0, 40),
         "\" is not a number; write it as in (word:1.2), or \\( for a bracket that is text");
  }
  return value;
}

class Reader {
 public:
  explicit Reader(std::u32string_view text) : text_(text) {}

  std::vector<Part> read() {
    while (at_ < text_.size()) step();
    for (const std::size_t start : round_) multiply(start, kRound);
    for (const std::size_t start : square_) multiply(start, kSquare);
    return std::move(parts_);
  }

 private:
  void step() {
    const char32_t c = text_[at_];
    if (c == U'\\') return escape();
    if (c == U'(') return open(round_);
    if (c == U'[') return open(square_);
    if (c == U')' && !round_.empty()) return close(round_, kRound);
    if (c == U']' && !square_.empty()) return close(square_, kSquare);
    if (c == U':') return colon();
    std::size_t end = at_ + 1;
    if (c != U')' && c != U']') end = std::min(text_.find_first_of(U"\\()[]:", at_), text_.size());
    add_text(parts_, text_.substr(at_, end - at_));
    at_ = end;
  }
  void escape() {
    const bool known =
        at_ + 1 < text_.size() && std::u32string_view(U"()[]\\").find(text_[at_ + 1]) != text_.npos;
    parts_.push_back({known ? std::u32string(1, text_[at_ + 1]) : std::u32string()});
    at_ += known ? 2 : 1;
  }
  void colon() {
    std::size_t end = at_;
    const std::optional<std::string> digits = weight_at(text_, end);
    if (!digits) ++end;
    if (digits && !round_.empty()) {
      multiply(round_.back(), number_of(*digits));
      round_.pop_back();
    } else {
      parts_.push_back({std::u32string(text_.substr(at_, end - at_))});
    }
    at_ = end;
  }
  // The limit keeps multiply() from making the whole quadratic.
  void open(std::vector<std::size_t>& brackets) {
    if (round_.size() + square_.size() >= kDeepest) {
      fail(Cause::BadInput, "prompt: expected brackets at most ", kDeepest,
           " deep; write \\( and \\[ for brackets that are text");
    }
    brackets.push_back(parts_.size());
    ++at_;
  }
  void close(std::vector<std::size_t>& brackets, double factor) {
    multiply(brackets.back(), factor);
    brackets.pop_back();
    ++at_;
  }
  void multiply(std::size_t start, double factor) {
    for (std::size_t i = start; i < parts_.size(); ++i) {
      if (parts_[i].starts_chunk) continue;
      parts_[i].weight *= factor;
      if (!std::isfinite(parts_[i].weight)) {
        fail(Cause::BadInput, "prompt: nested weights multiply beyond every number");
      }
    }
  }

  std::u32string_view text_;
  std::size_t at_ = 0;
  std::vector<Part> parts_;
  std::vector<std::size_t> round_, square_;  // where the parts within open brackets start
};

std::vector<PromptPart> join(const std::vector<Part>& parts) {
  std::vector<PromptPart> joined;
  for (const Part& part : parts) {
    const bool same = !joined.empty() && !part.starts_chunk && !joined.back().starts_chunk &&
                      joined.back().weight == part.weight;
    if (same) {
      joined.back().text += unicode::to_utf8(part.text);
    } else {
      joined.push_back({unicode::to_utf8(part.text), part.weight, part.starts_chunk});
    }
  }
  if (joined.empty()) joined.push_back({});
  return joined;
}

}  // namespace

std::vector<PromptPart> parse_prompt_weights(std::string_view utf8) {
  const std::u32string text = unicode::from_utf8(utf8, "prompt");
  return join(Reader(text).read());
}

std::vector<PromptPart> split_at_breaks(std::string_view utf8) {
  std::vector<Part> parts;
  add_text(parts, unicode::from_utf8(utf8, "prompt"));
  return join(parts);
}

}  // namespace affiche::diffusion
