// SPDX-License-Identifier: Apache-2.0
#include "cards/compose.h"

#include <pango/pango.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <type_traits>

#include "base/error.h"
#include "cards/canvas.h"
#include "cards/fixtures.h"
#include "cards/placing.h"
#include "catch.h"

namespace affiche::cards::test {

// Promise 2: what the model made cannot stand where a photograph stands, nor the reverse.
static_assert(!std::is_convertible_v<Generated, Photo>);
static_assert(!std::is_constructible_v<Photo, Generated>);
static_assert(!std::is_constructible_v<Generated, Photo>);
static_assert(!std::is_convertible_v<Photo, Image> && !std::is_convertible_v<Generated, Image>);

TEST_CASE("an article card has its size, credit and at most four headline lines", "[compose]") {
  const Composed card = compose(
      article(), demo(),
      article_inputs("How a quiet alpine meadow became the most closely watched experiment"));
  CHECK(card.image.width == 1200);
  CHECK(card.image.height == 630);
  CHECK(card.image.channels == 3);
  CHECK(layer(card, "headline").lines <= 4);
  CHECK(layer(card, "credit").size * 0.714 >= 14);
  REQUIRE(card.credit.has_value());
  CHECK(card.credit->changes == std::vector<std::string>{"cropped"});
  CHECK(card.credit_line == "Photo: Ana Example / Example Commons · CC BY 4.0 · cropped");
  CHECK(card.recipes.size() == 2);
}

TEST_CASE("a job that asks for no scheme is set for the brand's own ground", "[compose]") {
  const Template card = one_text("when = \"scheme == 'light'\"");
  CardInputs inputs;
  inputs.variables["text"] = "By day";
  const auto drawn_on = [&](std::optional<Colour> ground) {
    Brand brand = demo();
    brand.colours.erase("ground");
    if (ground) brand.colours["ground"] = *ground;
    const Composed made = compose(card, brand, inputs);
    return std::any_of(made.layers.begin(), made.layers.end(),
                       [](const LayerReport& report) { return report.name == "words"; });
  };
  CHECK(drawn_on(Colour{250, 245, 235}));
  CHECK_FALSE(drawn_on(Colour{15, 27, 45}));
  CHECK_FALSE(drawn_on(std::nullopt));
}

TEST_CASE("text and logo stay inside the centred 1080x540", "[compose]") {
  const Composed card = compose(article(), demo(), article_inputs("A storm is coming"));
  for (const char* name : {"logo", "kicker", "headline", "byline", "credit"}) {
    const Box& box = layer(card, name).box;
    INFO(name);
    CHECK(box.x >= 58);
    CHECK(box.y >= 44);
    CHECK(box.right() <= 1142);
    CHECK(box.bottom() <= 592);  // descenders hang below the foot line
  }
}

TEST_CASE("the same inputs give the same pixels and bytes", "[compose]") {
  const CardInputs inputs = article_inputs("Twice the same");
  const Composed first = compose(article(), demo(), inputs);
  const Composed second = compose(article(), demo(), inputs);
  CHECK(first.image.pixels == second.image.pixels);
  CHECK(encode(first.image, Format::Jpeg).bytes == encode(second.image, Format::Jpeg).bytes);
}

TEST_CASE("two threads make the cards that one makes", "[compose]") {
  const Template card = article();
  const Brand brand = demo();
  const CardInputs inputs = article_inputs("In two threads");
  const Composed alone = compose(card, brand, inputs);
  std::vector<Composed> made(2);
  std::vector<std::thread> threads;
  for (Composed& result : made) {
    threads.emplace_back([&] { result = compose(card, brand, inputs); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Composed& result : made) CHECK(result.image.pixels == alone.image.pixels);
}

TEST_CASE("markup in a headline is text", "[compose]") {
  const Template card = one_text("size = 24\nlines = 4\n");
  CardInputs inputs;
  inputs.variables["text"] = "<span size='400'>&amp; <b>x</b> {{text}}</span>";
  const Composed made = compose(card, demo(), inputs);
  CHECK(layer(made, "words").size == 24);
  CHECK(layer(made, "words").lines >= 2);  // the tags take room because they are drawn
}

TEST_CASE("without a photo the variant is used, or the job fails, as the template says",
          "[compose]") {
  CardInputs inputs = article_inputs("No photo today");
  inputs.photo.reset();
  const Composed card = compose(article(), demo(), inputs);
  CHECK_FALSE(card.credit.has_value());
  CHECK(card.credit_line.empty());
  for (const LayerReport& report : card.layers) {
    CHECK(report.name != "photo");
    CHECK(report.name != "credit");
  }
  Template strict = article();
  strict.photo_missing = Template::PhotoMissing::Fail;
  CHECK(thrown([&] { compose(strict, demo(), inputs); }).cause == Cause::NotFound);
}

TEST_CASE("a font of the brand that is not installed is an error", "[compose]") {
  Brand brand = demo();
  brand.fonts["headline"].family = "No Such Sans";
  const Thrown error = thrown([&] { compose(article(), brand, article_inputs("x")); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "No Such Sans"));
}

TEST_CASE("a missing generated picture is an error", "[compose]") {
  CardInputs inputs = article_inputs("No background");
  inputs.generated.erase("background");
  CHECK(thrown([&] { compose(article(), demo(), inputs); }).cause == Cause::NotFound);
}

TEST_CASE("unknown and missing variables are errors", "[compose]") {
  CardInputs inputs = article_inputs("x");
  inputs.variables["headlin"] = "y";
  CHECK(contains(thrown([&] { compose(article(), demo(), inputs); }).message, "'headline'"));
  inputs = article_inputs("x");
  inputs.variables.erase("headline");
  CHECK(thrown([&] { compose(article(), demo(), inputs); }).cause == Cause::BadInput);
  inputs = article_inputs(std::string(400, 'x'));
  CHECK(thrown([&] { compose(article(), demo(), inputs); }).cause == Cause::BadInput);
}

TEST_CASE("a credit in a narrow box breaks between words", "[compose]") {
  const Template card = parse_template(
      "[canvas]\nwidth = 400\nheight = 300\n[[layers]]\nkind = \"photo\"\nblur = 1\ngrain = 2\n"
      "rotate = 1\n[[layers]]\nkind = \"credit\"\nbox = [10, 150, 130, 140]\nsize = 12\nlines = 9\n"
      "colour = \"#FFFFFF\"\n",
      "narrow.toml", kRoot);
  const Brand brand = demo();
  CardInputs inputs;
  inputs.photo = photo();
  CardJob job{card, brand, inputs, {}, "", true, false, {}};
  for (const Layer& each : card.layers) job.layers.push_back(&each);
  const Placement place = place_layers(
      job, "Photo: Ana Example / Commons · CC BY-SA 4.0 · cropped, blurred, grain added, rotated");
  const FittedText& text = place.texts.at("credit").text;
  REQUIRE(text.lines().size() > 3);
  Canvas canvas(1, 1);
  text.draw_lines(canvas.context(), 0, 0, [&](PangoLayoutLine* line) {
    const std::string all = pango_layout_get_text(line->layout);
    const auto end = static_cast<std::size_t>(line->start_index + line->length);
    INFO(all.substr(static_cast<std::size_t>(line->start_index),
                    static_cast<std::size_t>(line->length)));
    const bool between =
        end >= all.size() || all[end] == ' ' || all[end] == '\n' || all[end - 1] == ' ';
    CHECK(between);
  });
}

TEST_CASE("a long credit wraps and one that cannot fit fails instead of being cut", "[compose]") {
  CardInputs inputs = article_inputs("A credit");
  Credit credit = good_credit();
  credit.author = "Maria-Magdalena Wojciechowska-Schmidt and the Lakeside Observatory";
  inputs.photo = Photo(photo().encoded(), credit);
  const Composed card = compose(article(), demo(), inputs);
  CHECK(layer(card, "credit").lines >= 2);
  CHECK(card.credit_line.find(credit.author) != std::string::npos);

  credit.author.clear();
  for (int i = 0; i < 30; ++i) credit.author += "Wojciechowska ";
  inputs.photo = Photo(photo().encoded(), credit);
  const Thrown error = thrown([&] { compose(article(), demo(), inputs); });
  CHECK(error.cause == Cause::Refused);
  CHECK(contains(error.message, "never cut"));
}

TEST_CASE("text keeps its contrast on any picture", "[compose]") {
  for (const Colour ground : {Colour{255, 255, 255}, Colour{15, 163, 177}, Colour{128, 128, 128}}) {
    CardInputs inputs = article_inputs("Readable on everything");
    inputs.generated.erase("background");
    inputs.generated.emplace("background",
                             Generated(two_halves(64, 32, ground, {10, 10, 10}), Recipe{}));
    inputs.photo =
        Photo(encode(two_halves(900, 600, ground, ground), Format::Png).bytes, good_credit());
    const Composed card = compose(article(), demo(), inputs);
    INFO(to_hex(ground));
    CHECK(layer(card, "headline").contrast >= 3);
    CHECK(layer(card, "kicker").contrast >= 4.5);
    CHECK(layer(card, "byline").contrast >= 4.5);
    CHECK(layer(card, "credit").contrast >= 4.5);
  }
}

TEST_CASE("the shade under a text comes only where it is needed", "[compose]") {
  const Template card = one_text("size = 24\nlines = 2\n");
  CardInputs inputs;
  inputs.variables["text"] = "Black on white";
  const Composed made = compose(card, demo(), inputs);
  CHECK(made.image.pixels[0] >= 254);
  CHECK(layer(made, "words").contrast > 20);
}

}  // namespace affiche::cards::test
