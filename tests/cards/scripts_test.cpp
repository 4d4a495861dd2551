// SPDX-License-Identifier: Apache-2.0
// Every script as it must look: pictures that were checked by eye for joining, conjuncts, order,
// breaks and marks.
#include "cards/canvas.h"
#include "cards/fixtures.h"
#include "cards/golden.h"
#include "cards/text.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

struct Script {
  const char* name;
  const char* language;
  const char* text;
};

Image draw(const FittedText& text, int width) {
  constexpr int kMargin = 10;
  Canvas canvas(width + 2 * kMargin, static_cast<int>(text.height()) + 3 * kMargin);
  const Area all = {0, 0, canvas.width(), canvas.height()};
  canvas.shade(all, {}, 1, [](double, double) { return Colour{255, 255, 255}; });
  text.draw(canvas.context(), kMargin, 1.5 * kMargin, {0, 0, 0}, 1);
  return canvas.image();
}

TextRequest headline(const Script& script) {
  TextRequest request;
  request.text = clean_text(script.text, script.name);
  request.language = script.language;
  request.what = script.name;
  request.font.family = "Noto Sans";
  request.font.weight = 700;
  request.style.max_size = 28;
  request.style.min_size = 18;
  request.style.lines = 3;
  request.style.line_height = 1.2;
  request.style.balance = true;
  request.width = 300;
  request.height = 200;
  return request;
}

}  // namespace

TEST_CASE("each script is set as its readers expect", "[text][golden]") {
  const Script script = GENERATE(values<Script>({
      {"latin", "en", "Åsa’s “fluffy” office: 3½ affairs — why Tokyo?"},
      {"vietnamese", "vi", "Người Việt đón Tết: những điều kỳ diệu ở Huế"},
      {"cyrillic", "ru", "Учёные: подъём льда в Арктике ускорился"},
      {"greek", "el", "Γιατί οι επιστήμονες μετρούν τον άνθρακα;"},
      {"arabic", "ar", "شركة OpenStreetMap تطلق خريطة جديدة (2026) للمشاة"},
      {"hebrew", "he", "מדוע האחו באלפים סופג פחמן ב־2026? (מחקר)"},
      {"devanagari", "hi", "वैज्ञानिकों ने क्षितिज पर विश्व की श्रेष्ठ दृष्टि पाई"},
      {"bengali", "bn", "বিজ্ঞানীরা ক্ষুদ্র তৃণভূমির রহস্য খুঁজে পেলেন"},
      {"tamil", "ta", "விஞ்ஞானிகள் புல்வெளியின் மர்மத்தைக் கண்டுபிடித்தனர்"},
      {"thai", "th", "นักวิทยาศาสตร์พบว่าทุ่งหญ้าบนภูเขาสูงดูดซับคาร์บอนได้มากกว่าที่คิด"},
      {"khmer", "km", "អ្នកវិទ្យាសាស្ត្ររកឃើញថាវាលស្មៅលើភ្នំស្រូបយកកាបូន"},
      {"japanese", "ja", "東京大学の研究者が、新しい太陽電池「キャッシュ」の開発に成功した。"},
      {"chinese", "zh-Hans", "研究人员发现，高山草甸吸收的碳比预想的多得多：2026年报告"},
      {"traditional", "zh-Hant", "研究人員發現，高山草甸吸收的碳比預想的多得多，直與骨"},
      {"korean", "ko", "조용한 고산 초원은 어떻게 가장 주목받는 탄소 실험이 되었나"},
      {"emoji", "en",
       "Family 👨‍👩‍👧‍👦 at 7:30 🏳️‍🌈 👍🏽 🇩🇪 1️⃣ done "
       "☀️"},
  }));
  const TextRequest request = headline(script);
  check_golden(draw(fit_text(request), static_cast<int>(request.width)), script.name);
}

TEST_CASE("marks change words and no others", "[text][golden]") {
  TextRequest request = headline(
      {"rich", "en",
       "<b>Bold</b>, <i>italic</i>, <u>under</u>, <s>out</s>, H<sub>2</sub>O, x<sup>2</sup>, "
       "<small>small</small> &amp; <mark>accent</mark> <x>"});
  request.style.rich = true;
  request.font.weight = 400;
  request.accent = Colour{220, 40, 30};
  check_golden(draw(fit_text(request), static_cast<int>(request.width)), "rich");
}

TEST_CASE("one variable font gives weights, widths and small capitals", "[text][golden]") {
  TextRequest request = headline({"variable", "en", "Weight 350 and Small Caps"});
  request.font.family = "Inter";
  request.font_folder = "/usr/share/fonts/truetype/inter-vf";
  request.font.weight = 350;
  const Image light = draw(fit_text(request), static_cast<int>(request.width));
  request.font.weight = 850;
  const Image heavy = draw(fit_text(request), static_cast<int>(request.width));
  CHECK(difference(light, heavy) > 0.03);
  request.font.small_caps = true;
  request.font.weight = 350;
  check_golden(draw(fit_text(request), static_cast<int>(request.width)), "variable");
}

TEST_CASE("a difference beyond the tolerance is found", "[golden]") {
  const Script script = {"latin", "en", "Another sentence of about this length — why?"};
  const Image one = draw(fit_text(headline(script)), 400);
  Script other = script;
  other.text = "Another sentence of about that length — why?";
  const Image two = draw(fit_text(headline(other)), 400);
  CHECK(difference(one, one) == 0);
  CHECK(difference(one, two) > 0.004);
}

}  // namespace affiche::cards::test
