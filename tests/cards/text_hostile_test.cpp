// SPDX-License-Identifier: Apache-2.0
// Texts that were made to break cards.
#include <glib.h>

#include "base/error.h"
#include "cards/fixtures.h"
#include "cards/text.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

TextRequest request(const std::string& text) {
  TextRequest made;
  made.text = clean_text(text, "text");
  made.font.family = "Noto Sans";
  made.style.max_size = 60;
  made.style.min_size = 20;
  made.style.lines = 3;
  made.style.ellipsis = true;
  made.style.balance = true;
  made.width = 500;
  made.height = 260;
  made.what = "layer";
  return made;
}

void stays_in_its_box(const TextRequest& asked) {
  const FittedText text = fit_text(asked);
  CHECK(text.lines().size() <= static_cast<std::size_t>(asked.style.lines));
  CHECK(text.height() <= asked.height + 0.5);
  for (const FittedText::Line& line : text.lines()) {
    CHECK(line.ink.x >= -0.6);
    CHECK(line.ink.right() <= asked.width + 0.6);
  }
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("floods of marks, emoji, joiners and letters stay inside the box", "[text][hostile]") {
  const std::string text = GENERATE(
      repeated("x\u0336\u0489\u20dd\u0300", 200), repeated("👨‍👩‍👧‍👦", 150),
      repeated("\u200d", 500) + "a", repeated("ﷺ", 100), repeated("W", 1500),
      repeated("\u0e33\u0e49\u0e48", 200), repeated("𒐫", 3) + " wide", repeated("(", 900),
      repeated("\u00ad", 900) + "soft", repeated("a\u2060", 300), repeated("ا", 1000),
      repeated("क्", 400) + "क", repeated("ᄀ", 300), repeated("🇩", 301));
  INFO(text.substr(0, 40));
  try {
    stays_in_its_box(request(text));
  } catch (const Error& error) {
    // Characters that no font has may be refused, and what is one letter wider than the box.
    INFO(error.what());
    CHECK(error.cause() == Cause::BadInput);
    CHECK((contains(error.what(), "U+") || contains(error.what(), "does not fit")));
  }
}

TEST_CASE("bidirectional overrides turn nothing round, not even in the parts beside them",
          "[text][hostile]") {
  CHECK(clean_text("safe\u202Etxt.exe\u202C \u2066x\u2069 \u200F", "t") == "safetxt.exe x \u200F");
  const FittedText text = fit_parts(request(""), {"عنوان", "2026-11-21"}, " · ");
  CHECK(text.right_to_left());
}

TEST_CASE("text longer than any card is refused before it is set", "[text][hostile]") {
  TextRequest huge = request("x");
  huge.text = repeated("word ", 5000);
  const Thrown error = thrown([&] { fit_text(huge); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "25000 bytes"));
}

TEST_CASE("broken UTF-8 is refused with its position", "[text][hostile]") {
  for (const std::string& bad :
       {std::string("ab\xc0\xaf"), std::string("ab\xed\xa0\x80"), std::string("ab\xf8\x88\x80\x80"),
        std::string("ab\xe2\x82"), std::string("ab\0c", 4)}) {
    const Thrown error = thrown([&] { clean_text(bad, "variable \"headline\""); });
    CHECK(error.cause == Cause::BadInput);
    CHECK(contains(error.message, "position 2"));
    CHECK(contains(error.message, "headline"));
  }
}

TEST_CASE("marks that go on over a line break leave nothing open", "[text]") {
  // What Pango warns of by structured logging, for which a program has one writer.
  static int warnings = 0;
  g_log_set_writer_func(
      [](GLogLevelFlags level, const GLogField* fields, gsize count, gpointer) {
        if ((level & G_LOG_LEVEL_WARNING) != 0) ++warnings;
        return g_log_writer_default(level, fields, count, nullptr);
      },
      nullptr, nullptr);
  for (const char* text :
       {"H<sub>2<br>3</sub>O", "<sup>a<br><br>b<br></sup>", "<sub>x<sub>y<br>z</sub></sub>",
        "<b><sup>a</sup><br><sub>b</b></sub>"}) {
    TextRequest rich = request(text);
    rich.style.rich = true;
    CHECK_NOTHROW(fit_text(rich));
  }
  CHECK(warnings == 0);
}

TEST_CASE("markup in a value is printed, and in a rich layer only the listed tags are obeyed",
          "[text][hostile]") {
  TextRequest plain = request("<span size='9999999'>x</span> &lt; <b>y</b>");
  CHECK(fit_text(plain).text() == plain.text);
  TextRequest rich = plain;
  rich.style.rich = true;
  CHECK(fit_text(rich).text() == "<span size='9999999'>x</span> < y");
}

TEST_CASE("a thousand nested marks are refused or set, and never crash", "[text][hostile]") {
  TextRequest deep = request(repeated("<b>", 1000) + "x" + repeated("</b>", 1000));
  deep.style.rich = true;
  CHECK(fit_text(deep).text() == "x");
}

}  // namespace affiche::cards::test
