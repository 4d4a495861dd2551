// SPDX-License-Identifier: Apache-2.0
#include "photos/measures.h"

#include <functional>
#include <map>

#include "cards/encode.h"
#include "catch.h"
#include "imaging/resize.h"
#include "photos/choice.h"
#include "photos/picture_files.h"

using namespace affiche;
using namespace affiche::photos;

namespace {

using Shade = std::function<int(int x, int y)>;

Image drawn(int width, int height, const Shade& shade) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) {
        image.pixels[(static_cast<std::size_t>(y) * width + x) * 3 + c] =
            static_cast<std::uint8_t>(shade(x, y));
      }
    }
  }
  return image;
}

Image scene(int width, int height, int seed) {
  return drawn(width, height, [&](int x, int y) {
    std::uint32_t block =
        static_cast<std::uint32_t>((x * 11 / width) * 37 + (y * 9 / height) * 101 + seed * 5003);
    block *= 2654435769u;
    block = (block ^ block >> 15) * 2246822519u;
    return 50 + static_cast<int>((block ^ block >> 13) % 150);
  });
}

Image soft(const Image& image) {
  const Image tiny = resize(image, image.width / 24, image.height / 24, Filter::Bilinear);
  return resize(tiny, image.width, image.height, Filter::Bicubic);
}

// Of the packages mate-backgrounds and scikit-learn, as far as they are there; by name.
std::map<std::string, Image> real_photographs() {
  std::map<std::string, Image> found;
  for (const std::filesystem::path& folder :
       {std::filesystem::path("/usr/share/backgrounds/mate/nature"),
        std::filesystem::path(AFFICHE_SOURCE_DIR) / ".deps/photos"}) {
    if (!std::filesystem::exists(folder)) continue;
    for (const std::filesystem::path& file : picture_files(folder)) {
      const std::string name = file.filename();
      if (!found.contains(name)) {
        found[name] = cards::decode_within(read_bytes(file), file.string(), {}, 1'280);
      }
    }
  }
  return found;
}

Image scaled(const Image& image, double times, int offset) {
  Image made = image;
  for (std::uint8_t& value : made.pixels) {
    value = static_cast<std::uint8_t>(std::min(255.0, offset + times * value));
  }
  return made;
}

}  // namespace

TEST_CASE("real photographs pass, and out of focus, black or white they do not", "[measures]") {
  const std::map<std::string, Image> photographs = real_photographs();
  if (photographs.empty()) {
    WARN("skipped: the photographs of mate-backgrounds are not installed");
    return;
  }
  for (const auto& [name, image] : photographs) {
    const Measured real = measure(image), away = measure(soft(image));
    INFO(name << ": focus " << real.focus << ", out of it " << away.focus << "; exposure "
              << real.exposure);
    CHECK(unfit(real) == "");
    CHECK(unfit(away) == "nothing in it is in focus");
    CHECK(unfit(measure(scaled(image, 0.03, 0))) != "");
    CHECK(unfit(measure(scaled(image, 0.03, 247))) != "");
    // Half the size and another encoder make no other picture of it.
    const Image small = resize(image, image.width / 2, image.height / 2, Filter::Bilinear);
    CHECK(print_distance(measure(small).print, real.print) <= kSamePrint);
    for (const auto& [other, compared] : photographs) {
      if (other == name) continue;
      INFO(other);
      CHECK(print_distance(measure(compared).print, real.print) > kSamePrint);
    }
  }
}

TEST_CASE("a picture keeps its print in another size, and others have another", "[measures]") {
  const Image image = scene(900, 600, 1);
  const std::uint64_t print = measure(image).print;
  CHECK(print_distance(print, measure(resize(image, 450, 300, Filter::Lanczos)).print) <=
        kSamePrint);
  CHECK(print_distance(print, measure(resize(image, 1300, 867, Filter::Bicubic)).print) <=
        kSamePrint);
  Image brighter = image;
  for (std::uint8_t& value : brighter.pixels) value = static_cast<std::uint8_t>(value + 20);
  CHECK(print_distance(print, measure(brighter).print) <= kSamePrint);
  for (int seed = 2; seed < 12; ++seed) {
    CAPTURE(seed);
    CHECK(print_distance(print, measure(scene(900, 600, seed)).print) > kSamePrint);
  }
  CHECK(print_distance(0, ~std::uint64_t{0}) == 64);
}

TEST_CASE("focus tells a sharp subject from a blurred picture", "[measures]") {
  const Image sharp = drawn(800, 600, [](int x, int y) { return (x / 7 + y / 7) % 2 * 120 + 60; });
  const Image blurred = soft(sharp);
  CHECK(measure(sharp).focus > 0.5);
  CHECK(measure(blurred).focus < 0.02);
  Image subject = blurred;
  paste(subject, crop(sharp, 200, 150, 600, 450), 200, 150);
  CHECK(measure(subject).focus > 0.5);
  CHECK(measure(drawn(8, 8, [](int, int) { return 90; })).focus == 0);
}

TEST_CASE("exposure falls for what is almost black or white", "[measures]") {
  CHECK(measure(scene(300, 200, 1)).exposure > 0.9);
  CHECK(measure(drawn(300, 200, [](int, int) { return 3; })).exposure == 0);
  CHECK(measure(drawn(300, 200, [](int, int) { return 252; })).exposure == 0);
  const double half =
      measure(drawn(300, 200, [](int x, int) { return x < 150 ? 2 : 120; })).exposure;
  CHECK(half > 0.01);
  CHECK(half < 0.5);
}

TEST_CASE("pictures with an alpha channel and of one pixel are measured", "[measures]") {
  CHECK(measure(make_image(640, 480, 4)).exposure == 0);
  CHECK(measure(make_image(1, 1, 3)).focus == 0);
}
