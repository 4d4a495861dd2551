// SPDX-License-Identifier: Apache-2.0
#include "cards/text.h"

#include <algorithm>

#include "base/error.h"
#include "cards/even_breaks.h"
#include "cards/fixtures.h"
#include "cards/parts.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

TextRequest request(const std::string& text, double max_size, double min_size, int lines) {
  TextRequest made;
  made.text = text;
  made.style.max_size = max_size;
  made.style.min_size = min_size;
  made.style.lines = lines;
  made.width = 500;
  made.height = 300;
  made.what = "layer";
  return made;
}

}  // namespace

TEST_CASE("a long headline shrinks until it fits three lines", "[text]") {
  const FittedText text = fit_text(request(
      "How a quiet alpine meadow became the most closely watched carbon experiment", 90, 20, 3));
  CHECK(text.lines().size() <= 3);
  CHECK(text.size() < 90);
  CHECK(text.size() > 20);
  for (const FittedText::Line& line : text.lines()) {
    CHECK(line.ink.x >= -0.5);
    CHECK(line.ink.right() <= 500.5);
  }
}

TEST_CASE("the size is the largest that fits", "[text]") {
  const std::string headline = "Largest size that fits in here";
  const FittedText text = fit_text(request(headline, 90, 20, 2));
  CHECK_FALSE(try_fit_text(request(headline, text.size() + 1, text.size() + 1, 2)).has_value());
}

TEST_CASE("lines stand on a grid that does not depend on the script", "[text]") {
  TextRequest made = request("Latin कखग text and more Latin text to break the line", 40, 40, 3);
  made.style.line_height = 1.25;
  const FittedText text = fit_text(made);
  REQUIRE(text.lines().size() >= 2);
  CHECK(std::abs(text.lines()[1].baseline - text.lines()[0].baseline - 50) < 0.01);
}

TEST_CASE("parts that need three lines are parted between them, not after a joint", "[text]") {
  const FittedText text =
      fit_parts(request("", 24, 24, 3),
                {"Photo: A photographer with a name, and a second one / Archive",
                 "GPL-2.0-or-later", "cropped", "Background: AI"},
                " · ");
  REQUIRE(text.lines().size() == 3);
  // The line break is ours, so the last line holds the whole parts behind it.
  CHECK(text.text().find("Archive\nGPL-2.0-or-later · cropped · Background: AI") !=
        std::string::npos);
}

TEST_CASE("a credit is parted between names before a name is parted", "[text]") {
  const std::vector<Part> parts = {{"Photo: Wolfgang Beyer-Hohenstein", "", ""},
                                   {"MATE Backgrounds", " / ", " /"},
                                   {"CC BY-SA 4.0", " · ", ""},
                                   {"cropped", " · ", ""}};
  const FittedText text = fit_parts(request("", 24, 24, 3), parts);
  CHECK(text.lines().size() == 2);
  CHECK(text.text() ==
        "Photo: Wolfgang Beyer-Hohenstein /\nMATE Backgrounds · CC BY-SA 4.0 · cropped");
}

TEST_CASE("three parts that need a line each have one, and no joint at an end", "[text]") {
  const std::string part = "Climate, agriculture and land use policy";
  const FittedText text = fit_parts(request("", 24, 24, 3), {part, part, part}, " · ");
  CHECK(text.text() == part + "\n" + part + "\n" + part);
}

TEST_CASE("balanced lines are even, and a short word begins a line rather than end one", "[text]") {
  TextRequest made = request(
      "How a quiet alpine meadow became the most closely watched experiment in the long history of "
      "mountain weather",
      36, 36, 5);
  made.style.balance = true;
  const FittedText text = fit_text(made);
  REQUIRE(text.lines().size() >= 4);
  double shortest = 1e9;
  double longest = 0;
  for (const FittedText::Line& line : text.lines()) {
    shortest = std::min(shortest, line.ink.width);
    longest = std::max(longest, line.ink.width);
  }
  CHECK(longest < 1.6 * shortest);
  // Their own letters only: the widths are of four equal words, and of two after a short one.
  const double word = 100;
  const auto piece = [&](double width, bool is_short) { return Piece{0, 0, width, 10, is_short}; };
  const std::vector<Piece> words = {piece(word, false), piece(word, false), piece(30, true),
                                    piece(word, false), piece(word, false)};
  CHECK(even_breaks(words, 2, 300) == std::vector<std::size_t>{2});
  CHECK(even_breaks(words, 2, 200).empty());  // does not fit
  CHECK(is_short_word("the"));
  CHECK(is_short_word("в"));
  CHECK(is_short_word("3½"));
  CHECK_FALSE(is_short_word("पर"));  // a postposition
  CHECK_FALSE(is_short_word("go."));
  CHECK_FALSE(is_short_word("2026"));
}

TEST_CASE("a line is saved where that makes the text only a little smaller", "[text]") {
  TextRequest made = request("Stone cottage above the old quay", 60, 20, 4);
  made.width = 500;
  made.height = 0;
  // At 60 pixels "above the old quay" is a little wider than the box.
  const FittedText loose = fit_text(made);
  made.style.balance = true;
  const FittedText saved = fit_text(made);
  CHECK(loose.lines().size() == 3);
  CHECK(saved.lines().size() == 2);
  CHECK(saved.size() >= 0.9 * loose.size());
}

TEST_CASE("balanced lines leave no lonely last word", "[text]") {
  TextRequest made = request("Seven short words that would leave one alone", 36, 36, 2);
  made.style.balance = true;
  const FittedText text = fit_text(made);
  REQUIRE(text.lines().size() == 2);
  CHECK(text.lines()[1].ink.width > text.lines()[0].ink.width * 0.5);
}

TEST_CASE("the last word gets company when it would stand alone", "[text]") {
  // Greedy lines of this width end with "weather" alone.
  TextRequest made = request(
      "How a quiet alpine meadow became the most closely watched experiment in the long "
      "history of mountain weather",
      36, 36, 5);
  made.width = 480;
  const FittedText text = fit_text(made);
  CHECK(text.size() == 36);
  CHECK(text.text().find("mountain\u00a0weather") != std::string::npos);
  CHECK(text.lines().back().ink.width > 200);
}

TEST_CASE("text that does not fit fails, or is cut at a word when the style allows", "[text]") {
  std::string endless;
  for (int i = 0; i < 60; ++i) endless += "endless words ";
  endless = clean_text(endless, "text");
  CHECK(thrown([&] { fit_text(request(endless, 40, 40, 2)); }).cause == Cause::BadInput);
  TextRequest cut = request(endless, 40, 40, 2);
  cut.style.ellipsis = true;
  const FittedText text = fit_text(cut);
  CHECK(text.lines().size() == 2);
  CHECK(text.text().size() < endless.size());
  CHECK((contains(text.text(), "words…") || contains(text.text(), "endless…")));
}

TEST_CASE("no mark between parts stands before an ellipsis", "[text]") {
  for (int width = 160; width <= 480; width += 10) {
    CAPTURE(width);
    TextRequest cut = request("Climate · farming / land • forests | water", 30, 30, 1);
    cut.width = width;
    cut.style.ellipsis = true;
    const std::string text = fit_text(cut).text();
    REQUIRE(contains(text, "…"));
    for (const char* mark : {"·", "/", "•", "|", " "}) {
      CHECK_FALSE(contains(text, std::string(mark) + "…"));
    }
  }
}

TEST_CASE("a word longer than the line is broken only at the smallest size", "[text]") {
  const std::string word = "Donaudampfschifffahrtsgesellschaftskapitänswitwenrente";
  CHECK(fit_text(request(word, 60, 14, 1)).lines().size() == 1);
  CHECK(fit_text(request(word, 60, 40, 3)).lines().size() > 1);
}

TEST_CASE("right-to-left text starts at the right edge", "[text]") {
  const FittedText text = fit_text(request("مرحبا بالعالم", 40, 40, 1));
  CHECK(text.right_to_left());
  CHECK(std::abs(text.lines()[0].ink.right() - 500) < 1);
}

TEST_CASE("a character that no font has is named", "[text]") {
  // A private-use code point.
  const Thrown error = thrown([] { fit_text(request("a \xF4\x8F\xBF\xBD b", 40, 40, 1)); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "U+10FFFD"));
}

TEST_CASE("hostile text is cleaned", "[text]") {
  CHECK(clean_text("  a\tb\r\n c\x01 ", "t") == "a b c");
  CHECK(clean_text("a\u202Eb\u2066c", "t") == "abc");
  CHECK(clean_text("e\u0301", "t") == "\u00e9");
  std::string zalgo = "x";
  for (int i = 0; i < 50; ++i) zalgo += "\u0336";
  CHECK(clean_text(zalgo, "t").size() == 1 + 4 * 2);
  CHECK(thrown([] { clean_text("a\xff", "t"); }).cause == Cause::BadInput);
  CHECK(thrown([] { clean_text(std::string("a\0b", 3), "t"); }).cause == Cause::BadInput);
  CHECK(count_characters("e\u0336a") == 2);
}

}  // namespace affiche::cards::test
