// SPDX-License-Identifier: Apache-2.0
// Texts of jobs: cleaned, read as rich text, fitted to a small box. The first line of the input is
// the language and the keys of the style ("de balance rich"), the rest is the text.
#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>

#include "cards/language.h"
#include "cards/text.h"
#include "fuzz/target.h"

namespace {

using namespace affiche;

cards::TextRequest request_of(const std::string& head) {
  cards::TextRequest request;
  request.font.family = "Noto Sans";
  request.style.max_size = 48;
  request.style.min_size = 18;
  request.style.lines = 3;
  request.width = 420;
  request.height = 180;
  request.what = "input";
  std::istringstream words(head.substr(0, 80));
  words >> request.language;
  if (request.language == "-") request.language.clear();
  for (std::string word; words >> word;) {
    request.style.balance = request.style.balance || word == "balance";
    request.style.ellipsis = request.style.ellipsis || word == "ellipsis";
    request.style.rich = request.style.rich || word == "rich";
    request.style.uppercase = request.style.uppercase || word == "uppercase";
    if (word == "spaced") request.style.letter_spacing = 0.1;
    if (word == "hyphens") request.style.hyphens = cards::Hyphens::Auto;
  }
  try {
    request.language = cards::checked_language(request.language, "input");
  } catch (const Error&) {
    request.language.clear();  // refused; the text is still worth setting
  }
  return request;
}

// What fit_text() promises of a text that it returns.
void check(const cards::TextRequest& request, const cards::FittedText& text) {
  constexpr double kRounding = 1.01;
  bool good = std::isfinite(text.height()) && text.height() <= request.height + kRounding &&
              text.size() >= request.style.min_size && text.size() <= request.style.max_size &&
              text.lines().size() <= static_cast<std::size_t>(request.style.lines);
  for (const auto& line : text.lines()) {
    good = good && line.ink.x >= -kRounding && line.ink.right() <= request.width + kRounding;
  }
  if (!good) fail(Cause::Internal, "a text leaves its box: ", text.text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(fuzz::text_of(data, size).substr(0, 3000));
  const std::size_t end = std::min(input.find('\n'), input.size());
  fuzz::expect_error_or_nothing([&] { cards::clean_text(input.substr(end), "input"); });
  return fuzz::expect_error_or_nothing([&] {
    cards::TextRequest request = request_of(input.substr(0, end));
    // Most mutations break the UTF-8, which is the end of them; what comes after is looked for
    // here.
    const std::unique_ptr<gchar, decltype(&g_free)> valid(
        g_utf8_make_valid(input.data() + end, static_cast<gssize>(input.size() - end)), &g_free);
    request.text = cards::clean_text(valid.get(), "input");
    check(request, cards::fit_text(request));
  });
}
