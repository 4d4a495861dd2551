// SPDX-License-Identifier: Apache-2.0
#include "cards/contact_sheet.h"

#include "base/error.h"
#include "cards/encode.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

Image plain(int width, int height, std::uint8_t red) {
  Image image = make_image(width, height, 3);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) image.pixels[i] = red;
  return image;
}

bool has_colour(const Image& image, int x, int y, int red, int green, int blue) {
  const std::uint8_t* pixel = &image.pixels[(static_cast<std::size_t>(y) * image.width + x) * 3];
  return std::abs(pixel[0] - red) < 3 && std::abs(pixel[1] - green) < 3 &&
         std::abs(pixel[2] - blue) < 3;
}

}  // namespace

TEST_CASE("a contact sheet has each picture whole, with a green or red strip", "[sheet]") {
  SheetCell wide{plain(640, 320, 200), "1 kept", true, "Wide", "CC BY 4.0\nPhoto: Ana"};
  SheetCell high{plain(100, 400, 120), "refused", false, "High", "forbids changes"};
  SheetCell none{std::nullopt, "refused", false, "None", ""};
  const std::vector<SheetCell> cells = {wide, high, none};
  const Image sheet = contact_sheet("bridge", cells, 2);
  CHECK(sheet.width == 2 * 24 + 2 * 320 + 20);
  CHECK(has_colour(sheet, 24 + 160, 80 + 107, 200, 0, 0));
  CHECK(has_colour(sheet, 24 + 2, 80 + 5, 220, 220, 217));         // beside it
  CHECK(has_colour(sheet, 24 + 340 + 160, 80 + 107, 120, 0, 0));   // scaled down, in the middle
  CHECK(has_colour(sheet, 24 + 300, 80 + 214 + 12, 20, 107, 56));  // the strips
  CHECK(has_colour(sheet, 24 + 340 + 300, 80 + 214 + 12, 163, 31, 31));
}

TEST_CASE("long reasons make their row higher, nothing is cut", "[sheet]") {
  SheetCell brief{std::nullopt, "refused", false, "A", "short"};
  SheetCell wordy = brief;
  for (int i = 0; i < 60; ++i) wordy.text += " because of this and that";
  const int low = contact_sheet("t", std::vector{brief}).height;
  CHECK(contact_sheet("t", std::vector{wordy}).height > low + 300);
  CHECK_THROWS_AS(contact_sheet("t", {}), Error);
  brief.text = "\xff";
  CHECK_THROWS_AS(contact_sheet("t", std::vector{brief}), Error);
}

}  // namespace affiche::cards::test
