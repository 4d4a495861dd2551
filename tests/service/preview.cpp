// SPDX-License-Identifier: Apache-2.0
#include "service/preview.h"

#include "base/error.h"
#include "base/files.h"
#include "catch.h"
#include "service/house.h"

using namespace affiche;
using namespace affiche::service;

TEST_CASE("values from a file are shown before the samples") {
  const test::TemporaryFolder folder;
  const auto card = cards::load_template(test::kSource / "templates/news.toml");
  write_atomically(folder / "one.json", std::string_view(R"({"set": {"headline": "A"}})"));
  CHECK(data_cases(folder / "one.json", card).at(0).variables.at("headline") == "A");
  write_atomically(folder / "two.json",
                   std::string_view(R"([{"headline": "A"}, {"headline": 2}])"));
  const auto cases = data_cases(folder / "two.json", card);
  REQUIRE(cases.size() == 2);
  CHECK(cases[1].name == "data 2");
  CHECK(cases[1].with_photo);
  for (const char* wrong : {"7", "[7]", "{\"headline\": []}", "{"}) {
    CAPTURE(wrong);
    write_atomically(folder / "wrong.json", std::string_view(wrong));
    CHECK_THROWS_AS(data_cases(folder / "wrong.json", card), Error);
  }
}

TEST_CASE("the overlay draws boxes, baselines and figures over the card") {
  const auto card = cards::load_template(test::kSource / "templates/plain.toml");
  const auto brand = cards::load_brand(test::kSource / "brands/harbour.toml");
  const PreviewCase which = preview_cases(card, brand, false).at(0);
  PreviewOptions options;
  const cards::Composed bare = preview_card(card, brand, which, options);
  options.overlay = true;
  const cards::Composed drawn = preview_card(card, brand, which, options);
  REQUIRE(bare.image.pixels.size() == drawn.image.pixels.size());
  CHECK(bare.image.pixels != drawn.image.pixels);
  // A baseline is a line in its own colour.
  const auto words = std::find_if(bare.layers.begin(), bare.layers.end(),
                                  [](const cards::LayerReport& one) { return one.lines > 0; });
  REQUIRE(words != bare.layers.end());
  REQUIRE(words->baselines.size() == static_cast<std::size_t>(words->lines));
  const int y = static_cast<int>(std::lround(words->baselines.front()));
  const int x = static_cast<int>(words->box.x + words->box.width / 2);
  bool found = false;
  for (int dy = -1; dy <= 1; ++dy) {
    const std::uint8_t* p =
        &drawn.image.pixels[(static_cast<std::size_t>(y + dy) * drawn.image.width + x) * 3];
    found = found || (p[0] > 180 && p[1] < 90 && p[2] > 110);
  }
  CHECK(found);
}
