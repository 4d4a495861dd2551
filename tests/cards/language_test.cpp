// SPDX-License-Identifier: Apache-2.0
#include "cards/language.h"

#include <map>

#include "base/error.h"
#include "cards/breaks.h"
#include "cards/fixtures.h"
#include "cards/numbers.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

// The text with "|" at each position.
std::string marked(const std::string& text, const std::vector<std::size_t>& positions) {
  std::string result = text;
  for (auto at = positions.rbegin(); at != positions.rend(); ++at) result.insert(*at, "|");
  return result;
}

}  // namespace

TEST_CASE("language tags are checked and brought into their usual form", "[language]") {
  CHECK(checked_language("PT-br", "job") == "pt-BR");
  CHECK(checked_language("zh-Hant-TW", "job") == "zh-Hant-TW");
  CHECK(checked_language("", "job").empty());
  for (const char* bad : {"not a language", "x", "en_US.UTF-8", "123", "../../etc"}) {
    INFO(bad);
    const Thrown error = thrown([&] { checked_language(bad, "job"); });
    CHECK(error.cause == Cause::BadInput);
    CHECK(contains(error.message, bad));
  }
}

TEST_CASE("a text without a language is shaped by its script", "[language]") {
  CHECK(shaping_language("", "東京の空") == "ja");
  CHECK(shaping_language("", "研究人员") == "zh");
  CHECK(shaping_language("", "조용한") == "ko");
  CHECK(shaping_language("", "plain words") == "en");
  CHECK(shaping_language("ja", "東京") == "ja");
  CHECK(shaping_language("zh-Hant", "研究人員") == "zh-Hant");
  CHECK(shaping_language("en", "ทุ่งหญ้า") == "th");
  CHECK(shaping_language("ur", "خبر") == "ur");
  CHECK(shaping_language("de", "Ein 骨 im deutschen Satz") == "de");
}

TEST_CASE("directions are those of the language and of the letters", "[language]") {
  CHECK(is_right_to_left("ar"));
  CHECK(is_right_to_left("he-IL"));
  CHECK(is_right_to_left("ur"));
  CHECK_FALSE(is_right_to_left("de"));
  CHECK_FALSE(is_right_to_left(""));
  CHECK(has_right_to_left("OpenStreetMap تطلق"));
  CHECK_FALSE(has_right_to_left("Ünïcödé, 東京 क"));
}

TEST_CASE("Japanese lines break between phrases, and never before small kana or closing marks",
          "[language]") {
  const std::string text = "研究者が、「キャッシュ」の開発";
  const std::string strict = marked(text, line_breaks(text, "ja", Breaking::Strict));
  CHECK(strict == "研|究|者|が、|「キャッ|シュ」|の|開|発");
  const std::string phrases = marked(text, line_breaks(text, "ja", Breaking::Phrases));
  CHECK(phrases == "研究者が、|「キャッシュ」の|開発");
}

TEST_CASE("Korean and Chinese words stay whole where there is room", "[language]") {
  const std::string korean = "조용한 고산";
  CHECK(marked(korean, line_breaks(korean, "ko", Breaking::Phrases)) == "조용한 |고산");
  CHECK(marked(korean, line_breaks(korean, "ko", Breaking::Strict)) == "조|용|한 |고|산");
  const std::string chinese = "研究人员2026年";
  CHECK(marked(chinese, line_breaks(chinese, "zh", Breaking::Phrases)) == "研究|人员|2026年");
}

TEST_CASE("scripts without spaces break between words", "[language]") {
  const std::string thai = "ทุ่งหญ้าบนภูเขา";
  const auto breaks = line_breaks(thai, "th", Breaking::Strict);
  CHECK(marked(thai, breaks) == "ทุ่ง|หญ้า|บน|ภูเขา");
  CHECK(unseen_breaks(thai, breaks) == breaks);
  CHECK(unseen_breaks("plain words", {6}).empty());
}

TEST_CASE("words are parted as the dictionary of their language says", "[language]") {
  const auto parted = [](const std::string& text, const std::string& language) {
    return marked(text, hyphenation_points(text, language));
  };
  CHECK(parted("hyphenation", "en-US") == "hy|phen|ation");
  CHECK(parted("электростанция", "ru") == "элек|тро|станция");
  CHECK(parted("short word", "en") == "short word");
  CHECK(parted("UNESCO", "en") == "UNESCO");
  CHECK(parted("https://example.com/experiment me@institution.org x86architecture", "en") ==
        "https://example.com/experiment me@institution.org x86architecture");
  CHECK(parted("whatever", "tlh") == "whatever");
}

TEST_CASE("what belongs together stays on one line", "[language]") {
  CHECK(with_kept_words("w domu i w lesie", "pl") == "w\u00a0domu i\u00a0w\u00a0lesie");
  CHECK(with_kept_words("Pourquoi ? « Oui » : 5 %", "fr") ==
        "Pourquoi\u202f? «\u00a0Oui\u00a0»\u00a0: 5\u00a0%");
  CHECK(with_kept_words("a 40 % share", "en") == "a 40\u00a0% share");
  CHECK(with_kept_words("affairs — why", "en") == "affairs\u00a0— why");
  CHECK(with_kept_words("", "en").empty());
}

TEST_CASE("dates are written as the card's language writes them", "[language]") {
  const std::chrono::year_month_day day{std::chrono::year(2026), std::chrono::month(11),
                                        std::chrono::day(21)};
  const std::map<std::string, std::string> dates = {{"", "21 November 2026"},
                                                    {"en", "21 November 2026"},
                                                    {"en-US", "November 21, 2026"},
                                                    {"de", "21. November 2026"},
                                                    {"fr", "21 novembre 2026"},
                                                    {"es", "21 de noviembre de 2026"},
                                                    {"pt-BR", "21 de novembro de 2026"},
                                                    {"nl", "21 november 2026"},
                                                    {"pl", "21 listopada 2026"},
                                                    {"cs", "21. listopadu 2026"},
                                                    {"ru", "21 ноября 2026\u202fг."},
                                                    {"uk", "21 листопада 2026\u202fр."},
                                                    {"tr", "21 Kasım 2026"},
                                                    {"el", "21 Νοεμβρίου 2026"},
                                                    {"he", "21 בנובמבר 2026"},
                                                    {"hi", "21 नवंबर 2026"},
                                                    {"ja", "2026年11月21日"},
                                                    {"zh-Hant", "2026年11月21日"},
                                                    {"ko", "2026년 11월 21일"},
                                                    {"th", "21 พฤศจิกายน 2569"}};
  for (const auto& [language, text] : dates) {
    CAPTURE(language);
    CHECK(long_date(day, language) == text);
  }
  // Arabic's digits differ between countries; the month does not.
  CHECK(long_date(day, "ar").find("نوفمبر") != std::string::npos);
  CHECK_NOTHROW(long_date(day, "not a language"));
}

TEST_CASE("capitals follow the language", "[language]") {
  CHECK(in_capitals("istanbul", "tr") == "İSTANBUL");
  CHECK(in_capitals("Straße", "de") == "STRASSE");
  CHECK(in_capitals("Άνθρακας", "el") == "ΑΝΘΡΑΚΑΣ");
  CHECK(in_capitals("i", "") == "I");
}

TEST_CASE("numbers of a chart are written as the card's language writes them", "[language]") {
  CHECK(number_with_unit("88.5", "Tsd.", "de") == "88,5\u00a0Tsd.");
  CHECK(number_with_unit("44", "%", "de") == "44\u00a0%");
  CHECK(number_with_unit("44", "%", "en") == "44%");
  CHECK(number_with_unit("44", "%", "tr") == "%44");
  CHECK(number_with_unit("3.90", "", "pt-BR") == "3,90");
  CHECK(number_with_unit("12000", "", "en-GB") == "12,000");
  CHECK(number_with_unit("12.5", "km", "") == "12.5\u00a0km");
  CHECK(number_with_unit("7", "°", "") == "7°");
}

TEST_CASE("a long word before a colon is parted, an address is not", "[language]") {
  CHECK_FALSE(hyphenation_points("Geschwindigkeitsbegrenzung: wer zahlt", "de").empty());
  CHECK(hyphenation_points("https://geschwindigkeit", "de").empty());
}

}  // namespace affiche::cards::test
