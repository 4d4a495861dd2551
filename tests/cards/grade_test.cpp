// SPDX-License-Identifier: Apache-2.0
// Photographs graded towards the brand: slightly, in colour only, and said in the credit.
#include "cards/grade.h"

#include <cmath>

#include "cards/fixtures.h"
#include "cards/metadata.h"
#include "cards/prepared_parts.h"
#include "catch.h"
#include "imaging/oklab.h"

namespace affiche::cards::test {
namespace {

// Skies, skins, leaves and greys in patches, with black and white.
Image patches() {
  const std::vector<Colour> colours = {{0, 0, 0},      {255, 255, 255}, {128, 128, 128},
                                       {60, 60, 60},   {120, 170, 220}, {225, 180, 150},
                                       {90, 120, 50},  {200, 40, 30},   {20, 30, 90},
                                       {245, 230, 90}, {255, 0, 0},     {0, 0, 255}};
  Image image = make_image(static_cast<int>(colours.size()) * 8, 16, 3);
  for (std::size_t i = 0; i < image.pixels.size() / 3; ++i) {
    const Colour& colour = colours[i % static_cast<std::size_t>(image.width) / 8];
    image.pixels[3 * i] = colour.red;
    image.pixels[3 * i + 1] = colour.green;
    image.pixels[3 * i + 2] = colour.blue;
  }
  return image;
}

Oklab mean_of(const Image& image) {
  Oklab sum;
  for (std::size_t at = 0; at < image.pixels.size(); at += 3) {
    sum = sum + lab_of_srgb(image.pixels.data() + at);
  }
  return sum * (3.0F / static_cast<float>(image.pixels.size()));
}

Composed with_photo(const std::string& keys, const std::shared_ptr<PreparedParts>& kept = nullptr) {
  const std::string text =
      "[canvas]\nwidth = 400\nheight = 300\n[[layers]]\nkind = \"photo\"\n"
      "box = [0, 0, 400, 240]\n" +
      keys +
      "[[layers]]\nkind = \"credit\"\nbox = [0, 240, 400, 60]\nsize = 9\nlines = 4\n"
      "colour = \"#FFFFFF\"\n";
  CardInputs inputs;
  inputs.photo = photo();
  inputs.kept = kept;
  return compose(parse_template(text, "graded.toml", kRoot), demo(), inputs);
}

}  // namespace

TEST_CASE("grading moves the mean colour towards the tone, and no further than slightly",
          "[grade]") {
  const Tone orange = tone_of(Colour{255, 122, 69});
  const Image before = patches();
  const Oklab old = mean_of(before);
  float last = 0;
  for (const double amount : {0.25, 0.5, 1.0}) {
    Image after = before;
    grade(after, orange, amount);
    const Oklab now = mean_of(after);
    const float moved = std::hypot(now.a - old.a, now.b - old.b);
    CHECK(moved > last);
    CHECK(moved < 0.041F * static_cast<float>(amount));
    // Along the way to the tone.
    CHECK((now.a - old.a) * (orange[0] - old.a) + (now.b - old.b) * (orange[1] - old.b) > 0);
    last = moved;
  }
  CHECK(last > 0.015F);
}

TEST_CASE("grading keeps every pixel's luminance, and black and white", "[grade]") {
  for (const Colour& towards : {Colour{255, 122, 69}, Colour{20, 60, 200}, Colour{15, 163, 120}}) {
    Image image = patches();
    const Image before = image;
    grade(image, tone_of(towards), 1);
    for (std::size_t at = 0; at < image.pixels.size(); at += 3) {
      const std::uint8_t* old = &before.pixels[at];
      const std::uint8_t* now = &image.pixels[at];
      INFO(int(old[0]) << "," << int(old[1]) << "," << int(old[2]) << " -> " << int(now[0]) << ","
                       << int(now[1]) << "," << int(now[2]));
      const double light = luminance(old[0], old[1], old[2]);
      REQUIRE(std::abs(luminance(now[0], now[1], now[2]) - light) < 0.006 + 0.02 * light);
      const bool neutral_end =
          (old[0] == 0 || old[0] == 255) && old[0] == old[1] && old[1] == old[2];
      if (neutral_end) {
        REQUIRE(std::equal(old, old + 3, now));
      }
    }
    CHECK(image.pixels != before.pixels);
  }
}

TEST_CASE("a brand's tone is that of its strong colours, and a grey brand has none", "[grade]") {
  Brand brand;
  brand.colours = {{"ground", {247, 247, 247}}, {"text", {20, 20, 20}}, {"accent", {194, 65, 12}}};
  const Tone accent = tone_of(Colour{194, 65, 12});
  CHECK(tone_of(brand)[0] == Approx(accent[0]).margin(0.005));
  CHECK(tone_of(brand)[1] == Approx(accent[1]).margin(0.005));
  brand.colours.erase("accent");
  CHECK(std::hypot(tone_of(brand)[0], tone_of(brand)[1]) < 0.001F);
}

TEST_CASE("a graded photo says so wherever its credit is", "[grade]") {
  const Composed plain = with_photo("");
  const Composed graded = with_photo("grade = 0.6\n");
  CHECK(graded.image.pixels != plain.image.pixels);
  REQUIRE(graded.credit);
  CHECK(graded.credit->changes == std::vector<std::string>{"cropped", "colours changed"});
  CHECK(contains(graded.credit_line, "colours changed"));
  CHECK(contains(xmp_packet(graded, {}), "colours changed"));
  CHECK(contains(credits_json(graded, {}), "colours changed"));
  CHECK(contains(json_ld(graded, {}), "colours changed"));
  CHECK_FALSE(contains(plain.credit_line, "colours changed"));
  CHECK(with_photo("grade = 0\n").image.pixels == plain.image.pixels);
}

TEST_CASE("photos that are kept are those of the same grade and colour", "[grade]") {
  const auto kept = std::make_shared<PreparedParts>();
  for (const char* keys :
       {"", "grade = 0.5\n", "grade = 1\n", "grade = 1\ngrade_colour = \"#2040FF\"\n",
        "grade = 1\ngrade_colour = \"#2040FF80\"\n", "grade = 0.5\n", ""}) {
    INFO(keys);
    CHECK(with_photo(keys, kept).image.pixels == with_photo(keys).image.pixels);
  }
}

TEST_CASE("a grade out of its range, or a colour without one, is refused with its place",
          "[grade]") {
  const Thrown high = thrown([] { with_photo("grade = 1.5\n"); });
  CHECK(high.cause == Cause::BadInput);
  CHECK(contains(high.message, "graded.toml:7:9"));
  CHECK(contains(high.message, "0 to 1"));
  CHECK(contains(thrown([] { with_photo("grade_colour = \"brand.accent\"\n"); }).message,
                 "together with grade"));
  CHECK(contains(thrown([] { with_photo("grade = 1\ngrade_colour = \"orange\"\n"); }).message,
                 "grade_colour"));
}

}  // namespace affiche::cards::test
