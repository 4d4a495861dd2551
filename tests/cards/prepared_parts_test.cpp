// SPDX-License-Identifier: Apache-2.0
#include "cards/prepared_parts.h"

#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

Composed made_with(const std::shared_ptr<PreparedParts>& kept, const std::string& headline,
                   const std::string& model = "affiche-mini") {
  CardInputs inputs = article_inputs(headline);
  inputs.generated.clear();
  for (const char* source : {"background", "chrome"}) {
    inputs.generated.emplace(source, generated(model));
  }
  inputs.kept = kept;
  return compose(article(), demo(), inputs);
}

}  // namespace

TEST_CASE("a card from kept parts is the card from new ones", "[parts]") {
  const auto kept = std::make_shared<PreparedParts>();
  const Composed fresh = made_with(nullptr, "Two fields");
  const Composed first = made_with(kept, "Two fields");
  const std::size_t misses = kept->misses();
  const Composed again = made_with(kept, "Two fields");
  CHECK(kept->misses() == misses);
  CHECK(kept->hits() > 0);
  CHECK(first.image.pixels == fresh.image.pixels);
  CHECK(again.image.pixels == fresh.image.pixels);
  REQUIRE(again.layers.size() == fresh.layers.size());
  for (std::size_t i = 0; i < fresh.layers.size(); ++i) {
    CHECK(again.layers[i].name == fresh.layers[i].name);
    CHECK(again.layers[i].box == fresh.layers[i].box);
  }
}

TEST_CASE("another photo or colour is never answered with a kept one", "[parts]") {
  const auto kept = std::make_shared<PreparedParts>();
  const Template card = parse_template(
      "[canvas]\nwidth = 300\nheight = 200\n[variables.tint]\ntype = \"colour\"\n"
      "default = \"#000000\"\n[[layers]]\nname = \"ground\"\nkind = \"solid\"\n"
      "colour = \"var.tint\"\n",
      "tinted.toml", kRoot);
  for (const char* colour : {"#FF0000", "#00FF00", "#FF0000"}) {
    CardInputs inputs;
    inputs.kept = kept;
    inputs.variables = {{"tint", colour}};
    const Image image = compose(card, demo(), inputs).image;
    CHECK(image.pixels[0] == (std::string(colour) == "#FF0000" ? 255 : 0));
  }
  CardInputs inputs = article_inputs("Two fields");
  inputs.kept = kept;
  const Composed light = compose(article(), demo(), inputs);
  const Image dark = two_halves(900, 600, {5, 5, 5}, {60, 0, 0});
  inputs.photo = Photo(encode(dark, Format::Jpeg).bytes, good_credit());
  const Composed other = compose(article(), demo(), inputs);
  CHECK(other.image.pixels != light.image.pixels);
  inputs.kept = nullptr;
  CHECK(compose(article(), demo(), inputs).image.pixels == other.image.pixels);
}

TEST_CASE("what is kept stays within its bytes, and the least recently used goes", "[parts]") {
  PreparedParts parts(10'000);
  const auto keep = [&](const std::string& key, std::size_t bytes) {
    parts.keep(key, std::make_shared<const std::string>(key), bytes);
  };
  for (int i = 0; i < 1000; ++i) {
    keep("part " + std::to_string(i), 1500);
    REQUIRE(parts.bytes() <= 10'000);
    if (i > 0) {
      REQUIRE(parts.find<std::string>("part 0") != nullptr);  // used each time
    }
  }
  CHECK(parts.find<std::string>("part 5") == nullptr);
  CHECK(*parts.find<std::string>("part 999") == "part 999");
  keep("large", 5000);
  CHECK(parts.find<std::string>("large") == nullptr);
  keep("part 999", 100);
  CHECK(parts.bytes() <= 10'000);
}

TEST_CASE("a failed card leaves nothing that a later one would take", "[parts]") {
  const auto kept = std::make_shared<PreparedParts>();
  CardInputs inputs = article_inputs("Two fields");
  inputs.kept = kept;
  Bytes cut = inputs.photo->encoded();
  cut.resize(cut.size() / 2);
  CardInputs broken = inputs;
  broken.photo = Photo(cut, good_credit());
  for (int i = 0; i < 2; ++i) {
    CHECK(thrown([&] { compose(article(), demo(), broken); }).cause == Cause::BadInput);
  }
  CHECK(compose(article(), demo(), inputs).image.pixels ==
        made_with(nullptr, "Two fields").image.pixels);
}

}  // namespace affiche::cards::test
